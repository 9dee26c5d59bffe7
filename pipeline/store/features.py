"""Features of placed witnesses, by which candidates are found, and how common they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from pipeline.store.tables import CommonFeature, Feature, Placings

# A feature leads to so many witnesses at the most, those that came last: so no feature, however common, makes a lookup long,
# and a rare one reaches back to the beginning.
REACH = 32
# Witnesses that share the most are handed out, this many.
MOST = 60
_PUT = text("""
WITH counted AS (
    INSERT INTO placings (id, number) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = placings.number + 1
)
INSERT INTO features SELECT unnest(CAST(:features AS bigint[])), :witness ON CONFLICT DO NOTHING
""")
_CANDIDATES = text("""
SELECT c.witness_id, w.story_id, c.shared
FROM (
    SELECT h.witness_id, array_agg(q.feature) AS shared
    FROM unnest(CAST(:features AS bigint[])) AS q(feature), LATERAL (
        SELECT f.witness_id FROM features f WHERE f.feature = q.feature ORDER BY f.witness_id DESC LIMIT :reach
    ) AS h
    GROUP BY h.witness_id ORDER BY count(*) DESC, h.witness_id LIMIT :most
) AS c JOIN witnesses w ON w.id = c.witness_id
WHERE w.story_id IS NOT NULL
ORDER BY cardinality(c.shared) DESC, c.witness_id
""")
_COMMON = text("SELECT feature, stories FROM common_features WHERE feature = ANY(CAST(:features AS bigint[]))")
_SIZE = text("SELECT greatest(pg_relation_size('features'), 1)")
# A page of the table holds the features of one or two witnesses that were placed together, so a sample of pages is one of
# witnesses. What is held once or twice in it is as common as the rest.
_SAMPLE = """
SELECT f.feature, round(count(DISTINCT w.story_id) / CAST(:share AS float8))::bigint AS stories
FROM features f TABLESAMPLE SYSTEM ({percent}) JOIN witnesses w ON w.id = f.witness_id
GROUP BY f.feature HAVING count(DISTINCT w.story_id) >= :least
"""
SAMPLED = 32_000_000  # bytes of the table
LEAST_IN_SAMPLE = 5
# The share of witnesses that have to be new, and their number, before the features are counted again.
NEWS, LEAST_NEWS = 0.1, 100
COUNTING_LOCK = 0x636F756E


@dataclass(frozen=True, slots=True)
class Candidate:
    """A placed witness that shares features with a newcomer."""

    witness_id: int
    story_id: int
    shared: tuple[int, ...]


def put(session: Session, witness_id: int, features: Sequence[int]) -> None:
    """Let a witness be found by these features, and be counted."""
    session.execute(_PUT, {"features": list(features), "witness": witness_id})


def placed(session: Session) -> int:
    """How many witnesses were placed with features, as far as this transaction can see; changed whenever one goes."""
    return session.scalar(text("SELECT number FROM placings")) or 0


def candidates(session: Session, features: Collection[int]) -> list[Candidate]:
    """Placed witnesses that share features, the most first; of a common feature those that came last."""
    if not features:
        return []
    rows = session.execute(_CANDIDATES, {"features": list(features), "reach": REACH, "most": MOST})
    return [Candidate(row.witness_id, row.story_id, tuple(row.shared)) for row in rows]


def frequencies(session: Session, features: Collection[int]) -> dict[int, int]:
    """About how many stories hold each of the features that many hold."""
    found = session.execute(_COMMON, {"features": list(features)})
    return {row.feature: row.stories for row in found}


def hand_over(session: Session, witness_id: int, successor: int) -> None:
    """Let another witness with the same text be found in the place of this one."""
    session.execute(update(Feature).where(Feature.witness_id == witness_id).values(witness_id=successor))


def drop(session: Session, witness_ids: Collection[int]) -> None:
    """Let witnesses be found no more; who has looked for candidates already looks again."""
    session.execute(delete(Feature).where(Feature.witness_id.in_(witness_ids)))
    session.execute(update(Placings).values(number=Placings.number + 1))


def count_common(session: Session) -> int | None:
    """Count anew the features that many stories hold, from a sample: how many those are; None while few witnesses are new.

    The sample is of bounded size, and nobody waits: who looks for candidates sees the old counts until this is committed.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": COUNTING_LOCK})
    row = session.get(Placings, 1)
    if row is None or row.number < row.counted * (1 + NEWS) + LEAST_NEWS:
        return None
    share = min(1.0, SAMPLED / (session.scalar(_SIZE) or 1))
    sample = text(_SAMPLE.format(percent=f"{100 * share:.6f}"))
    found = session.execute(sample, {"share": share, "least": LEAST_IN_SAMPLE}).all()
    session.execute(delete(CommonFeature))
    if found:
        session.execute(insert(CommonFeature), [row._asdict() for row in found])
    session.execute(update(Placings).values(counted=row.number))
    return len(found)
