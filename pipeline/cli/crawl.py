"""Faces of scheduled crawls: crawl list, add, run, next, enable, disable."""

from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, FormatOption, write_rows
from pipeline.cli.services import Services
from pipeline.crawl.spans import read_span, span
from pipeline.embedded import running
from pipeline.errors import Malformed, Misuse, NotFound
from pipeline.stages import source_list
from pipeline.stages.outcome import Bell
from pipeline.store import queries, sources
from pipeline.store.tables import Stage

app = typer.Typer(help="Sources that are polled on a schedule: feeds, sitemaps and section pages.", no_args_is_help=True)

PARTLY = 4


class SourceKind(StrEnum):
    """What a source is."""

    FEED = "feed"
    SITEMAP = "sitemap"
    SECTION = "section"


def _duration(text: str) -> float:
    seconds = read_span(text)
    if seconds is None:
        raise typer.BadParameter(f"{text!r} is no span of time: write 900, 15m, 2h or 1d.")
    return seconds


SOURCES = (
    Column("name", least=12),
    Column("state"),
    Column("due_in", "next in", right=True, show=span),
    Column("polls", right=True),
    Column("pages", "items new", right=True),
    Column("witnesses", right=True),
    Column("stories", right=True),
    Column("last_outcome", "last outcome", least=14),
    Column("why", least=20, spare=True),
    Column("kind", spare=True),
    Column("tags", spare=True),
    Column("url", "URL", least=24, spare=True),
)
NEXT = (
    Column("name", least=12),
    Column("due_in", "next in", right=True, show=span),
    Column("next_at", "at (UTC)", least=16),
    Column("why", least=20),
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
    url: Annotated[str, typer.Argument(metavar="URL", help="Of the feed, sitemap or section page.")],
    kind: Annotated[SourceKind, typer.Option(help="What the URL is.")] = SourceKind.FEED,
    every: Annotated[
        float | None,
        typer.Option(
            parser=_duration, metavar="SPAN", help="Between two polls: 900, 15m, 2h. Else as often as it brings news."
        ),
    ] = None,
    cron: Annotated[str | None, typer.Option(metavar="LINE", help="When to poll: '30 6 * * MON-FRI'.")] = None,
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Of the cron line, such as Europe/Berlin.")] = "UTC",
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A word of your own; may be repeated.")] = None,
    discover: Annotated[bool, typer.Option("--discover/--no-discover", help="Look for copies of what it brings.")] = False,
    host_interval: Annotated[
        float | None, typer.Option(parser=_duration, metavar="SPAN", help="Leave its host alone for longer than usual.")
    ] = None,
    links: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Of a section: a regular expression found in the URLs of articles.")
    ] = None,
    other_hosts: Annotated[bool, typer.Option("--other-hosts", help="Of a section: links may lead to other hosts.")] = False,
) -> None:
    """Add a source, or change the one of that name. It is polled when it is due, while `wirecopy up` runs.

    Example: wirecopy crawl add example-world https://news.example/world.rss --tag world
    """
    context: Context = ctx.obj
    with context.services() as services:
        try:
            with services.factory.begin() as session:
                source_list.add_source(
                    session,
                    services.settings,
                    name=name,
                    kind=kind.value,
                    url=url,
                    interval=every,
                    cron=cron,
                    time_zone=time_zone,
                    tags=tag or (),
                    discover=discover,
                    host_interval=host_interval,
                    links=links,
                    other_hosts=other_hosts,
                )
        except Malformed as error:
            raise Misuse(str(error)) from error
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        say(printable.line(f"{name} is polled {_schedule(every, cron, time_zone)}. {_who_fetches(context, services)}"))


def _schedule(every: float | None, cron: str | None, time_zone: str) -> str:
    if cron is not None:
        return f"at the times of {cron} ({time_zone})"
    return "as often as it brings something new" if every is None else f"every {span(every)}"


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
            held = sources.quarantined(session)
            due = [source for source in chosen if source.enabled and source.id not in held]
            if names and (kept := [source.name for source in chosen if source.id in held]):
                raise Misuse(
                    f"In quarantine: {', '.join(kept)}. `wirecopy quarantine list` shows why, `quarantine retry` ends it."
                )
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
