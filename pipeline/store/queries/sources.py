"""Sources: when each is polled next, and what it has brought."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, cast, distinct, func, literal, select
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.orm import Session

from pipeline.store.tables import FrontierRow, Host, Purpose, Source, StoredWitness, Visit


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source of scheduled crawls."""

    name: str
    kind: str
    url: str
    interval: float
    """Seconds between two polls."""
    enabled: bool
    polls: int
    last_read_at: datetime | None
    last_outcome: str | None
    next_at: datetime | None
    """When it is polled next at the earliest; None where it is switched off or being read."""
    due_in: float | None
    """Seconds until then, 0 for now."""
    pages: int
    """Articles that it was the first to bring."""
    witnesses: int
    """Those of them that gave a text."""
    stories: int


def sources(session: Session) -> tuple[SourceView, ...]:
    """All sources by name."""
    next_at = func.min(func.greatest(FrontierRow.next_attempt_at, Host.free_at))
    seconds = func.greatest(func.extract("epoch", next_at - func.now()), 0)  # of null, too, this is 0
    schedule = (
        select(
            next_at.label("at"),
            case((next_at.is_not(None), cast(seconds, DOUBLE_PRECISION))).label("seconds"),
        )
        .join(Host, Host.id == FrontierRow.host_id)
        .where(
            FrontierRow.source_id == Source.id,
            FrontierRow.purpose == Purpose.SOURCE,
            FrontierRow.state == Visit.WAITING,
        )
        .lateral("schedule")
    )
    brought = (
        select(
            func.count(distinct(FrontierRow.id)).label("pages"),
            func.count(distinct(StoredWitness.frontier_id)).label("witnesses"),
            func.count(distinct(StoredWitness.story_id)).label("stories"),
        )
        .outerjoin(StoredWitness, StoredWitness.frontier_id == FrontierRow.id)
        .where(FrontierRow.source_id == Source.id, FrontierRow.purpose == Purpose.ARTICLE)
        .lateral("brought")
    )
    rows = session.execute(
        select(
            Source.name,
            Source.kind,
            Source.url,
            Source.interval,
            Source.enabled,
            Source.polls,
            Source.last_read_at,
            Source.last_outcome,
            schedule.c.at,
            schedule.c.seconds,
            brought.c.pages,
            brought.c.witnesses,
            brought.c.stories,
        )
        .select_from(Source)
        .join(schedule, literal(True))
        .join(brought, literal(True))
        .order_by(Source.name)
    )
    return tuple(SourceView(*row) for row in rows)
