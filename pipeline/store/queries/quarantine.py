"""Work in quarantine, with its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.store.queries.asking import checked_id, checked_limit, not_found
from pipeline.store.tables import QuarantinedWork

HINT = "`wirecopy quarantine list` shows what is there."


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A piece of work that kept failing; `resolution` is retried or discarded once a person has decided."""

    id: int
    stage: str
    subject_id: int
    label: str
    """The URL or title that the work is about."""
    reason: str
    created_at: datetime
    resolved_at: datetime | None
    resolution: str | None
    history: tuple[dict[str, Any], ...]
    """Its last attempts, oldest first."""


def quarantine_entries(
    session: Session, *, stage: str | None = None, resolved: bool = False, limit: int = 100
) -> tuple[QuarantineEntry, ...]:
    """What is in quarantine now, the last first; with `resolved` what was there before, too."""
    asked = select(QuarantinedWork).order_by(QuarantinedWork.id.desc()).limit(checked_limit(limit))
    if not resolved:
        asked = asked.where(QuarantinedWork.resolved_at.is_(None))
    if stage is not None:
        asked = asked.where(QuarantinedWork.stage == stage)
    return tuple(_view(row) for row in session.scalars(asked))


def quarantine_entry(session: Session, quarantine_id: int) -> QuarantineEntry:
    """One entry, decided or not. Raises NotFound."""
    row = session.get(QuarantinedWork, checked_id(quarantine_id, "entry in quarantine", HINT))
    if row is None:
        raise not_found(quarantine_id, "entry in quarantine", HINT)
    return _view(row)


def _view(row: QuarantinedWork) -> QuarantineEntry:
    return QuarantineEntry(
        id=row.id,
        stage=row.stage,
        subject_id=row.subject_id,
        label=row.label,
        reason=row.reason,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
        resolution=row.resolution,
        history=tuple(row.history),
    )
