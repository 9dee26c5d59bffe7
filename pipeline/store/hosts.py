"""Leases on hosts: politeness and mutual exclusion in one row.

A host whose `free_at` has passed may be taken. Taking it moves `free_at` to the end of the hold, so that nobody else can
take it, whatever dies; releasing it moves `free_at` to the end of the host's interval, counted from the end of the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store import attempts
from pipeline.store.frontier import ensure_hosts
from pipeline.store.tables import FrontierRow, Host, RobotsFile, Stage, Visit
from pipeline.store.values import span

# The host row is locked and moved in one statement: between two workers SKIP LOCKED decides, and whoever comes later
# sees the moved free_at. The URL is the host's best due one; its attempt is written before the request is made.
_TAKE = text("""
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
SELECT moved.id AS host_id, moved.name AS host, moved.lease, moved.interval, moved.points AS host_points, due.*,
       robots.origin, robots.status, robots.body, robots.fetched_at, robots.expires_at,
       (SELECT a.id FROM attempts a WHERE a.stage = 'fetch' AND a.subject_id = due.id AND a.ended_at IS NULL) AS left_open
FROM moved CROSS JOIN LATERAL (
    SELECT f.id, f.purpose, f.url, f.visit_url, f.points, f.first_failed_at, f.next_attempt_at, f.hops, f.etag,
           f.last_modified, f.body_sha256, f.source_id
    FROM frontier f
    WHERE f.host_id = moved.id AND f.state = 'waiting' AND f.next_attempt_at <= now()
    ORDER BY f.priority DESC, f.next_attempt_at, f.id LIMIT 1
) due LEFT JOIN robots_files robots ON robots.origin = substring(due.visit_url FROM '^[^/]*//[^/]*')
""")

_RELEASE = text("""
UPDATE hosts h
SET free_at = clock_timestamp() + make_interval(secs => v.pause), lease = NULL, interval = v.interval, points = v.points
FROM unnest(CAST(:ids AS bigint[]), CAST(:tokens AS uuid[]), CAST(:pauses AS float8[]), CAST(:intervals AS float8[]),
            CAST(:points AS bigint[])) AS v(id, lease, pause, interval, points)
WHERE h.id = v.id AND h.lease = v.lease
""")


@dataclass(frozen=True, slots=True)
class DueUrl:
    """The frontier row that a lease is for, as it stood when the lease was taken; its columns."""

    id: int
    purpose: str
    url: str
    visit_url: str
    points: int
    first_failed_at: datetime | None
    next_attempt_at: datetime
    hops: list[dict[str, Any]]
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    source_id: int | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a host for one request, and the URL that is due there."""

    host_id: int
    host: str
    token: UUID
    interval: float | None
    host_points: int
    attempt_id: int
    row: DueUrl
    robots: RobotsFile | None
    """The origin's robots.txt as last answered, stale or not; None before the first answer."""
    after_death: bool = False
    """Whether the last worker that was at this URL died over it."""


@dataclass(frozen=True, slots=True)
class Release:
    """A host given back: free again `pause` seconds from now."""

    lease: Lease
    pause: float
    interval: float | None
    points: int


def take_leases(session: Session, count: int, hold: float, worker: str) -> list[Lease]:
    """Lease up to `count` free hosts with a due URL for `hold` seconds, an open attempt written for each.

    Commit before the request is made.
    """
    taken = session.execute(_TAKE, {"count": count, "hold": hold}).mappings().all()
    if not taken:
        return []
    # The host's lease is the authority: an attempt still open on a row that we could lease belongs to a dead worker.
    left_open = [row["left_open"] for row in taken if row["left_open"] is not None]
    died = attempts.mark_died(session, left_open) if left_open else set()
    begun = attempts.begin_all(session, Stage.FETCH, {row["id"]: row["visit_url"] for row in taken}, worker, hold)
    return [
        Lease(
            host_id=row["host_id"],
            host=row["host"],
            token=row["lease"],
            interval=row["interval"],
            host_points=row["host_points"],
            attempt_id=begun[row["id"]],
            row=DueUrl(**{field: row[field] for field in _DUE_FIELDS}),
            robots=RobotsFile(**{field: row[field] for field in _ROBOTS_FIELDS}) if row["origin"] is not None else None,
            after_death=row["id"] in died,
        )
        for row in taken
    ]


_DUE_FIELDS = tuple(field.name for field in fields(DueUrl))
_ROBOTS_FIELDS = ("origin", "status", "body", "fetched_at", "expires_at")


def release(session: Session, releases: Sequence[Release]) -> None:
    """Give hosts back; those whose lease had run out are somebody else's and stay as they are."""
    if not releases:
        return
    values = {
        "ids": [given.lease.host_id for given in releases],
        "tokens": [given.lease.token for given in releases],
        "pauses": [given.pause for given in releases],
        "intervals": [given.interval for given in releases],
        "points": [given.points for given in releases],
    }
    session.execute(_RELEASE, values)


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


def any_due(session: Session) -> bool:
    """Whether a host is free for a URL that is due there. Ends at the first that it finds."""
    waits = (
        select(FrontierRow.id)
        .where(FrontierRow.host_id == Host.id, FrontierRow.state == Visit.WAITING, FrontierRow.next_attempt_at <= func.now())
        .exists()
    )
    return session.scalar(select(Host.id).where(Host.free_at <= func.now(), waits).limit(1)) is not None


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


def keep_robots(session: Session, files: Sequence[dict[str, Any]]) -> None:
    """Store the robots.txt of origins as answered, each a RobotsFile's columns; no origin twice. They hold no NULs."""
    if not files:
        return
    statement = insert(RobotsFile).values(sorted(files, key=itemgetter("origin")))
    changed = {name: statement.excluded[name] for name in _ROBOTS_FIELDS if name != "origin"}
    session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=changed))


def give_up_host(session: Session, host_id: int, reason: str) -> int:
    """End every waiting visit of a host that has failed too often; how many there were."""
    ended = session.execute(
        update(FrontierRow)
        .where(FrontierRow.host_id == host_id, FrontierRow.state == Visit.WAITING, FrontierRow.purpose == "article")
        .values(state=Visit.GIVEN_UP, reason=reason, updated_at=func.now())
        .returning(FrontierRow.id)
    )
    return len(ended.all())
