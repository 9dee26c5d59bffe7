"""Stored pages that hold a phrase: what our own store knows for a discovery."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.store.queries.search import CONFIGURATION
from pipeline.store.tables import StoredWitness
from pipeline.store.values import storable

MOST_HITS = 20
PASSAGE = "StartSel='', StopSel='', MaxFragments=2, MaxWords=24, MinWords=10, FragmentDelimiter=' … '"


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A page of ours whose text has the phrase."""

    url: str
    title: str | None
    snippet: str | None
    published_at: datetime | None


def holding(session: Session, words: Sequence[str]) -> tuple[StoredHit, ...]:
    """Pages whose text or headline has these words in this order, the newest first."""
    asked = func.phraseto_tsquery(CONFIGURATION, storable(" ".join(words)))
    passage = func.ts_headline(CONFIGURATION, StoredWitness.text, asked, PASSAGE)
    texts = session.execute(
        select(StoredWitness.source, StoredWitness.title, passage, StoredWitness.published_at)
        .where(StoredWitness.search.op("@@")(asked), StoredWitness.frontier_id.is_not(None))
        .order_by(StoredWitness.id.desc())
        .limit(MOST_HITS)
    )
    return tuple(StoredHit(*row) for row in texts)
