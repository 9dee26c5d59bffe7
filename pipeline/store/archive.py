"""WARC files as the database knows them: which captures wait for one, which holds which, and how much of it is committed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from pipeline.store.tables import Attempt, Capture, StoredWitness, WarcFile

# Any number does that no other lock has.
ARCHIVE_LOCK = 0x77617263
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Captured:
    """A capture and the attempt that it came from."""

    capture: Capture
    attempt: Attempt


def lock(session: Session, *, wait: bool) -> bool:
    """Be the one transaction that writes or rewrites WARC files; False where another one is and we do not wait for it."""
    if wait:
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ARCHIVE_LOCK})
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": ARCHIVE_LOCK}))


def open_file(session: Session, place: str) -> WarcFile | None:
    """The file of this machine's folder that grows now."""
    return session.scalar(select(WarcFile).where(WarcFile.place == place, WarcFile.closed_at.is_(None)))


def waiting(session: Session, limit: int) -> list[Captured]:
    """Captures that were read, or hold nothing to read, and wait to be archived; the oldest first."""
    rows = session.execute(
        select(Capture, Attempt)
        .join(Attempt, Attempt.id == Capture.attempt_id)
        .where(Capture.to_archive, Capture.read_at.is_not(None))
        .order_by(Capture.id)
        .limit(limit)
    )
    return [Captured(capture, attempt) for capture, attempt in rows]


def of_story(session: Session, story_id: int) -> list[Captured]:
    """The captures that a story's witnesses were read out of, the oldest first."""
    rows = session.execute(
        select(Capture, Attempt)
        .join(Attempt, Attempt.id == Capture.attempt_id)
        .where(Capture.id.in_(select(StoredWitness.capture_id).where(StoredWitness.story_id == story_id)))
        .order_by(Capture.id)
    )
    return [Captured(capture, attempt) for capture, attempt in rows]


def first_of_its_bytes(session: Session, capture: Capture) -> Capture | None:
    """The capture of the same page, written to a WARC file with its body, that this one repeats; None where there is none.

    That is the first of the same bytes, or, for a 304, of the bytes that were fetched last.
    """
    of_page = (
        select(Capture)
        .where(
            Capture.frontier_id == capture.frontier_id,
            Capture.id < capture.id,
            Capture.warc_file_id.is_not(None),
            Capture.status.between(200, 299),
        )
        .order_by(Capture.id)
    )
    name = capture.body_sha256
    if capture.status == NOT_MODIFIED:
        last = session.scalar(of_page.order_by(None).order_by(Capture.id.desc()).limit(1))
        name = "" if last is None else last.body_sha256
    return session.scalar(of_page.where(Capture.body_sha256 == name).limit(1))


def mark(session: Session, capture_ids: Sequence[int], file_id: int | None) -> None:
    """Note the file that captures were written to; None where they are not to be archived."""
    session.execute(update(Capture).where(Capture.id.in_(capture_ids)).values(to_archive=False, warc_file_id=file_id))


def close(session: Session, file: WarcFile) -> None:
    """Note that a file grows no more."""
    file.closed_at = func.now()
    session.flush()
