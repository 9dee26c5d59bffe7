"""Links between stories: relations of their witnesses that are no reason to join them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from pipeline.store.tables import Bond, StoredWitness, StoryLink


def put(session: Session, witness_id: int, other_id: int, kind: Bond, evidence: Mapping[str, Any]) -> None:
    """Link the stories of two witnesses; witnesses that are linked already stay as they are."""
    values = {"witness_id": witness_id, "other_id": other_id, "kind": kind, "evidence": dict(evidence)}
    session.execute(insert(StoryLink).values(values).on_conflict_do_nothing())


def are_parted(session: Session, story_id: int, other_id: int) -> bool:
    """Whether the two stories were one and were split."""
    one, other = aliased(StoredWitness), aliased(StoredWitness)
    linked = (
        select(StoryLink.kind)
        .join(one, one.id == StoryLink.witness_id)
        .join(other, other.id == StoryLink.other_id)
        .where(StoryLink.kind == Bond.PARTED)
        .where(
            or_(
                (one.story_id == story_id) & (other.story_id == other_id),
                (one.story_id == other_id) & (other.story_id == story_id),
            )
        )
    )
    return bool(session.scalar(select(linked.exists())))


def hand_over(session: Session, witness_id: int, successor: int) -> None:
    """Let the links of a witness be those of another one with the same text."""
    for end in (StoryLink.witness_id, StoryLink.other_id):
        session.execute(
            update(StoryLink).where(end == witness_id).values({end.key: successor}).execution_options(synchronize_session=False)
        )
