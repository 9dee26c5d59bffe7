"""The frontier: URLs, and what is due for each."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from pipeline.store import tombstones
from pipeline.store.tables import Capture, FrontierRow, Host, Purpose, Visit
from pipeline.store.values import span

# Somebody who asks again for a URL in one of these states wants another try.
REOPENED = (Visit.GIVEN_UP, Visit.GONE, Visit.CANCELLED, Visit.REFUSED)
# Under the 65,535 parameters of a statement, whatever a row has.
ROWS_A_STATEMENT = 1_000
# Any number does that no other lock has.
ADMISSION_LOCK = 0x61646D69
_MOVE = text("""
UPDATE frontier f
SET state = v.state, reason = v.reason, points = v.points,
    first_failed_at = CASE WHEN v.failing THEN coalesce(f.first_failed_at, now()) END,
    next_attempt_at = coalesce(now() + make_interval(secs => v.delay), f.next_attempt_at),
    hops = coalesce(CAST(v.hops AS jsonb), f.hops), visit_url = coalesce(v.visit_url, f.visit_url),
    host_id = coalesce(v.host_id, f.host_id), same_as = coalesce(v.same_as, f.same_as), updated_at = now()
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:points AS bigint[]),
            CAST(:failing AS bool[]), CAST(:delays AS float8[]), CAST(:hops AS text[]), CAST(:visit_urls AS text[]),
            CAST(:host_ids AS bigint[]), CAST(:same_as AS bigint[]))
     AS v(id, state, reason, points, failing, delay, hops, visit_url, host_id, same_as)
WHERE f.id = v.id AND f.state = 'waiting'
""")


@dataclass(frozen=True, slots=True)
class NewUrl:
    """A URL to admit; `key` decides whether it is known already."""

    url: str
    key: str
    host: str
    purpose: Purpose
    found_by: str
    priority: int = 0
    source_id: int | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What admission did: frontier ids of URLs that are new, were reopened, or were known."""

    new: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    known: tuple[int, ...] = ()
    forgotten: tuple[str, ...] = ()
    """URLs of pages that were deleted on request, and are not taken in."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Every frontier row that was named, once."""
        return self.new + self.reopened + self.known


def ensure_hosts(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Host name → id; hosts that were unknown are added."""
    wanted = sorted(set(names))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), ROWS_A_STATEMENT):
        part = wanted[start : start + ROWS_A_STATEMENT]
        session.execute(insert(Host).values([{"name": name} for name in part]).on_conflict_do_nothing())
        found |= dict(session.execute(select(Host.name, Host.id).where(Host.name.in_(part))).all())
    return found


def admit(session: Session, urls: Sequence[NewUrl], *, reopen: bool) -> Admitted:
    """Put URLs into the frontier, each sameness key once; with `reopen`, give those that ended without a text another try.

    Reopened is also what stands as the same page as one that ended without a text. The ids come in the order given. One
    transaction admits at a time: two with the same URLs in another order would wait for each other crosswise.
    """
    session.execute(select(func.pg_advisory_xact_lock(ADMISSION_LOCK)))
    first: dict[tuple[Purpose, str], NewUrl] = {}
    for url in urls:
        first.setdefault((url.purpose, url.key), url)
    forgotten = _forgotten(session, list(first.values()))
    unique = [url for url in first.values() if url.url not in forgotten]
    hosts = ensure_hosts(session, [url.host for url in unique])
    new: list[int] = []
    reopened: list[int] = []
    known: list[int] = []
    for start in range(0, len(unique), ROWS_A_STATEMENT):
        part = unique[start : start + ROWS_A_STATEMENT]
        fresh = set(
            session.scalars(
                insert(FrontierRow)
                .values([_row(url, hosts) for url in part])
                .on_conflict_do_nothing()
                .returning(FrontierRow.id)
            )
        )
        stands_for = aliased(FrontierRow)
        rows = session.execute(
            select(FrontierRow.id, func.coalesce(stands_for.state, FrontierRow.state))
            .outerjoin(stands_for, stands_for.id == FrontierRow.same_as)
            .where(FrontierRow.key.in_([url.key for url in part]), FrontierRow.purpose.in_({url.purpose for url in part}))
            .order_by(FrontierRow.id)
        ).all()
        again = {id_ for id_, state in rows if id_ not in fresh and reopen and state in REOPENED}
        _reopen(session, sorted(again))
        new += [id_ for id_, _ in rows if id_ in fresh]
        known += [id_ for id_, _ in rows if id_ not in fresh and id_ not in again]
        reopened += [id_ for id_, _ in rows if id_ in again]
    return Admitted(tuple(new), tuple(reopened), tuple(known), tuple(forgotten))


def _forgotten(session: Session, urls: Sequence[NewUrl]) -> dict[str, None]:
    """The URLs among these whose pages were deleted on request, in order."""
    found: dict[str, None] = {}
    for start in range(0, len(urls), ROWS_A_STATEMENT):
        part = urls[start : start + ROWS_A_STATEMENT]
        standing = tombstones.standing(session, [url.key for url in part if url.purpose == Purpose.ARTICLE])
        found |= {url.url: None for url in part if url.purpose == Purpose.ARTICLE and url.key in standing}
    return found


def afresh() -> dict[str, Any]:
    """The values of a row that is due now as on its first day: its own URL on its own host, nothing held against it."""
    # A row that was redirected belongs to the host of its last hop.
    return {
        "state": Visit.WAITING,
        "reason": None,
        "points": 0,
        "first_failed_at": None,
        "visit_url": FrontierRow.url,
        "host_id": func.coalesce(_own_host(FrontierRow.url), FrontierRow.host_id),
        "hops": [],
        "same_as": _page_of_revisit(),
        "next_attempt_at": func.now(),
        "updated_at": func.now(),
    }


def _page_of_revisit() -> Any:
    """What a row stands for that never changes: the page of a revisit; nothing for any other row."""
    return case((FrontierRow.purpose == Purpose.REVISIT, FrontierRow.same_as))


def _own_host(url: Any) -> Any:
    """The id of a URL's own host, which stands between its second and third slash."""
    return select(Host.id).where(Host.name == func.split_part(url, "/", 3)).correlate(FrontierRow).scalar_subquery()


def _reopen(session: Session, ids: Sequence[int]) -> None:
    """Start rows and their hosts afresh: a host that was given up would take them with it at its first failure."""
    if not ids:
        return
    session.execute(update(FrontierRow).where(FrontierRow.id.in_(ids)).values(**afresh()))
    of_rows = select(FrontierRow.host_id).where(FrontierRow.id.in_(ids))
    session.execute(update(Host).where(Host.id.in_(of_rows), Host.points > 0).values(points=0))


def _row(url: NewUrl, hosts: dict[str, int]) -> dict[str, Any]:
    row = asdict(url)
    row["host_id"] = hosts[row.pop("host")]
    row["visit_url"] = url.url
    return row


@dataclass(frozen=True, slots=True)
class Move:
    """What a visit makes of its row. `delay` is in seconds; a row without one keeps its turn."""

    frontier_id: int
    state: Visit
    reason: str
    points: int
    failing: bool
    delay: float | None
    hops: list[dict[str, Any]] | None = None
    """The redirects so far, where this visit was one; with them `visit_url` and `host_id` where the row goes on."""
    visit_url: str | None = None
    host_id: int | None = None
    same_as: int | None = None


def move(session: Session, moves: Sequence[Move]) -> None:
    """Move rows that still wait to what their visits make of them, in one statement."""
    if not moves:
        return
    values = {
        "ids": [one.frontier_id for one in moves],
        "states": [one.state for one in moves],
        "reasons": [one.reason for one in moves],
        "points": [one.points for one in moves],
        "failing": [one.failing for one in moves],
        "delays": [one.delay for one in moves],
        "hops": [None if one.hops is None else json.dumps(one.hops) for one in moves],
        "visit_urls": [one.visit_url for one in moves],
        "host_ids": [one.host_id for one in moves],
        "same_as": [one.same_as for one in moves],
    }
    session.execute(_MOVE, values)


def end_visit(session: Session, frontier_id: int, state: Visit, reason: str | None = None, same_as: int | None = None) -> None:
    """Move a row to `state`, saying why."""
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.id == frontier_id)
        .values(state=state, reason=reason, same_as=func.coalesce(same_as, _page_of_revisit()), updated_at=func.now())
    )


def believe(session: Session, frontier_id: int, capture: Capture) -> None:
    """Keep what makes the next request conditional: only now that the capture could be read."""
    headers = {header["name"]: header["value"] for header in reversed(capture.headers)}
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.id == frontier_id)
        .values(
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            body_sha256=capture.body_sha256,
            updated_at=func.now(),
        )
    )


def keep_validators(session: Session, frontier_id: int, etag: str | None, last_modified: str | None) -> None:
    """Let the next request ask with these validators, or for the whole where both are None."""
    values = {"etag": etag, "last_modified": last_modified, "updated_at": func.now()}
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**values))


def add_revisit(session: Session, page: FrontierRow, delay: float, priority: int) -> None:
    """Let a page be looked at again `delay` seconds from now, under a row of its own; one that is being revisited stays so."""
    session.execute(
        insert(FrontierRow)
        .values(
            purpose=Purpose.REVISIT,
            url=page.url,
            key=page.key,
            visit_url=page.url,
            host_id=_own_host(page.url),
            priority=priority,
            next_attempt_at=func.now() + span(delay),
            etag=page.etag,
            last_modified=page.last_modified,
            body_sha256=page.body_sha256,
            same_as=page.id,
            source_id=page.source_id,
            found_by=page.found_by,
        )
        .on_conflict_do_nothing()
    )


def wait_for_revisit(session: Session, frontier_id: int, delay: float, reason: str) -> None:
    """Let a revisit's row wait for the next one."""
    values = afresh() | {"reason": reason, "next_attempt_at": func.now() + span(delay)}
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**values))


def standing_for(session: Session, frontier_id: int, key: str) -> FrontierRow | None:
    """The other article row that a page of this key is fetched under; None where this row has to fetch it itself.

    A row that ended without a text stands for nothing. Of two rows that redirect to each other one has to be fetched: both are
    locked, lest each of two workers take the other row for the one.
    """
    wanted = (FrontierRow.purpose == Purpose.ARTICLE) & (FrontierRow.key == key)
    rows = session.scalars(
        select(FrontierRow)
        .where(wanted | (FrontierRow.id == frontier_id))
        .order_by(FrontierRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    others = [row for row in rows if row.id != frontier_id]
    return next((row for row in others if row.same_as is None and row.state not in REOPENED), None)


def keys_of(session: Session, ids: Collection[int]) -> set[str]:
    """The sameness keys of rows."""
    return set(session.scalars(select(FrontierRow.key).where(FrontierRow.id.in_(ids)))) if ids else set()


def known_by_key(session: Session, purpose: Purpose, key: str) -> FrontierRow | None:
    """The row that stands for this sameness key, where there is one."""
    return session.scalar(select(FrontierRow).where(FrontierRow.purpose == purpose, FrontierRow.key == key))
