"""status: everything counted at one moment."""

from collections.abc import Mapping

import typer

from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, Format, FormatOption, as_mapping, is_terminal, shown, write_record, write_rows
from pipeline.errors import WirecopyError
from pipeline.store import queries
from pipeline.store.queries import Status
from pipeline.store.tables import Visit

ROWS = (Column("what"), Column("number", "", right=True), Column("of_which", "of which", least=30))


BROUGHT = (
    Column("name", "source", least=12),
    Column("state", ""),
    Column("pages", "items new", right=True),
    Column("witnesses", right=True),
    Column("stories", right=True),
    Column("last_outcome", "last outcome", least=14),
)
OF_SOURCES = tuple(column.key for column in BROUGHT)
# The sources that a table shows; the other formats have all.
MOST_SOURCES = 20


def status(ctx: typer.Context, format_: FormatOption = None) -> None:
    """Count what there is and what waits: URLs, captures, witnesses, stories, quarantine, hosts.

    Example: wirecopy status --format json
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        found = queries.status(session)
        brought = sorted(queries.sources(session), key=lambda source: (-source.pages, source.name))
    if format_ is Format.TABLE or (format_ is None and is_terminal()):
        write_rows(_rows(found), ROWS, Format.TABLE)
        if brought:
            write_rows(brought[:MOST_SOURCES], BROUGHT, Format.TABLE)
        if len(brought) > MOST_SOURCES:
            say(f"{len(brought) - MOST_SOURCES:,} more sources: `wirecopy crawl list` shows all.")
        say(f"The last attempt at anything began {shown(found.last_attempt_at)} UTC." if found.last_attempt_at else _begin())
    else:
        each = [{name: getattr(source, name) for name in OF_SOURCES} for source in brought]
        write_record({**as_mapping(found), "adds_up": found.adds_up, "brought": each}, format_)
    if not found.adds_up:
        broken = "; ".join(f"{check.what}: {check.counted}, not {check.expected}" for check in found.checks if not check.holds)
        raise WirecopyError(f"The numbers do not add up ({broken}). Nothing is lost by it; please report it.")


def _begin() -> str:
    return "Nothing has been attempted yet: `wirecopy add URL` queues a page, `wirecopy demo` shows all of it at work."


def _rows(found: Status) -> list[dict[str, object]]:
    return [
        _row("URLs", found.urls, _in_order(found.frontier) | {"due now": found.due}),
        _row(
            "sources",
            found.sources,
            {"switched on": found.sources_enabled, "failing": found.sources_failing, "asleep": found.sources_asleep},
        ),
        _row("captures", found.captures, {"unread": found.captures_unread}),
        _row(
            "witnesses",
            found.witnesses,
            {"in stories": found.witnesses_in_stories, "thin": found.witnesses_thin, "to place": found.witnesses_unplaced},
        ),
        _row(
            "stories",
            found.stories,
            {
                "recovered": found.stories_recovered,
                "to collate": found.stories_to_collate,
                "to recover": found.stories_to_recover,
            },
        ),
        _row("recoveries", found.recoveries, {}),
        _row("quarantine", found.quarantine, found.quarantine_by_stage),
        _row("hosts", found.hosts, {"leased": found.hosts_leased, "resting": found.hosts_resting}),
        _row("revisits to come", found.revisits, {}),
        _row("attempts under way", found.attempts_open, {}),
    ]


def _row(what: str, number: int, parts: Mapping[str, int]) -> dict[str, object]:
    of_which = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in parts.items() if count)
    return {"what": what, "number": number, "of_which": of_which}


def _in_order(states: Mapping[str, int]) -> dict[str, int]:
    return {state.value: states[state] for state in Visit if state in states}
