"""Witnesses, and the ones that a newcomer might belong with."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipeline.philology.witness import Witness
from pipeline.store.tables import StoredWitness

# How many of the newcomer's features each stored witness shares. The index finds rows that share any; counting them is
# left to the few that do.
CANDIDATES = text("""
SELECT id, story_id, cardinality(ARRAY(SELECT unnest(features) INTERSECT SELECT unnest(CAST(:features AS bigint[])))) AS shared
FROM witnesses
WHERE features && CAST(:features AS bigint[]) AND story_id IS NOT NULL AND id <> :newcomer
ORDER BY shared DESC, id LIMIT :limit
""")


def candidates(session: Session, newcomer: int, features: Sequence[int], limit: int) -> list[StoredWitness]:
    """Placed witnesses that share the most features with a newcomer, best first."""
    if not features:
        return []
    found = session.execute(CANDIDATES, {"features": list(features), "newcomer": newcomer, "limit": limit}).all()
    rows = {row.id: row for row in session.scalars(select(StoredWitness).where(StoredWitness.id.in_([f.id for f in found])))}
    return [rows[f.id] for f in found]


def copies_of(session: Session, story_id: int) -> list[StoredWitness]:
    """The copies of a story that have a vote: of each page its newest text, and no excerpts."""
    rows = session.scalars(
        select(StoredWitness)
        .where(StoredWitness.story_id == story_id, StoredWitness.relation == "copy")
        .order_by(StoredWitness.id)
    )
    return list({row.source: row for row in rows}.values())


def sigla_of(session: Session, story_id: int) -> set[str]:
    """Every siglum that was given in a story, also to texts that their page shows no more."""
    given = select(StoredWitness.siglum).where(StoredWitness.story_id == story_id, StoredWitness.siglum.is_not(None))
    return {siglum for siglum in session.scalars(given) if siglum is not None}


def as_value(row: StoredWitness) -> Witness:
    """The witness as the philology knows it."""
    return Witness(
        source=row.source,
        paragraphs=tuple(row.text.split("\n\n")) if row.text else (),
        title=row.title,
        byline=row.byline,
        dateline=row.dateline,
        language=row.language,
        site=row.host,
        published=row.published_at,
    )
