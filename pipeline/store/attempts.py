"""The ledger of attempts: every try at every piece of work, written before the work begins.

An open attempt is a claim: at most one a stage and subject. A process that dies leaves its attempt open; when the lease
has run out the sweep, or the next worker that comes by, ends it as `died`. Failures of our own in a row (an exception, a
dead process) are counted, and at the limit the work is put in quarantine with its history.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store import quarantine
from pipeline.store.tables import Attempt, AttemptEnd, Stage
from pipeline.store.values import span

_BEGIN = text("""
INSERT INTO attempts (stage, subject_id, url, worker, lease_until)
SELECT :stage, v.subject_id, v.url, :worker, now() + make_interval(secs => :lease)
FROM unnest(CAST(:subjects AS bigint[]), CAST(:urls AS text[])) AS v(subject_id, url)
RETURNING subject_id, id
""")
_FINISH = text("""
UPDATE attempts a SET ended_at = clock_timestamp(), "end" = v.how, outcome = v.outcome, detail = CAST(v.detail AS jsonb)
FROM unnest(CAST(:ids AS bigint[]), CAST(:ends AS text[]), CAST(:outcomes AS text[]), CAST(:details AS text[]))
     AS v(id, how, outcome, detail)
WHERE a.id = v.id AND a.ended_at IS NULL
RETURNING a.id
""")

OWN_FAILURES = (AttemptEnd.ERROR, AttemptEnd.DIED)
MOST_SAID = 2_000
DIED = "the worker died or lost its lease"
_ABANDONED = Attempt.ended_at.is_(None) & (Attempt.lease_until < func.now())


def begin(session: Session, stage: Stage, subject_id: int, worker: str, lease: float) -> int | None:
    """Claim a piece of work for `lease` seconds: the attempt's id, or None where somebody is at it or it is in quarantine.

    Commit before the work begins, or a process that dies over it is not counted.
    """
    if quarantine.holds(session, stage, subject_id):
        return None
    return session.scalar(
        insert(Attempt)
        .values(stage=stage, subject_id=subject_id, worker=worker, lease_until=_from_now(lease))
        .on_conflict_do_nothing()
        .returning(Attempt.id)
    )


def begin_all(session: Session, stage: Stage, subjects: Mapping[int, str], worker: str, lease: float) -> dict[int, int]:
    """Claim pieces of work that nobody else can be at, each with its URL: the attempts' ids by subject."""
    values = {"stage": stage, "worker": worker, "lease": lease, "subjects": list(subjects), "urls": list(subjects.values())}
    return {row.subject_id: row.id for row in session.execute(_BEGIN, values)}


@dataclass(frozen=True, slots=True)
class Finish:
    """How an attempt ended."""

    attempt_id: int
    end: AttemptEnd
    outcome: str
    detail: dict[str, Any]


def finish_all(session: Session, ended: Sequence[Finish]) -> set[int]:
    """End open attempts in one statement; the ids of those that were still open."""
    values = {
        "ids": [one.attempt_id for one in ended],
        "ends": [one.end for one in ended],
        "outcomes": [one.outcome[:MOST_SAID] for one in ended],
        "details": [json.dumps(one.detail) for one in ended],
    }
    return set(session.scalars(_FINISH, values))


def finish(session: Session, attempt_id: int, end: AttemptEnd, outcome: str, detail: dict[str, Any] | None = None) -> bool:
    """End an open attempt. False where it was ended meanwhile: the claim ran out, and the work may be somebody else's."""
    ended = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), end=end, outcome=outcome[:MOST_SAID], detail=detail or {})
        .returning(Attempt.id)
    )
    return ended.first() is not None


def own_failures(session: Session, stage: Stage, subject_id: int) -> int:
    """Failures of our own in a row, since the last attempt that ended otherwise and since a person last retried the work."""
    tries = session.execute(
        select(Attempt.end, Attempt.ended_at)
        .where(Attempt.stage == stage, Attempt.subject_id == subject_id, Attempt.ended_at.is_not(None))
        .order_by(Attempt.id.desc())
        .limit(50)
    )
    retried = quarantine.last_resolved(session, stage, subject_id)
    count = 0
    for end, ended_at in tries:
        if end not in OWN_FAILURES or (retried is not None and ended_at is not None and ended_at <= retried):
            break
        count += 1
    return count


def withdraw(session: Session, attempt_id: int) -> None:
    """Take back an attempt of this transaction: nothing was tried after all."""
    session.execute(delete(Attempt).where(Attempt.id == attempt_id))


def mark_died(session: Session, attempts: Iterable[int]) -> set[int]:
    """End open attempts whose worker is gone; the subjects of those that were open."""
    died = session.scalars(
        update(Attempt)
        .where(Attempt.id.in_(attempts), Attempt.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), end=AttemptEnd.DIED, outcome=DIED)
        .returning(Attempt.subject_id)
    )
    return set(died)


def expired_claim(session: Session, stage: Stage, subject_id: int) -> int | None:
    """The open attempt at this work whose lease has run out, locked for this transaction; None where there is none."""
    of_subject = (Attempt.stage == stage) & (Attempt.subject_id == subject_id)
    return session.scalar(select(Attempt.id).where(of_subject, _ABANDONED).with_for_update())


def claimants(session: Session) -> list[str]:
    """The workers that have an attempt open."""
    return list(session.scalars(select(Attempt.worker).where(Attempt.ended_at.is_(None)).distinct()))


def abandoned(session: Session, gone: Sequence[str], limit: int) -> list[Attempt]:
    """Open attempts whose lease has run out or whose worker is one of `gone`, locked for this transaction."""
    return list(
        session.scalars(
            select(Attempt)
            .where(_ABANDONED | (Attempt.ended_at.is_(None) & Attempt.worker.in_(gone)))
            .order_by(Attempt.lease_until)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def history(session: Session, stage: Stage, subject_id: int, limit: int = 20) -> list[dict[str, Any]]:
    """The last attempts at a piece of work, oldest first, as plain data."""
    tries = session.scalars(
        select(Attempt).where(Attempt.stage == stage, Attempt.subject_id == subject_id).order_by(Attempt.id.desc()).limit(limit)
    ).all()
    return [
        {
            "attempt": attempt.id,
            "worker": attempt.worker,
            "begun_at": attempt.begun_at.isoformat(),
            "ended_at": attempt.ended_at.isoformat() if attempt.ended_at else None,
            "end": attempt.end,
            "outcome": attempt.outcome,
        }
        for attempt in reversed(tries)
    ]


def _from_now(seconds: float) -> Any:
    return func.now() + span(seconds)
