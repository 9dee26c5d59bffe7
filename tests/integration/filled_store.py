"""Rows as the stages leave them behind, for tests of what reads them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from pipeline.crawl.urls import parse
from pipeline.settings import Settings, load
from pipeline.stages.admission import admit
from pipeline.stages.keeping import bodies_under
from pipeline.store import attempts, frontier, recoveries, stories
from pipeline.store.tables import AttemptEnd, Capture, Stage, StoredWitness, Story, Visit

SETTINGS: Settings = load({"allow_private_addresses": True, "contact": "desk@example.org", "settle": 0.0}, {}).settings
MAY = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def page(session: Session, url: str, state: Visit = Visit.WITNESS, reason: str | None = None, by: str = "hand") -> int:
    """A URL that was admitted and, unless it waits, visited once; its frontier row's id."""
    admission = admit(session, [url], SETTINGS, found_by=by)
    (row,) = admission.admitted.ids
    if state is not Visit.WAITING:
        visit(session, row, url, state, reason)
    return row


def visit(session: Session, row: int, url: str, state: Visit, reason: str | None = None) -> int | None:
    """One fetch of a page that ends in `state`; the capture's id where there was an answer with a body."""
    attempt = attempts.begin(session, Stage.FETCH, row, "fetch@test", 60)
    assert attempt is not None
    attempts.finish(session, attempt, AttemptEnd.DONE, reason or "200", {"status": 200})
    frontier.end_visit(session, row, state, reason)
    if state not in {Visit.CAPTURED, Visit.WITNESS, Visit.UNCHANGED, Visit.NOT_ARTICLE}:
        return None
    read = state is not Visit.CAPTURED
    capture = Capture(
        attempt_id=attempt,
        frontier_id=row,
        url=url,
        status=200,
        headers=[],
        body_sha256=bodies_under(SETTINGS).put(session, f"<p>{url}".encode()),
        truncated=False,
        wire_bytes=10,
        fetched_at=MAY,
        read_at=MAY if read else None,
        finding=state.value if read else None,
    )
    session.add(capture)
    session.flush()
    return capture.id


def witness(
    session: Session,
    url: str,
    text: str,
    *,
    title: str | None = None,
    published: datetime | None = MAY,
    by: str = "hand",
    **fields: Any,
) -> StoredWitness:
    """A page that became a witness, not placed yet."""
    row = page(session, url, Visit.WITNESS, by=by)
    found = StoredWitness(
        frontier_id=row,
        source=parse(url).text,
        host=parse(url).host,
        title=title,
        language="en",
        published_at=published,
        text=text,
        **fields,
    )
    session.add(found)
    session.flush()
    return found


def story(session: Session, title: str, *members: StoredWitness, relation: str = "copy") -> Story:
    """A story of these witnesses, waiting to be collated."""
    opened = stories.open_story(session, title, "en")
    for member in members:
        member.relation, member.placed_at = relation, func.now()
        stories.join(session, opened.id, member, 0)
    session.flush()
    session.refresh(opened)
    return opened


def document(title: str, text: str, doubtful: tuple[str, ...] = ()) -> dict[str, Any]:
    """A recovery as `recover --format json` prints it: a token a word, .5 for the doubtful ones and .99 for the others."""
    tokens, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        probability = 0.5 if word in doubtful else 0.99
        tokens.append({"text": word, "start": start, "end": at, "probability": probability, "reason": "voted"})
    readings = [
        {"text": tokens[0]["text"], "sigla": ["A"], "probability": 0.9, "lemma": True},
        {"text": "Another", "sigla": ["B"], "probability": 0.1, "lemma": False},
    ]
    return {
        "schema": 1,
        "text": text,
        "title": title,
        "byline": None,
        "dateline": None,
        "language": "en",
        "confidence": 0.9,
        "witnesses": [],
        "tokens": tokens,
        "apparatus": [{"start": 0, "end": tokens[0]["end"], "readings": readings}],
        "omitted": [],
        "conjectures": [],
        "stemma": [],
        "strangers": [],
        "versions": [],
    }


def recover(session: Session, of: Story, text: str, doubtful: tuple[str, ...] = ()) -> None:
    """The story collated and recovered at its revision, so that nothing is to be done for it."""
    session.refresh(of)
    collation = recoveries.put_collation(session, of.id, of.revision, [], {})
    recoveries.put_recovery(session, of.id, collation, document(of.title or "", text, doubtful), {})
    session.execute(
        update(Story).where(Story.id == of.id).values(due_at=None, collated=Story.revision, recovered=Story.revision)
    )
    session.refresh(of)
