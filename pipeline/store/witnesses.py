"""Witnesses, and the ones that a newcomer might belong with."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipeline.philology.witness import Witness
from pipeline.store.tables import FrontierRow, StoredWitness, Visit

# What names the second text of a page; no URL in the store has a fragment.
SECOND = "#articleBody"
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


def named_as(session: Session, row: FrontierRow, canonical_key: str | None) -> list[StoredWitness]:
    """The newest texts of other pages that this one names as its canonical address, or that name it, or name the same one."""
    keys = {row.key, canonical_key} - {None}
    found = session.scalars(
        select(StoredWitness)
        .join(FrontierRow, FrontierRow.id == StoredWitness.frontier_id)
        .where(
            FrontierRow.id != row.id,
            FrontierRow.state.in_((Visit.WITNESS, Visit.UNCHANGED)),
            (FrontierRow.key == canonical_key) | StoredWitness.canonical_key.in_(keys),
        )
        .order_by(StoredWitness.id)
    )
    return list({witness.frontier_id: witness for witness in found}.values())


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


def as_values(rows: Sequence[StoredWitness]) -> list[tuple[Witness, StoredWitness]]:
    """The witnesses as the philology knows them, with their rows: of a page that gives two texts, both.

    The second is named after the page, and has one vote with the first. Where all rows are of one page there is nothing to
    compare it with, and it is left out.
    """
    found = [(as_value(row), row) for row in rows]
    if len(rows) > 1:
        for row in rows:
            if row.second_text:
                first = as_value(row)
                paragraphs = tuple(row.second_text.split("\n\n"))
                found.append((replace(first, source=row.source + SECOND, paragraphs=paragraphs, page=row.source), row))
    with_second = {row.source for witness, row in found if is_second(witness)}
    return [(replace(witness, page=row.source) if row.source in with_second else witness, row) for witness, row in found]


def is_second(witness: Witness) -> bool:
    """Whether a witness is the text that a page's JSON-LD gives beside the one that the page shows."""
    return witness.source.endswith(SECOND)
