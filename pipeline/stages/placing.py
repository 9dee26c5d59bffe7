"""Place: find the story that a witness belongs to, or open one."""

from sqlalchemy import func
from sqlalchemy.orm import Session

from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.relation import Relation, RelationKind, relate
from pipeline.settings import Settings
from pipeline.stages.claims import claim
from pipeline.stages.outcome import Outcome
from pipeline.store import stories, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredWitness

# Stored witnesses that share the most features with a newcomer are compared with it, this many at the most.
COMPARED = 6
JOINS = (RelationKind.COPY, RelationKind.EXCERPT)


def place(factory: SessionFactory, witness_id: int, settings: Settings, worker: str) -> Outcome:
    """Join a witness to the story of the stored copy that it agrees with best, or open a story for it.

    One witness is placed at a time, whoever places it: two copies of a new article that come at once end in one story. A
    text too thin to be told from others is kept without a story, with the reason.
    """
    with factory() as session:
        known = session.get(StoredWitness, witness_id)
        if known is None or known.placed_at is not None:
            return Outcome("placed already")
    with claim(factory, Stage.PLACE, witness_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory.begin() as session:
            stories.lock_placing(session)
            witness = session.get_one(StoredWitness, witness_id)
            if witness.placed_at is not None:
                return held.finish(session, Outcome("placed already"))
            return held.finish(session, _place(session, witness, settings))


def _place(session: Session, witness: StoredWitness, settings: Settings) -> Outcome:
    value = witnesses.as_value(witness)
    print_ = fingerprint(value)
    witness.features, witness.thin, witness.placed_at = list(print_.features), print_.thin, func.now()
    if print_.thin is not None:
        return Outcome(f"no story: {print_.thin}", (witness.id,))
    best: tuple[float, StoredWitness, Relation] | None = None
    for member in witnesses.candidates(session, witness.id, print_.features, COMPARED):
        relation = relate(value, witnesses.as_value(member))
        if relation.kind not in JOINS:
            continue
        rank = (relation.kind == RelationKind.COPY) + max(relation.newcomer_coverage, relation.member_coverage)
        if best is None or rank > best[0]:
            best = rank, member, relation
    if best is None or best[1].story_id is None:
        witness.relation = RelationKind.COPY
        story_id = stories.open_story(session, witness.title, witness.language).id
        state = "opened"
    else:
        _, member, relation = best
        story_id = best[1].story_id
        witness.relation = relation.kind
        witness.relation_evidence = {
            "of": member.id,
            "newcomer_coverage": relation.newcomer_coverage,
            "member_coverage": relation.member_coverage,
            **relation.evidence,
        }
        state = f"joined as {relation.kind}"
    stories.join(session, story_id, witness, settings.settle)
    return Outcome(state, (witness.id, story_id))
