"""Read a source: the links of a feed or sitemap are admitted, each page once, and the next poll is set."""

from sqlalchemy.orm import Session

from pipeline.crawl import feeds
from pipeline.crawl.urls import parse
from pipeline.errors import Malformed
from pipeline.settings import Settings
from pipeline.stages.admission import Admission, admit
from pipeline.stages.claims import claim
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import captures, frontier, sources
from pipeline.store.engine import SessionFactory
from pipeline.store.frontier import NewUrl
from pipeline.store.tables import Capture, FrontierRow, Purpose, Source, Stage


def read_source(factory: SessionFactory, capture_id: int, settings: Settings, worker: str) -> Outcome:
    """Admit what a captured feed or sitemap lists, and let the source be due again one interval from now.

    A page that is neither feed nor sitemap is noted with the source; what it listed before stays.
    """
    if not captures.waits(factory, capture_id):
        return Outcome("read already")
    with claim(factory, Stage.READ_SOURCE, capture_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory.begin() as session:
            capture = session.get(Capture, capture_id)
            if capture is None or capture.read_at is not None:
                return held.finish(session, Outcome("read already"))
            body = captures.body_of(session, capture, bodies_under(settings))
            row = session.get_one(FrontierRow, capture.frontier_id)
            source = session.get_one(Source, row.source_id)
            try:
                outcome = _admit_listed(session, source, capture, body or b"", settings)
            except Malformed as error:
                outcome = Outcome(f"unreadable: {error}")
            else:
                frontier.believe(session, row.id, capture)
            captures.mark_read(session, capture.id, outcome.state)
            sources.polled(session, source, row.id, outcome.state)
            return held.finish(session, outcome)


def _admit_listed(session: Session, source: Source, capture: Capture, body: bytes, settings: Settings) -> Outcome:
    media = next((header["value"] for header in capture.headers if header["name"] == "content-type"), None)
    listing = feeds.read(body, parse(capture.url), media, now=capture.fetched_at)
    found = f"source {source.name}"
    admission: Admission = admit(
        session,
        [item.url.text for item in listing.items],
        settings,
        found_by=found,
        source_id=source.id,
        reopen=False,
    )
    # A sitemap index is followed as sources' rows of the same source: read once now, and again with the source's next poll.
    rows = [
        NewUrl(url.text, f"{source.name} {url.text}", url.host, Purpose.SOURCE, found, 10, source.id) for url in listing.nested
    ]
    frontier.admit(session, rows, reopen=False)
    new = len(admission.admitted.new)
    state = f"{len(listing.items)} items, {new} new"
    if admission.malformed:
        state += f", {len(admission.malformed)} no URLs"
    return Outcome(state, admission.admitted.new, (Bell(Stage.FETCH),) if new or rows else ())
