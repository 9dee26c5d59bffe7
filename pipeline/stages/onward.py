"""What a placed witness leads to: where its URL or its source asks for it, the other copies of its story are looked for."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from pipeline.settings import Settings
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import discoveries
from pipeline.store.tables import FrontierRow, Stage, StoredWitness


def look_onward(session: Session, witness: StoredWitness, outcome: Outcome, settings: Settings) -> Outcome:
    """The outcome of placing, with a bell for each discovery that is due now.

    A discovery that was asked for waits for its witness. A URL that is marked opens one, unless the story's copies are being
    looked for or were a while ago: of twenty copies that a source brings, one is enough to find the others from.
    """
    due = discoveries.placed(session, witness.id, witness.story_id, outcome.state)
    row = session.get(FrontierRow, witness.frontier_id) if witness.frontier_id is not None else None
    if row is not None and row.discover and witness.story_id is not None:
        row.discover = False
        if not discoveries.looked_for(session, witness.story_id, settings.discovery_rest):
            job_id = discoveries.job_of(session, row.id)
            due.append(discoveries.open_discovery(session, witness.story_id, f"{row.url} ({row.found_by})", job_id))
    return replace(outcome, next=(*outcome.next, *(Bell(Stage.DISCOVER, id_) for id_ in due)))


def look_from_known(session: Session, frontier_ids: Sequence[int], job_id: int) -> list[Bell]:
    """Bells for the discoveries of stories that texts of these URLs are in already: somebody asked for them just now."""
    return [
        Bell(Stage.DISCOVER, discoveries.open_discovery(session, story_id, url, job_id))
        for story_id, url in discoveries.placed_already(session, frontier_ids).items()
    ]
