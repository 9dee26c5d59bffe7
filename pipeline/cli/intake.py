"""add: URLs come in by hand, from the command line, a file or standard input."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.progress import Bar, watch
from pipeline.cli.services import Services
from pipeline.embedded import running
from pipeline.errors import Misuse
from pipeline.philology.witness import Witness
from pipeline.stages.admission import admit
from pipeline.stages.copies import read_copies
from pipeline.stages.onward import look_from_known
from pipeline.stages.outcome import Bell
from pipeline.stages.pasting import ask_for_others, paste
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
    text: Annotated[
        list[Path] | None, typer.Option("--text", help="A file that holds a pasted copy without a URL; - is stdin.")
    ] = None,
    discover: Annotated[
        bool, typer.Option("--discover/--no-discover", help="Look for the other copies, too, once a text is there.")
    ] = False,
    priority: Annotated[int, typer.Option(help="Higher comes first.", min=-100, max=100)] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all is fetched and recovered; starts workers.")] = False,
) -> None:
    """Queue URLs by hand, or store a pasted text.

    Exit 4 where a line is no URL or, with --wait, where a page gave no text or waits for later; 1 where none gave any.

    Example: wirecopy add https://news.example/story.html --discover --wait
    """
    context: Context = ctx.obj
    if text and str(file) == "-" and Path("-") in text:
        raise Misuse("Standard input holds URLs (-i -) or a text (--text -), not both: put one of them into a file.")
    lines = list(_lines(urls or [], file))
    if not lines and not text:
        raise Misuse("No URL was given. Name some, or a file of them with -i FILE (- is standard input), or --text FILE.")
    pasted = _read_texts(text or [])
    with context.services() as services:
        queued = _admit(services, lines, pasted, priority, discover=discover)
        for _, why in queued.malformed[:MOST_NAMED]:
            say(f"Not queued: {why}")
        if len(queued.malformed) > MOST_NAMED:
            say(f"… and {len(queued.malformed) - MOST_NAMED:,} lines more that are not queued.")
        if not queued.urls and not queued.texts:
            raise Misuse("None of the lines is a URL that may be queued.")
        ring = context.wiring.ring(services.settings)
        for bell in queued.bells:
            ring(bell)
        code = PARTLY if queued.malformed else 0
        if wait:
            code = _wait(context, services, queued) or code
        else:
            _say_what_follows(context, queued)
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class Queued:
    """What was queued: the job that waits for it (0 where there is none), and what is to be rung for."""

    job_id: int
    urls: int
    texts: tuple[int, ...]
    """The witnesses that were pasted in."""
    malformed: tuple[tuple[str, str], ...]
    """Lines that are no URL, each with what is wrong with it."""
    bells: tuple[Bell, ...]


def _read_texts(files: list[Path]) -> tuple[Witness, ...]:
    """The copies in these files. Raises Misuse for one that holds none."""
    copies = read_copies(files, sys.stdin.buffer.read() if Path("-") in files else b"")
    if copies.left_out:
        raise Misuse(f"No copy could be read. {' '.join(copies.left_out)}")
    return copies.witnesses


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


def _admit(services: Services, lines: list[str], pasted: Sequence[Witness], priority: int, *, discover: bool) -> Queued:
    with services.factory.begin() as session:
        admission = admit(session, lines, services.settings, found_by="hand", priority=priority, discover=discover)
        ids = admission.admitted.ids
        texts = [paste(session, witness) for witness in pasted]
        note = ", ".join(f"{number} {what}" for number, what in ((len(ids), "URLs"), (len(texts), "texts")) if number)
        # A text by itself is nobody's job: there is nothing to fetch.
        job_id = jobs.open_job(session, "add", note) if ids or (texts and discover) else 0
        jobs.add_items(session, job_id, ids)
        bells = [Bell(Stage.FETCH)] if ids else []
        bells += look_from_known(session, ids, job_id) if discover and ids else []
        for text in texts:
            if not text.placed:
                bells.append(Bell(Stage.PLACE, text.witness_id))
            if discover:
                bells += ask_for_others(session, text, job_id)
    if ids:
        new, reopened, known = (
            len(part) for part in (admission.admitted.new, admission.admitted.reopened, admission.admitted.known)
        )
        say(f"Job {job_id}: {new} new, {reopened} tried again, {known} known already.")
    for text in texts:
        say(f"The text is witness {text.witness_id}" + (f" of story {text.story_id}, known already." if text.placed else "."))
    malformed = admission.malformed + tuple((url, _explain_forgotten(url)) for url in admission.admitted.forgotten)
    return Queued(job_id, len(ids), tuple(text.witness_id for text in texts), malformed, tuple(bells))


def _explain_forgotten(url: str) -> str:
    return f"{url} was deleted on request, and is not fetched; `wirecopy forget --undo {url}` lifts that."


def _say_what_follows(context: Context, queued: Queued) -> None:
    settings = context.settings
    follow = f"Follow it with `wirecopy jobs watch {queued.job_id}`." if queued.job_id else "`wirecopy search` finds its story."
    if running(settings.data_folder) is not None:
        say(f"`wirecopy up` is at work. {follow}")
    elif settings.database_url:
        say(f"Your workers will see to it. {follow}")
    else:
        say("Nothing is fetched or placed until `wirecopy up` runs; `wirecopy add --wait` does it at once.")


def _wait(context: Context, services: Services, queued: Queued) -> int:
    """The exit code, when nothing of what was queued moves any more."""
    with ExitStack() as stack:
        fleet = None
        if running(context.settings.data_folder) is None:
            fleet = stack.enter_context(context.wiring.fleet(services.settings))
        bar = stack.enter_context(Bar())
        while True:
            with services.factory() as session:
                # asked first: what ends between the questions would be told as waiting for later
                resting = not overdue.unfinished(session, WORTH_WAITING)
                progress = queries.job(session, queued.job_id) if queued.job_id else None
                settled = queries.texts_settled(session, queued.texts)
            if progress is not None:
                watch(bar, progress)
            if ((progress is None or progress.done) and settled) or resting:
                break
            if fleet is not None:
                fleet.check()
            time.sleep(0.3)
    if progress is None:
        say("`wirecopy search` finds the story of the text.")
        return 0
    left = progress.items - progress.finished
    if left:
        say(f"{left} of {progress.items} URLs are to be tried later: `wirecopy jobs show {progress.id}` says when and why.")
    if progress.missed:
        say(f"{progress.missed} of {progress.items} URLs gave no text: `wirecopy jobs show {progress.id}` says why.")
    else:
        say(f"`wirecopy jobs show {progress.id}` lists what came of each; `wirecopy search` finds the stories.")
    if progress.items and progress.missed == progress.items and not queued.texts:
        return FAILED
    return PARTLY if left or progress.missed else 0
