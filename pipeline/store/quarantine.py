"""Work that has failed for good, with its history, until a person retries or discards it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.store.tables import QuarantinedWork, Stage


def put(session: Session, stage: Stage, subject_id: int, label: str, reason: str, history: list[dict[str, Any]]) -> None:
    """Put a piece of work in quarantine; one that is there already stays as it is."""
    session.execute(
        insert(QuarantinedWork)
        .values(stage=stage, subject_id=subject_id, label=label, reason=reason[:2_000], history=history)
        .on_conflict_do_nothing()
    )


def holds(session: Session, stage: Stage, subject_id: int) -> bool:
    """Whether the work is in quarantine now."""
    return session.scalar(select(_open(stage, subject_id).exists())) or False


def holding(stage: Stage, subject: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that the work of a row is in quarantine now."""
    return _open(stage, subject).exists()


def last_resolved(session: Session, stage: Stage, subject_id: int) -> datetime | None:
    """When a person last decided about this work."""
    return session.scalar(
        select(func.max(QuarantinedWork.resolved_at)).where(
            QuarantinedWork.stage == stage, QuarantinedWork.subject_id == subject_id
        )
    )


def resolve(session: Session, quarantine_id: int, resolution: str) -> QuarantinedWork | None:
    """Take work out of quarantine as `retried` or `discarded`; None where no open entry has that id."""
    return session.scalar(
        update(QuarantinedWork)
        .where(QuarantinedWork.id == quarantine_id, QuarantinedWork.resolved_at.is_(None))
        .values(resolved_at=func.now(), resolution=resolution)
        .returning(QuarantinedWork)
    )


def _open(stage: Stage, subject_id: int | InstrumentedAttribute[int]) -> Select[int]:
    return select(QuarantinedWork.id).where(
        QuarantinedWork.stage == stage,
        QuarantinedWork.subject_id == subject_id,
        QuarantinedWork.resolved_at.is_(None),
    )
