"""What a stored recovery rests on, put together again so that its words can be explained."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import Malformed
from pipeline.philology.collation import Collation
from pipeline.philology.question import Judge, remembering
from pipeline.philology.recovery import Evidence
from pipeline.stages.recovering import evidence_now, evidence_of, load, opinions_of, state_of
from pipeline.store.tables import StoredCollation, StoredRecovery


@dataclass(frozen=True, slots=True)
class Basis:
    """The witnesses, aligned, and the evidence of other stories with which one version of a story was recovered."""

    collation: Collation
    evidence: Evidence
    judge: Judge
    """Says what the neural model said then."""
    evidence_changed: bool
    """Whether other stories teach something else by now: a recovery made today might differ."""
    text: str
    """The recovered text as it was stored."""


def basis_of(session: Session, story_id: int, version: int) -> Basis:
    """The basis of a version that is stored. Raises Malformed where its copies have been read anew since."""
    recovery = session.scalars(
        select(StoredRecovery).where(StoredRecovery.story_id == story_id, StoredRecovery.version == version)
    ).one()
    try:
        collation = load(session, session.get_one(StoredCollation, recovery.collation_id))
    except ValueError as error:
        raise Malformed(
            f"Version {version} of story {story_id} rests on texts that this wirecopy reads otherwise. "
            "A running `wirecopy up` collates and recovers the story again; then ask for the newest version."
        ) from error
    used = evidence_of(recovery.evidence)
    now = state_of(evidence_now(session, story_id, collation))
    judge = remembering(opinions_of(recovery.evidence))
    return Basis(collation, used, judge, now != state_of(used), recovery.text)
