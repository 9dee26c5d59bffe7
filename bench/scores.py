"""Measures of a recovery whose original is known: error, floor, calibration, versions told apart, strangers named."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

from rapidfuzz.distance import LCSseq

from pipeline.philology.baselines import longest, majority, medoid, token_error_rate, words_of
from pipeline.philology.collation import Collation
from pipeline.philology.recovery import Recovery
from pipeline.philology.witness import Witness

METHODS = ("longest", "medoid", "majority", "recovery", "floor")
# A baseline that is better than the recovery by more than this, in points of the token error rate, is pointed out.
MARGIN = 0.5


def witnesses_of(case: Mapping[str, Any]) -> list[Witness]:
    """The witnesses of a case read from a file; sources count them in their order."""
    return [
        Witness(source=f"{number:03d}", paragraphs=tuple(copy["text"].split("\n\n")))
        for number, copy in enumerate(case["witnesses"])
    ]


def errors_of(
    witnesses: Sequence[Witness], collation: Collation, recovery: Recovery, original: str, attesting: Sequence[Witness] = ()
) -> dict[str, float]:
    """Token error rates in per cent of every method; the floor also counts what `attesting` hold, where that is given."""
    found = {
        "longest": token_error_rate(longest(witnesses), original),
        "medoid": token_error_rate(medoid(witnesses), original),
        "majority": token_error_rate(majority(collation), original),
        "recovery": token_error_rate(recovery.text, original),
        "floor": floor([*witnesses, *attesting], original),
    }
    return {method: 100 * value for method, value in found.items()}


def floor(witnesses: Sequence[Witness], original: str) -> float:
    """Share of the original's tokens that no witness has in their place."""
    own = words_of(original)
    attested = [False] * len(own)
    for witness in witnesses:
        for step in LCSseq.opcodes(own, words_of(witness.text)):
            if step.tag == "equal":
                attested[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
    return 1 - sum(attested) / max(1, len(own))


def right_tokens(recovery: Recovery, original: str) -> list[tuple[float, bool, bool]]:
    """Of every token of the recovery its probability, whether it is right, and whether it stands in a variation unit."""
    own = [token.text for token in recovery.tokens]
    right = [False] * len(own)
    for step in LCSseq.opcodes(own, words_of(original)):
        if step.tag == "equal":
            right[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
    inside = [False] * len(own)
    at = 0
    for unit in recovery.apparatus:
        while at < len(own) and recovery.tokens[at].start < unit.start:
            at += 1
        while at < len(own) and recovery.tokens[at].end <= unit.end:
            inside[at] = True
            at += 1
    return [(token.probability, good, unit) for token, good, unit in zip(recovery.tokens, right, inside, strict=True)]


def calibration_error(rows: Sequence[tuple[float, bool]], bins: int = 20) -> float:
    """Expected calibration error: mean distance of probability and share right over bins of equal width, weighted by size."""
    pools: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, good in rows:
        pools[min(bins - 1, int(probability * bins))].append((probability, good))
    total = 0.0
    for pool in pools.values():
        total += abs(sum(p for p, _ in pool) - sum(good for _, good in pool))
    return total / max(1, len(rows))


def rightly_grouped(groups: Sequence[set[int]], truth: Sequence[set[int]]) -> float:
    """Share of the copies in the group of their version, under the best pairing of the groups found with the true ones."""
    padded = [*groups, *[set()] * len(truth)]
    best = max(
        sum(len(padded[at] & true) for at, true in zip(chosen, truth, strict=True))
        for chosen in permutations(range(len(padded)), len(truth))
    )
    return best / max(1, sum(map(len, truth)))


def versions_found(recovery: Recovery) -> list[set[int]]:
    """The copies' numbers by the version that the recovery puts them to; one group where it names no versions."""
    numbers = {attestation.siglum: int(attestation.source) for attestation in recovery.witnesses}
    if not recovery.versions:
        return [set(numbers.values())]
    return [{numbers[siglum] for siglum in version.sigla if siglum in numbers} for version in recovery.versions]
