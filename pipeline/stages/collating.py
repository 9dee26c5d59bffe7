"""Collate: the witnesses of a story, aligned."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from pipeline.philology.collation import Collation, collate, repeated, siglum, to_data
from pipeline.philology.witness import Witness
from pipeline.settings import Settings
from pipeline.stages.claims import claim
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.regrouping import regroup
from pipeline.store import merging, recoveries, stories, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredWitness, Story


def collate_story(factory: SessionFactory, story_id: int, settings: Settings, worker: str) -> Outcome:
    """Align the copies of a story as they are now and store the collation of that revision.

    Each text is aligned once, however many pages have it. Witnesses that nothing holds together any more are given a story of
    their own first. A siglum, once given, stays with its witness; newcomers get the next free ones.
    """
    with factory() as session:
        story = session.get(Story, story_id)
        if story is None or (story.collated == story.revision and story.due_at is None):
            return Outcome("collated already")
    with claim(factory, Stage.COLLATE, story_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        if story.unproven:
            regroup(factory, story_id, settings, held.attempt_id)
        with factory.begin() as session:
            revision = session.get_one(Story, story_id).revision
            rows = witnesses.copies_of(session, story_id)
            taken = merging.sigla_given(session, story_id)
        if not rows:
            with factory.begin() as session:
                story = _settle(session, story_id, revision)
                story.recovered = story.collated  # there is nothing to recover
                return held.finish(session, Outcome("no copies"))
        values = witnesses.as_values(rows)
        by_source = {witness.source: row for witness, row in values}
        collation = _collated([witness for witness, _ in values])
        collation = replace(collation, sigla=_name(collation.witnesses, by_source, taken))
        with factory.begin() as session:
            _store(session, story_id, revision, collation, by_source)
            outcome = Outcome("collated", (story_id,), (Bell(Stage.RECOVER, story_id),))
            return held.finish(session, outcome)


def _collated(values: Sequence[Witness]) -> Collation:
    first: dict[tuple[object, ...], Witness] = {}
    twins: list[tuple[Witness, str]] = []
    for value in values:
        same = first.setdefault((value.title, value.dateline, value.paragraphs), value)
        if same is not value:
            twins.append((value, same.source))
    return repeated(collate(list(first.values())), twins)


def _name(named: Sequence[Witness], rows: Mapping[str, StoredWitness], taken: Collection[str]) -> tuple[str, ...]:
    """The sigla: a page's second text has that of the page with a 2."""
    free = (name for name in map(siglum, range(len(rows) + len(taken))) if name not in taken)
    given = {
        rows[witness.source].id: rows[witness.source].siglum or next(free)
        for witness in named
        if not witnesses.is_second(witness)
    }
    return tuple(given[rows[witness.source].id] + "2" * witnesses.is_second(witness) for witness in named)


def _store(session: Session, story_id: int, revision: int, collation: Collation, rows: dict[str, StoredWitness]) -> None:
    # The story first, then its witnesses: so does recover, and the two may meet.
    _settle(session, story_id, revision)
    ids = [rows[witness.source].id for witness in collation.witnesses]
    recoveries.put_collation(session, story_id, revision, ids, to_data(collation))
    for id_, name, witness in zip(ids, collation.sigla, collation.witnesses, strict=True):
        if not witnesses.is_second(witness):
            session.get_one(StoredWitness, id_).siglum = name


def _settle(session: Session, story_id: int, revision: int) -> Story:
    story = stories.lock(session, story_id)
    story.collated = max(story.collated, revision)
    if story.revision == revision and not story.unproven:  # else a witness came or went meanwhile, and the story stays due
        story.due_at = None
    return story
