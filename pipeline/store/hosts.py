"""Leases on hosts: politeness and mutual exclusion in one row.

A host whose `free_at` has passed may be taken. Taking it moves `free_at` to the end of the hold, so that nobody else can
take it, whatever dies; releasing it moves `free_at` to the end of the host's interval, counted from the end of the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store import attempts
from pipeline.store.frontier import ensure_hosts
from pipeline.store.tables import Attempt, FrontierRow, Host, RobotsFile, Stage, Visit
from pipeline.store.values import span

# The host row is locked and moved in one statement: between two workers SKIP LOCKED decides, and whoever comes later
# sees the moved free_at. The URL is the host's best due one; its attempt is written before the request is made.
TAKE = text("""
WITH taken AS (
    SELECT h.id FROM hosts h
    WHERE h.free_at <= now() AND EXISTS (
        SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.state = 'waiting' AND f.next_attempt_at <= now())
    ORDER BY h.free_at LIMIT :count FOR UPDATE OF h SKIP LOCKED
), moved AS (
    UPDATE hosts h SET free_at = now() + make_interval(secs => :hold), lease = gen_random_uuid()
    FROM taken WHERE h.id = taken.id
    RETURNING h.id, h.name, h.lease, h.interval, h.points
)
SELECT moved.id AS host_id, moved.name AS host, moved.lease, moved.interval, moved.points AS host_points, due.*
FROM moved CROSS JOIN LATERAL (
    SELECT f.id AS frontier_id, f.visit_url, f.purpose FROM frontier f
    WHERE f.host_id = moved.id AND f.state = 'waiting' AND f.next_attempt_at <= now()
    ORDER BY f.priority DESC, f.next_attempt_at, f.id LIMIT 1
) due
""")


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a host for one request, and the URL that is due there."""

    host_id: int
    host: str
    token: UUID
    interval: float | None
    host_points: int
    attempt_id: int
    row: FrontierRow
    robots: RobotsFile | None
    """The origin's robots.txt as last answered, stale or not; None before the first answer."""
    after_death: bool = False
    """Whether the last worker that was at this URL died over it."""


def take_leases(session: Session, count: int, hold: float, worker: str, origin_of: Callable[[str], str]) -> list[Lease]:
    """Lease up to `count` free hosts with a due URL for `hold` seconds, an open attempt written for each.

    `origin_of` gives the origin (scheme and host) of a URL. Commit before the request is made.
    """
    taken = session.execute(TAKE, {"count": count, "hold": hold}).mappings().all()
    if not taken:
        return []
    ids = [row["frontier_id"] for row in taken]
    # The host's lease is the authority: an attempt still open on a row that we could lease belongs to a dead worker.
    open_attempts = select(Attempt.id).where(
        Attempt.stage == Stage.FETCH, Attempt.subject_id.in_(ids), Attempt.ended_at.is_(None)
    )
    died = attempts.mark_died(session, session.scalars(open_attempts).all())
    rows = {row.id: row for row in session.scalars(select(FrontierRow).where(FrontierRow.id.in_(ids)))}
    origins = {id_: origin_of(row.visit_url) for id_, row in rows.items()}
    robots = {
        file.origin: file for file in session.scalars(select(RobotsFile).where(RobotsFile.origin.in_(set(origins.values()))))
    }
    lease_until = func.now() + span(hold)
    begun = [
        Attempt(stage=Stage.FETCH, subject_id=id_, url=rows[id_].visit_url, worker=worker, lease_until=lease_until)
        for id_ in ids
    ]
    session.add_all(begun)
    session.flush()
    return [
        Lease(
            host_id=row["host_id"],
            host=row["host"],
            token=row["lease"],
            interval=row["interval"],
            host_points=row["host_points"],
            attempt_id=attempt.id,
            row=rows[row["frontier_id"]],
            robots=robots.get(origins[row["frontier_id"]]),
            after_death=row["frontier_id"] in died,
        )
        for row, attempt in zip(taken, begun, strict=True)
    ]


def release(session: Session, lease: Lease, *, pause: float, interval: float | None, points: int) -> bool:
    """Give the host back: free again `pause` seconds from now. False where the lease had run out and is somebody else's."""
    released = session.execute(
        update(Host)
        .where(Host.id == lease.host_id, Host.lease == lease.token)
        .values(
            free_at=func.clock_timestamp() + span(pause),
            lease=None,
            interval=interval,
            points=points,
        )
        .returning(Host.id)
    )
    return released.first() is not None


def borrow(session: Session, name: str, hold: float) -> UUID | None:
    """Take a free host for one request, for `hold` seconds at the most; None where somebody holds it."""
    ensure_hosts(session, [name])
    return session.scalar(
        update(Host)
        .where(Host.name == name, Host.free_at <= func.now())
        .values(free_at=func.now() + span(hold), lease=func.gen_random_uuid())
        .returning(Host.lease)
    )


def give_back(session: Session, name: str, token: UUID, pause: float) -> None:
    """Free a borrowed host `pause` seconds from now, or its own interval where that is longer."""
    session.execute(
        update(Host)
        .where(Host.name == name, Host.lease == token)
        .values(
            free_at=func.clock_timestamp() + span(func.greatest(func.coalesce(Host.interval, 0.0), pause)),
            lease=None,
        )
    )


def next_due(session: Session) -> float | None:
    """Seconds until a host is free for a URL that is due there, 0 for now; None where no URL waits."""
    due = func.min(func.greatest(Host.free_at, FrontierRow.next_attempt_at))
    seconds = session.scalar(
        select(func.extract("epoch", due - func.now()))
        .select_from(FrontierRow)
        .join(Host, Host.id == FrontierRow.host_id)
        .where(FrontierRow.state == Visit.WAITING)
    )
    return None if seconds is None else max(float(seconds), 0.0)


def keep_robots(session: Session, origin: str, status: int | None, body: str, now: datetime, expires: datetime) -> None:
    """Store an origin's robots.txt as answered; NULs, which PostgreSQL cannot hold, are dropped."""
    values = {"status": status, "body": body.replace("\0", ""), "fetched_at": now, "expires_at": expires}
    statement = insert(RobotsFile).values(origin=origin, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))


def give_up_host(session: Session, host_id: int, reason: str) -> int:
    """End every waiting visit of a host that has failed too often; how many there were."""
    ended = session.execute(
        update(FrontierRow)
        .where(FrontierRow.host_id == host_id, FrontierRow.state == Visit.WAITING, FrontierRow.purpose == "article")
        .values(state=Visit.GIVEN_UP, reason=reason, updated_at=func.now())
        .returning(FrontierRow.id)
    )
    return len(ended.all())
