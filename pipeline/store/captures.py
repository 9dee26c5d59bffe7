"""Captures: the answers to fetches."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.store.bodies import Bodies
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture


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


def mark_read(session: Session, capture_id: int, finding: str) -> None:
    """Note what was read out of a capture."""
    session.execute(update(Capture).where(Capture.id == capture_id).values(read_at=func.now(), finding=finding[:2_000]))
