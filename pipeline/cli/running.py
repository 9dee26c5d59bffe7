"""Faces that run wirecopy: up, worker, beat, db upgrade."""

import time
from typing import Annotated, Literal

import typer

from pipeline.cli.broker import check_broker
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.embedded import exclusive
from pipeline.errors import Misuse
from pipeline.settings import Settings
from pipeline.stages import source_list
from pipeline.store import schema
from pipeline.store.engine import connect

database = typer.Typer(help="The database.", no_args_is_help=True)


def up(ctx: typer.Context) -> None:
    """Run everything in one go: PostgreSQL, Valkey, workers and beat. Ctrl-C stops all of it cleanly.

    Example: wirecopy up
    """
    context: Context = ctx.obj
    settings = context.settings
    named = {"database_url": settings.database_url or None, "redis_url": settings.redis_url or None}
    if settings.redis_url:
        check_broker(settings)
    with exclusive(settings.data_folder, **named), context.services() as services:
        with services.factory.begin() as session:
            synced = source_list.sync(session, services.settings, source_list.paths())
        for wrong in synced.wrong:
            say(f"A source is left out: {wrong}")
        with context.wiring.fleet(services.settings) as fleet:
            say(f"wirecopy is up: data in {settings.data_folder}, {len(synced.names)} sources. Ctrl-C stops it.")
            while True:
                fleet.check()
                time.sleep(0.5)


def worker(
    ctx: typer.Context,
    queue: Annotated[Literal["fetch", "dedupe"], typer.Argument(help="What it works on.")],
) -> None:
    """Run one worker on servers that are named in the settings: for several machines.

    Example: WIRECOPY_DATABASE_URL=postgresql://… WIRECOPY_REDIS_URL=redis://… wirecopy worker fetch
    """
    context: Context = ctx.obj
    context.wiring.worker(_named(context.settings, f"worker {queue}"), queue)


def beat(ctx: typer.Context) -> None:
    """Run the beat, which lets due work be looked for; one is enough, two do no harm.

    Example: WIRECOPY_DATABASE_URL=postgresql://… WIRECOPY_REDIS_URL=redis://… wirecopy beat
    """
    context: Context = ctx.obj
    context.wiring.beat(_named(context.settings, "beat"))


def _named(settings: Settings, command: str) -> Settings:
    """The settings, where they name both servers and the database is ready."""
    if not (settings.database_url and settings.redis_url):
        raise Misuse(
            f"`wirecopy {command}` works on servers that others share: set WIRECOPY_DATABASE_URL and WIRECOPY_REDIS_URL. "
            "On one machine, `wirecopy up` runs servers, workers and beat together."
        )
    engine = connect(settings.database_url, settings.database_password_file)
    try:
        schema.check(engine)
    finally:
        engine.dispose()
    return settings


@database.command("upgrade")
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to the schema that this wirecopy needs; nothing is done twice.

    Example: WIRECOPY_DATABASE_URL=postgresql://… wirecopy db upgrade
    """
    context: Context = ctx.obj
    settings = context.settings
    if not settings.database_url:
        with context.services():  # a private database is upgraded whenever it is opened
            say(f"The private database is at revision {schema.wanted()}.")
            return
    engine = connect(settings.database_url, settings.database_password_file)
    try:
        before, now = schema.upgrade(engine)
    finally:
        engine.dispose()
    say(f"The database is at revision {now}" + (f", before {before or 'without a schema'}." if before != now else " already."))
