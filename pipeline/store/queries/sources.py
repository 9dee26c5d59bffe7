"""Sources: when each is polled next and why, and what it has brought."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, cast, distinct, func, literal, select
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.orm import Session

from pipeline.store.tables import FrontierRow, Host, Listing, Purpose, Source, StoredWitness, Visit


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source of scheduled crawls."""

    name: str
    kind: str
    url: str
    interval: float | None
    """Seconds between two polls, where a person set them."""
    cron: str | None
    """The cron line, where a person set one, in `time_zone`."""
    time_zone: str
    tags: list[str]
    discover: bool
    """Whether the copies of what it brings are looked for."""
    host_interval: float | None
    links: str | None
    other_hosts: bool
    enabled: bool
    state: str
    """on, off, asleep, quarantined, or failing: the last poll failed."""
    failing_since: datetime | None
    polls: int
    last_read_at: datetime | None
    last_outcome: str | None
    next_at: datetime | None
    """When it is polled next at the earliest; None where it is switched off, asleep, in quarantine or being read."""
    due_in: float | None
    """Seconds until then, 0 for now."""
    why: str | None
    """Why then."""
    listings: int
    """URLs that it polls: itself, and the sitemaps that it names."""
    pages: int
    """Items new: articles that it was the first to bring."""
    witnesses: int
    """Those of them that gave a text."""
    stories: int


def sources(session: Session) -> tuple[SourceView, ...]:
    """All sources by name."""
    next_at = func.greatest(FrontierRow.next_attempt_at, Host.free_at)
    seconds = func.greatest(func.extract("epoch", next_at - func.now()), 0)
    schedule = (
        select(next_at.label("at"), cast(seconds, DOUBLE_PRECISION).label("seconds"), Listing.why)
        .select_from(Listing)
        .join(FrontierRow, FrontierRow.id == Listing.frontier_id)
        .join(Host, Host.id == FrontierRow.host_id)
        .where(Listing.source_id == Source.id, FrontierRow.state == Visit.WAITING)
        .order_by(next_at, Listing.frontier_id)
        .limit(1)
        .lateral("schedule")
    )
    own = (
        select(Listing.source_id, Listing.failures, Listing.failing_since, FrontierRow.state)
        .join(FrontierRow, FrontierRow.id == Listing.frontier_id)
        .where(Listing.parent_id.is_(None))
        .subquery("own")
    )
    polled = select(Listing.source_id, func.count().label("listings")).group_by(Listing.source_id).subquery("polled")
    brought = (
        select(
            FrontierRow.source_id,
            func.count(distinct(FrontierRow.id)).label("pages"),
            func.count(distinct(StoredWitness.frontier_id)).label("witnesses"),
            func.count(distinct(StoredWitness.story_id)).label("stories"),
        )
        .outerjoin(StoredWitness, StoredWitness.frontier_id == FrontierRow.id)
        .where(FrontierRow.purpose == Purpose.ARTICLE, FrontierRow.source_id.is_not(None))
        .group_by(FrontierRow.source_id)
        .subquery("brought")
    )
    state = case(
        (~Source.enabled, "off"),
        (Source.asleep_at.is_not(None), "asleep"),
        (own.c.state == Visit.QUARANTINED, "quarantined"),
        (own.c.failures > 0, "failing"),
        else_="on",
    )
    rows = session.execute(
        select(
            Source.name,
            Source.kind,
            Source.url,
            Source.interval,
            Source.cron,
            Source.time_zone,
            Source.tags,
            Source.discover,
            Source.host_interval,
            Source.links,
            Source.other_hosts,
            Source.enabled,
            state.label("state"),
            own.c.failing_since,
            Source.polls,
            Source.last_read_at,
            Source.last_outcome,
            schedule.c.at.label("next_at"),
            schedule.c.seconds.label("due_in"),
            schedule.c.why,
            func.coalesce(polled.c.listings, 0).label("listings"),
            func.coalesce(brought.c.pages, 0).label("pages"),
            func.coalesce(brought.c.witnesses, 0).label("witnesses"),
            func.coalesce(brought.c.stories, 0).label("stories"),
        )
        .select_from(Source)
        .outerjoin(schedule, literal(True))
        .outerjoin(own, own.c.source_id == Source.id)
        .outerjoin(polled, polled.c.source_id == Source.id)
        .outerjoin(brought, brought.c.source_id == Source.id)
        .order_by(Source.name)
    )
    return tuple(SourceView(**row._asdict()) for row in rows)
