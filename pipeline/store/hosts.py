"""Leases on hosts: politeness and mutual exclusion in one row.

A host whose `free_at` has passed may be taken. Taking it moves `free_at` to the end of the hold, so that nobody else can
take it, whatever dies; releasing it moves `free_at` to the end of the host's interval, counted from the end of the request.
Where hosts that share an address share a lease, the address has a row of the same kind, and both are taken or neither.
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
from pipeline.store.tables import Address, FrontierRow, Host, RobotsFile, Source, Stage, Visit
from pipeline.store.values import span

# The host row is locked and moved in one statement: between two workers SKIP LOCKED decides, and whoever comes later
# sees the moved free_at. The URL is the host's best due one; its attempt is written before the request is made.
_BY_HOST = """
WITH taken AS (
    SELECT h.id FROM hosts h
    WHERE h.free_at <= now() AND EXISTS (
        SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.state = 'waiting' AND f.next_attempt_at <= now())
    ORDER BY h.free_at LIMIT :count FOR UPDATE OF h SKIP LOCKED
),"""
# One host of each address that is free, and both rows locked and looked at anew together. A host whose address is not
# known yet has no other row; its visit is to find the address and makes no request.
_BY_ADDRESS = """
WITH free AS (
    SELECT h.id, h.name, h.address, h.free_at FROM hosts h
    WHERE h.free_at <= now() AND EXISTS (
        SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.state = 'waiting' AND f.next_attempt_at <= now())
      AND NOT EXISTS (SELECT 1 FROM addresses a WHERE a.address = h.address AND a.free_at > now())
    ORDER BY h.free_at LIMIT 8 * :count
), one_each AS (
    SELECT DISTINCT ON (coalesce(address, name)) id, free_at FROM free ORDER BY coalesce(address, name), free_at
), chosen AS (
    SELECT id FROM one_each ORDER BY free_at LIMIT :count
), known AS (
    SELECT h.id FROM chosen JOIN hosts h ON h.id = chosen.id JOIN addresses a ON a.address = h.address
    WHERE h.free_at <= now() AND a.free_at <= now()
    FOR UPDATE OF h, a SKIP LOCKED
), unknown AS (
    SELECT h.id FROM chosen JOIN hosts h ON h.id = chosen.id
    WHERE h.free_at <= now() AND h.address IS NULL
    FOR UPDATE OF h SKIP LOCKED
), taken AS (
    SELECT id FROM known UNION ALL SELECT id FROM unknown
),"""
_MOVED = """
moved AS (
    UPDATE hosts h SET free_at = now() + make_interval(secs => :hold), lease = gen_random_uuid()
    FROM taken WHERE h.id = taken.id
    RETURNING h.id, h.name, h.lease, h.interval, h.least_interval, h.points, h.address
)"""
_HELD = """, held AS (
    UPDATE addresses a SET free_at = now() + make_interval(secs => :hold), lease = moved.lease
    FROM moved WHERE a.address = moved.address
)"""
_VISITS = """
SELECT moved.id AS host_id, moved.name AS host, moved.lease, moved.interval, moved.least_interval, moved.points AS host_points,
       moved.address, now() AS taken_at, due.*,
       robots.origin, robots.status, robots.body, robots.fetched_at, robots.expires_at,
       (SELECT a.id FROM attempts a WHERE a.stage = 'fetch' AND a.subject_id = due.id AND a.ended_at IS NULL) AS left_open
FROM moved CROSS JOIN LATERAL (
    SELECT f.id, f.purpose, f.url, f.visit_url, f.points, f.first_failed_at, f.next_attempt_at, f.hops, f.etag,
           f.last_modified, f.body_sha256, f.source_id
    FROM frontier f
    WHERE f.host_id = moved.id AND f.state = 'waiting' AND f.next_attempt_at <= now()
    ORDER BY f.priority DESC, f.next_attempt_at, f.id LIMIT 1
) due LEFT JOIN robots_files robots ON robots.origin = substring(due.visit_url FROM '^[^/]*//[^/]*')
"""
_TAKE = text(_BY_HOST + _MOVED + _VISITS)
_TAKE_BY_ADDRESS = text(_BY_ADDRESS + _MOVED + _HELD + _VISITS)

# When the next visit may begin is the last of three times: when its URL is due, its host free, and its address free. Each part
# walks the index of one of them, from now to the end of what is asked for, to the first where the others have passed by then.
_DUE = """
SELECT extract(epoch FROM least(
    (SELECT now() FROM hosts h WHERE h.free_at <= now() AND EXISTS (
        SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.state = 'waiting' AND f.next_attempt_at <= now()){address_now}
     LIMIT 1),
    (SELECT f.next_attempt_at FROM frontier f JOIN hosts h ON h.id = f.host_id
     WHERE f.state = 'waiting' AND f.next_attempt_at > now() AND f.next_attempt_at <= now() + make_interval(secs => :within)
       AND h.free_at <= f.next_attempt_at{address_by_url}
     ORDER BY f.next_attempt_at LIMIT 1),
    (SELECT h.free_at FROM hosts h
     WHERE h.free_at > now() AND h.free_at <= now() + make_interval(secs => :within) AND EXISTS (
        SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.state = 'waiting' AND f.next_attempt_at <= h.free_at
     ){address_by_host}
     ORDER BY h.free_at LIMIT 1){by_address}
) - now())
"""
_BUSY = " AND NOT EXISTS (SELECT 1 FROM addresses a WHERE a.address = h.address AND a.free_at > {})"
_OF_ADDRESS = """,
    (SELECT a.free_at FROM addresses a
     WHERE a.free_at > now() AND a.free_at <= now() + make_interval(secs => :within) AND EXISTS (
        SELECT 1 FROM hosts h JOIN frontier f ON f.host_id = h.id
        WHERE h.address = a.address AND h.free_at <= a.free_at AND f.state = 'waiting' AND f.next_attempt_at <= a.free_at)
     ORDER BY a.free_at LIMIT 1)"""
_NEXT_DUE = text(_DUE.format(address_now="", address_by_url="", address_by_host="", by_address=""))
_NEXT_DUE_BY_ADDRESS = text(
    _DUE.format(
        address_now=_BUSY.format("now()"),
        address_by_url=_BUSY.format("f.next_attempt_at"),
        address_by_host=_BUSY.format("h.free_at"),
        by_address=_OF_ADDRESS,
    )
)

_RELEASE = text("""
UPDATE hosts h
SET free_at = clock_timestamp() + make_interval(secs => v.pause), lease = NULL, interval = v.interval, points = v.points,
    address = coalesce(v.address, h.address)
FROM unnest(CAST(:ids AS bigint[]), CAST(:tokens AS uuid[]), CAST(:pauses AS float8[]), CAST(:intervals AS float8[]),
            CAST(:points AS bigint[]), CAST(:addresses AS text[])) AS v(id, lease, pause, interval, points, address)
WHERE h.id = v.id AND h.lease = v.lease
""")

# In the order of addresses, lest two workers wait for each other crosswise. An address that another lease holds by now is
# rested for longer, never for less.
_REST = text("""
INSERT INTO addresses AS a (address, free_at)
SELECT v.address, clock_timestamp() + make_interval(secs => max(v.rest))
FROM unnest(CAST(:addresses AS text[]), CAST(:rests AS float8[])) AS v(address, rest)
GROUP BY v.address ORDER BY v.address
ON CONFLICT (address) DO UPDATE
SET free_at = CASE WHEN a.lease = ANY(CAST(:tokens AS uuid[])) THEN excluded.free_at
                   ELSE greatest(a.free_at, excluded.free_at) END,
    lease = CASE WHEN a.lease = ANY(CAST(:tokens AS uuid[])) THEN NULL ELSE a.lease END
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
    taken_at: datetime
    """By the database's clock: what is due, expired or given up is measured from it, whatever this machine's clock says."""
    row: DueUrl
    robots: RobotsFile | None
    """The origin's robots.txt as last answered, stale or not; None before the first answer."""
    address: str | None
    """The address that the lease holds as well; None where hosts share none, or where it is still to be found."""
    after_death: bool = False
    """Whether the last worker that was at this URL died over it."""
    least_interval: float | None = None
    """Seconds that the host is to be left at the least, where a source of it says so."""


@dataclass(frozen=True, slots=True)
class Release:
    """A host given back: free again `pause` seconds from now."""

    lease: Lease
    pause: float
    interval: float | None
    points: int
    address: str | None = None
    """The address that was connected to, or is to be, where hosts share leases by it."""


def take_leases(session: Session, count: int, hold: float, worker: str, *, by_address: bool = False) -> list[Lease]:
    """Lease up to `count` free hosts with a due URL for `hold` seconds, an open attempt written for each.

    With `by_address` those whose address is known hold it, too, and no two at one address are leased at a time. Commit
    before the request is made.
    """
    statement = _TAKE_BY_ADDRESS if by_address else _TAKE
    taken = session.execute(statement, {"count": count, "hold": hold}).mappings().all()
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
            taken_at=row["taken_at"],
            row=DueUrl(**{field: row[field] for field in _DUE_FIELDS}),
            robots=RobotsFile(**{field: row[field] for field in _ROBOTS_FIELDS}) if row["origin"] is not None else None,
            address=row["address"] if by_address else None,
            after_death=row["id"] in died,
            least_interval=row["least_interval"],
        )
        for row in taken
    ]


_DUE_FIELDS = tuple(field.name for field in fields(DueUrl))
_ROBOTS_FIELDS = ("origin", "status", "body", "fetched_at", "expires_at")


def release(session: Session, releases: Sequence[Release]) -> None:
    """Give hosts back, and the addresses held with them; what a lease had run out on is somebody else's and stays as it is."""
    if not releases:
        return
    values = {
        "ids": [given.lease.host_id for given in releases],
        "tokens": [given.lease.token for given in releases],
        "pauses": [given.pause for given in releases],
        "intervals": [given.interval for given in releases],
        "points": [given.points for given in releases],
        "addresses": [given.address for given in releases],
    }
    session.execute(_RELEASE, values)
    # An address rests for the interval alone: a longer pause is what one host asked for.
    rests = [
        (address, min(given.pause, given.interval or given.pause))
        for given in releases
        for address in {given.lease.address, given.address}
        if address is not None
    ]
    if rests:
        addresses, seconds = zip(*rests, strict=True)
        session.execute(_REST, {"addresses": list(addresses), "rests": list(seconds), "tokens": values["tokens"]})


def borrow(session: Session, name: str, hold: float, address: str | None = None) -> UUID | None:
    """Take a free host for one request, for `hold` seconds at the most; None where somebody holds it.

    With an address that goes for both, the host and its address.
    """
    ensure_hosts(session, [name])
    token = session.scalar(
        update(Host)
        .where(Host.name == name, Host.free_at <= func.now())
        .values(free_at=func.now() + span(hold), lease=func.gen_random_uuid(), address=func.coalesce(address, Host.address))
        .returning(Host.lease)
    )
    if token is None or address is None:
        return token
    held = {"free_at": func.now() + span(hold), "lease": token}
    taken = session.scalar(
        insert(Address)
        .values(address=address, **held)
        .on_conflict_do_update(index_elements=["address"], set_=held, where=Address.free_at <= func.now())
        .returning(Address.lease)
    )
    if taken is None:
        session.execute(update(Host).where(Host.name == name, Host.lease == token).values(free_at=func.now(), lease=None))
    return taken


def give_back(session: Session, name: str, token: UUID, pause: float) -> None:
    """Free a borrowed host, and the address borrowed with it, `pause` seconds from now or after the host's longer interval."""
    rest = func.clock_timestamp() + span(func.greatest(Host.interval, Host.least_interval, pause))
    freed = session.execute(
        update(Host)
        .where(Host.name == name, Host.lease == token)
        .values(free_at=rest, lease=None)
        .returning(Host.address, Host.free_at)
    ).first()
    if freed is not None and freed.address is not None:
        session.execute(
            update(Address)
            .where(Address.address == freed.address, Address.lease == token)
            .values(free_at=freed.free_at, lease=None)
        )


def ask_interval(session: Session, names: Sequence[str]) -> None:
    """Let hosts be left alone for as long as the sources that they hold ask for, the longest of them."""
    asked = select(func.max(Source.host_interval)).where(func.split_part(Source.url, "/", 3) == Host.name).scalar_subquery()
    session.execute(update(Host).where(Host.name.in_(names)).values(least_interval=asked))


def any_due(session: Session) -> bool:
    """Whether a host is free for a URL that is due there. Ends at the first that it finds."""
    waits = (
        select(FrontierRow.id)
        .where(FrontierRow.host_id == Host.id, FrontierRow.state == Visit.WAITING, FrontierRow.next_attempt_at <= func.now())
        .exists()
    )
    return session.scalar(select(Host.id).where(Host.free_at <= func.now(), waits).limit(1)) is not None


def next_due(session: Session, within: float, *, by_address: bool = False) -> float | None:
    """Seconds until a host (and its address) is free for a URL that is due there, 0 for now; None where none is `within`."""
    seconds = session.scalar(_NEXT_DUE_BY_ADDRESS if by_address else _NEXT_DUE, {"within": within})
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
