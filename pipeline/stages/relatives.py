"""Relatives: the stored witnesses that a text is related to, found by rare features and compared with it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pipeline.philology.fingerprint import Fingerprint
from pipeline.philology.rarity import choose, rank, weight
from pipeline.philology.relation import Relation, RelationKind, relate
from pipeline.philology.witness import Witness
from pipeline.store import features, witnesses
from pipeline.store.features import Candidate

# Features of each sort that are kept and looked up: the smallest hashes. With more nothing was found that these miss
# (docs/placing.md, "In Postgres").
ANCHORS, SHINGLES = 96, 64
# Of them the rarest are looked up.
MOST_LOOKED_UP = 128
# Comparisons at the most, over all stories and with members of one story.
COMPARED, COMPARED_OF_STORY = 8, 3
# What candidates must share to be compared, in features that one story alone holds; more where a copy is found already: another
# story that holds copies of the same text shares much with it.
WORTH, WORTH_BESIDE_A_COPY = 1.5, 4.0


@dataclass(frozen=True, slots=True)
class Relative:
    """A stored witness that a newcomer was compared with."""

    witness_id: int
    story_id: int
    relation: Relation

    @property
    def rank(self) -> float:
        """How much of one of the texts the relation explains; copies come before everything else."""
        relation = self.relation
        return (relation.kind is RelationKind.COPY) + max(relation.newcomer_coverage, relation.member_coverage)

    def evidence(self) -> dict[str, Any]:
        """What is stored of it with the newcomer."""
        return {"of": self.witness_id, **numbers_of(self.relation)}


def numbers_of(relation: Relation) -> dict[str, float]:
    """The coverage and the evidence of a relation, as they are stored."""
    return {
        "newcomer_coverage": relation.newcomer_coverage,
        "member_coverage": relation.member_coverage,
        **relation.evidence,
    }


def looked_up(print_: Fingerprint) -> tuple[int, ...]:
    """The features by which a witness is found, the same ones for every text that has them."""
    return print_.anchors[:ANCHORS] + print_.shingles[:SHINGLES]


def relatives_of(
    session: Session, newcomer: Witness, print_: Fingerprint, stored: int, compared: Collection[int] = ()
) -> list[Relative]:
    """The stored witnesses, of `stored` placed ones, that were worth comparing with a newcomer, those that share most first.

    Of a story of which a copy is found no other member is compared. Witnesses in `compared` are passed over.
    """
    ranked = ranked_candidates(session, print_, stored)
    worth = weight(1, stored)
    likely = [one for one, score in ranked if score >= WORTH * worth and one.witness_id not in compared]
    scores = dict(ranked)
    rows = witnesses.by_id(session, _few_of_each(likely))
    relatives: list[Relative] = []
    copied: set[int] = set()
    for one in likely:
        row = rows.get(one.witness_id)
        if len(relatives) >= COMPARED or (copied and scores[one] < WORTH_BESIDE_A_COPY * worth):
            break
        if row is None or one.story_id in copied:
            continue
        relation = relate(newcomer, witnesses.as_value(row))
        relatives.append(Relative(one.witness_id, one.story_id, relation))
        if relation.kind is RelationKind.COPY:
            copied.add(one.story_id)
    return relatives


def ranked_candidates(session: Session, print_: Fingerprint, stored: int) -> list[tuple[Candidate, float]]:
    """The stored witnesses that share features with a text, with what that tells, the best first."""
    own = looked_up(print_)
    common = features.frequencies(session, own)
    found = features.candidates(session, choose(own, common, MOST_LOOKED_UP))
    return rank({one: one.shared for one in found}, _frequencies(found, common), stored)


def _few_of_each(likely: Sequence[Candidate]) -> list[int]:
    """The first candidates, a few of each story."""
    seen: Counter[int] = Counter()
    kept = []
    for one in likely:
        seen[one.story_id] += 1
        if seen[one.story_id] <= COMPARED_OF_STORY:
            kept.append(one.witness_id)
    return kept[: 2 * COMPARED]


def _frequencies(found: Sequence[Candidate], common: Mapping[int, int]) -> dict[int, int]:
    """How many stories hold each shared feature: as many as were found to, or were counted."""
    holders: dict[int, set[int]] = defaultdict(set)
    for one in found:
        for feature in one.shared:
            holders[feature].add(one.story_id)
    return {feature: max(len(stories), common.get(feature, 1)) for feature, stories in holders.items()}


def best_copy(relatives: Collection[Relative]) -> Relative | None:
    """The relative that a newcomer is the surest copy of."""
    copies = [one for one in relatives if one.relation.kind is RelationKind.COPY]
    return max(copies, key=lambda one: (one.rank, -one.witness_id), default=None)
