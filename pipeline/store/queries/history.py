"""What was done about one URL, step by step, and where it ended: why it did or did not arrive."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.store import tombstones
from pipeline.store.queries.asking import checked_text
from pipeline.store.queries.finds import FoundBy, found_pages
from pipeline.store.tables import (
    Address,
    Attempt,
    Capture,
    FrontierRow,
    Host,
    Purpose,
    QuarantinedWork,
    Stage,
    StoredWitness,
    Story,
    Visit,
)

MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt at a piece of the work on a URL."""

    begun_at: datetime
    stage: str
    subject_id: int
    url: str | None
    worker: str
    ended_at: datetime | None
    end: str | None
    outcome: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text that the URL gave, and where it was placed."""

    witness_id: int
    part: int
    """Its number where the page holds several texts; 0 for the page as a whole."""
    title: str | None
    placed_at: datetime | None
    thin: str | None
    story_id: int | None
    siglum: str | None
    relation: str | None
    kind: str | None
    created_at: datetime
    partial: str | None
    """Why the text may be the beginning of an article alone."""
    origins: tuple[dict[str, Any], ...]
    """What the page declares of its origin: kind, value, agency."""


@dataclass(frozen=True, slots=True)
class UrlHistory:
    """A URL of the frontier with everything that was tried for it."""

    frontier_id: int
    purpose: str
    url: str
    state: str
    reason: str | None
    found_by: str
    found: tuple[FoundBy, ...]
    """The discoveries that named it, the first one first."""
    admitted_at: datetime
    next_attempt_at: datetime | None
    """When it is tried next at the earliest; None where it does not wait."""
    same_as: str | None
    hops: tuple[dict[str, Any], ...]
    """The redirects that were followed: url, status, to."""
    arrivals: tuple[Arrival, ...]
    quarantine: tuple[int, ...]
    """Entries that hold work on it now."""
    steps: tuple[Step, ...]

    @property
    def verdict(self) -> str:
        """In a sentence or two, whether it arrived, and if not why not."""
        return " ".join(part for part in (self._visited(), self._arrived()) if part)

    def _visited(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        if self.quarantine:
            return f"Put aside after failures of ours: `wirecopy quarantine show {self.quarantine[0]}` tells of them."
        if self.state == Visit.WAITING:
            at_it = next((step for step in self.steps if step.ended_at is None), None)
            if at_it is not None:
                return f"Being worked on by {at_it.worker} ({at_it.stage})."
            due = f" from {self.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC" if self.next_attempt_at else ""
            return f"Waiting, to be tried{due}{why}."
        if self.state == Visit.CAPTURED:
            return "Fetched, and waits to be read."
        if self.state == Visit.SAME:
            return f"The same page as {self.same_as}, which is worked on in its place."
        if self.state in {Visit.WITNESS, Visit.UNCHANGED}:
            return ""
        return f"Did not arrive ({self.state.replace('_', ' ')}){why}."

    def _arrived(self) -> str:
        if not self.arrivals:
            return ""
        last = self.arrivals[-1]
        if last.part:
            placed = sorted({one.story_id for one in self.arrivals if one.part and one.story_id is not None})
            stories = f" of stories {', '.join(map(str, placed))}" if placed else ""
            return f"Arrived as a page of several texts, {last.part} witnesses{stories}."
        if last.placed_at is None:
            return f"Arrived as witness {last.witness_id}, which waits to be placed."
        if last.story_id is None:
            return f"Arrived as witness {last.witness_id}, in no story: {last.thin}."
        siglum = f", siglum {last.siglum}" if last.siglum else ""
        return f"Arrived as witness {last.witness_id} of story {last.story_id}{siglum}{f', {last.kind}' if last.kind else ''}."


def url_history(session: Session, key: str, url: str) -> UrlHistory:
    """The history of the page with this sameness key, or of the source that polls `url`. Raises NotFound."""
    checked_text(key + url, "URL")
    row = session.scalar(
        select(FrontierRow)
        .where(or_(and_(FrontierRow.purpose == "article", FrontierRow.key == key), FrontierRow.url == url))
        .order_by(FrontierRow.purpose, (FrontierRow.url == url).desc(), FrontierRow.id)
        .limit(1)
    )
    if row is None:
        if when := tombstones.standing(session, [key]).get(key):
            raise NotFound(f"{url} was deleted on request on {when:%Y-%m-%d}, and is not fetched any more.")
        raise NotFound(f"{url} was never asked for. `wirecopy add {url}` queues it.")
    revisits = select(FrontierRow.id).where(FrontierRow.purpose == Purpose.REVISIT, FrontierRow.same_as == row.id)
    visits = [row.id, *session.scalars(revisits)]
    captures = select(Capture.id).where(Capture.frontier_id.in_(visits))
    witnesses = select(StoredWitness.id).where(StoredWitness.frontier_id == row.id)
    stories = select(StoredWitness.story_id).where(StoredWitness.frontier_id == row.id, StoredWitness.story_id.is_not(None))

    def is_about(work: type[Attempt] | type[QuarantinedWork]) -> Any:
        return or_(
            and_(work.stage == Stage.FETCH, work.subject_id.in_(visits)),
            and_(work.stage.in_((Stage.EXTRACT, Stage.READ_SOURCE)), work.subject_id.in_(captures)),
            and_(work.stage == Stage.PLACE, work.subject_id.in_(witnesses)),
            and_(work.stage.in_((Stage.COLLATE, Stage.RECOVER)), work.subject_id.in_(stories)),
        )

    attempts = session.scalars(
        select(Attempt).where(is_about(Attempt)).order_by(Attempt.begun_at.desc(), Attempt.id.desc()).limit(MOST_STEPS)
    ).all()
    held = session.scalars(
        select(QuarantinedWork.id)
        .where(is_about(QuarantinedWork), QuarantinedWork.resolved_at.is_(None))
        .order_by(QuarantinedWork.id)
    )
    return UrlHistory(
        frontier_id=row.id,
        purpose=row.purpose,
        url=row.url,
        state=row.state,
        reason=row.reason,
        found_by=row.found_by,
        found=found_pages(session, [row.id]).get(row.id, ()),
        admitted_at=row.admitted_at,
        next_attempt_at=_next_attempt(session, row),
        same_as=session.scalar(select(FrontierRow.url).where(FrontierRow.id == row.same_as)),
        hops=tuple(row.hops),
        arrivals=_arrivals(session, row.id),
        quarantine=tuple(held),
        steps=tuple(
            Step(
                begun_at=attempt.begun_at,
                stage=attempt.stage,
                subject_id=attempt.subject_id,
                url=attempt.url,
                worker=attempt.worker,
                ended_at=attempt.ended_at,
                end=attempt.end,
                outcome=attempt.outcome,
                detail=attempt.detail,
            )
            for attempt in reversed(attempts)
        ),
    )


def _next_attempt(session: Session, row: FrontierRow) -> datetime | None:
    if row.state != Visit.WAITING:
        return None
    return session.scalar(
        select(func.greatest(FrontierRow.next_attempt_at, Host.free_at, Address.free_at))
        .join(Host, Host.id == FrontierRow.host_id)
        .outerjoin(Address, Address.address == Host.address)
        .where(FrontierRow.id == row.id)
    )


def _arrivals(session: Session, frontier_id: int) -> tuple[Arrival, ...]:
    rows = session.execute(
        select(
            StoredWitness.id.label("witness_id"),
            StoredWitness.part,
            StoredWitness.title,
            StoredWitness.placed_at,
            StoredWitness.thin,
            StoredWitness.story_id,
            StoredWitness.siglum,
            StoredWitness.relation,
            StoredWitness.kind,
            StoredWitness.created_at,
            StoredWitness.partial,
            StoredWitness.origins,
        )
        .outerjoin(Story, Story.id == StoredWitness.story_id)
        .where(StoredWitness.frontier_id == frontier_id)
        .order_by(StoredWitness.id)
    )
    return tuple(Arrival(**{**row._asdict(), "origins": tuple(row.origins)}) for row in rows)
