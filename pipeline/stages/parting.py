"""Part: a page that holds several stories is read as several witnesses, also where that shows only later."""

from collections.abc import Sequence

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from pipeline.philology.parts import Part, cut_out, split
from pipeline.philology.relation import relate
from pipeline.settings import Settings
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.regrouping import edges_of, groups_of
from pipeline.stages.relatives import COMPARED_OF_STORY, Relative
from pipeline.store import features, links, merging, witnesses
from pipeline.store.tables import Bond, Stage, StoredWitness

# A witness of which a newcomer covers less than this has other texts beside it, or the newcomer was cut.
MOST_OF_IT = 0.7
# Witnesses of a story that are asked whether they hang together without one of them.
MOST_ASKED = 40


def parts_of(witness: StoredWitness, relatives: Sequence[Relative]) -> tuple[Part[int], ...]:
    """The texts on a page by the stories that it was compared with; one part where it is one text, or is a part itself."""
    related = {one.story_id for one in relatives if max(one.relation.newcomer_coverage, one.relation.member_coverage) > 0}
    if witness.part or len(related) < 2:
        return ()
    parts = split(witnesses.as_value(witness), [(one.story_id, one.relation) for one in relatives])
    return parts if len(parts) > 1 else ()


def store_parts(session: Session, witness: StoredWitness, parts: Sequence[Part[int]]) -> Outcome:
    """A witness for each part, to be placed singly; the page as a whole is in no story, and says why."""
    value = witnesses.as_value(witness)
    rows = [
        StoredWitness(
            capture_id=witness.capture_id,
            frontier_id=witness.frontier_id,
            part=number,
            source=witness.source,
            host=witness.host,
            byline=witness.byline,
            language=witness.language,
            published_at=witness.published_at,
            text="\n\n".join(cut_out(value, part).paragraphs),
            partial=witness.partial if number == len(parts) else None,
            origins=witness.origins,
        )
        for number, part in enumerate(parts, 1)
    ]
    witness.thin = f"holds {len(parts)} texts, each placed by itself"
    session.add_all(rows)
    session.flush()
    return Outcome(f"{len(parts)} parts", (witness.id,), tuple(Bell(Stage.PLACE, row.id) for row in rows))


def part_late(session: Session, relative: Relative, story_id: int, settings: Settings) -> tuple[Bell, ...]:
    """Ask whether the witness that a newcomer joined its story by is a page of several texts, which alone holds them together.

    If it is, what hangs together without it becomes stories of their own, and the page is placed again, which parts it. The
    placing lock is held.
    """
    if relative.relation.member_coverage >= MOST_OF_IT:
        return ()
    others = witnesses.first_ones(session, story_id, MOST_ASKED)
    page = next((row for row in others if row.id == relative.witness_id), None)
    if page is None or page.part or len(others) < 3:
        return ()
    texts = {row.id: witnesses.as_value(row) for row in others if row is not page}
    groups = sorted(groups_of(texts, edges_of(others)), key=lambda group: (-len(group), min(group)))
    if len(groups) < 2:
        return ()
    value = witnesses.as_value(page)
    found = [
        (number, relate(value, texts[id_]))
        for number, group in enumerate(groups)
        for id_ in sorted(group, key=lambda id_: (-len(texts[id_].text), id_))[:COMPARED_OF_STORY]
    ]
    if len(split(value, found)) < 2:
        return ()
    evidence = {"why": "a page with several texts held them together", "page": page.id}
    for group in groups[1:]:
        merging.split(session, story_id, group, evidence, settings.settle)
        links.put(session, min(group), min(groups[0]), Bond.PARTED, evidence)
    return _take_out(session, page.id)


def _take_out(session: Session, page_id: int) -> tuple[Bell, ...]:
    """Let a witness and its twins be placed again, as if they had never been."""
    features.drop(session, [page_id])
    taken = session.scalars(
        update(StoredWitness)
        .where(or_(StoredWitness.id == page_id, StoredWitness.twin_of == page_id))
        .values(
            **dict.fromkeys(("story_id", "placed_at", "relation", "relation_evidence", "siglum", "twin_of")),
            **merging.UNSAID,
        )
        .returning(StoredWitness.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.expire_all()
    return tuple(Bell(Stage.PLACE, id_) for id_ in sorted(taken))
