"""add: URLs come in by hand, from the command line, a file or standard input."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.progress import Bar, watch
from pipeline.cli.services import Services
from pipeline.embedded import running
from pipeline.errors import Misuse
from pipeline.stages.admission import admit
from pipeline.stages.outcome import Bell
from pipeline.store import jobs, overdue, queries
from pipeline.store.tables import Stage

PARTLY, FAILED = 4, 1
MOST_NAMED = 50
# Seconds: --wait does not wait for a URL that is due later than this (a host that rests, a robots.txt that fails).
WORTH_WAITING = 60.0


def add(
    ctx: typer.Context,
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL…", help="Pages that hold a copy.")] = None,
    file: Annotated[Path | None, typer.Option("-i", "--input", help="A file of URLs, one a line; - is stdin.")] = None,
    priority: Annotated[int, typer.Option(help="Higher comes first.", min=-100, max=100)] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all is fetched and recovered; starts workers.")] = False,
) -> None:
    """Queue URLs by hand.

    Exit 4 where a line is no URL or, with --wait, where a page gave no text or waits for later; 1 where none gave any.

    Example: wirecopy add https://news.example/story.html --wait
    """
    context: Context = ctx.obj
    lines = list(_lines(urls or [], file))
    if not lines:
        raise Misuse("No URL was given. Name some, or a file of them with -i FILE (- is standard input).")
    with context.services() as services:
        job_id, queued, malformed = _admit(services, lines, priority)
        for _, why in malformed[:MOST_NAMED]:
            say(f"Not queued: {why}")
        if len(malformed) > MOST_NAMED:
            say(f"… and {len(malformed) - MOST_NAMED:,} lines more that are not queued.")
        if not queued:
            raise Misuse("None of the lines is a URL that may be queued.")
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        code = PARTLY if malformed else 0
        if wait:
            code = _wait(context, services, job_id) or code
        else:
            _say_what_follows(context, job_id)
    if code:
        raise typer.Exit(code)


def _lines(urls: list[str], file: Path | None) -> Iterator[str]:
    yield from urls
    if file is None:
        return
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Misuse(f"Cannot read URLs from {file}: {error.strerror or error}.") from error
    # A line in another encoding is no URL, and no reason to refuse the others.
    for line in body.decode("utf-8-sig", "surrogateescape").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _admit(services: Services, lines: list[str], priority: int) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    """(job, URLs in it, lines that are no URL)."""
    with services.factory.begin() as session:
        admission = admit(session, lines, services.settings, found_by="hand", priority=priority)
        ids = admission.admitted.ids
        job_id = jobs.open_job(session, "add", f"{len(ids)} URLs") if ids else 0
        jobs.add_items(session, job_id, ids)
    if ids:
        new, reopened, known = (
            len(part) for part in (admission.admitted.new, admission.admitted.reopened, admission.admitted.known)
        )
        say(f"Job {job_id}: {new} new, {reopened} tried again, {known} known already.")
    return job_id, len(ids), admission.malformed + tuple((url, _explain_forgotten(url)) for url in admission.admitted.forgotten)


def _explain_forgotten(url: str) -> str:
    return f"{url} was deleted on request, and is not fetched; `wirecopy forget --undo {url}` lifts that."


def _say_what_follows(context: Context, job_id: int) -> None:
    settings = context.settings
    if running(settings.data_folder) is not None:
        say(f"`wirecopy up` is fetching. Follow it with `wirecopy jobs watch {job_id}`.")
    elif settings.database_url:
        say(f"Your workers will fetch them. Follow it with `wirecopy jobs watch {job_id}`.")
    else:
        say("Nothing is fetched until `wirecopy up` runs; `wirecopy add --wait` fetches at once.")


def _wait(context: Context, services: Services, job_id: int) -> int:
    """The exit code, when nothing of the job moves any more."""
    with ExitStack() as stack:
        fleet = None
        if running(context.settings.data_folder) is None:
            fleet = stack.enter_context(context.wiring.fleet(services.settings))
        bar = stack.enter_context(Bar())
        while True:
            with services.factory() as session:
                progress = queries.job(session, job_id)
                resting = not overdue.unfinished(session, WORTH_WAITING)
            watch(bar, progress)
            if progress.done or resting:
                break
            if fleet is not None:
                fleet.check()
            time.sleep(0.3)
    left = progress.items - progress.finished
    if left:
        say(f"{left} of {progress.items} URLs are to be tried again later: `wirecopy jobs show {job_id}` says when and why.")
    if progress.missed:
        say(f"{progress.missed} of {progress.items} URLs gave no text: `wirecopy jobs show {job_id}` says why.")
    else:
        say(f"`wirecopy jobs show {job_id}` lists what came of each; `wirecopy search` finds the stories.")
    if progress.missed == progress.items:
        return FAILED
    return PARTLY if left or progress.missed else 0
