"""Polls of sources as they end: what came is remembered, and when the next one is due is decided."""

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.crawl.schedule import History, Poll, Rule, plan_next, remember
from pipeline.errors import Malformed
from pipeline.store import frontier, sources
from pipeline.store.tables import FrontierRow, Listing, Source, Visit

# A server that has said "not modified" for so long is asked for the whole once.
BELIEVED = timedelta(days=1)
# An item that came so long before a poll would have been seen by it.
CLOCK_SLACK = timedelta(minutes=5)
_REMEMBERED = tuple(field.name for field in fields(History))
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?(\d{1,9})', re.IGNORECASE)
_NOT_FRESH = re.compile(r"\b(?:no-cache|no-store)\b", re.IGNORECASE)
log = structlog.get_logger()


def now_of(session: Session) -> datetime:
    """The database's time, by which everything is due."""
    return session.execute(select(func.now())).scalar_one()


def freshness(headers: Iterable[tuple[str, str]]) -> float | None:
    """Seconds that an answer stays fresh by Cache-Control and Age (RFC 9111, 4.2); None where it does not say."""
    said: dict[str, str] = {}
    for name, value in headers:
        said.setdefault(name.lower(), value)
    control = said.get("cache-control", "")
    found = _MAX_AGE.search(control)
    if found is None or _NOT_FRESH.search(control):
        return None
    age = said.get("age", "").strip()
    return max(float(found[1]) - (float(age[:9]) if age.isascii() and age.isdigit() else 0.0), 0.0)


def end_poll(session: Session, source: Source, frontier_id: int, outcome: str, poll: Poll) -> None:
    """Note the outcome of a poll and let the next one be due; one that has failed for too long puts the source to sleep."""
    source.polls += 1
    source.last_read_at, source.last_outcome = func.now(), outcome[:2_000]
    listing = sources.listing_of(session, frontier_id)
    if listing is None:
        frontier.end_visit(session, frontier_id, Visit.CANCELLED, sources.UNPOLLED)
        return
    history = remember(History(**{name: getattr(listing, name) for name in _REMEMBERED}), poll)
    # A person's schedule is of the source's own URL: a thousand sitemaps of an index are not all read every quarter of an hour.
    rule = Rule() if listing.parent_id is not None else Rule(source.interval, source.cron, source.time_zone)
    plan = partial(plan_next, history, poll, load=sources.host_load(session, frontier_id), seed=str(frontier_id))
    try:
        due = plan(rule)
    except Malformed as error:
        # The line was right when it was stored, on a machine whose time zones are others.
        due = replace(plan(Rule()), why=f"as often as it brings something new, for {error}")
    for name in _REMEMBERED:
        setattr(listing, name, getattr(history, name))
    listing.wait, listing.why = due.wait, due.why
    session.flush()
    if due.at is not None:
        sources.wait_until(session, source, frontier_id, due.at)
    elif listing.parent_id is None:
        sources.put_to_sleep(session, source, frontier_id, due.why)
        log.warning("source asleep", source=source.name, url=source.url, why=due.why)
    else:
        # A sitemap that is gone while its index lives; it is polled again when the index says that it has changed.
        frontier.end_visit(session, frontier_id, Visit.CANCELLED, due.why)


def forgo_validators(session: Session, listing: Listing, at: datetime) -> None:
    """After a day of "not modified" ask for the whole again: servers exist that answer so to what has changed."""
    if listing.whole_at is not None and at - listing.whole_at >= BELIEVED:
        frontier.keep_validators(session, listing.frontier_id, None, None)


def may_have_lied(listing: Listing, row: FrontierRow) -> bool:
    """Whether this poll asked for the whole after others had been told "not modified"."""
    asked_whole = not row.etag and not row.last_modified
    return (
        asked_whole and listing.whole_at is not None and listing.polled_at is not None and listing.polled_at > listing.whole_at
    )


def has_lied(listing: Listing, published: Iterable[datetime | None]) -> bool:
    """Whether new items show that "not modified" was wrong: they are older than the poll that it answered."""
    if listing.whole_at is None or listing.polled_at is None:
        return False
    return any(when is not None and listing.whole_at < when < listing.polled_at - CLOCK_SLACK for when in published)
