"""Paste: a copy that somebody hands over as a text, without a URL, becomes a witness without a capture."""

import hashlib
import unicodedata
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.philology.witness import Witness
from pipeline.stages.outcome import Bell
from pipeline.store import discoveries
from pipeline.store.tables import Stage, StoredWitness
from pipeline.store.values import storable


@dataclass(frozen=True, slots=True)
class Pasted:
    """A text in the store."""

    witness_id: int
    placed: bool
    """True where the same text was pasted before and has been placed."""
    story_id: int | None = None


def paste(session: Session, witness: Witness) -> Pasted:
    """Store a text as a witness of its own, which waits to be placed; the same text again is the same witness.

    It is named by its words, `text:` and the beginning of their SHA-256, for a file's name may be used twice.
    """
    text = "\n\n".join(unicodedata.normalize("NFC", storable(paragraph)) for paragraph in witness.paragraphs)
    source = f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    known = session.scalar(select(StoredWitness).where(StoredWitness.source == source).limit(1))
    if known is not None:
        return Pasted(known.id, known.placed_at is not None, known.story_id)
    row = StoredWitness(
        source=source,
        title=storable(witness.title) if witness.title else None,
        byline=storable(witness.byline) if witness.byline else None,
        dateline=storable(witness.dateline) if witness.dateline else None,
        language=witness.language,
        published_at=witness.published,
        text=text,
        origins=[],
    )
    session.add(row)
    session.flush()
    return Pasted(row.id, placed=False)


def ask_for_others(session: Session, text: Pasted, job_id: int) -> list[Bell]:
    """Let the other copies of a text be looked for, for that job, now or once it is placed; bells for what is due now."""
    why = f"witness {text.witness_id}, a text that was pasted in"
    if text.story_id is not None:
        return [Bell(Stage.DISCOVER, discoveries.open_discovery(session, text.story_id, why, job_id))]
    discoveries.await_placing(session, text.witness_id, why, job_id)
    return []
