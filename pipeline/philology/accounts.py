"""What a recovery says of its witnesses: kind, error rate, coverage, exemplar; and what it teaches about other stories."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from pipeline.philology.analysis import Analysis
from pipeline.philology.collation import Collation, State
from pipeline.philology.kinds import evidence_of, kind_of
from pipeline.philology.recovered import Attestation, Edge, LearnedPair
from pipeline.philology.stemma import exemplars
from pipeline.philology.styles import plain
from pipeline.philology.tokens import Shape, shape_of
from pipeline.philology.units import ABSENT

# A pair is learned from places that are settled at least this firmly.
SETTLED = 0.97


class Settled(Protocol):
    """A decision: the place, the reading chosen there, its probability."""

    @property
    def place(self) -> int: ...  # noqa: D102

    @property
    def reading(self) -> int: ...  # noqa: D102

    @property
    def raw(self) -> float: ...  # noqa: D102


def stemma_of(collation: Collation, analysis: Analysis) -> tuple[Edge, ...]:
    """One edge a witness, in the order of sigla; a witness without a known exemplar has None and its support 0."""
    found = exemplars(analysis.wording, analysis.solution.posterior, analysis.solution.lineages)
    return tuple(
        Edge(siglum, None if exemplar is None else collation.sigla[exemplar], support)
        for siglum, (exemplar, support) in zip(collation.sigla, found, strict=True)
    )


def attestations(
    collation: Collation, analysis: Analysis, decisions: Sequence[Settled], stemma: Sequence[Edge]
) -> tuple[Attestation, ...]:
    """What is said of every witness, in the order of sigla."""
    witnesses = len(collation.sigla)
    wrong = [0] * witnesses
    stood = [0] * witnesses
    held = [0] * witnesses
    total = 0
    agreed: Counter[tuple[int, ...]] = Counter()
    outside, changed = _edits(collation, analysis)
    for decision in decisions:
        place = analysis.places[decision.place]
        size = len(place.candidates[decision.reading].texts)
        total += size
        if not place.disputed:
            agreed[place.choice] += size
            continue
        lemma = plain(place.candidates[decision.reading].texts)
        owns = [max(1, len(candidate.texts), size) for candidate in place.candidates]
        styles = [plain(candidate.texts) == lemma for candidate in place.candidates]
        for w, choice in enumerate(place.choice):
            if choice == ABSENT:
                continue
            held[w] += size
            stood[w] += owns[choice]
            if not styles[choice]:
                wrong[w] += owns[choice]
            elif choice != decision.reading:
                changed[w] = True
    for choices, size in agreed.items():
        for w, choice in enumerate(choices):
            if choice != ABSENT:
                held[w] += size
                stood[w] += size
    found: list[Attestation] = []
    for w, witness in enumerate(collation.witnesses):
        rate = wrong[w] / stood[w] if stood[w] else 0.0
        coverage = held[w] / total if total else 0.0
        cut = outside[w] / total if total else 0.0
        kind = kind_of(rate, coverage, cut, changed[w])
        found.append(
            Attestation(
                siglum=collation.sigla[w],
                source=witness.source,
                kind=kind,
                error_rate=rate,
                coverage=coverage,
                exemplar=stemma[w].exemplar,
                lineage=analysis.solution.lineages[w] + 1,
                evidence=evidence_of(kind, rate, cut, changed[w]),
            )
        )
    return tuple(found)


def _edits(collation: Collation, analysis: Analysis) -> tuple[list[int], list[bool]]:
    """For every witness the columns of the text outside its span, and whether it lacks or adds passages in its midst."""
    outside = [0] * len(collation.sigla)
    changed = [False] * len(collation.sigla)
    for verdict in analysis.verdicts:
        for w, state in enumerate(verdict.block.states):
            if verdict.kept and state == State.OUTSIDE:
                outside[w] += verdict.block.last - verdict.block.first
            elif state == State.MOVED or (verdict.kept and state == State.MISSING):
                changed[w] = True
    return outside, changed


def learned_pairs(analysis: Analysis, decisions: Sequence[Settled]) -> tuple[LearnedPair, ...]:
    """Substitutions of words that this story settles: the reading chosen with high confidence against each other one."""
    rows = set(analysis.weighed)
    counts: Counter[tuple[str, str]] = Counter()
    for decision in decisions:
        if decision.place not in rows or decision.raw < SETTLED:
            continue
        place = analysis.places[decision.place]
        chosen = place.candidates[decision.reading].texts
        for candidate in place.candidates:
            if plain(candidate.texts) != plain(chosen) and _wording(chosen) and _wording(candidate.texts):
                counts[" ".join(chosen).casefold(), " ".join(candidate.texts).casefold()] += 1
    return tuple(LearnedPair(original, spun, 1) for original, spun in sorted(counts) if original != spun)


def _wording(texts: Sequence[str]) -> bool:
    return bool(texts) and all(shape_of(text) is not Shape.PUNCTUATION for text in texts)
