"""Extract: a capture becomes a witness, or a stated reason why it holds none."""

import unicodedata
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.crawl.extractor import Extractor
from pipeline.crawl.pages import ExtractionFailure, Page
from pipeline.crawl.urls import parse
from pipeline.settings import Settings
from pipeline.stages.claims import Claim, claim
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import captures, frontier
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, FrontierRow, Stage, StoredWitness, Visit
from pipeline.store.values import storable

# A page that came some moments ago may name a date that lies some hours ahead (time zones), never days.
CLOCK_SLACK = timedelta(days=1)


def extract(factory: SessionFactory, capture_id: int, extractor: Extractor, settings: Settings, worker: str) -> Outcome:
    """Read the page out of a capture and store the witness it is, or why it is none.

    No transaction is open while the page is read. A page that the extractor cannot manage in its limits is put aside as
    no article, with the reason, and costs nothing but itself. A reading process that ends may have been killed for another's
    sake: the page is read a second time before it is blamed.
    """
    if not captures.waits(factory, capture_id):
        return Outcome("read already")
    with claim(factory, Stage.EXTRACT, capture_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory.begin() as session:
            capture = session.get(Capture, capture_id)
            body = captures.body_of(session, capture, bodies_under(settings)) if capture is not None else None
            if capture is None or capture.read_at is not None:
                return held.finish(session, Outcome("read already"))
            if body is None:
                return _end(session, held, capture, Visit.GIVEN_UP, "its body is no longer in the store")
        headers = [(header["name"], header["value"]) for header in capture.headers]
        page = extractor.extract(body, capture.url, headers)
        if isinstance(page, ExtractionFailure) and page.kind in {"memory", "crash"}:
            page = extractor.extract(body, capture.url, headers)
        with factory.begin() as session:
            return _store(session, held, session.get_one(Capture, capture_id), page, settings)


def _store(session: Session, held: Claim, capture: Capture, page: Page | ExtractionFailure, settings: Settings) -> Outcome:
    row = session.get_one(FrontierRow, capture.frontier_id)
    if isinstance(page, ExtractionFailure):
        return _end(session, held, capture, Visit.NOT_ARTICLE, f"extraction: {page.kind}: {page.message}")
    if page.noarchive and settings.obey_noarchive:
        captures.drop_body(session, capture, bodies_under(settings))
        return _end(session, held, capture, Visit.REFUSED, "noarchive: the page asks not to be archived")
    if page.why is not None:
        cut = capture.truncated and not page.refused
        why = f"size: {page.why}, and it was cut at {settings.max_body:,} bytes" if cut else page.why
        return _end(session, held, capture, Visit.REFUSED if cut or page.refused else Visit.NOT_ARTICLE, why)
    values = _witness_values(capture, page)
    last = session.scalar(
        select(StoredWitness).where(StoredWitness.frontier_id == row.id).order_by(StoredWitness.id.desc()).limit(1)
    )
    frontier.believe(session, row.id, capture)
    if last is not None and last.text == values["text"]:
        return _end(session, held, capture, Visit.UNCHANGED, "the same text as before")
    witness_id = session.scalar(insert(StoredWitness).values(**values).on_conflict_do_nothing().returning(StoredWitness.id))
    captures.mark_read(session, capture.id, "witness")
    frontier.end_visit(session, row.id, Visit.WITNESS)
    if witness_id is None:
        return held.finish(session, Outcome("witness known"))
    return held.finish(session, Outcome("witness", (witness_id,), (Bell(Stage.PLACE, witness_id),)))


def _end(session: Session, held: Claim, capture: Capture, state: Visit, reason: str) -> Outcome:
    reason = _printed(reason)
    captures.mark_read(session, capture.id, reason)
    frontier.end_visit(session, capture.frontier_id, state, reason)
    return held.finish(session, Outcome(f"{state}: {reason}"))


def _witness_values(capture: Capture, page: Page) -> dict[str, Any]:
    published = page.published
    if published is not None and published > capture.fetched_at + CLOCK_SLACK:
        published = None
    return {
        "capture_id": capture.id,
        "frontier_id": capture.frontier_id,
        "source": capture.url,
        "host": parse(capture.url).host,
        "title": _optional(page.title),
        "byline": _optional(page.byline),
        "dateline": _optional(page.dateline),
        "language": page.language,
        "published_at": published,
        "partial": _optional(page.partial or ("the page was cut at the size limit" if capture.truncated else None)),
        "text": "\n\n".join(_printed(paragraph) for paragraph in page.paragraphs),
        "features": [],
    }


def _optional(text: str | None) -> str | None:
    return _printed(text) or None if text is not None else None


def _printed(text: str) -> str:
    """Text as it is stored: NFC."""
    return unicodedata.normalize("NFC", storable(text))
