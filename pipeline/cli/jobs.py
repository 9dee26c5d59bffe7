"""Faces of jobs: list, show, watch, cancel."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.finds import how_found
from pipeline.cli.messages import say
from pipeline.cli.output import Column, Format, FormatOption, as_mapping, is_terminal, write_record, write_rows
from pipeline.cli.progress import Bar
from pipeline.cli.progress import watch as show_progress
from pipeline.cli.services import Services
from pipeline.crawl import urls
from pipeline.errors import Malformed, Misuse, Unavailable
from pipeline.store import jobs, queries
from pipeline.store.queries import JobProgress

app = typer.Typer(help="What was asked for, and what came of it.", no_args_is_help=True)

PARTLY, FAILED = 4, 1
PAUSE = 0.5
JOBS = (
    Column("id", "job", right=True),
    Column("state"),
    Column("items", "URLs", right=True),
    Column("finished", right=True),
    Column("arrived", right=True),
    Column("steps", "which are", least=20),
    Column("created_at", "asked", least=10),
    Column("note", least=12, spare=True),
)
ITEMS = (
    Column("url", "URL", least=32),
    Column("state", least=10, show=lambda state: state.replace("_", " ")),
    Column("story_id", "story", right=True),
    Column("why", least=18),
    Column("found_by", "found by", least=12, spare=True),
    Column("step", "which is", least=10, spare=True),
)
STEPS = (
    Column("begun_at", "begun", least=16),
    Column("stage"),
    Column("end", least=6),
    Column("outcome", least=24),
    Column("url", "URL", least=20, spare=True),
    Column("worker", least=10, spare=True),
)
JobId = Annotated[int, typer.Argument(metavar="ID", help="The job's number, as `wirecopy jobs list` gives it.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Jobs at the most.")] = 20,
    format_: FormatOption = None,
) -> None:
    """List the newest jobs and how far they have come.

    Example: wirecopy jobs list --limit 5
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory() as session:
        found = queries.jobs(session, limit)
    write_rows(map(_row, found), JOBS, format_)
    if not found:
        say("There are no jobs yet: `wirecopy add URL` opens one.")


@app.command()
def show(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="ID|URL", help="A job's number, or a URL to hear what became of it.")],
    format_: FormatOption = None,
) -> None:
    """Show the URLs of a job; or, step by step, why a URL did or did not arrive.

    Example: wirecopy jobs show https://news.example/story.html
    """
    context: Context = ctx.obj
    if what.strip().isdecimal():
        _show_job(context, int(what), format_)
    else:
        _show_url(context, what, format_)


def _show_job(context: Context, job_id: int, format_: Format | None) -> None:
    with context.services() as services, services.factory() as session:
        progress = queries.job(session, job_id)
        items = queries.job_items(session, job_id, 10_000)
    write_rows([as_mapping(item) | {"why": item.reason or item.thin} for item in items], ITEMS, format_)
    steps = ", ".join(f"{number} {step}" for step, number in progress.steps.items()) or "no URLs"
    say(printable.line(f"Job {job_id} ({progress.kind}, {progress.note}) is {progress.state}: {steps}."))
    if len(items) < progress.items:
        say(f"The first {len(items):,} of {progress.items:,} are shown.")


def _show_url(context: Context, given: str, format_: Format | None) -> None:
    try:
        url = urls.parse(given)
    except Malformed as error:
        raise Misuse(f"{error} (Or give a job's number.)") from error
    with context.services() as services, services.factory() as session:
        history = queries.url_history(session, url.key, url.text)
    if format_ is not Format.TABLE and (format_ is not None or not is_terminal()):
        write_record({"verdict": history.verdict, **as_mapping(history)}, format_)
        return
    facts = {
        "URL": history.url,
        "in short": history.verdict,
        "state": history.state.replace("_", " "),
        "admitted": history.admitted_at,
        "found by": history.found_by,
        "found for": how_found(history.found),
        "redirects": [hop["to"] for hop in history.hops],
        "declares": [_origin(origin) for arrival in history.arrivals[-1:] for origin in arrival.origins],
        "may go on": next((arrival.partial for arrival in history.arrivals[-1:]), None),
    }
    write_record(facts, Format.TABLE)
    write_rows(history.steps, STEPS, Format.TABLE)
    if history.same_as:
        say(f"`wirecopy jobs show {printable.line(history.same_as)}` tells of that page.")


def _origin(origin: Mapping[str, Any]) -> str:
    said = f"{origin['kind'].replace('_', ' ')}: {origin['value']}"
    return f"{said} ({origin['agency']})" if origin["agency"] and origin["agency"] not in said.lower() else said


@app.command()
def watch(ctx: typer.Context, job_id: JobId, format_: FormatOption = None) -> None:
    """Follow a job until nothing of it moves any more; exit 4 where some of its URLs gave no text, 1 where none did.

    Example: wirecopy jobs watch 7
    """
    context: Context = ctx.obj
    with context.services() as services:
        progress = _watch(services, job_id)
    write_rows([_row(progress)], JOBS, format_)
    if progress.missed:
        say(f"{progress.missed} URLs gave no text: `wirecopy jobs show {job_id}` says why.")
        raise typer.Exit(FAILED if progress.missed == progress.items else PARTLY)


def _watch(services: Services, job_id: int) -> JobProgress:
    """The job when it has ended. Raises Unavailable where nobody can be working on it."""
    with Bar() as bar:
        while True:
            with services.factory() as session:
                progress = queries.job(session, job_id)
            show_progress(bar, progress)
            if progress.done or progress.cancelled_at is not None:
                return progress
            if services.started:
                raise Unavailable(
                    f"No workers run on this data folder, and {progress.items - progress.finished} URLs of job {job_id} wait. "
                    "Start `wirecopy up` in another terminal, then watch again."
                )
            time.sleep(PAUSE)


@app.command()
def cancel(ctx: typer.Context, job_id: JobId) -> None:
    """Cancel a job: what still waits is not fetched, unless another job waits for it, too. What was fetched stays.

    Example: wirecopy jobs cancel 7
    """
    context: Context = ctx.obj
    with context.services() as services, services.factory.begin() as session:
        queries.job(session, job_id)
        ended = jobs.cancel(session, job_id)
    say(f"Job {job_id} is cancelled: {ended} URLs are not fetched. `wirecopy add` queues them anew.")


def _row(progress: JobProgress) -> Mapping[str, Any]:
    return as_mapping(progress) | {"state": progress.state, "done": progress.done, "missed": progress.missed}
