"""The command line as a whole: global options, and every command, imported when it is called.

`wirecopy recover` needs no database and `wirecopy status` no philology; what a command does not use it need not wait for.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from pipeline.cli.context import Context
from pipeline.cli.wiring import Wiring
from pipeline.errors import Misuse
from pipeline.settings import load

COMMANDS = {
    "demo": ("demo", "demo", "Show the whole system at work on private servers and example copies, in under a minute."),
    "recover": ("recover", "recover", "Recover the wording of one article from its copies."),
    "up": (
        "running",
        "up",
        "Run everything in one go: PostgreSQL, Valkey, workers and beat. Ctrl-C stops all of it cleanly.",
    ),
    "add": ("intake", "add", "Queue URLs by hand, or store a pasted text."),
    "crawl": ("crawl", "app", "Sources that are polled on a schedule: feeds, sitemaps and section pages."),
    "status": (
        "status",
        "status",
        "Count what there is and what waits: URLs, captures, witnesses, stories, quarantine, hosts.",
    ),
    "jobs": ("jobs", "app", "What was asked for, and what came of it."),
    "quarantine": ("quarantine", "app", "Work that kept failing, until you retry or discard it."),
    "search": (
        "stories",
        "search",
        "Find stories by what their recovered text or one of their copies says, best first.",
    ),
    "check": (
        "check",
        "check",
        "Find the stored stories that a text uses: how much of it is theirs, how much of them it has, and which passages.",
    ),
    "story": ("stories", "app", "Stories: what was recovered, and the copies it rests on."),
    "forget": (
        "forget",
        "forget",
        "Delete a page, or all pages of a story, everywhere; they do not come back.",
    ),
    "export": ("export", "export", "Write stories in a format of others."),
    "worker": ("running", "worker", "Run one worker on servers that are named in the settings: for several machines."),
    "beat": ("running", "beat", "Run the beat, which lets due work be looked for; one is enough, two do no harm."),
    "db": ("running", "database", "The database."),
    "model": (
        "model",
        "app",
        "A small neural model for readings that stay in doubt: used where it is installed, never needed.",
    ),
    "doctor": (
        "doctor",
        "doctor",
        "Look at everything that wirecopy needs: Python, disk, servers, schema, workers. Exit 1 where something fails.",
    ),
    "config": ("configuration", "app", "Settings, and where they come from."),
}
"""Command → (module of pipeline.cli, what it is there: a function or a typer application of subcommands, its line of help)."""


class Commands(TyperGroup):
    """The table of commands as typer and click know a group."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """The name and the line of help, which is all that a list of commands shows; None for a name that is none."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, imported now."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and bring(str(listed.name)), rest


def bring(name: str) -> Any:
    """The command of that name as click knows it."""
    module, attribute, _ = COMMANDS[name]
    found = getattr(import_module(f"pipeline.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        found.info.name, found._add_completion = name, False
        return get_group(found)
    single = typer.Typer(add_completion=False)
    single.command(name)(found)
    return get_command(single)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"wirecopy {version('wirecopy')}")
        raise typer.Exit


def make_app(wiring: Wiring) -> typer.Typer:
    """The typer application on the processes and the bell that the console script hands in."""
    app = typer.Typer(
        name="wirecopy",
        cls=Commands,
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
        _version: Annotated[
            bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
        ] = False,
    ) -> None:
        """Find the copies of an agency story and recover the wording the agency sent out."""
        flags: dict[str, Any] = dict(map(_split, settings or ()))
        flags |= {"data_dir": data_dir, "database_url": database_url, "redis_url": redis_url}
        ctx.obj = Context(load(flags), wiring)

    return app


def _split(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise Misuse(f"--set {given}: write NAME=VALUE, as in --set fetch_interval=10.")
    return name.strip(), value
