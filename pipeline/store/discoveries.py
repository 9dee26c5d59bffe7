"""Discoveries: searches for a story's other copies, and what they found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store import quarantine
from pipeline.store.tables import Discovery, FrontierRow, Job, JobItem, Stage, StoredFind, StoredWitness, Visit
from pipeline.store.values import span

# The ends of a visit after which an archive may still have the page.
LOST = (Visit.GONE, Visit.GIVEN_UP, Visit.REFUSED)
MOST_ADDRESSES = 20


@dataclass(frozen=True, slots=True)
class NewFind:
    """A find to store."""

    url: str
    key: str
    provider: str
    kind: str
    query: str
    title: str | None
    snippet: str | None
    published_at: datetime | None
    score: float
    frontier_id: int | None


def open_discovery(session: Session, story_id: int, why: str, job_id: int | None = None) -> int:
    """A discovery that is due now; its id."""
    row = Discovery(story_id=story_id, why=why, job_id=job_id, due_at=func.now())
    session.add(row)
    session.flush()
    return row.id


def want(session: Session, frontier_ids: Sequence[int]) -> None:
    """Let other copies be looked for once these URLs' texts are placed."""
    session.execute(update(FrontierRow).where(FrontierRow.id.in_(frontier_ids)).values(discover=True))


def placed_already(session: Session, frontier_ids: Sequence[int]) -> dict[int, str]:
    """Story → URL of those of these URLs whose text has a story, each story once; they want nothing any more."""
    of_rows = (StoredWitness.frontier_id == FrontierRow.id) & StoredWitness.story_id.is_not(None)
    found = session.execute(
        select(StoredWitness.story_id, FrontierRow.id, FrontierRow.url)
        .join(FrontierRow, of_rows)
        .where(FrontierRow.id.in_(frontier_ids))
        .order_by(StoredWitness.id)
    ).all()
    session.execute(update(FrontierRow).where(FrontierRow.id.in_([row.id for row in found])).values(discover=False))
    return {row.story_id: row.url for row in found}


def await_placing(session: Session, witness_id: int, why: str, job_id: int) -> int:
    """A discovery that is due as soon as a witness is placed; its id."""
    row = Discovery(witness_id=witness_id, why=why, job_id=job_id)
    session.add(row)
    session.flush()
    return row.id


def placed(session: Session, witness_id: int, story_id: int | None, outcome: str) -> list[int]:
    """The discoveries that waited for a witness, due now; without a story they are over, with that outcome."""
    waits = (Discovery.witness_id == witness_id) & Discovery.story_id.is_(None) & Discovery.done_at.is_(None)
    waiting = update(Discovery).where(waits)
    if story_id is None:
        session.execute(waiting.values(done_at=func.now(), outcome=outcome))
        return []
    return list(session.scalars(waiting.values(story_id=story_id, due_at=func.now()).returning(Discovery.id)))


def looked_for(session: Session, story_id: int, within: float) -> bool:
    """Whether a story's copies are being looked for, or were in the last `within` seconds."""
    of_story = select(Discovery.id).where(Discovery.story_id == story_id)
    lately = or_(Discovery.done_at.is_(None), Discovery.asked_at > func.now() - span(within))
    return session.scalar(of_story.where(lately).limit(1)) is not None


def job_of(session: Session, frontier_id: int) -> int | None:
    """The newest job that waits for a URL and was not cancelled: the copies that it leads to are that job's, too."""
    waits = select(Job.id).join(JobItem, JobItem.job_id == Job.id).where(JobItem.frontier_id == frontier_id)
    return session.scalar(waits.where(Job.cancelled_at.is_(None)).order_by(Job.id.desc()).limit(1))


def take_due(session: Session, limit: int, again: float) -> list[int]:
    """Discoveries that are to be run now, the longest waiting first; they are due again `again` seconds from now.

    So one is rung for once and not at every tick until a busy worker comes to it; a bell that gets lost is rung again.
    """
    held = quarantine.holding(Stage.DISCOVER, Discovery.id)
    due = select(Discovery.id).where(Discovery.due_at <= func.now(), ~held).order_by(Discovery.due_at).limit(limit)
    taken = update(Discovery).where(Discovery.id.in_(due.with_for_update(skip_locked=True)))
    later = func.now() + span(again)
    return sorted(session.scalars(taken.values(due_at=later).returning(Discovery.id)))


def end_run(
    session: Session,
    discovery_id: int,
    outcome: str,
    reports: Sequence[Mapping[str, Any]],
    missed: Mapping[str, str],
    again_in: float | None,
) -> None:
    """Note what a run brought, and let the next one be due in `again_in` seconds, or none."""
    session.execute(
        update(Discovery)
        .where(Discovery.id == discovery_id)
        .values(
            runs=Discovery.runs + 1,
            outcome=outcome,
            reports=[dict(report) for report in reports],
            missed=dict(missed),
            due_at=None if again_in is None else func.now() + span(again_in),
            done_at=func.now() if again_in is None else None,
        )
    )


def put_finds(session: Session, discovery_id: int, finds: Sequence[NewFind]) -> None:
    """Store finds, of each page the likeliest."""
    for find in finds:
        values = asdict(find)
        new = insert(StoredFind).values(discovery_id=discovery_id, **values)
        better = new.excluded.score > StoredFind.score
        session.execute(new.on_conflict_do_update(index_elements=["discovery_id", "key"], set_=values, where=better))


def known_keys(session: Session, story_id: int) -> set[str]:
    """The sameness keys of the pages that a story's texts came from."""
    pages = select(FrontierRow.key).join(StoredWitness, StoredWitness.frontier_id == FrontierRow.id)
    return set(session.scalars(pages.where(StoredWitness.story_id == story_id)))


def lost_pages(session: Session, story_id: int) -> list[str]:
    """URLs that discoveries of the story found and that gave no text, the likeliest first."""
    lost = (
        select(FrontierRow.url)
        .join(StoredFind, StoredFind.frontier_id == FrontierRow.id)
        .join(Discovery, Discovery.id == StoredFind.discovery_id)
        .where(Discovery.story_id == story_id, FrontierRow.state.in_(LOST))
        .order_by(StoredFind.score.desc())
        .limit(MOST_ADDRESSES)
    )
    return list(dict.fromkeys(session.scalars(lost)))


def addresses(session: Session, story_id: int) -> list[str]:
    """URLs of the story's copies, which an archive may have seen earlier."""
    own = (
        select(FrontierRow.url)
        .join(StoredWitness, StoredWitness.frontier_id == FrontierRow.id)
        .where(StoredWitness.story_id == story_id, StoredWitness.relation == "copy")
        .order_by(StoredWitness.id)
        .limit(MOST_ADDRESSES)
    )
    return list(dict.fromkeys(session.scalars(own)))


def forget(session: Session, story_id: int) -> list[int]:
    """Delete the discoveries of a story, whose queries quote it, and their finds; the discoveries' ids."""
    return list(session.scalars(delete(Discovery).where(Discovery.story_id == story_id).returning(Discovery.id)))


def forget_pages(session: Session, keys: Collection[str]) -> None:
    """Delete the finds of these pages, whichever discovery made them."""
    session.execute(delete(StoredFind).where(StoredFind.key.in_(keys)))
