"""Collations and recoveries of stories, and what they teach about other stories."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from pipeline.philology.recovery import Evidence, LearnedPair
from pipeline.store.tables import ApparatusEntry, SiteError, StoredCollation, StoredPair, StoredRecovery, Story


def put_collation(session: Session, story_id: int, revision: int, witness_ids: Sequence[int], columns: dict[str, Any]) -> int:
    """Store the collation of a story at a revision, once; its id."""
    values = {"witness_ids": list(witness_ids), "columns": columns}
    statement = insert(StoredCollation).values(story_id=story_id, revision=revision, **values)
    return session.scalars(
        statement.on_conflict_do_update(index_elements=["story_id", "revision"], set_=values).returning(StoredCollation.id)
    ).one()


def newest_collation(session: Session, story_id: int) -> StoredCollation | None:
    """The collation of a story's newest revision."""
    return session.scalar(
        select(StoredCollation).where(StoredCollation.story_id == story_id).order_by(StoredCollation.revision.desc()).limit(1)
    )


def newest_recovery(session: Session, story_id: int) -> StoredRecovery | None:
    """The last version of a story's recovered text."""
    return session.scalar(
        select(StoredRecovery).where(StoredRecovery.story_id == story_id).order_by(StoredRecovery.version.desc()).limit(1)
    )


def put_recovery(
    session: Session,
    story_id: int,
    collation_id: int,
    document: dict[str, Any],
    evidence: dict[str, Any],
) -> int | None:
    """Store a recovery as the story's next version; None where it says what the last version says."""
    apparatus = document["apparatus"]
    kept = {name: value for name, value in document.items() if name != "apparatus"}
    last = newest_recovery(session, story_id)
    if last is not None and last.document == kept and _apparatus(session, last.id) == apparatus:
        return None
    recovery = StoredRecovery(
        story_id=story_id,
        version=1 + (last.version if last is not None else _forgotten_versions(session, story_id)),
        collation_id=collation_id,
        title=document["title"],
        text=document["text"],
        confidence=document["confidence"],
        document=kept,
        evidence=evidence,
    )
    session.add(recovery)
    session.flush()
    session.add_all(
        ApparatusEntry(
            recovery_id=recovery.id, position=position, start=unit["start"], end=unit["end"], readings=unit["readings"]
        )
        for position, unit in enumerate(apparatus)
    )
    return recovery.version


def _forgotten_versions(session: Session, story_id: int) -> int:
    return session.scalar(select(Story.forgotten_versions).where(Story.id == story_id)) or 0


def _apparatus(session: Session, recovery_id: int) -> list[dict[str, Any]]:
    entries = session.scalars(
        select(ApparatusEntry).where(ApparatusEntry.recovery_id == recovery_id).order_by(ApparatusEntry.position)
    )
    return [{"start": entry.start, "end": entry.end, "readings": entry.readings} for entry in entries]


def document_of(session: Session, recovery: StoredRecovery) -> dict[str, Any]:
    """The recovery as `recover --format json` prints it."""
    return {**recovery.document, "apparatus": _apparatus(session, recovery.id)}


def put_lessons(
    session: Session,
    story_id: int,
    language: str,
    error_rates: Iterable[tuple[str, float, float]],
    pairs: Iterable[LearnedPair],
) -> None:
    """Replace what a story says of sites (host, tokens wrong, tokens compared) and of substitutions."""
    session.execute(delete(SiteError).where(SiteError.story_id == story_id))
    session.execute(delete(StoredPair).where(StoredPair.story_id == story_id))
    session.add_all(
        SiteError(host=host, story_id=story_id, wrong=wrong, compared=compared) for host, wrong, compared in error_rates
    )
    unique = {(pair.original, pair.spun) for pair in pairs}
    session.add_all(
        StoredPair(language=language, original=original, spun=spun, story_id=story_id) for original, spun in sorted(unique)
    )
    session.flush()


def evidence_for(session: Session, story_id: int, language: str, hosts: Sequence[str], phrases: Sequence[str]) -> Evidence:
    """What the other stories teach about this one: its sites' error rates, and the pairs of which it holds a side.

    `phrases` are the story's words and short runs of words, in lower case.
    """
    rates = session.execute(
        select(SiteError.host, func.sum(SiteError.wrong), func.sum(SiteError.compared))
        .where(SiteError.host == any_(_array_of(hosts)), SiteError.story_id != story_id)
        .group_by(SiteError.host)
    )
    held = _array_of(phrases)
    pairs = session.execute(
        select(StoredPair.original, StoredPair.spun, func.count())
        .where(StoredPair.language == language, StoredPair.story_id != story_id)
        .where((StoredPair.spun == any_(held)) | (StoredPair.original == any_(held)))
        .group_by(StoredPair.original, StoredPair.spun)
        .order_by(StoredPair.original, StoredPair.spun)
    )
    return Evidence(
        error_rates={host: (wrong, compared) for host, wrong, compared in rates},
        pairs=tuple(LearnedPair(original, spun, stories) for original, spun, stories in pairs),
    )


def _array_of(texts: Sequence[str]) -> ColumnElement[Any]:
    """The texts as one array parameter: thousands of single ones take longer to write down than to look up."""
    return literal(list(texts), ARRAY(Text))
