"""Faces that query: search, story show, story copies, story explain."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.doubt import LEGEND, bracketed, styled, with_conjectures
from pipeline.cli.finds import how_found
from pipeline.cli.messages import say
from pipeline.cli.output import (
    Column,
    FormatOption,
    as_mapping,
    is_terminal,
    percent,
    shown,
    stdout,
    to_json,
    versions_line,
    write,
    write_rows,
)
from pipeline.errors import NotFound
from pipeline.philology.recovered import Kind
from pipeline.stages.outcome import Bell
from pipeline.store import discoveries, jobs, queries
from pipeline.store.queries import RecoveryView, SearchFilter, StoryView
from pipeline.store.tables import Stage

app = typer.Typer(help="Stories: what was recovered, and the copies it rests on.", no_args_is_help=True)

HITS = (
    Column("id", "story", right=True),
    Column("title", least=20),
    Column("copies", right=True),
    Column("first_published", "published", show=lambda day: shown(day)[:10]),
    Column("confidence", "sure", right=True, show=percent),
    Column("passage", least=24),
)
COPIES = (
    Column("siglum"),
    Column("host", least=20),
    Column("kind", least=9),
    Column("error_rate", "error", right=True, show=percent),
    Column("coverage", right=True, show=percent),
    Column("exemplar", "from"),
    Column("published_at", "published", show=lambda day: shown(day)[:10]),
    Column("agencies", "credits", spare=True),
    Column("partial", "may go on", least=10, spare=True),
    Column("relation", spare=True, show=lambda relation: shown(relation).replace("_", " ")),
    Column("story_id", "story", right=True, spare=True),
    Column("lineage", right=True, spare=True),
    Column("found_by", "found by", least=10, spare=True),
    Column("found", "found for", least=16, spare=True, show=how_found),
    Column("source", least=30, spare=True),
)


class Shape(StrEnum):
    """How a recovered text is printed."""

    TEXT = "text"
    JSON = "json"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: write year, month and day, as in 2026-03-31.") from error


def search(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help='Words; "a phrase"; or; -not (after --, where it comes first).')
    ],
    since: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="DAY", help="Published on this day (UTC) or later.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="DAY", help="Published on this day (UTC) or earlier.")
    ] = None,
    language: Annotated[str | None, typer.Option("--lang", help="Language of the story: en, de, …")] = None,
    host: Annotated[str | None, typer.Option(help="A site that ran a copy; its subdomains count.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="A copy of this kind is among them.")] = None,
    min_witnesses: Annotated[int, typer.Option(min=0, help="Pages at the least that hold a copy.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Stories at the most.")] = 20,
    format_: FormatOption = None,
) -> None:
    """Find stories by what their recovered text or one of their copies says, best first.

    Example: wirecopy search '"fuel prices" -diesel' --from 2026-03-01 --host news.example
    """
    context: Context = ctx.obj
    wanted = SearchFilter(query, host, since, until, language, kind, min_witnesses)
    with context.services() as services, services.factory() as session:
        hits = queries.search(session, wanted, limit)
    write_rows(hits, HITS, format_)
    if not hits:
        raise NotFound(
            f"No story matches {printable.line(query)!r} under these conditions. Try fewer words or filters; "
            "`wirecopy status` says how many stories there are."
        )
    if len(hits) == limit:
        say(f"The best {limit} are shown; --limit {min(limit * 5, 10_000)} shows more.")


@app.command()
def show(
    ctx: typer.Context,
    story_id: Annotated[int, typer.Argument(metavar="ID", help="The story's number, as `wirecopy search` gives it.")],
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version of the recovered text.")] = None,
    doubt: Annotated[
        bool | None,
        typer.Option(
            "--doubt/--no-doubt", help="Show doubtful words: underlined on a terminal (the default there), else in brackets."
        ),
    ] = None,
    conjectures: Annotated[
        bool,
        typer.Option(
            "--conjectures", help="Show in brackets, in place of the doubt, what may have stood there though no copy has it."
        ),
    ] = False,
    format_: Annotated[
        Shape, typer.Option("--format", "-f", help="The text, or JSON as `recover --format json` with the story's own facts.")
    ] = Shape.TEXT,
) -> None:
    """Print the recovered text of a story, with the doubt in it.

    Example: wirecopy story show 12 --doubt
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        story = queries.story(session, story_id, version)
    recovery = _recovered(story)
    if format_ is Shape.JSON:
        write(_document(story, recovery))
    elif conjectures:
        text = with_conjectures(recovery.text, recovery.document["conjectures"])
        write(printable.lines(text) if is_terminal() else text)
        say(f"{len(recovery.document['conjectures'])} conjectures, never part of the text. {_facts(story, recovery)}")
    else:
        _print_text(recovery, doubt=is_terminal() if doubt is None else doubt)
        say(_facts(story, recovery))
        versions = versions_line(recovery.document)
        if versions is not None:
            say(versions)


def _recovered(story: StoryView) -> RecoveryView:
    """The recovery of the story; NotFound, with what it waits for, where there is none."""
    if story.recovery is None:
        waits = story.waits_for or "nothing: it has no copies to recover from"
        raise NotFound(
            f"Story {story.id} has no recovery yet ({story.copies} copies; it waits for {waits}). "
            f"A running `wirecopy up` makes one; `wirecopy story copies {story.id}` lists the copies."
        )
    return story.recovery


def _document(story: StoryView, recovery: RecoveryView) -> str:
    facts = {name: value for name, value in as_mapping(story).items() if name != "recovery"}
    about = facts | {"version": recovery.version, "recovered_at": recovery.created_at}
    return to_json({**recovery.document, "story": about}, indent=2 if is_terminal() else None)


def _print_text(recovery: RecoveryView, *, doubt: bool) -> None:
    tokens = recovery.document["tokens"]
    if not is_terminal():
        write(bracketed(recovery.text, tokens) if doubt else recovery.text)
        return
    stdout().print(styled(recovery.text, tokens if doubt else ()))
    if doubt:
        say(LEGEND)


def _facts(story: StoryView, recovery: RecoveryView) -> str:
    parts = [
        *([f"Story {story.asked} was merged into story {story.id}"] if story.asked != story.id else []),
        f"Story {story.id}, version {recovery.version} of {story.versions}",
        f"{story.copies} copies" + (f" and {story.excerpts} excerpts" if story.excerpts else ""),
        f"mean probability of a word {percent(recovery.confidence)}",
    ]
    if not story.settled:
        parts.append(f"newer copies wait for {printable.line(story.waits_for or '')}")
    return "; ".join(parts) + "."


@app.command()
def copies(
    ctx: typer.Context,
    story_id: Annotated[int, typer.Argument(metavar="ID", help="The story's number, as `wirecopy search` gives it.")],
    format_: FormatOption = None,
) -> None:
    """List the copies of a story: where they stand, what was done to them, and what each was copied from.

    Texts of other stories that are linked to it come last: those that quote it, other days' reports, other languages.

    Example: wirecopy story copies 12 --format csv > copies.csv
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        found = queries.copies(session, story_id)
    write_rows(found, COPIES, format_)


@app.command()
def explain(
    ctx: typer.Context,
    story_id: Annotated[int, typer.Argument(metavar="ID", help="The story's number, as `wirecopy search` gives it.")],
    wanted: Annotated[
        str, typer.Argument(metavar="POSITION|WORD", help="An offset in the recovered text, or a word of a copy.")
    ],
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version of the recovered text.")] = None,
    format_: Annotated[Shape, typer.Option("--format", "-f", help="Text, or JSON.")] = Shape.TEXT,
) -> None:
    """Say why a word stands in a story's recovered text: who attests it, what each copy weighs, what speaks for it.

    It is told from the copies and the evidence of other stories that this version was recovered with.

    Example: wirecopy story explain 12 government
    """
    from pipeline.cli.accounts import accounts_at, write_accounts  # noqa: PLC0415 - numpy, which a search need not wait for
    from pipeline.stages.explaining import basis_of  # noqa: PLC0415 - as above

    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        story = queries.story(session, story_id, version)
        recovery = _recovered(story)
        basis = basis_of(session, story.id if version is None else story_id, recovery.version)
    found = accounts_at(basis.collation, basis.evidence, wanted, basis.judge)
    write(write_accounts(found, as_json=format_ is Shape.JSON))
    if any(one.passage.kept and basis.text[one.start : one.end] != one.text for one in found):
        say(
            f"This wirecopy weighs the copies otherwise than the one that made version {recovery.version}: what is told is new."
        )
    elif basis.evidence_changed:
        say(f"Other stories have taught more since version {recovery.version}: it is told from what they taught then.")


@app.command()
def discover(
    ctx: typer.Context,
    story_id: Annotated[int, typer.Argument(metavar="ID", help="The story's number, as `wirecopy search` gives it.")],
) -> None:
    """Look for more copies of a story: ask the providers that `wirecopy doctor` lists, and queue what looks like a copy.

    Example: wirecopy story discover 12
    """
    context: Context = ctx.obj
    with context.services() as services:
        with services.factory.begin() as session:
            queries.story(session, story_id)
            job_id = jobs.open_job(session, "discover", f"copies of story {story_id}")
            discovery_id = discoveries.open_discovery(session, story_id, f"story {story_id}", job_id)
        context.wiring.ring(services.settings)(Bell(Stage.DISCOVER, discovery_id))
        say(
            f"Job {job_id}: `wirecopy jobs watch {job_id}` follows it, `wirecopy story copies {story_id}` shows what it brings."
        )
        if services.started:
            say("Nothing is looked for until `wirecopy up` runs.")
