"""Sources, and the URLs that they poll: listings. When one is due stands in its frontier row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from pipeline.errors import NotFound
from pipeline.store import frontier
from pipeline.store.frontier import NewUrl
from pipeline.store.tables import FrontierRow, Host, Listing, Purpose, Source, Visit

MOST_LISTINGS = 1_000
"""URLs that one source polls: itself, and the sitemaps that its indexes name."""
DEEPEST = 3
"""Indexes that name indexes are followed so far."""
PRIORITY = 10
"""A poll comes before the articles of its host."""
UNPOLLED = "no source polls it"


def put(session: Session, name: str, **fields: Any) -> Source:
    """Add a source, or bring the one of that name up to date."""
    source = session.scalar(select(Source).where(Source.name == name))
    if source is None:
        source = Source(name=name)
        session.add(source)
    for field, value in fields.items():
        setattr(source, field, value)
    session.flush()
    return source


def named(session: Session, names: Sequence[str]) -> list[Source]:
    """The sources of those names, or all of them for no name. Raises NotFound for a name that is none."""
    found = {source.name: source for source in session.scalars(select(Source).order_by(Source.name))}
    if unknown := [name for name in names if name not in found]:
        raise NotFound(f"No source is named {', '.join(map(repr, unknown))}. `wirecopy crawl list` shows them.")
    return [found[name] for name in names] if names else list(found.values())


def new_url(source: Source, url: str, host: str, found_by: str) -> NewUrl:
    """The frontier row under which a source polls a URL."""
    return NewUrl(url, key_of(source.name, url), host, Purpose.SOURCE, found_by, PRIORITY, source.id)


def key_of(name: str, url: str) -> str:
    """What is unique to a URL that a source polls."""
    return f"{name} {url}"


def set_enabled(session: Session, source: Source, *, enabled: bool) -> None:
    """Switch a source on or off; its rows in the frontier wait or are cancelled with it. Switched on, it sleeps no more."""
    before, after = (Visit.CANCELLED, Visit.WAITING) if enabled else (Visit.WAITING, Visit.CANCELLED)
    _move_rows(session, source, (before,), {"state": after, "updated_at": func.now()})
    source.enabled = enabled
    if enabled:
        wake(session, source)


def make_due(session: Session, source: Source) -> None:
    """Let a source be polled now, whatever its schedule says; what is being read or lies in quarantine stays there."""
    _move_rows(session, source, (Visit.WAITING, Visit.CANCELLED), frontier.afresh())
    wake(session, source)
    session.execute(update(Listing).where(Listing.source_id == source.id).values(why="asked for by hand"))


def quarantined(session: Session) -> set[int]:
    """The sources whose own URL lies in quarantine, by id."""
    rows = select(Listing.source_id).join(FrontierRow, FrontierRow.id == Listing.frontier_id)
    return set(session.scalars(rows.where(Listing.parent_id.is_(None), FrontierRow.state == Visit.QUARANTINED)))


def wake(session: Session, source: Source) -> None:
    """Forget that a source slept, and the failures that put it to sleep."""
    if source.asleep_at is not None:
        source.asleep_at = None
        awake = {"failures": 0, "failing_since": None, "why": "woken"}
        session.execute(update(Listing).where(Listing.source_id == source.id).values(**awake))


def _move_rows(session: Session, source: Source, states: Sequence[Visit], values: dict[str, Any]) -> None:
    # Before the source itself is changed, as whoever records a visit does: else the two would wait for each other crosswise.
    polled = select(Listing.frontier_id).where(Listing.source_id == source.id)
    session.execute(update(FrontierRow).where(FrontierRow.id.in_(polled), FrontierRow.state.in_(states)).values(**values))


def listing_of(session: Session, frontier_id: int) -> Listing | None:
    """What is remembered of a URL that a source polls; None where no source polls it any more."""
    return session.get(Listing, frontier_id, with_for_update=True, populate_existing=True)


def own_listing(session: Session, source: Source) -> Listing | None:
    """The listing of the source's own URL."""
    return session.scalar(select(Listing).where(Listing.source_id == source.id, Listing.parent_id.is_(None)))


@dataclass(frozen=True, slots=True)
class Followed:
    """The frontier rows of URLs that a source polls, and which of them are due now because of it."""

    ids: tuple[int, ...]
    due: tuple[int, ...]


def follow(session: Session, source: Source, urls: Sequence[tuple[NewUrl, datetime | None]], index: Listing | None) -> Followed:
    """Let a source poll URLs from now on, which an index names with their last change, or (no index) a person as its own.

    Due at once is what is new, and what has changed since its last poll. A URL that the source polls already keeps its place,
    whoever names it: so indexes that name each other end.
    """
    frontier.admit(session, [url for url, _ in urls], reopen=False)
    # Rows before listings, as whoever records a visit.
    changes = {url.key: changed for url, changed in urls}
    rows = session.execute(
        select(FrontierRow.id, FrontierRow.key)
        .where(FrontierRow.purpose == Purpose.SOURCE, FrontierRow.key.in_(changes))
        .order_by(FrontierRow.id)
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    listings = {
        listing.frontier_id: listing for listing in session.scalars(select(Listing).where(Listing.frontier_id.in_(ids)))
    }
    due = []
    for row in rows:
        known, changed = listings.get(row.id), changes[row.key]
        if known is None:
            place = {} if index is None else {"parent_id": index.frontier_id, "depth": index.depth + 1}
            session.add(Listing(frontier_id=row.id, source_id=source.id, changed_at=changed, why="not polled yet", **place))
        elif index is None or known.parent_id != index.frontier_id or not _has_changed(known, changed):
            continue
        else:
            known.changed_at, known.why = changed, "its index says that it has changed"
            known.failures, known.failing_since = 0, None
        due.append(row.id)
    session.flush()
    _wait(session, source, due, frontier.afresh())
    return Followed(tuple(ids), tuple(due))


def _has_changed(known: Listing, changed: datetime | None) -> bool:
    if changed is None or known.polled_at is None or changed == known.changed_at:
        return False
    return changed > known.polled_at or known.changed_at is None or changed > known.changed_at


def unfollow(session: Session, source: Source, *, but: Sequence[int] = (), parent: Listing | None = None) -> None:
    """Poll none of the sitemaps any more that `parent` names, or any index of the source, and that are not among `but`.

    What those name in their turn goes as well.
    """
    of = Listing.parent_id.is_not(None) if parent is None else Listing.parent_id == parent.frontier_id
    _drop(session, source.id, of & Listing.frontier_id.not_in(but))


def unfollow_one(session: Session, listing: Listing) -> None:
    """Poll a URL no more, nor what it names."""
    _drop(session, listing.source_id, Listing.frontier_id == listing.frontier_id)


def _drop(session: Session, source_id: int, which: ColumnElement[bool]) -> None:
    above = aliased(Listing)
    orphaned = (
        Listing.parent_id.is_not(None) & ~select(above.frontier_id).where(above.frontier_id == Listing.parent_id).exists()
    )
    cancelled = {"state": Visit.CANCELLED, "reason": UNPOLLED, "updated_at": func.now()}
    for _ in range(DEEPEST + 1):
        gone = session.scalars(select(Listing.frontier_id).where(Listing.source_id == source_id, which)).all()
        # Rows before listings, as whoever records a visit: else the two would wait for each other crosswise.
        session.execute(select(FrontierRow.id).where(FrontierRow.id.in_(gone)).order_by(FrontierRow.id).with_for_update())
        session.execute(delete(Listing).where(Listing.frontier_id.in_(gone)))
        rows = update(FrontierRow).where(FrontierRow.id.in_(gone), FrontierRow.state == Visit.WAITING)
        session.execute(rows.values(**cancelled))
        which = orphaned


def count_others(session: Session, source: Source, index: Listing) -> int:
    """How many URLs a source polls that this index does not name."""
    named = func.coalesce(Listing.parent_id, 0) == index.frontier_id
    return session.scalar(select(func.count()).where(Listing.source_id == source.id, ~named)) or 0


def host_load(session: Session, frontier_id: int) -> float:
    """The share of the time of a listing's own host that all polls there would take if none waited for the others."""
    mine, other = aliased(FrontierRow), aliased(FrontierRow)
    return float(
        session.scalar(
            select(
                func.coalesce(
                    func.sum(func.greatest(Host.interval, Host.least_interval) / func.greatest(Listing.wait, 1.0)), 0.0
                )
            )
            .select_from(mine)
            .join(other, other.host_id == mine.host_id)
            .join(Listing, Listing.frontier_id == other.id)
            .join(Host, Host.id == mine.host_id)
            .where(mine.id == frontier_id, other.state == Visit.WAITING, other.purpose == Purpose.SOURCE)
        )
        or 0.0
    )


def wait_until(session: Session, source: Source, frontier_id: int, at: datetime) -> None:
    """Let a listing be due at a time, on its own host; where its source is off or sleeps, it waits for nothing."""
    values = frontier.afresh() | {"next_attempt_at": at, "state": _state(source)}
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**values))


def _wait(session: Session, source: Source, ids: Sequence[int], values: dict[str, Any]) -> None:
    rows = update(FrontierRow).where(FrontierRow.id.in_(ids), FrontierRow.state.in_((Visit.WAITING, Visit.CANCELLED)))
    session.execute(rows.values(**values | {"state": _state(source)}))


def _state(source: Source) -> Visit:
    return Visit.WAITING if source.enabled and source.asleep_at is None else Visit.CANCELLED


def put_to_sleep(session: Session, source: Source, frontier_id: int, why: str) -> None:
    """Poll a source no more, whose own row this is, until a person wakes it."""
    source.asleep_at = func.now()
    source.last_outcome = f"{why}; the last: {source.last_outcome}"[:2_000]
    cancelled = {"state": Visit.CANCELLED, "updated_at": func.now()}
    _move_rows(session, source, (Visit.WAITING,), cancelled)
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**cancelled))
