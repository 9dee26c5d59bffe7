"""demo: the whole system on private servers and an example web of its own, from queued URLs to recovered wording."""

import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.cli.context import Context
from pipeline.cli.doubt import bracketed, styled
from pipeline.cli.messages import say
from pipeline.cli.progress import Bar
from pipeline.cli.services import Services
from pipeline.cli.wiring import Fleet
from pipeline.demo.site import DemoSite, DemoStory, serve
from pipeline.embedded import exclusive
from pipeline.embedded.holding import read_address
from pipeline.errors import Unavailable, WirecopyError
from pipeline.philology import baselines
from pipeline.philology.collation import from_data
from pipeline.settings import Loaded
from pipeline.stages.admission import admit
from pipeline.stages.outcome import Bell
from pipeline.stages.source_list import add_source
from pipeline.store import jobs, overdue, recoveries, witnesses
from pipeline.store.tables import FrontierRow, Source, Stage, StoredWitness, Story, Visit

# What a polite crawl of a strange host would not be: the example papers are ours.
PACE = {"allow_private_addresses": True, "fetch_interval": 0.2, "settle": 0.7, "tick": 0.5, "sweep": 5.0}
# Work that is due later than this is left: robots.txt of one paper answers 500, and is asked again in ten minutes.
SOON = 60.0
LONGEST = 180.0
# What a data folder of our own holds.
LOCK = "up.lock"
MADE_BY_SERVERS = frozenset({"postgres", "valkey", "logs", LOCK})


def demo(ctx: typer.Context) -> None:
    """Show the whole system at work on private servers and example copies, in under a minute.

    Two invented agency stories, twenty copies on fifteen papers: verbatim, cut, edited and spun. Half of the pages are
    queued by hand, the others found by a scheduled crawl of a feed and a sitemap.

    Example: wirecopy demo
    """
    context: Context = ctx.obj
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(_fresh_folder(context.settings.data_folder / "demo"))
        flags = PACE | {"data_dir": str(folder), "database_url": "", "redis_url": ""}
        own = replace(context, loaded=Loaded(context.settings.model_copy(update=flags), context.loaded.origin))
        say("Starting PostgreSQL and Valkey …")
        site, services = stack.enter_context(serve()), stack.enter_context(own.services())
        fleet = stack.enter_context(context.wiring.fleet(services.settings))
        say(f"Fifteen papers answer on this machine; {len(site.urls)} pages are queued by hand, the crawl finds the rest.")
        _queue(services, site)
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        _watch(services, fleet)
        with services.factory() as session:
            _report(session, site, time.monotonic() - began)
    _say_what_to_try(folder)


@contextmanager
def _fresh_folder(wanted: Path) -> Iterator[Path]:
    """An empty folder for this demo alone: the last demo's, emptied; where it is not ours to empty, a temporary one."""
    with ExitStack() as stack:
        folder, why = wanted, _claim(wanted, stack)
        if why:
            folder = Path(tempfile.mkdtemp(prefix="wirecopy-demo-"))
            stack.enter_context(exclusive(folder))
            say(f"This demo keeps its data in {folder}. ({why})")
        yield folder


def _claim(wanted: Path, stack: ExitStack) -> str:
    """Empty the folder and keep other demos from it until the stack is closed; else say why that cannot be."""
    try:
        foreign = {path.name for path in wanted.iterdir()} - MADE_BY_SERVERS if wanted.is_dir() else set()
        if foreign:
            return f"{wanted} holds what no demo put there: {min(foreign)}."
        with ExitStack() as own:
            own.enter_context(exclusive(wanted))
            if any(read_address(wanted / name) for name in ("postgres", "valkey")):
                return f"Another command works on {wanted}."
            for name in MADE_BY_SERVERS - {LOCK}:
                if (wanted / name).exists():
                    shutil.rmtree(wanted / name)
            stack.push(own.pop_all())
    except (OSError, WirecopyError) as error:
        return str(error)
    return ""


def _queue(services: Services, site: DemoSite) -> None:
    with services.factory.begin() as session:
        admission = admit(session, site.urls, services.settings, found_by="hand")
        job_id = jobs.open_job(session, "add", "the demo's pages, by hand")
        jobs.add_items(session, job_id, admission.admitted.ids)
        for name, kind, url in (("harbour-feed", "feed", site.feed_url), ("globe-sitemap", "sitemap", site.sitemap_url)):
            add_source(session, services.settings, name=name, kind=kind, url=url, interval=3_600)


def _watch(services: Services, fleet: Fleet) -> None:
    end = time.monotonic() + LONGEST
    with Bar() as bar:
        while True:
            with services.factory() as session:
                left = overdue.unfinished(session, SOON)
                ended, total = _ended(session)
                text = f"pages done, {_count(session, StoredWitness)} witnesses, {_count(session, Story)} stories"
            bar.show(text, ended, total)
            if not left:
                return
            if time.monotonic() > end:
                raise Unavailable(f"The demo is not done after {LONGEST:g} s; `logs/workers.log` in its folder says why.")
            fleet.check()
            time.sleep(0.2)


def _ended(session: Session) -> tuple[int, int]:
    """(pages that came to an end, pages known)."""
    states = session.scalars(select(FrontierRow.state).where(FrontierRow.purpose == "article")).all()
    return sum(state not in {Visit.WAITING, Visit.CAPTURED} for state in states), len(states)


def _count(session: Session, table: type[StoredWitness] | type[Story]) -> int:
    return len(session.scalars(select(table.id)).all())


def _report(session: Session, site: DemoSite, seconds: float) -> None:
    console = Console(highlight=False, soft_wrap=False)
    for story in site.stories:
        _report_story(session, console, story)
    _report_rest(session, console, site)
    sources = session.execute(select(Source.name, Source.last_outcome).order_by(Source.name)).all()
    console.print("Scheduled crawls: " + "; ".join(f"{name} brought {outcome}" for name, outcome in sources) + ".")
    console.print(f"Done in {seconds:.0f} s.")


def _report_story(session: Session, console: Console, story: DemoStory) -> None:
    story_id = _story_of(session, story)
    if story_id is None or (recovery := recoveries.newest_recovery(session, story_id)) is None:
        raise Unavailable(f"The demo's story {story.name!r} was not recovered; `logs/workers.log` in its folder says why.")
    document = recoveries.document_of(session, recovery)
    rows = witnesses.copies_of(session, story_id)
    values = [witnesses.as_value(row) for row in rows]
    console.rule(f"Story {story_id}: {story.name}, recovered from {len(rows)} copies")
    text, tokens = document["text"], document["tokens"]
    console.print(styled(text, tokens) if console.is_terminal else Text(bracketed(text, tokens)), soft_wrap=True)
    console.print(_copies_table(story, rows))
    collation = recoveries.newest_collation(session, story_id)
    errors = {"recovered text": document["text"], "longest copy": baselines.longest(values)}
    if collation is not None:
        stored = [session.get_one(StoredWitness, id_) for id_ in dict.fromkeys(collation.witness_ids)]
        collated = [witness for witness, _ in witnesses.as_values(stored)]
        errors["majority of columns"] = baselines.majority(from_data(collation.columns, collated))
    told = ", ".join(f"{name} {baselines.token_error_rate(text, story.text):.1%}" for name, text in errors.items())
    console.print(f"Error against the original that was hidden from it: {told}.\n")


def _story_of(session: Session, story: DemoStory) -> int | None:
    """The story that most of the copies were placed in."""
    urls = [copy.url for copy in story.copies]
    found = session.scalars(select(StoredWitness.story_id).where(StoredWitness.source.in_(urls))).all()
    placed = [id_ for id_ in found if id_ is not None]
    return max(sorted(set(placed)), key=placed.count) if placed else None


def _copies_table(story: DemoStory, rows: list[StoredWitness]) -> Table:
    made = {copy.url: copy for copy in story.copies}
    table = Table(box=None, pad_edge=False)
    for heading in ("copy", "host", "kind", "made as", "errors", "from", "found by"):
        table.add_column(heading, justify="right" if heading == "errors" else "left")
    for row in sorted(rows, key=lambda row: (len(row.siglum or ""), row.siglum or "")):
        copy = made.get(row.source)
        errors = "" if row.error_rate is None else f"{row.error_rate:.1%}"
        found = copy.found if copy else ""
        table.add_row(row.siglum, row.host, row.kind, copy.kind if copy else "stranger", errors, row.exemplar or "", found)
    return table


def _report_rest(session: Session, console: Console, site: DemoSite) -> None:
    ours = {_story_of(session, story) for story in site.stories}
    joined = session.scalars(
        select(StoredWitness.source).where(
            StoredWitness.source.in_([page.url for page in site.strangers]), StoredWitness.story_id.in_(ours)
        )
    ).all()
    console.print(f"Of {len(site.strangers)} pages that are no copies, {len(joined)} ended in one of the two stories.")
    for page in site.withheld:
        row = session.scalar(select(FrontierRow).where(FrontierRow.url == page.url))
        if row is not None:
            console.print(f"Not read: {row.url} ({row.state}: {row.reason}).", soft_wrap=True)


def _say_what_to_try(folder: Path) -> None:
    command = f"{program()} --data-dir {shlex.quote(str(folder))}"
    say("\nWhat was stored stays. Try next:")
    for rest in ("search harbour", "story show 1", "story copies 1", "status", "crawl list"):
        say(f"  {command} {rest}")


def program() -> str:
    """How to call this very program again from where the user stands, as a shell reads it."""
    own = Path(sys.executable).with_name("wirecopy")
    on_path = shutil.which("wirecopy")
    if not own.exists() or (on_path and Path(on_path).exists() and own.samefile(on_path)):
        return "wirecopy"
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))
