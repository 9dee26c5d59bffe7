"""One story: what was recovered, and the copies it rests on."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, distinct, func, or_, select
from sqlalchemy.orm import Session, aliased

from pipeline.errors import NotFound
from pipeline.store.queries.asking import checked_id, not_found
from pipeline.store.queries.finds import FoundBy, found_pages
from pipeline.store.recoveries import document_of
from pipeline.store.tables import (
    Bond,
    FrontierRow,
    QuarantinedWork,
    Stage,
    StoredRecovery,
    StoredWitness,
    Story,
    StoryEvent,
    StoryLink,
)

HINT = "`wirecopy search QUERY` finds stories and their numbers."


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """One version of a story's recovered text."""

    version: int
    created_at: datetime
    text: str
    confidence: float
    document: dict[str, Any]
    """As `recover --format json` prints it, schema 1: tokens, apparatus, witnesses, stemma and the rest."""


@dataclass(frozen=True, slots=True)
class Change:
    """A merge or a split: `witnesses` came from the story `other`, or went to it."""

    happened_at: datetime
    change: str
    story: int
    other: int
    witnesses: int
    sigla: tuple[str, ...]
    """Those that they had in the story that they left."""
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story and one version of its recovered text: None where there is no recovery yet, and `waits_for` says why."""

    id: int
    asked: int
    """The number that was asked for: another one where that story was merged into this."""
    title: str | None
    language: str | None
    created_at: datetime
    copies: int
    """Pages that hold a copy."""
    excerpts: int
    """Pages of other stories that have a passage in common with it."""
    history: tuple[Change, ...]
    """What late evidence did to it, the oldest first."""
    versions: int
    settled: bool
    """False while copies wait to be collated or recovered."""
    waits_for: str | None
    recovery: RecoveryView | None


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a story, or a text of another story that is linked to it: of each page the newest text.

    What a recovery says of it is None before there is one; of a text that another page has, too, it is said of the first page.
    """

    witness_id: int
    story_id: int
    siglum: str | None
    host: str | None
    source: str
    title: str | None
    relation: str | None
    kind: str | None
    error_rate: float | None
    coverage: float | None
    lineage: int | None
    exemplar: str | None
    published_at: datetime | None
    language: str | None
    found_by: str | None
    """Who admitted the page's URL first; None for a text that came without one."""
    found: tuple[FoundBy, ...]
    """The discoveries that named the page, the first one first."""
    texts: int
    """How many texts the page has shown over time."""
    slug: str | None
    """The headline that its URL spells."""
    partial: str | None
    """Why its text may be the beginning of an article alone."""
    agencies: tuple[str, ...]
    """The agencies that the page credits."""
    origins: tuple[dict[str, Any], ...]
    """What the page declares of its origin: kind, value, agency."""


def story(session: Session, story_id: int, version: int | None = None) -> StoryView:
    """The story with its newest recovery, or the one of that version. Raises NotFound.

    A story that was merged into another one is answered for by that; the versions that it had before are its own.
    """
    asked = session.get(Story, checked_id(story_id, "story", HINT))
    if asked is None:
        raise not_found(story_id, "story", HINT)
    row = asked if asked.merged_into is None else session.get_one(Story, asked.merged_into)
    of = row.id if version is None else asked.id
    newest = select(StoredRecovery).where(StoredRecovery.story_id == of).order_by(StoredRecovery.version.desc()).limit(1)
    stored = session.scalar(newest if version is None else newest.where(StoredRecovery.version == version))
    versions = session.scalar(select(func.count()).where(StoredRecovery.story_id == of)) or 0
    if stored is None and version is not None:
        known = f"versions 1 to {versions}" if versions > 1 else "version 1" if versions else "no recovery yet"
        raise NotFound(f"Story {story_id} has no version {version}: it has {known}.")
    copies = select(func.count(distinct(StoredWitness.source))).where(StoredWitness.story_id == row.id)
    waits_for = _waits_for(session, row)
    return StoryView(
        id=row.id,
        asked=asked.id,
        title=row.title,
        language=row.language,
        created_at=row.created_at,
        copies=session.scalar(copies) or 0,
        excerpts=len({copy.source for copy in _linked(session, row.id) if copy.relation == Bond.EXCERPT}),
        history=_history(session, row.id),
        versions=versions,
        settled=waits_for is None,
        waits_for=waits_for,
        recovery=None
        if stored is None
        else RecoveryView(stored.version, stored.created_at, stored.text, stored.confidence, document_of(session, stored)),
    )


def _history(session: Session, story_id: int) -> tuple[Change, ...]:
    kin = select(Story.id).where(or_(Story.id == story_id, Story.merged_into == story_id))
    rows = session.scalars(
        select(StoryEvent).where(or_(StoryEvent.story_id.in_(kin), StoryEvent.other_id == story_id)).order_by(StoryEvent.id)
    )
    return tuple(
        Change(row.happened_at, row.change, row.story_id, row.other_id, len(row.witness_ids), tuple(row.sigla), row.evidence)
        for row in rows
    )


def _waits_for(session: Session, row: Story) -> str | None:
    """What a story's newest copies wait for; None where the recovery has seen them all."""
    held = session.scalar(
        select(QuarantinedWork).where(
            QuarantinedWork.stage.in_((Stage.COLLATE, Stage.RECOVER)),
            QuarantinedWork.subject_id == row.id,
            QuarantinedWork.resolved_at.is_(None),
        )
    )
    if held is not None:
        return f"a decision: `wirecopy quarantine show {held.id}` ({held.stage} kept failing: {held.reason})"
    if row.due_at is not None or row.collated < row.revision:
        return "collation"
    return "recovery" if row.recovered < row.collated else None


def copies(session: Session, story_id: int) -> tuple[Copy, ...]:
    """The copies of a story by siglum, those that have none yet, then the texts of other stories that are linked to it.

    Raises NotFound. A story that was merged into another one is answered for by that.
    """
    asked = session.get(Story, checked_id(story_id, "story", HINT))
    if asked is None:
        raise not_found(story_id, "story", HINT)
    of = asked.merged_into or asked.id
    own = _copies(session, StoredWitness.story_id == of)
    own.sort(key=lambda copy: (copy.siglum is None, len(copy.siglum or ""), copy.siglum or "", copy.witness_id))
    return (*own, *_linked(session, of))


def _linked(session: Session, story_id: int) -> list[Copy]:
    """The witnesses of other stories that are linked to one of this story's, each with the kind of its first link."""
    near, far = aliased(StoredWitness), aliased(StoredWitness)
    ends = ((StoryLink.witness_id, StoryLink.other_id), (StoryLink.other_id, StoryLink.witness_id))
    kinds: dict[int, str] = {}
    for here, there in ends:
        found = session.execute(
            select(far.id, StoryLink.kind)
            .join(near, near.id == here)
            .join(far, far.id == there)
            .where(near.story_id == story_id, far.story_id != story_id)
            .order_by(StoryLink.created_at, far.id)
        )
        for row in found:
            kinds.setdefault(row.id, row.kind)
    rows = _copies(session, StoredWitness.id.in_(kinds)) if kinds else []
    return [replace(row, relation=kinds[row.witness_id], siglum=None) for row in sorted(rows, key=lambda row: row.witness_id)]


def _copies(session: Session, condition: ColumnElement[bool]) -> list[Copy]:
    texts = func.count().over(partition_by=(StoredWitness.source, StoredWitness.part))
    first = aliased(StoredWitness)
    rows = session.execute(
        select(StoredWitness, FrontierRow.found_by, texts, first)
        .outerjoin(FrontierRow, FrontierRow.id == StoredWitness.frontier_id)
        .outerjoin(first, first.id == StoredWitness.twin_of)
        .where(condition)
        .order_by(StoredWitness.id)
    ).all()
    shown = {row.source: row.capture_id for row, *_ in rows}  # of its newest text, which may have several parts
    newest = {
        (row.source, row.part): (row, found_by, count, first or row)
        for row, found_by, count, first in rows
        if row.capture_id == shown[row.source]
    }
    found = found_pages(session, [row.frontier_id for row, *_ in rows if row.frontier_id is not None])
    return [
        Copy(
            witness_id=row.id,
            story_id=row.story_id,
            siglum=row.siglum or said.siglum,
            host=row.host,
            source=row.source,
            title=row.title,
            relation=row.relation,
            kind=row.kind or said.kind,
            error_rate=said.error_rate if row.error_rate is None else row.error_rate,
            coverage=said.coverage if row.coverage is None else row.coverage,
            lineage=said.lineage if row.lineage is None else row.lineage,
            exemplar=row.exemplar or said.exemplar,
            published_at=row.published_at,
            language=row.language,
            found_by=found_by,
            found=found.get(row.frontier_id, ()),
            texts=count,
            slug=row.slug,
            partial=row.partial,
            agencies=tuple(sorted({origin["agency"] for origin in row.origins if origin["agency"]})),
            origins=tuple(row.origins),
        )
        for row, found_by, count, said in newest.values()
        if row.story_id is not None
    ]
