"""Claims on work: the attempt is committed before the work begins, its end together with the work's effects."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.errors import WirecopyError
from pipeline.settings import Settings
from pipeline.stages.outcome import Outcome
from pipeline.store import attempts, frontier, quarantine
from pipeline.store.engine import SessionFactory, is_outage, outlast
from pipeline.store.tables import AttemptEnd, Capture, Discovery, FrontierRow, Stage, StoredWitness, Story, Visit

# How long a worker whose database went away waits for it, to give back what it claimed.
OUTAGE = 60.0


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

    An exception in the body ends the attempt as an error, counts towards quarantine, and goes on to the caller. That the
    database went away is no fault of the work: it ends the attempt as soon as the database is back, and does not count.
    """
    with factory.begin() as session:
        if (expired := attempts.expired_claim(session, stage, subject_id)) is not None:
            attempts.mark_died(session, [expired])
            quarantine_if_hopeless(session, stage, subject_id, settings.quarantine_after)
        attempt_id = attempts.begin(session, stage, subject_id, worker, settings.work_lease)
    if attempt_id is None:
        yield None
        return
    try:
        yield Claim(attempt_id)
    except ClaimLost:
        raise
    except Exception as error:
        end = AttemptEnd.FAILED if is_outage(error) else AttemptEnd.ERROR
        said = f"{type(error).__name__}: {error}"

        def give_back() -> None:
            with factory.begin() as session:
                attempts.finish(session, attempt_id, end, said)
                quarantine_if_hopeless(session, stage, subject_id, settings.quarantine_after)

        outlast(give_back, OUTAGE)
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
    if stage is Stage.DISCOVER:
        return session.scalar(select(Discovery.why).where(Discovery.id == subject_id)) or f"discovery {subject_id}"
    return session.scalar(select(Story.title).where(Story.id == subject_id)) or f"story {subject_id}"


def end_abandoned(session: Session, limit: int, quarantine_after: int, is_gone: Callable[[str], bool]) -> int:
    """End the attempts whose lease has run out or whose worker is gone; how many. What died too often is put in quarantine."""
    gone = [worker for worker in attempts.claimants(session) if is_gone(worker)]
    died = attempts.abandoned(session, gone, limit)
    attempts.mark_died(session, [attempt.id for attempt in died])
    for attempt in died:
        quarantine_if_hopeless(session, Stage(attempt.stage), attempt.subject_id, quarantine_after)
    return len(died)
