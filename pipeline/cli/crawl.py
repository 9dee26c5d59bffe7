"""Faces of scheduled crawls: crawl list, add, run, next, enable, disable."""

import re
from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, FormatOption, write_rows
from pipeline.cli.services import Services
from pipeline.embedded import running
from pipeline.errors import Malformed, Misuse, NotFound
from pipeline.stages import source_list
from pipeline.stages.outcome import Bell
from pipeline.store import queries, sources
from pipeline.store.tables import Stage

app = typer.Typer(help="Sources that are polled on a schedule: feeds and sitemaps.", no_args_is_help=True)

PARTLY = 4
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?([smhd]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class SourceKind(StrEnum):
    """What a source is."""

    FEED = "feed"
    SITEMAP = "sitemap"


def _duration(text: str | float) -> float:
    """Seconds; typer hands in the default, too."""
    if isinstance(text, float):
        return text
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no span of time: write 900, 15m, 2h or 1d.")
    return float(match[1]) * _SECONDS[match[2]]


def span(seconds: float | None) -> str:
    """Seconds as a person says them: now, 40 s, 15 min, 2 h 5 min, 3 d."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return "now"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} d"


SOURCES = (
    Column("name", least=12),
    Column("enabled", "on"),
    Column("interval", "every", right=True, show=span),
    Column("due_in", "next in", right=True, show=span),
    Column("polls", right=True),
    Column("pages", right=True),
    Column("stories", right=True),
    Column("last_outcome", "last outcome", least=14),
    Column("kind", spare=True),
    Column("url", "URL", least=24, spare=True),
)
NEXT = (
    Column("name", least=12),
    Column("due_in", "next in", right=True, show=span),
    Column("next_at", "at (UTC)", least=16),
    Column("url", "URL", least=24),
)
Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="Sources, as `wirecopy crawl list` names them.")]


@app.command("list")
def list_(ctx: typer.Context, format_: FormatOption = None) -> None:
    """List the sources: when each is polled next, and what it has brought.

    Example: wirecopy crawl list --format json
    """
    context: Context = ctx.obj
    with context.services() as services:
        wrong = _take_in_files(services)
        with services.factory() as session:
            found = queries.sources(session)
    write_rows(found, SOURCES, format_)
    if not found:
        say("There are no sources yet: `wirecopy crawl add NAME URL`, or name them in sources.toml (`wirecopy config path`).")
    if wrong:
        raise typer.Exit(PARTLY)


@app.command("next")
def next_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Sources at the most.")] = 10,
    format_: FormatOption = None,
) -> None:
    """List what is polled next, the soonest first.

    Example: wirecopy crawl next --limit 3
    """
    context: Context = ctx.obj
    with context.services() as services:
        wrong = _take_in_files(services)
        with services.factory() as session:
            waiting = [source for source in queries.sources(session) if source.next_at is not None]
    waiting.sort(key=lambda source: (source.due_in, source.name))
    write_rows(waiting[:limit], NEXT, format_)
    if not waiting:
        say("No source waits to be polled: `wirecopy crawl list` shows them all.")
    if wrong:
        raise typer.Exit(PARTLY)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of your choice; a known one is changed.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Of the feed or sitemap.")],
    kind: Annotated[SourceKind, typer.Option(help="What the URL is.")] = SourceKind.FEED,
    every: Annotated[
        float, typer.Option(parser=_duration, metavar="SPAN", help="Between two polls: 900, 15m, 2h, 1d.")
    ] = 900.0,
) -> None:
    """Add a source, or change the one of that name. It is polled when it is due, while `wirecopy up` runs.

    Example: wirecopy crawl add example-world https://news.example/world.rss --every 15m
    """
    context: Context = ctx.obj
    with context.services() as services:
        try:
            with services.factory.begin() as session:
                source_list.add_source(session, services.settings, name=name, kind=kind.value, url=url, interval=every)
        except Malformed as error:
            raise Misuse(str(error)) from error
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        say(printable.line(f"{name} is polled every {span(every)}. {_who_fetches(context, services)}"))


@app.command()
def run(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="These alone; else all that are on.")] = None,
) -> None:
    """Let sources be polled now, whatever their schedule says.

    Example: wirecopy crawl run example-world
    """
    context: Context = ctx.obj
    with context.services() as services:
        wrong = _take_in_files(services)
        with services.factory.begin() as session:
            chosen = sources.named(session, names or ())
            off = [source.name for source in chosen if not source.enabled]
            if names and off:
                raise Misuse(f"Switched off: {', '.join(off)}. `wirecopy crawl enable {off[0]}` switches it on.")
            due = [source for source in chosen if source.enabled]
            for source in due:
                sources.make_due(session, source)
            said = ", ".join(source.name for source in due)
        if not due:
            raise NotFound("No source is switched on: `wirecopy crawl list` shows all, `wirecopy crawl add NAME URL` adds one.")
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        say(printable.line(f"Due now: {said}. {_who_fetches(context, services)}"))
    if wrong:
        raise typer.Exit(PARTLY)


@app.command()
def enable(ctx: typer.Context, names: Names) -> None:
    """Switch sources on.

    Example: wirecopy crawl enable example-world
    """
    _switch(ctx, names, on=True)


@app.command()
def disable(ctx: typer.Context, names: Names) -> None:
    """Switch sources off; what they brought stays.

    Example: wirecopy crawl disable example-world
    """
    _switch(ctx, names, on=False)


def _switch(ctx: typer.Context, names: list[str], *, on: bool) -> None:
    context: Context = ctx.obj
    with context.services() as services:
        _take_in_files(services)
        with services.factory.begin() as session:
            _switch_all(session, names, on=on)
    say(printable.line(f"Switched {'on' if on else 'off'}: {', '.join(names)}."))


def _switch_all(session: Session, names: list[str], *, on: bool) -> None:
    for source in sources.named(session, names):
        sources.set_enabled(session, source, enabled=on)


def _take_in_files(services: Services) -> bool:
    """Take in the sources of the files; True where an entry is wrong, which has been said."""
    with services.factory.begin() as session:
        synced = source_list.sync(session, services.settings, source_list.paths())
    for message in synced.wrong:
        say(printable.line(message))
    return bool(synced.wrong)


def _who_fetches(context: Context, services: Services) -> str:
    if running(context.settings.data_folder) is not None:
        return "The running `wirecopy up` fetches it; `wirecopy crawl list` shows what it brings."
    if context.settings.database_url and not services.started:
        return "Your workers fetch it; `wirecopy crawl list` shows what it brings."
    return "Nothing is fetched until `wirecopy up` runs."
