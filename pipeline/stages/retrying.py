"""Retry and discard: what a person decides about work in quarantine.

Retried work is put back where its stage looks for it, with its failures forgotten. Discarded work is ended, so that
nothing looks for it again: the page or the story goes on without it.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.crawl.schedule import Poll
from pipeline.errors import NotFound
from pipeline.stages import polling
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import captures, frontier, quarantine
from pipeline.store.tables import Capture, Discovery, FrontierRow, QuarantinedWork, Source, Stage, StoredWitness, Story, Visit


def retry(session: Session, quarantine_id: int) -> Outcome:
    """Put a piece of work back; `next` rings for it. Raises NotFound where no open entry has that id."""
    work = _resolve(session, quarantine_id, "retried")
    stage, subject = Stage(work.stage), work.subject_id
    if stage is Stage.FETCH:
        _revisit(session, subject)
        return Outcome(f"waiting: {work.label}", (subject,), (Bell(Stage.FETCH),))
    if stage in {Stage.EXTRACT, Stage.READ_SOURCE}:
        session.execute(update(Capture).where(Capture.id == subject).values(read_at=None, finding=None))
        row = session.scalar(select(Capture.frontier_id).where(Capture.id == subject))
        if row is not None:
            frontier.end_visit(session, row, Visit.CAPTURED, "retried out of quarantine")
    elif stage is Stage.COLLATE:
        session.execute(update(Story).where(Story.id == subject).values(due_at=func.now()))
    elif stage is Stage.DISCOVER:
        session.execute(update(Discovery).where(Discovery.id == subject).values(due_at=func.now()))
    # What place and recover look for was never taken away: a witness not placed, a collation without a recovery.
    return Outcome(f"to {stage.replace('_', ' ')} again: {work.label}", (subject,), (Bell(stage, subject),))


def discard(session: Session, quarantine_id: int) -> Outcome:
    """End a piece of work for good. Raises NotFound where no open entry has that id."""
    work = _resolve(session, quarantine_id, "discarded")
    stage, subject = Stage(work.stage), work.subject_id
    reason = f"discarded from quarantine: {work.reason}"
    if stage is Stage.FETCH:
        _end_page(session, subject, reason)
    elif stage in {Stage.EXTRACT, Stage.READ_SOURCE}:
        captures.mark_read(session, subject, reason)
        row = session.scalar(select(Capture.frontier_id).where(Capture.id == subject))
        if row is not None:
            _end_page(session, row, reason)
    elif stage is Stage.PLACE:
        session.execute(
            update(StoredWitness)
            .where(StoredWitness.id == subject, StoredWitness.placed_at.is_(None))
            .values(placed_at=func.now(), thin=reason)
        )
    elif stage is Stage.DISCOVER:
        over = {"due_at": None, "done_at": func.now(), "outcome": reason}
        session.execute(update(Discovery).where(Discovery.id == subject).values(**over))
    else:
        # The story keeps its last recovery until another copy makes it due again.
        session.execute(
            update(Story).where(Story.id == subject).values(due_at=None, collated=Story.revision, recovered=Story.revision)
        )
    return Outcome(f"discarded: {work.label}", (subject,))


def _resolve(session: Session, quarantine_id: int, resolution: str) -> QuarantinedWork:
    # An id that no row can have is one that no row has.
    work = quarantine.resolve(session, quarantine_id, resolution) if 0 < quarantine_id < 2**63 else None
    if work is None:
        raise NotFound(f"Nothing lies in quarantine under {quarantine_id}. `wirecopy quarantine list` shows what does.")
    return work


def _revisit(session: Session, frontier_id: int) -> None:
    values = frontier.afresh() | {"reason": "retried out of quarantine"}
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**values))


def _end_page(session: Session, frontier_id: int, reason: str) -> None:
    """A page is given up; a source waits for its next poll, for the next feed may be a good one."""
    row = session.get_one(FrontierRow, frontier_id)
    if row.source_id is not None and row.purpose == "source":
        poll = Poll(polling.now_of(session), None)
        polling.end_poll(session, session.get_one(Source, row.source_id), row.id, reason, poll)
    else:
        frontier.end_visit(session, frontier_id, Visit.GIVEN_UP, reason)
