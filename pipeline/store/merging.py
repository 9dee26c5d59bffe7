"""Stories found to be one are merged, and one found to be two is split; what became of each is kept.

Every function wants the placing lock to be held, and locks the stories it changes, the lower number first: so do all others.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from pipeline.store import stories, witnesses
from pipeline.store.tables import (
    Attempt,
    AttemptEnd,
    QuarantinedWork,
    SiteError,
    Stage,
    StoredPair,
    StoredWitness,
    Story,
    StoryChange,
    StoryEvent,
)
from pipeline.store.values import span

OF_STORIES = (Stage.COLLATE, Stage.RECOVER)
# What the last recovery of a story said of a witness; its sigla and numbers mean nothing in another one.
UNSAID: dict[str, None] = dict.fromkeys(("kind", "error_rate", "coverage", "exemplar", "lineage"))


def merge(session: Session, older: int, younger: int, evidence: Mapping[str, Any], settle: float) -> None:
    """Move the witnesses of the younger story to the older one, which is made again; the younger one leads there from now on.

    The older one's sigla stay; so do those of the younger that are free there. The others get the next free ones.
    """
    home, gone = (stories.lock(session, id_) for id_ in sorted((older, younger)))
    if home.id != older:
        home, gone = gone, home
    taken = sigla_given(session, older)
    moved = session.execute(
        select(StoredWitness.id, StoredWitness.siglum).where(StoredWitness.story_id == younger).order_by(StoredWitness.id)
    ).all()
    sigla = [row.siglum for row in moved if row.siglum is not None]
    _move(session, [row.id for row in moved], older, {siglum for siglum in sigla if siglum in taken})
    for lesson in (SiteError, StoredPair):
        session.execute(delete(lesson).where(lesson.story_id == younger))
    session.execute(update(Story).where(Story.merged_into == younger).values(merged_into=older))
    gone.merged_into, gone.due_at, gone.unproven = older, None, False
    gone.collated = gone.recovered = gone.revision
    session.execute(
        update(QuarantinedWork)
        .where(
            QuarantinedWork.stage.in_(OF_STORIES), QuarantinedWork.subject_id == younger, QuarantinedWork.resolved_at.is_(None)
        )
        .values(resolved_at=func.now(), resolution="discarded")
    )
    _note(session, older, younger, StoryChange.MERGED, [row.id for row in moved], sigla, evidence)
    _make_again(session, home, settle)
    interrupt(session, (older, younger), "the stories were merged")


def split(
    session: Session, story_id: int, group: Collection[int], evidence: Mapping[str, Any], settle: float, attempt_id: int = 0
) -> int:
    """Move a group of a story's witnesses, with their twins, to a story of its own; its number. Both are made again.

    Claims on the story end, but for the one of this attempt, which does it.
    """
    story = stories.lock(session, story_id)
    moved = session.execute(
        select(StoredWitness.id, StoredWitness.siglum, StoredWitness.title, StoredWitness.language)
        .where(StoredWitness.story_id == story_id, or_(StoredWitness.id.in_(group), StoredWitness.twin_of.in_(group)))
        .order_by(StoredWitness.id)
    ).all()
    opened = stories.open_story(session, moved[0].title, moved[0].language)
    _move(session, [row.id for row in moved], opened.id, set())
    sigla = [row.siglum for row in moved if row.siglum is not None]
    _note(session, story_id, opened.id, StoryChange.SPLIT, [row.id for row in moved], sigla, evidence)
    _make_again(session, story, settle)
    _make_again(session, opened, settle)
    interrupt(session, (story_id,), "the story was split", attempt_id)
    return opened.id


def sigla_given(session: Session, story_id: int) -> set[str]:
    """Every siglum that was ever given in a story, also to witnesses that went to another one."""
    left = select(StoryEvent.sigla).where(StoryEvent.story_id == story_id, StoryEvent.change == StoryChange.SPLIT)
    return witnesses.sigla_of(session, story_id) | {siglum for sigla in session.scalars(left) for siglum in sigla}


def interrupt(session: Session, story_ids: Collection[int], why: str, spared: int = 0) -> None:
    """End the claims on stories that have changed, but for one attempt: whoever is at one stores nothing."""
    of_stories = (Attempt.stage.in_(OF_STORIES), Attempt.subject_id.in_(story_ids))
    session.execute(
        update(Attempt)
        .where(*of_stories, Attempt.ended_at.is_(None), Attempt.id != spared)
        .values(ended_at=func.clock_timestamp(), end=AttemptEnd.DONE, outcome=why)
    )


def kin_of(session: Session, story_ids: Collection[int]) -> set[int]:
    """These stories and every one that witnesses came from or went to: what was made of each may hold words of the others."""
    known = set(story_ids)
    while True:
        linked = session.execute(
            select(StoryEvent.story_id, StoryEvent.other_id).where(
                or_(StoryEvent.story_id.in_(known), StoryEvent.other_id.in_(known))
            )
        )
        wider = known | {id_ for row in linked for id_ in row}
        if wider == known:
            return known
        known = wider


def _move(session: Session, ids: Sequence[int], story_id: int, taken: Collection[str]) -> None:
    moving = update(StoredWitness).where(StoredWitness.id.in_(ids)).execution_options(synchronize_session=False)
    if taken:
        session.execute(moving.where(StoredWitness.siglum.in_(taken)).values(siglum=None))
    session.execute(moving.values(story_id=story_id, **UNSAID))
    session.expire_all()


def _note(
    session: Session,
    story_id: int,
    other_id: int,
    change: StoryChange,
    moved: Sequence[int],
    sigla: Sequence[str],
    evidence: Mapping[str, Any],
) -> None:
    session.add(
        StoryEvent(
            story_id=story_id,
            other_id=other_id,
            change=change,
            witness_ids=list(moved),
            sigla=list(sigla),
            evidence=dict(evidence),
        )
    )
    session.flush()


def _make_again(session: Session, story: Story, settle: float) -> None:
    story.revision += 1
    story.due_at = func.now() + span(settle)
    session.flush()
