"""Witnesses, and which of them have a vote."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, load_only

from pipeline.philology.witness import Witness
from pipeline.store.tables import FrontierRow, StoredWitness, Visit

# What names the second text of a page, and a part of it; no URL in the store has a fragment.
SECOND = "#articleBody"
PART = "#part"
# Pages with the same text that a story hears; of those beyond it the copies are counted and listed.
HEARD = 8
# What the philology needs of a row; the rest, its words for full-text search above all, takes longer to read than this.
_OF_VALUE = ("source", "part", "host", "title", "byline", "dateline", "language", "published_at", "text", "story_id", "twin_of")
# The first witnesses of each text, with the first twins of each.
_HEARD = text("""
SELECT w.id FROM witnesses w WHERE w.story_id = :story AND w.twin_of IS NULL
UNION ALL
SELECT t.id FROM witnesses w CROSS JOIN LATERAL (
    SELECT id FROM witnesses WHERE twin_of = w.id ORDER BY id LIMIT :twins
) AS t WHERE w.story_id = :story AND w.twin_of IS NULL
""")
# Of each page what it shows now: its newest text, or all parts of that.
_NEWEST = text("""
SELECT w.id FROM witnesses w WHERE w.id = ANY(CAST(:ids AS bigint[])) AND NOT EXISTS (
    SELECT FROM witnesses n WHERE n.story_id = :story AND n.source = w.source AND n.id > w.id
        AND (n.part = w.part OR n.capture_id IS DISTINCT FROM w.capture_id))
ORDER BY w.id
""")


def first_of_text(session: Session, words: str) -> StoredWitness | None:
    """The first witness with exactly this text that is in a story; the others are its twins."""
    return session.scalar(
        select(StoredWitness)
        .where(
            func.md5(StoredWitness.text) == func.md5(words),
            StoredWitness.text == words,
            StoredWitness.story_id.is_not(None),
            StoredWitness.twin_of.is_(None),
        )
        .order_by(StoredWitness.id)
        .limit(1)
    )


def first_ones(session: Session, story_id: int, limit: int | None = None) -> list[StoredWitness]:
    """The witnesses of a story, of each text the first one; the newest of them where there are more than `limit`."""
    first = select(StoredWitness).where(StoredWitness.story_id == story_id, StoredWitness.twin_of.is_(None))
    return sorted(session.scalars(first.order_by(StoredWitness.id.desc()).limit(limit)), key=lambda row: row.id)


def is_heard(session: Session, twin: StoredWitness, first: StoredWitness) -> bool:
    """Whether one more page with a text that its story has changes anything: one of the first few, or one that had another."""
    others = select(StoredWitness.id).where(StoredWitness.twin_of == first.id).limit(HEARD - 1)
    if len(session.scalars(others).all()) < HEARD - 1:
        return True
    same_page = select(StoredWitness.id).where(
        StoredWitness.story_id == first.story_id, StoredWitness.source == twin.source, StoredWitness.id != twin.id
    )
    return bool(session.scalar(select(same_page.exists())))


def by_id(session: Session, ids: Collection[int]) -> dict[int, StoredWitness]:
    """The witnesses with these ids that are there, with what is compared of them."""
    columns = load_only(*(getattr(StoredWitness, name) for name in _OF_VALUE))
    return {row.id: row for row in session.scalars(select(StoredWitness).where(StoredWitness.id.in_(ids)).options(columns))}


def stories_of(session: Session, ids: Collection[int]) -> dict[int, int]:
    """The story that each of these witnesses is in now; those that are gone or in none are left out."""
    placed = select(StoredWitness.id, StoredWitness.story_id).where(
        StoredWitness.id.in_(ids), StoredWitness.story_id.is_not(None)
    )
    return {row.id: row.story_id for row in session.execute(placed) if row.story_id is not None}


def copies_of(session: Session, story_id: int) -> list[StoredWitness]:
    """The copies of a story that have a vote: of each page its newest text, of pages with the same text the first few."""
    heard = session.scalars(_HEARD, {"story": story_id, "twins": HEARD - 1}).all()
    shown = session.scalars(_NEWEST, {"story": story_id, "ids": list(heard)}).all()
    return list(session.scalars(select(StoredWitness).where(StoredWitness.id.in_(shown)).order_by(StoredWitness.id)))


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
            StoredWitness.part == 0,
            FrontierRow.state.in_((Visit.WITNESS, Visit.UNCHANGED)),
            (FrontierRow.key == canonical_key) | StoredWitness.canonical_key.in_(keys),
        )
        .order_by(StoredWitness.id)
    )
    return list({witness.frontier_id: witness for witness in found}.values())


def as_value(row: StoredWitness) -> Witness:
    """The witness as the philology knows it; a part is named after its page."""
    return Witness(
        source=f"{row.source}{PART}{row.part}" if row.part else row.source,
        paragraphs=tuple(row.text.split("\n\n")) if row.text else (),
        title=row.title,
        byline=row.byline,
        dateline=row.dateline,
        language=row.language,
        site=row.host,
        published=row.published_at,
        slug=row.slug,
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
