"""Captures: the answers to fetches, their bodies once each."""

import hashlib
import zlib

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Body, Capture


def fingerprint_body(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal: its name in the store."""
    return hashlib.sha256(body).hexdigest()


def put_body(session: Session, body: bytes) -> str:
    """Store a body, or keep the one that is there from being dropped before this transaction ends; its SHA-256."""
    name = fingerprint_body(body)
    statement = insert(Body).values(sha256=name, data=zlib.compress(body, 6), size=len(body))
    session.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_={"size": len(body)}))
    return name


def body_of(session: Session, capture: Capture) -> bytes | None:
    """The bytes of a capture; None where they were not kept."""
    data = session.scalar(select(Body.data).where(Body.sha256 == capture.body_sha256)) if capture.kept else None
    return None if data is None else zlib.decompress(data)


def drop_body(session: Session, capture: Capture) -> None:
    """Forget what a page that must not be archived said; hash and headers stay."""
    capture.kept = False
    session.flush()
    # Locked first: whoever stores the same bytes just now is waited for, and the next statement sees that capture.
    session.execute(select(Body.sha256).where(Body.sha256 == capture.body_sha256).with_for_update())
    others = select(Capture.id).where(Capture.body_sha256 == capture.body_sha256, Capture.kept).exists()
    session.execute(delete(Body).where(Body.sha256 == capture.body_sha256, ~others))


def waits(factory: SessionFactory, capture_id: int) -> bool:
    """Whether a capture is there and has not been read."""
    with factory() as session:
        return session.scalar(select(Capture.id).where(Capture.id == capture_id, Capture.read_at.is_(None))) is not None


def mark_read(session: Session, capture_id: int, finding: str) -> None:
    """Note what was read out of a capture."""
    session.execute(update(Capture).where(Capture.id == capture_id).values(read_at=func.now(), finding=finding[:2_000]))
