"""Extract: a capture becomes a witness, or a stated reason why it holds none."""

import unicodedata
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.crawl.extractor import Extractor
from pipeline.crawl.identity import believe_canonical, replayed
from pipeline.crawl.pages import ExtractionFailure, Page
from pipeline.crawl.urls import Url, parse, slug_headline
from pipeline.philology.relation import RelationKind, relate
from pipeline.settings import Settings
from pipeline.stages import revisiting
from pipeline.stages.claims import Claim, claim
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import captures, frontier, tombstones, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, FrontierRow, Purpose, Stage, StoredWitness, Visit
from pipeline.store.values import storable

# A page that came some moments ago may name a date that lies some hours ahead (time zones), never days.
CLOCK_SLACK = timedelta(days=1)
# Two pages are one only where each text holds this much of the other.
SAME_TEXT = 0.9


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
    outcome = _judge(session, held, capture, row, page, settings)
    if row.purpose == Purpose.REVISIT:
        revisiting.end_revisit(session, row.id, outcome.state, settings)
    elif outcome.state == Visit.WITNESS:
        revisiting.begin_revisits(session, row, settings)
    return outcome


def _judge(
    session: Session, held: Claim, capture: Capture, row: FrontierRow, page: Page | ExtractionFailure, settings: Settings
) -> Outcome:
    if isinstance(page, ExtractionFailure):
        return _end(session, held, capture, Visit.NOT_ARTICLE, f"extraction: {page.kind}: {page.message}")
    if page.noarchive and settings.obey_noarchive:
        captures.drop_body(session, capture, bodies_under(settings))
        return _end(session, held, capture, Visit.REFUSED, "noarchive: the page asks not to be archived")
    if page.why is not None:
        cut = capture.truncated and not page.refused
        why = f"size: {page.why}, and it was cut at {settings.max_body:,} bytes" if cut else page.why
        return _end(session, held, capture, Visit.REFUSED if cut or page.refused else Visit.NOT_ARTICLE, why)
    values = _witness_values(capture, page, revisiting.page_of(row))
    last = session.scalar(
        select(StoredWitness)
        .where(StoredWitness.frontier_id == values["frontier_id"], StoredWitness.part == 0)
        .order_by(StoredWitness.id.desc())
        .limit(1)
    )
    if last is not None:
        values["source"] = last.source  # a page is known by one address, wherever its redirects lead today
    canonical = _canonical(capture, page)
    if canonical is not None and tombstones.standing(session, [canonical.key]):
        captures.drop_body(session, capture, bodies_under(settings))
        return _end(session, held, capture, Visit.REFUSED, "the page that it names as its own address was deleted on request")
    values["canonical_key"] = None if canonical is None else canonical.key
    frontier.believe(session, row.id, capture)
    twin = None if last is not None else _twin(session, row, values)
    if twin is not None:
        reason = f"the same page as {twin.url}, by its canonical address and its text"
        return _end(session, held, capture, Visit.SAME, reason, same_as=twin.id)
    if last is not None and last.text == values["text"]:
        return _end(session, held, capture, Visit.UNCHANGED, "the same text as before")
    witness_id = session.scalar(insert(StoredWitness).values(**values).on_conflict_do_nothing().returning(StoredWitness.id))
    captures.mark_read(session, capture.id, "witness")
    frontier.end_visit(session, row.id, Visit.WITNESS)
    if witness_id is None:
        return held.finish(session, Outcome("witness known"))
    return held.finish(session, Outcome("witness", (witness_id,), (Bell(Stage.PLACE, witness_id),)))


def _canonical(capture: Capture, page: Page) -> Url | None:
    """The address that the page names as its own, where it is another one and believed."""
    if page.canonical is None:
        return None
    own, declared = parse(capture.url), parse(page.canonical)
    return declared if declared.key != own.key and believe_canonical(own, declared).believed else None


def _twin(session: Session, row: FrontierRow, values: dict[str, Any]) -> FrontierRow | None:
    """The row of another URL of this page: one of the two names the other as its canonical address, and the texts agree."""
    for other in witnesses.named_as(session, row, values["canonical_key"]):
        relation = relate(witnesses.as_value(other), witnesses.as_value(StoredWitness(**values)))
        if relation.kind == RelationKind.COPY and min(relation.newcomer_coverage, relation.member_coverage) >= SAME_TEXT:
            return session.get_one(FrontierRow, other.frontier_id)
    return None


def _end(session: Session, held: Claim, capture: Capture, state: Visit, reason: str, same_as: int | None = None) -> Outcome:
    reason = _printed(reason)
    captures.mark_read(session, capture.id, reason)
    frontier.end_visit(session, capture.frontier_id, state, reason, same_as)
    return held.finish(session, Outcome(f"{state}: {reason}"))


def _witness_values(capture: Capture, page: Page, page_row: int) -> dict[str, Any]:
    published = page.published
    if published is not None and published > capture.fetched_at + CLOCK_SLACK:
        published = None
    return {
        "capture_id": capture.id,
        "frontier_id": page_row,
        "source": capture.url,
        "host": replayed(parse(capture.url)).host,
        "title": _optional(page.title),
        "byline": _optional(page.byline),
        "dateline": _optional(page.dateline),
        "language": page.language,
        "published_at": published,
        "partial": _optional(page.partial or ("the page was cut at the size limit" if capture.truncated else None)),
        "text": "\n\n".join(_printed(paragraph) for paragraph in page.paragraphs),
        "second_text": "\n\n".join(map(_printed, page.second)) or None,
        "slug": slug_headline(parse(capture.url)),
        "origins": [
            {name: storable(value) if value else value for name, value in asdict(origin).items()} for origin in page.origins
        ],
    }


def _optional(text: str | None) -> str | None:
    return _printed(text) or None if text is not None else None


def _printed(text: str) -> str:
    """Text as it is stored: NFC."""
    return unicodedata.normalize("NFC", storable(text))
