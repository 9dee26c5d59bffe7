"""Place: find the story that a witness belongs to, or open one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func
from sqlalchemy.orm import Session

from pipeline.philology.fingerprint import Fingerprint, fingerprint
from pipeline.philology.relation import RelationKind
from pipeline.settings import Settings
from pipeline.stages.claims import claim
from pipeline.stages.onward import look_onward
from pipeline.stages.outcome import Outcome
from pipeline.stages.parting import part_late, parts_of, store_parts
from pipeline.stages.relatives import Relative, best_copy, looked_up, numbers_of, relatives_of
from pipeline.store import features, links, merging, stories, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Bond, Stage, StoredWitness

LINKED = {
    RelationKind.EXCERPT: Bond.EXCERPT,
    RelationKind.SAME_TEMPLATE: Bond.SAME_TEMPLATE,
    RelationKind.OTHER_LANGUAGE: Bond.OTHER_LANGUAGE,
}


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look into the store found, and how many witnesses had been placed by then."""

    print_: Fingerprint
    relatives: tuple[Relative, ...]
    placed: int


def place(factory: SessionFactory, witness_id: int, settings: Settings, worker: str) -> Outcome:
    """Join a witness to the stories of the stored copies that it agrees with, or open a story for it.

    Relatives are looked for beside other placings; what was placed meanwhile is looked at again, one placing at a time: two
    copies of a new article that come at once end in one story. A text that its story has already joins it as a twin. A copy
    of two stories makes them one. A text too thin to be told from others is kept without a story, with the reason.
    """
    with factory() as session:
        known = session.get(StoredWitness, witness_id)
        if known is None or known.placed_at is not None:
            return Outcome("placed already")
    with claim(factory, Stage.PLACE, witness_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory() as session:
            look = None if witnesses.first_of_text(session, known.text) else _look(session, known)
        with factory.begin() as session:
            stories.lock_placing(session)
            witness = session.get_one(StoredWitness, witness_id)
            if witness.placed_at is not None:
                return held.finish(session, Outcome("placed already"))
            outcome = _place(session, witness, look, settings)
            return held.finish(session, look_onward(session, witness, outcome, settings))


def _look(session: Session, witness: StoredWitness) -> _Look:
    value = witnesses.as_value(witness)
    print_ = fingerprint(value)
    placed = features.placed(session)
    return _Look(print_, () if print_.thin else tuple(relatives_of(session, value, print_, placed)), placed)


def _place(session: Session, witness: StoredWitness, look: _Look | None, settings: Settings) -> Outcome:
    witness.placed_at = func.now()
    placed = features.placed(session)
    if look is None or look.placed != placed:
        first = witnesses.first_of_text(session, witness.text)
        if first is not None and first.story_id is not None:
            return _join_as_twin(session, witness, first, first.story_id, settings)
    look = look or _look(session, witness)
    witness.thin = look.print_.thin
    if look.print_.thin is not None:
        return Outcome(f"no story: {look.print_.thin}", (witness.id,))
    relatives = _current(session, witness, look, placed)
    if parts := parts_of(witness, relatives):
        return store_parts(session, witness, parts)
    features.put(session, witness.id, looked_up(look.print_))
    best = best_copy(relatives)
    witness.relation = RelationKind.COPY
    if best is None:
        story_id = stories.open_story(session, witness.title, witness.language).id
        nearest = max(relatives, key=lambda one: one.rank, default=None)
        witness.relation_evidence = {
            "compared": len(relatives),
            "nearest": nearest and {"kind": nearest.relation.kind, **nearest.evidence()},
        }
        state = "opened"
    else:
        story_id = _merge_copied(session, best, relatives, settings)
        also = [one.witness_id for one in relatives if one.relation.kind is RelationKind.COPY and one is not best]
        witness.relation_evidence = best.evidence() | ({"also": also} if also else {})
        state = f"joined as {best.relation.kind}"
    stories.join(session, story_id, witness, settings.settle)
    bonds = [(one, LINKED[one.relation.kind]) for one in relatives if one.relation.kind in LINKED]
    now = witnesses.stories_of(session, [one.witness_id for one, _ in bonds]) if bonds else {}
    for one, bond in bonds:
        if now[one.witness_id] != story_id:
            links.put(session, witness.id, one.witness_id, bond, numbers_of(one.relation))
    again = part_late(session, best, story_id, settings) if best is not None else ()
    if again:
        story_id = witnesses.stories_of(session, [witness.id])[witness.id]
    return Outcome(state, (witness.id, story_id), again)


def _join_as_twin(session: Session, witness: StoredWitness, first: StoredWitness, story_id: int, settings: Settings) -> Outcome:
    heard = witnesses.is_heard(session, witness, first)
    witness.twin_of, witness.relation, witness.relation_evidence = first.id, RelationKind.COPY, {"of": first.id}
    stories.join(session, story_id, witness, settings.settle, heard=heard)
    return Outcome("joined as twin", (witness.id, story_id))


def _current(session: Session, witness: StoredWitness, look: _Look, placed: int) -> list[Relative]:
    """The relatives with the stories that they are in by now, and those that were placed since."""
    found = list(look.relatives)
    if placed != look.placed:
        compared = {one.witness_id for one in found}
        found += relatives_of(session, witnesses.as_value(witness), look.print_, placed, compared)
    now = witnesses.stories_of(session, [one.witness_id for one in found]) if found else {}
    return [replace(one, story_id=now[one.witness_id]) for one in found if one.witness_id in now]


def _merge_copied(session: Session, best: Relative, relatives: Sequence[Relative], settings: Settings) -> int:
    """The one story of all that the newcomer is a copy of; of two that were split only the better one counts."""
    story_id = best.story_id
    for one in relatives:
        if one.relation.kind is not RelationKind.COPY or one.story_id == story_id:
            continue
        now = witnesses.stories_of(session, [one.witness_id])[one.witness_id]  # a merge before may have moved it
        if now == story_id or links.are_parted(session, story_id, now):
            continue
        older, younger = sorted((story_id, now))
        evidence = {"copies": [best.evidence(), one.evidence()]}
        merging.merge(session, older, younger, evidence, settings.settle)
        story_id = older
    return story_id
