"""Work that waits without a claim, and not in quarantine: what a lost bell leaves behind."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.store import quarantine
from pipeline.store.tables import Attempt, Capture, Discovery, FrontierRow, Purpose, Stage, StoredWitness, Story, Visit
from pipeline.store.values import span


def unread_articles(session: Session, waited: float, limit: int) -> Sequence[int]:
    """Captures of articles, also of their revisits, that nobody has read `waited` seconds after they came."""
    return _unread(session, Stage.EXTRACT, (Purpose.ARTICLE, Purpose.REVISIT), waited, limit)


def unread_sources(session: Session, waited: float, limit: int) -> Sequence[int]:
    """Captures of sources that nobody has read `waited` seconds after they came."""
    return _unread(session, Stage.READ_SOURCE, (Purpose.SOURCE,), waited, limit)


def _unread(session: Session, stage: Stage, purposes: Sequence[Purpose], waited: float, limit: int) -> Sequence[int]:
    return session.scalars(
        select(Capture.id)
        .join(FrontierRow, FrontierRow.id == Capture.frontier_id)
        .where(
            Capture.read_at.is_(None),
            FrontierRow.purpose.in_(purposes),
            Capture.fetched_at < _ago(waited),
            ~_held(stage, Capture.id, waited),
        )
        .order_by(Capture.id)
        .limit(limit)
    ).all()


def unplaced(session: Session, waited: float, limit: int) -> Sequence[int]:
    """Witnesses that have not been placed `waited` seconds after they were stored."""
    return session.scalars(
        select(StoredWitness.id)
        .where(
            StoredWitness.placed_at.is_(None),
            StoredWitness.created_at < _ago(waited),
            ~_held(Stage.PLACE, StoredWitness.id, waited),
        )
        .order_by(StoredWitness.id)
        .limit(limit)
    ).all()


def unrecovered(session: Session, waited: float, limit: int) -> Sequence[int]:
    """Stories whose newest collation no recovery has seen."""
    return session.scalars(
        select(Story.id)
        .where(Story.collated > Story.recovered, ~_held(Stage.RECOVER, Story.id, waited))
        .order_by(Story.id)
        .limit(limit)
    ).all()


def _held(stage: Stage, subject: InstrumentedAttribute[int], waited: float) -> ColumnElement[bool]:
    """True where the work is claimed, was tried in the last `waited` seconds, or is in quarantine."""
    tried = select(Attempt.id).where(
        Attempt.stage == stage,
        Attempt.subject_id == subject,
        Attempt.ended_at.is_(None) | (Attempt.ended_at > _ago(waited)),
    )
    return tried.exists() | quarantine.holding(stage, subject)


def _ago(seconds: float) -> Any:
    return func.now() - span(seconds)


def unfinished(session: Session, within: float) -> int:
    """Pieces of work that are not done and can be within `within` seconds: visits, captures, witnesses, stories."""
    soon = func.now() + span(within)
    parts = (
        select(func.count()).where(FrontierRow.state == Visit.WAITING, FrontierRow.next_attempt_at < soon),
        select(func.count()).where(FrontierRow.state == Visit.CAPTURED),
        select(func.count()).where(StoredWitness.placed_at.is_(None), ~quarantine.holding(Stage.PLACE, StoredWitness.id)),
        select(func.count()).where(Story.due_at.is_not(None), ~quarantine.holding(Stage.COLLATE, Story.id)),
        select(func.count()).where(Story.collated > Story.recovered, ~quarantine.holding(Stage.RECOVER, Story.id)),
        select(func.count()).where(Discovery.due_at < soon, ~quarantine.holding(Stage.DISCOVER, Discovery.id)),
    )
    return sum(session.scalar(part) or 0 for part in parts)
