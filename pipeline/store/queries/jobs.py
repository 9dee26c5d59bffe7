"""Jobs: what was asked for in one go, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from pipeline.store.queries.asking import checked_id, checked_limit, not_found
from pipeline.store.tables import Visit

HINT = "`wirecopy jobs list` shows them."
# The ends of a visit that brought a text, now or before.
ARRIVED = (Visit.WITNESS, Visit.UNCHANGED)

# An item is its frontier row, or the row that stands for the same page. It is done when its visit has ended, and its
# newest text is placed, and that text's story has nothing to be collated or recovered; or when the work that is missing
# lies in quarantine. Of a page with parts, the part counts that is least done. Everything in one statement, so that the
# numbers are of one moment.
ITEMS = """
WITH RECURSIVE walk(job_id, item, id, hops) AS (
    SELECT job_id, frontier_id, frontier_id, 0 FROM job_items WHERE job_id = ANY(:jobs)
    UNION
    SELECT w.job_id, w.item, f.same_as, w.hops + 1
    FROM walk w JOIN frontier f ON f.id = w.id
    WHERE f.state = 'same' AND f.same_as IS NOT NULL AND w.hops < 20
), page AS (
    SELECT DISTINCT ON (job_id, item) job_id, item, id FROM walk ORDER BY job_id, item, hops DESC
), items AS (
    SELECT p.job_id, p.item, asked.url, asked.state, f.state AS page_state, coalesce(f.reason, asked.reason) AS reason,
           asked.found_by, newest.id AS witness_id, newest.story_id, newest.thin, newest.placed_at, s.due_at,
           s.collated = s.revision AND s.recovered = s.revision AND s.due_at IS NULL AS settled,
           EXISTS (SELECT FROM quarantine q WHERE q.resolved_at IS NULL
                   AND (q.stage, q.subject_id) IN (('place', newest.id))) AS place_held,
           EXISTS (SELECT FROM quarantine q WHERE q.resolved_at IS NULL
                   AND (q.stage, q.subject_id) IN (('collate', s.id), ('recover', s.id))) AS story_held
    FROM page p JOIN frontier asked ON asked.id = p.item JOIN frontier f ON f.id = p.id
    LEFT JOIN LATERAL (
        SELECT w.id, w.capture_id FROM witnesses w WHERE w.frontier_id = f.id AND w.part = 0 ORDER BY w.id DESC LIMIT 1
    ) page_text ON true
    LEFT JOIN LATERAL (
        SELECT w.* FROM witnesses w LEFT JOIN stories t ON t.id = w.story_id
        WHERE w.id = page_text.id OR (w.capture_id = page_text.capture_id AND w.part > 0)
        ORDER BY w.placed_at IS NULL DESC, (t.collated = t.revision AND t.recovered = t.revision AND t.due_at IS NULL), w.part
        LIMIT 1
    ) newest ON true
    LEFT JOIN stories s ON s.id = newest.story_id
), judged AS (
    SELECT *, page_state = 'quarantined' OR place_held OR story_held AS held,
        CASE WHEN page_state IN ('waiting', 'captured') THEN page_state
             WHEN page_state = 'quarantined' OR place_held OR story_held THEN 'quarantined'
             WHEN witness_id IS NULL OR page_state NOT IN ('witness', 'unchanged') THEN 'ended'
             WHEN placed_at IS NULL THEN 'to place'
             WHEN story_id IS NULL OR settled THEN 'ended'
             ELSE 'to recover' END AS step
    FROM items
)
"""
PROGRESS = """
SELECT j.id, j.kind, j.note, j.created_at, j.cancelled_at, count(i.item) AS items,
       count(*) FILTER (WHERE i.step IN ('ended', 'quarantined')) AS finished,
       count(*) FILTER (WHERE i.page_state IN ('witness', 'unchanged')) AS arrived,
       count(*) FILTER (WHERE i.held) AS quarantined,
       coalesce(array_agg(DISTINCT i.story_id) FILTER (WHERE i.story_id IS NOT NULL), '{}') AS stories,
       (SELECT count(*) FROM discoveries d WHERE d.job_id = j.id AND d.done_at IS NULL AND NOT EXISTS (
           SELECT FROM quarantine q WHERE q.resolved_at IS NULL AND q.stage = 'discover' AND q.subject_id = d.id)) AS searching,
       coalesce((SELECT jsonb_object_agg(state, number) FROM (
           SELECT state, count(*) AS number FROM judged k WHERE k.job_id = j.id GROUP BY state) AS states), '{}') AS states,
       coalesce((SELECT jsonb_object_agg(step, number) FROM (
           SELECT step, count(*) AS number FROM judged k WHERE k.job_id = j.id GROUP BY step) AS steps), '{}') AS steps
FROM jobs j LEFT JOIN judged i ON i.job_id = j.id WHERE j.id = ANY(:jobs) GROUP BY j.id ORDER BY j.id DESC
"""
ITEMS_OF_JOB = """
SELECT item, url, state, reason, step, witness_id, story_id, thin, found_by FROM judged ORDER BY item LIMIT :limit
"""
NEWEST = text("SELECT id FROM jobs ORDER BY id DESC LIMIT :limit")


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job has come."""

    id: int
    kind: str
    note: str
    created_at: datetime
    cancelled_at: datetime | None
    items: int
    finished: int
    """Items that nothing is to be done for any more, or whose work is in quarantine."""
    arrived: int
    """Items whose page gave a text."""
    quarantined: int
    stories: tuple[int, ...]
    searching: int
    """Discoveries that are not over: more items may come."""
    states: Mapping[str, int]
    """Items by the state of their frontier row."""
    steps: Mapping[str, int]
    """Items by what they wait for: waiting, captured, to place, to recover; else ended or quarantined."""

    @property
    def done(self) -> bool:
        """True when nothing of the job moves any more by itself."""
        return self.finished == self.items and not self.searching

    @property
    def missed(self) -> int:
        """Items that have ended without a text."""
        return self.items - self.arrived if self.done else self.steps.get("quarantined", 0)

    @property
    def state(self) -> str:
        """In a word: running, done or cancelled."""
        return "cancelled" if self.cancelled_at else "done" if self.done else "running"


@dataclass(frozen=True, slots=True)
class JobItemView:
    """One URL of a job."""

    frontier_id: int
    url: str
    state: str
    reason: str | None
    step: str
    witness_id: int | None
    story_id: int | None
    thin: str | None
    """Why its text is in no story, where that is so."""
    found_by: str
    """Who admitted the URL first."""


def job(session: Session, job_id: int) -> JobProgress:
    """One job. Raises NotFound."""
    found = _progress(session, [checked_id(job_id, "job", HINT)])
    if not found:
        raise not_found(job_id, "job", HINT)
    return found[0]


def jobs(session: Session, limit: int = 20) -> tuple[JobProgress, ...]:
    """The newest jobs, the last first."""
    return _progress(session, list(session.scalars(NEWEST, {"limit": checked_limit(limit)})))


def job_items(session: Session, job_id: int, limit: int = 1_000) -> tuple[JobItemView, ...]:
    """The URLs of a job in the order of their admission. Raises NotFound."""
    job(session, job_id)
    rows = session.execute(text(ITEMS + ITEMS_OF_JOB), {"jobs": [job_id], "limit": checked_limit(limit)})
    return tuple(JobItemView(*row) for row in rows)


def _progress(session: Session, ids: list[int]) -> tuple[JobProgress, ...]:
    rows = session.execute(text(ITEMS + PROGRESS), {"jobs": ids}).mappings()
    return tuple(JobProgress(**{**row, "stories": tuple(row["stories"])}) for row in rows)
