"""One story: what was recovered, and the copies it rests on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.store.queries.asking import checked_id, not_found
from pipeline.store.recoveries import document_of
from pipeline.store.tables import FrontierRow, QuarantinedWork, Stage, StoredRecovery, StoredWitness, Story

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
class StoryView:
    """A story and one version of its recovered text: None where there is no recovery yet, and `waits_for` says why."""

    id: int
    title: str | None
    language: str | None
    created_at: datetime
    copies: int
    """Pages that hold a copy."""
    excerpts: int
    versions: int
    settled: bool
    """False while copies wait to be collated or recovered."""
    waits_for: str | None
    recovery: RecoveryView | None


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy or an excerpt of a story: of each page the newest text. What a recovery says of it is None before there is one."""

    witness_id: int
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
    """Who admitted the page's URL; None for a text that came without one."""
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
    """The story with its newest recovery, or the one of that version. Raises NotFound."""
    row = session.get(Story, checked_id(story_id, "story", HINT))
    if row is None:
        raise not_found(story_id, "story", HINT)
    newest = select(StoredRecovery).where(StoredRecovery.story_id == story_id).order_by(StoredRecovery.version.desc()).limit(1)
    stored = session.scalar(newest if version is None else newest.where(StoredRecovery.version == version))
    versions = session.scalar(select(func.count()).where(StoredRecovery.story_id == story_id)) or 0
    if stored is None and version is not None:
        known = f"versions 1 to {versions}" if versions > 1 else "version 1" if versions else "no recovery yet"
        raise NotFound(f"Story {story_id} has no version {version}: it has {known}.")
    pages = session.execute(
        select(StoredWitness.relation, func.count(distinct(StoredWitness.source)).label("pages"))
        .where(StoredWitness.story_id == story_id)
        .group_by(StoredWitness.relation)
    )
    counts: dict[str | None, int] = {of.relation: of.pages for of in pages}
    waits_for = _waits_for(session, row)
    return StoryView(
        id=row.id,
        title=row.title,
        language=row.language,
        created_at=row.created_at,
        copies=counts.get("copy", 0),
        excerpts=counts.get("excerpt", 0),
        versions=versions,
        settled=waits_for is None,
        waits_for=waits_for,
        recovery=None
        if stored is None
        else RecoveryView(stored.version, stored.created_at, stored.text, stored.confidence, document_of(session, stored)),
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
    """The copies of a story by siglum, then the excerpts and those that have no siglum yet. Raises NotFound."""
    if session.get(Story, checked_id(story_id, "story", HINT)) is None:
        raise not_found(story_id, "story", HINT)
    texts = func.count().over(partition_by=StoredWitness.source)
    rows = session.execute(
        select(StoredWitness, FrontierRow.found_by, texts)
        .outerjoin(FrontierRow, FrontierRow.id == StoredWitness.frontier_id)
        .where(StoredWitness.story_id == story_id)
        .order_by(StoredWitness.id)
    ).all()
    newest = {row.source: (row, found_by, count) for row, found_by, count in rows}
    found = [
        Copy(
            witness_id=row.id,
            siglum=row.siglum,
            host=row.host,
            source=row.source,
            title=row.title,
            relation=row.relation,
            kind=row.kind,
            error_rate=row.error_rate,
            coverage=row.coverage,
            lineage=row.lineage,
            exemplar=row.exemplar,
            published_at=row.published_at,
            language=row.language,
            found_by=found_by,
            texts=count,
            slug=row.slug,
            partial=row.partial,
            agencies=tuple(sorted({origin["agency"] for origin in row.origins if origin["agency"]})),
            origins=tuple(row.origins),
        )
        for row, found_by, count in newest.values()
    ]
    return tuple(
        sorted(found, key=lambda copy: (copy.siglum is None, len(copy.siglum or ""), copy.siglum or "", copy.witness_id))
    )
