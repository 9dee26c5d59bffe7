"""Jobs: what somebody asked for in one go. A job's progress is that of its frontier rows and of their stories."""

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from pipeline.errors import NotFound
from pipeline.store.tables import FrontierRow, Job, JobItem, Visit


def open_job(session: Session, kind: str, note: str) -> int:
    """A new job without items; its id."""
    job = Job(kind=kind, note=note)
    session.add(job)
    session.flush()
    return job.id


def add_items(session: Session, job_id: int, frontier_ids: Iterable[int]) -> None:
    """Let a job wait for these rows; one that it waits for already counts once."""
    values = [{"job_id": job_id, "frontier_id": id_} for id_ in sorted(set(frontier_ids))]
    if values:
        session.execute(insert(JobItem).on_conflict_do_nothing(), values)


def cancel(session: Session, job_id: int) -> int:
    """Cancel a job: its URLs that still wait, and that nothing else waits for, are not fetched. How many those are.

    What waits for a URL: another open job, and a page that redirects to it and is not of this job.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}. `wirecopy jobs list` shows them.")
    job.cancelled_at = func.now()
    session.flush()
    others = (
        select(JobItem.frontier_id)
        .join(Job, Job.id == JobItem.job_id)
        .where(JobItem.job_id != job_id, Job.cancelled_at.is_(None))
    )
    own = select(JobItem.frontier_id).where(JobItem.job_id == job_id)
    led_here = aliased(FrontierRow)
    standing = select(led_here.id).where(
        led_here.same_as == FrontierRow.id, led_here.id.not_in(own) | led_here.id.in_(others), led_here.state == Visit.SAME
    )
    cancelled = session.execute(
        update(FrontierRow)
        .where(
            FrontierRow.id.in_(own),
            ~standing.correlate(FrontierRow).exists(),
            FrontierRow.id.not_in(others),
            FrontierRow.state == Visit.WAITING,
        )
        .values(state=Visit.CANCELLED, reason=f"job {job_id} was cancelled", updated_at=func.now())
        .returning(FrontierRow.id)
    )
    return len(cancelled.all())
