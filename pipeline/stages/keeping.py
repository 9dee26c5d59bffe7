"""Keep: where bodies lie, and how long they are kept."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pipeline.settings import Settings
from pipeline.stages.outcome import Outcome
from pipeline.store import captures
from pipeline.store.bodies import Bodies
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, StoredWitness
from pipeline.store.values import span

# Bodies dropped in one transaction, which locks each.
MOST_DROPPED = 500


def bodies_under(settings: Settings) -> Bodies:
    """The bodies, as these settings keep them."""
    return Bodies(settings.body_folder, in_folder=settings.body_store == "folder")


def drop_old_bodies(factory: SessionFactory, settings: Settings) -> Outcome:
    """Drop the bodies whose time is over; hash, headers and what was read out of them stay.

    A capture that waits to be read or archived keeps its body, and so does, unless the settings say otherwise, one that a
    story rests on.
    """
    if not settings.body_lifetime:
        return Outcome("bodies are kept for ever")
    dropped = 0
    while True:
        with factory.begin() as session:
            old = _old(session, settings)
            for capture in old:
                captures.drop_body(session, capture, bodies_under(settings))
        dropped += len(old)
        if len(old) < MOST_DROPPED:
            return Outcome(f"{dropped} bodies dropped")


def _old(session: Session, settings: Settings) -> list[Capture]:
    conditions: list[ColumnElement[bool]] = [
        Capture.kept.is_(True),
        Capture.read_at.is_not(None),
        ~Capture.to_archive,
        Capture.fetched_at < func.now() - span(settings.body_lifetime),
    ]
    if settings.keep_evidence:
        story = select(StoredWitness.id).where(
            StoredWitness.capture_id == Capture.id, StoredWitness.story_id.is_not(None) | StoredWitness.placed_at.is_(None)
        )
        conditions.append(~story.exists())
    old = select(Capture).where(*conditions).order_by(Capture.fetched_at).limit(MOST_DROPPED)
    # In one order, for each locks the row of its body, and another transaction may want some of the same.
    return sorted(session.scalars(old.with_for_update(skip_locked=True)), key=lambda capture: capture.body_sha256)
