"""The command line as a whole: global options, and every command mounted."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer

from pipeline.cli import configuration, crawl, demo, doctor, intake, jobs, quarantine, recover, running, status, stories
from pipeline.cli.context import Context
from pipeline.cli.wiring import Wiring
from pipeline.errors import Misuse
from pipeline.settings import load


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"wirecopy {version('wirecopy')}")
        raise typer.Exit


def make_app(wiring: Wiring) -> typer.Typer:
    """The typer application on the processes and the bell that the console script hands in."""
    app = typer.Typer(
        name="wirecopy",
        help="Finds the copies of an agency story and recovers the wording the agency sent out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def begin(
        ctx: typer.Context,
        data_dir: Annotated[str | None, typer.Option(help="Where private servers keep their data.")] = None,
        database_url: Annotated[str | None, typer.Option(help="A PostgreSQL server in place of the private one.")] = None,
        redis_url: Annotated[str | None, typer.Option(help="A Redis server in place of the private one.")] = None,
        settings: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="NAME=VALUE", help="Any setting; `wirecopy config show` lists them."),
        ] = None,
        _version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
    ) -> None:
        flags: dict[str, Any] = dict(map(_split, settings or ()))
        flags |= {"data_dir": data_dir, "database_url": database_url, "redis_url": redis_url}
        ctx.obj = Context(load(flags), wiring)

    commands: tuple[Callable[..., Any], ...] = (
        demo.demo,
        recover.recover,
        running.up,
        intake.add,
        status.status,
        stories.search,
        running.worker,
        running.beat,
        doctor.doctor,
    )
    for command in commands:
        app.command()(command)
    app.add_typer(crawl.app, name="crawl")
    app.add_typer(jobs.app, name="jobs")
    app.add_typer(quarantine.app, name="quarantine")
    app.add_typer(stories.app, name="story")
    app.add_typer(running.database, name="db")
    app.add_typer(configuration.app, name="config")
    return app


def _split(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise Misuse(f"--set {given}: write NAME=VALUE, as in --set fetch_interval=10.")
    return name.strip(), value
