"""Sources: feeds and sitemaps that are polled on a schedule. When one is due stands in its frontier row."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.store import frontier
from pipeline.store.tables import FrontierRow, Purpose, Source, Visit
from pipeline.store.values import span


def put(session: Session, name: str, kind: str, url: str, interval: float) -> Source:
    """Add a source, or bring the one of that name up to date."""
    source = session.scalar(select(Source).where(Source.name == name))
    if source is None:
        source = Source(name=name, kind=kind, url=url, interval=interval)
        session.add(source)
    else:
        source.kind, source.url, source.interval = kind, url, interval
    session.flush()
    return source


def named(session: Session, names: Sequence[str]) -> list[Source]:
    """The sources of those names, or all of them for no name. Raises NotFound for a name that is none."""
    found = {source.name: source for source in session.scalars(select(Source).order_by(Source.name))}
    if unknown := [name for name in names if name not in found]:
        raise NotFound(f"No source is named {', '.join(map(repr, unknown))}. `wirecopy crawl list` shows them.")
    return [found[name] for name in names] if names else list(found.values())


def set_enabled(session: Session, source: Source, *, enabled: bool) -> None:
    """Switch a source on or off; its row in the frontier waits or is cancelled with it."""
    source.enabled = enabled
    before, after = (Visit.CANCELLED, Visit.WAITING) if enabled else (Visit.WAITING, Visit.CANCELLED)
    session.execute(
        update(FrontierRow).where(_row_of(source.id), FrontierRow.state == before).values(state=after, updated_at=func.now())
    )


def make_due(session: Session, source: Source) -> None:
    """Let a source be polled now, whatever its schedule says."""
    session.execute(update(FrontierRow).where(_row_of(source.id)).values(**frontier.afresh()))


def polled(session: Session, source: Source, frontier_id: int, outcome: str) -> None:
    """Note the outcome of a poll and let the next one be due one interval from now."""
    source.polls += 1
    source.last_read_at = func.now()
    source.last_outcome = outcome
    values = frontier.afresh() | {
        "state": Visit.WAITING if source.enabled else Visit.CANCELLED,
        "next_attempt_at": func.now() + span(source.interval),
    }
    session.execute(update(FrontierRow).where(FrontierRow.id == frontier_id).values(**values))


def _row_of(source_id: int) -> Any:
    return (FrontierRow.purpose == Purpose.SOURCE) & (FrontierRow.source_id == source_id)
