"""Texts that came without a URL: how far they have come."""

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from pipeline.store.tables import StoredWitness, Story


def texts_settled(session: Session, witness_ids: Collection[int]) -> bool:
    """Whether these witnesses are placed, and nothing is to be collated or recovered in their stories."""
    moving = (
        select(func.count())
        .select_from(StoredWitness)
        .outerjoin(Story, Story.id == StoredWitness.story_id)
        .where(
            StoredWitness.id.in_(witness_ids),
            or_(
                StoredWitness.placed_at.is_(None),
                Story.due_at.is_not(None),
                Story.collated < Story.revision,
                Story.recovered < Story.collated,
            ),
        )
    )
    return not session.scalar(moving)
