"""Faces of the quarantine: list, show, retry, discard."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, Format, FormatOption, as_mapping, is_terminal, write_record, write_rows
from pipeline.errors import Misuse, NotFound
from pipeline.stages import retrying
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import queries
from pipeline.store.tables import Stage

app = typer.Typer(help="Work that kept failing, until you retry or discard it.", no_args_is_help=True)

ENTRIES = (
    Column("id", right=True),
    Column("stage"),
    Column("label", "what", least=20),
    Column("reason", least=24),
    Column("created_at", "since", least=10),
)
DECIDED = (*ENTRIES, Column("resolution", "decision"))
TRIES = (
    Column("begun_at", "begun", least=19, show=lambda time: printable.line(time or "")[:19]),
    Column("worker", least=10),
    Column("end"),
    Column("outcome", least=24),
)
PARTLY = 4
Ids = Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Entries, as `wirecopy quarantine list` numbers them.")]
Everything = Annotated[bool, typer.Option("--all", help="Every entry that is there.")]
OfStage = Annotated[Stage | None, typer.Option(help="With --all, only work of this stage.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    stage: Annotated[Stage | None, typer.Option(help="Only work of this stage.")] = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="What was retried or discarded before, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries at the most.")] = 100,
    format_: FormatOption = None,
) -> None:
    """List the work in quarantine, the last first.

    Example: wirecopy quarantine list --stage extract
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        found = queries.quarantine_entries(session, stage=stage, resolved=resolved, limit=limit)
    write_rows(found, DECIDED if resolved else ENTRIES, format_)
    if not found:
        say("Nothing is in quarantine.")


@app.command()
def show(
    ctx: typer.Context,
    quarantine_id: Annotated[int, typer.Argument(metavar="ID", help="An entry, as `quarantine list` numbers it.")],
    format_: FormatOption = None,
) -> None:
    """Show one entry with its last attempts.

    Example: wirecopy quarantine show 3
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        entry = queries.quarantine_entry(session, quarantine_id)
    if format_ is Format.TABLE or (format_ is None and is_terminal()):
        write_record({name: value for name, value in as_mapping(entry).items() if name != "history"}, Format.TABLE)
        write_rows(entry.history, TRIES, Format.TABLE)
    else:
        write_record(entry, format_)
    if entry.resolved_at is None:
        say(f"`wirecopy quarantine retry {entry.id}` tries it again, `wirecopy quarantine discard {entry.id}` gives it up.")


@app.command()
def retry(ctx: typer.Context, ids: Ids = None, everything: Everything = False, stage: OfStage = None) -> None:
    """Put work back to be tried again, its failures forgotten.

    Example: wirecopy quarantine retry --all --stage extract
    """
    _decide(ctx, ids, everything, stage, retrying.retry)


@app.command()
def discard(ctx: typer.Context, ids: Ids = None, everything: Everything = False, stage: OfStage = None) -> None:
    """Give work up for good; its page or story goes on without it.

    Example: wirecopy quarantine discard 3 4
    """
    _decide(ctx, ids, everything, stage, retrying.discard)


def _decide(
    ctx: typer.Context,
    ids: list[int] | None,
    everything: bool,
    stage: Stage | None,
    decide: Callable[[Session, int], Outcome],
) -> None:
    if everything == bool(ids) or (stage is not None and not everything):
        raise Misuse("Say which entries: their numbers, or --all (with --stage for those of one stage).")
    context: Context = ctx.obj
    wrong: list[str] = []
    bells: list[Bell] = []
    with context.services() as services:
        if everything:
            with services.factory() as session:
                ids = [entry.id for entry in queries.quarantine_entries(session, stage=stage, limit=10_000)]
        for id_ in dict.fromkeys(ids or ()):
            try:
                with services.factory.begin() as session:
                    outcome = decide(session, id_)
            except NotFound as error:
                wrong.append(str(error))
            else:
                bells += outcome.next
                say(printable.line(f"{id_}: {outcome.state}"))
        ring = context.wiring.ring(services.settings)
        for bell in dict.fromkeys(bells):
            ring(bell)
        if services.started and bells:
            say("It is tried when `wirecopy up` runs.")
    if not ids:
        say("Nothing is in quarantine.")
    if wrong and len(wrong) == len(ids or ()):
        raise NotFound(" ".join(wrong))
    for message in wrong:
        say(message)
    if wrong:
        raise typer.Exit(PARTLY)
