"""Captures: the answers to fetches."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from pipeline.store.bodies import Bodies
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture

_PUT = text("""
INSERT INTO captures (attempt_id, frontier_id, url, status, headers, body_sha256, kept, truncated, wire_bytes, fetched_at,
                      read_at, finding, to_archive)
SELECT v.attempt_id, v.frontier_id, v.url, v.status, CAST(v.headers AS jsonb), v.body, v.kept, v.truncated, v.wire_bytes, now(),
       CASE WHEN v.finding IS NOT NULL THEN now() END, v.finding, :to_archive
FROM unnest(CAST(:attempts AS bigint[]), CAST(:frontier AS bigint[]), CAST(:urls AS text[]), CAST(:statuses AS bigint[]),
            CAST(:headers AS text[]), CAST(:bodies AS text[]), CAST(:kept AS bool[]), CAST(:truncated AS bool[]),
            CAST(:wire_bytes AS bigint[]), CAST(:findings AS text[]))
     AS v(attempt_id, frontier_id, url, status, headers, body, kept, truncated, wire_bytes, finding)
RETURNING attempt_id, id
""")


@dataclass(frozen=True, slots=True)
class NewCapture:
    """A capture to store."""

    attempt_id: int
    frontier_id: int
    url: str
    status: int
    headers: list[dict[str, str]]
    body_sha256: str
    kept: bool
    truncated: bool
    wire_bytes: int
    finding: str | None
    """What was read out of it, where there is nothing more to read."""


def put(session: Session, new: Sequence[NewCapture], *, to_archive: bool) -> dict[int, int]:
    """Store captures, in one statement: their ids by attempt. `to_archive` lets them be written to a WARC file."""
    if not new:
        return {}
    values = {
        "attempts": [one.attempt_id for one in new],
        "frontier": [one.frontier_id for one in new],
        "urls": [one.url for one in new],
        "statuses": [one.status for one in new],
        "headers": [json.dumps(one.headers) for one in new],
        "bodies": [one.body_sha256 for one in new],
        "kept": [one.kept for one in new],
        "truncated": [one.truncated for one in new],
        "wire_bytes": [one.wire_bytes for one in new],
        "findings": [one.finding for one in new],
        "to_archive": to_archive,
    }
    return {row.attempt_id: row.id for row in session.execute(_PUT, values)}


def body_of(session: Session, capture: Capture, bodies: Bodies) -> bytes | None:
    """The bytes of a capture; None where they were not kept."""
    return bodies.read(session, capture.body_sha256) if capture.kept else None


def drop_body(session: Session, capture: Capture, bodies: Bodies) -> None:
    """Forget what a page said, unless another capture keeps the same bytes; hash and headers stay."""
    capture.kept = False
    session.flush()
    bodies.drop_unused(session, capture.body_sha256)


def waits(factory: SessionFactory, capture_id: int) -> bool:
    """Whether a capture is there and has not been read."""
    with factory() as session:
        return session.scalar(select(Capture.id).where(Capture.id == capture_id, Capture.read_at.is_(None))) is not None


def pass_over_unread(session: Session, frontier_id: int, finding: str) -> None:
    """Let nobody read what was captured of a row and waits to be read."""
    unread = update(Capture).where(Capture.frontier_id == frontier_id, Capture.read_at.is_(None))
    session.execute(unread.values(read_at=func.now(), finding=finding))


def mark_read(session: Session, capture_id: int, finding: str) -> None:
    """Note what was read out of a capture."""
    session.execute(update(Capture).where(Capture.id == capture_id).values(read_at=func.now(), finding=finding[:2_000]))
