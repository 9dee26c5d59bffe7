"""Stories: the witnesses that descend from one article, and how far collation and recovery have come."""

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from pipeline.store import quarantine
from pipeline.store.tables import Stage, StoredWitness, Story
from pipeline.store.values import span

# Placing looks for a story and opens one where there is none; two placings at once would open two for one article.
PLACING_LOCK = 0x706C6163


def lock_placing(session: Session) -> None:
    """Wait until no other transaction places a witness; held to the end of this one."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PLACING_LOCK})


def open_story(session: Session, title: str | None, language: str | None) -> Story:
    """A new story without witnesses."""
    story = Story(title=title, language=language)
    session.add(story)
    session.flush()
    return story


def join(session: Session, story_id: int, witness: StoredWitness, settle: float, *, heard: bool = True) -> None:
    """Add a witness to a story, which is then to be collated `settle` seconds after its last change.

    One that is not heard adds a page to its story and nothing to be done.
    """
    witness.story_id = story_id
    session.flush()
    if not heard:
        return
    session.execute(
        update(Story).where(Story.id == story_id).values(revision=Story.revision + 1, due_at=func.now() + span(settle))
    )


def lock(session: Session, story_id: int) -> Story:
    """The story as it is now, locked for this transaction."""
    return session.get_one(Story, story_id, with_for_update=True, populate_existing=True)


def home_of(session: Session, story_id: int) -> int:
    """The story that this one was merged into, or itself."""
    return session.scalar(select(Story.merged_into).where(Story.id == story_id)) or story_id


def take_due(session: Session, limit: int, again: float) -> list[int]:
    """Stories that are to be collated now, the longest waiting first; they are due again `again` seconds from now.

    So a story is rung for once and not at every tick until a busy worker comes to it; a bell that gets lost is rung again.
    """
    held = quarantine.holding(Stage.COLLATE, Story.id)
    due = select(Story.id).where(Story.due_at <= func.now(), ~held).order_by(Story.due_at).limit(limit)
    taken = update(Story).where(Story.id.in_(due.with_for_update(skip_locked=True)))
    later = func.now() + span(again)
    return sorted(session.scalars(taken.values(due_at=later).returning(Story.id)))


def make_due(session: Session, story_id: int) -> None:
    """Let a story be collated again, though its witnesses are the same."""
    session.execute(update(Story).where(Story.id == story_id).values(due_at=func.now(), revision=Story.revision + 1))
