"""Claims on work: the attempt is committed before the work begins, its end together with the work's effects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.errors import WirecopyError
from pipeline.settings import Settings
from pipeline.stages.outcome import Outcome
from pipeline.store import attempts, frontier, quarantine
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Attempt, AttemptEnd, Capture, FrontierRow, Stage, StoredWitness, Story, Visit


class ClaimLost(WirecopyError):
    """The claim ran out before the work was done; its effects are rolled back, for somebody else may be at it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An open attempt of this process."""

    attempt_id: int

    def finish(self, session: Session, outcome: Outcome) -> Outcome:
        """End the attempt in the transaction of its effects. Raises ClaimLost where the claim has run out."""
        if not attempts.finish(session, self.attempt_id, AttemptEnd.DONE, outcome.state):
            raise ClaimLost("The claim on this work ran out before it was done; it will be done again.")
        return outcome


@contextmanager
def claim(factory: SessionFactory, stage: Stage, subject_id: int, worker: str, settings: Settings) -> Iterator[Claim | None]:
    """A claim on a piece of work; None where somebody is at it, it is done with, or it is in quarantine.

    An exception in the body ends the attempt as an error, counts towards quarantine, and goes on to the caller.
    """
    with factory.begin() as session:
        attempt_id = attempts.begin(session, stage, subject_id, worker, settings.work_lease)
        if attempt_id is None:
            quarantine_if_hopeless(session, stage, subject_id, settings.quarantine_after)
    if attempt_id is None:
        yield None
        return
    try:
        yield Claim(attempt_id)
    except ClaimLost:
        raise
    except Exception as error:
        with factory.begin() as session:
            attempts.finish(session, attempt_id, AttemptEnd.ERROR, f"{type(error).__name__}: {error}")
            quarantine_if_hopeless(session, stage, subject_id, settings.quarantine_after)
        raise


def quarantine_if_hopeless(session: Session, stage: Stage, subject_id: int, limit: int) -> bool:
    """Put work in quarantine that has failed `limit` times in a row through us."""
    if attempts.own_failures(session, stage, subject_id) < limit or quarantine.holds(session, stage, subject_id):
        return False
    tries = attempts.history(session, stage, subject_id)
    reason = tries[-1]["outcome"] or "no outcome"
    quarantine.put(session, stage, subject_id, _label(session, stage, subject_id), reason, tries)
    row = _frontier_row(session, stage, subject_id)
    if row is not None:
        frontier.end_visit(session, row, Visit.QUARANTINED, f"{stage} failed {limit} times: {reason}")
    if stage in {Stage.COLLATE, Stage.RECOVER}:
        session.execute(update(Story).where(Story.id == subject_id).values(due_at=None))
    return True


def _frontier_row(session: Session, stage: Stage, subject_id: int) -> int | None:
    if stage is Stage.FETCH:
        return subject_id
    if stage in {Stage.EXTRACT, Stage.READ_SOURCE}:
        return session.scalar(select(Capture.frontier_id).where(Capture.id == subject_id))
    return None


def _label(session: Session, stage: Stage, subject_id: int) -> str:
    row = _frontier_row(session, stage, subject_id)
    if row is not None:
        return session.scalar(select(FrontierRow.url).where(FrontierRow.id == row)) or f"frontier row {row}"
    if stage is Stage.PLACE:
        return session.scalar(select(StoredWitness.source).where(StoredWitness.id == subject_id)) or f"witness {subject_id}"
    return session.scalar(select(Story.title).where(Story.id == subject_id)) or f"story {subject_id}"


def end_expired(session: Session, limit: int, quarantine_after: int) -> list[Attempt]:
    """End the attempts whose lease has run out, putting into quarantine what has died too often."""
    gone = attempts.expired(session, limit)
    for attempt in gone:
        attempts.mark_died(session, attempt)
        session.flush()
        quarantine_if_hopeless(session, Stage(attempt.stage), attempt.subject_id, quarantine_after)
    return gone
