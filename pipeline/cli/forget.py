"""forget: what is stored of a page or of a story's pages is deleted everywhere, on request."""

import sys
from typing import Annotated

import typer

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.errors import Misuse, NotFound
from pipeline.stages import forgetting
from pipeline.stages.forgetting import Forgotten, Plan

MOST_NAMED = 20


def forget(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="URL|STORY", help="A page, or a story's number: all its pages.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Let a forgotten URL be queued again.")] = False,
) -> None:
    """Delete a page, or all pages of a story, everywhere; they do not come back.

    Captures, bodies, WARC records, texts, collations and recoveries go; stories with other copies are made again without these.

    Example: wirecopy forget https://news.example/story.html
    """
    context: Context = ctx.obj
    with context.services() as services:
        if undo:
            with services.factory.begin() as session:
                lifted = forgetting.lift(session, what)
            if not lifted:
                raise NotFound(f"{what} was not forgotten. `wirecopy add {what}` queues it.")
            say(f"{printable.line(what)} may be queued again: `wirecopy add` does it.")
            return
        with services.factory() as session:
            planned = forgetting.plan(session, what)
        _confirm(planned, yes)
        forgotten = forgetting.forget(services.factory, what, services.settings)
        ring = context.wiring.ring(services.settings)
        for bell in forgotten.bells:
            ring(bell)
        _tell(forgotten, started=services.started)


def _confirm(planned: Plan, yes: bool) -> None:
    for url in planned.urls[:MOST_NAMED]:
        say(printable.line(url))
    if len(planned.urls) > MOST_NAMED:
        say(f"… and {len(planned.urls) - MOST_NAMED:,} more.")
    counted = f"{len(planned.urls)} URLs, {planned.captures} captures and {planned.witnesses} texts"
    touched = f" of stories {', '.join(map(str, planned.stories))}" if planned.stories else ""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Misuse(f"This would delete {counted}{touched} for good, and nobody is here to be asked: say --yes.")
    typer.confirm(f"Delete {counted}{touched} for good?", abort=True, err=True)


def _tell(forgotten: Forgotten, *, started: bool) -> None:
    say(
        f"Deleted: {len(forgotten.urls)} URLs, {forgotten.captures} captures and {forgotten.witnesses} texts. "
        "Backups and logs of yours may still hold them."
    )
    if forgotten.ended:
        say(f"Gone with their last text: stories {', '.join(map(str, forgotten.ended))}.")
    if forgotten.remade:
        when = " when `wirecopy up` runs" if started else ""
        say(f"Made again without them{when}: stories {', '.join(map(str, forgotten.remade))}.")
    for file in forgotten.elsewhere:
        say(f"Still holds records of them, and is not in this machine's WARC folder: {printable.line(file)}.")
