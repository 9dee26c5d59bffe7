"""How pages were found by discoveries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.store.tables import StoredFind


@dataclass(frozen=True, slots=True)
class FoundBy:
    """How a discovery found a page."""

    provider: str
    kind: str
    """Of the query: headline, phrase, net …"""
    query: str
    score: float
    """How likely a copy it seemed before it was fetched, from 0 to 1."""
    found_at: datetime


def found_pages(session: Session, pages: Collection[int]) -> dict[int | None, tuple[FoundBy, ...]]:
    """Frontier row → the finds that name it, the first one first; rows that none names are left out."""
    found: dict[int | None, tuple[FoundBy, ...]] = {}
    for row in session.scalars(select(StoredFind).where(StoredFind.frontier_id.in_(pages)).order_by(StoredFind.id)):
        one = FoundBy(row.provider, row.kind, row.query, row.score, row.found_at)
        found[row.frontier_id] = (*found.get(row.frontier_id, ()), one)
    return found
