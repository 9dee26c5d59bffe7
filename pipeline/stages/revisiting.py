"""Revisits: a page that gave a text is looked at again, ever more rarely, for a later version of it.

A revisit has a frontier row of its own, so that whatever comes of it, the page keeps its end and its text. What changed is a
new witness of the page; the old one stays.
"""

import random
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.crawl.schedule import plan_revisit
from pipeline.settings import Settings
from pipeline.store import frontier
from pipeline.store.tables import FrontierRow, Purpose, StoredWitness, Visit

# New pages and polls come first.
PRIORITY = -10


def page_of(row: FrontierRow) -> int:
    """The row of the page: of a revisit the page's own."""
    return row.same_as if row.purpose == Purpose.REVISIT and row.same_as is not None else row.id


def begin_revisits(session: Session, row: FrontierRow, settings: Settings) -> None:
    """Let a page that has given its first text be revisited, where the settings want it and it is not too old."""
    if settings.revisit_until <= 0 or row.purpose != Purpose.ARTICLE:
        return
    delay = _delay(session, row.id, settings)
    if delay is not None:
        session.refresh(row)  # its validators were written behind the session's back
        frontier.add_revisit(session, row, delay, PRIORITY)


def end_revisit(session: Session, revisit_id: int, outcome: str, settings: Settings) -> None:
    """Note what came of a revisit; the row waits for the next one, or ends with the last."""
    row = session.get_one(FrontierRow, revisit_id, populate_existing=True)
    delay = None if row.state == Visit.REFUSED else _delay(session, page_of(row), settings)
    if delay is None:
        ended = Visit(row.state) if row.state not in {Visit.WAITING, Visit.CAPTURED} else Visit.UNCHANGED
        frontier.end_visit(session, row.id, ended, f"the last revisit: {outcome}")
    else:
        frontier.wait_for_revisit(session, row.id, delay, f"the last revisit: {outcome}")


def _delay(session: Session, page: int, settings: Settings) -> float | None:
    """Seconds until the page's next revisit, by its age: since it was published, or else since it came."""
    born: datetime | None = session.scalar(
        select(func.min(func.least(StoredWitness.published_at, StoredWitness.created_at))).where(
            StoredWitness.frontier_id == page
        )
    )
    if born is None:
        return None
    age = (session.execute(select(func.now())).scalar_one() - born).total_seconds()
    return plan_revisit(age, settings.revisit_until, random.random())
