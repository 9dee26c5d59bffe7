"""Witnesses that tell the same matter in a text of their own: another agency's report shares names and figures, not wording."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.cohesion import table_of
from pipeline.philology.collation import Collation
from pipeline.philology.kinship import unite
from pipeline.philology.tokens import Shape, Tokens

Ints = NDArray[np.int32]

# Copies of one text, rewritten or translated back, have half of the shorter one's words in common columns between the first and
# the last place that both span, or a few of their runs of six words; two reports of one event have neither.
LEAST_SHARE = 0.5
LEAST_OF_RUNS = 0.15
RUN = 6
# Copies with half of their runs in common are kin: they speak for each other no more than one of them does.
KIN = 0.5
# Fewer words say nothing.
LEAST_WORDS = 60
# The quadratic comparison is left where there are more witnesses than this.
MOST_WITNESSES = 60

WHY = "another text on the same matter"


def retold(collation: Collation) -> list[int]:
    """Witnesses outside the largest group that hangs together by wording; none where no group has two that are not kin."""
    count = len(collation.sigla)
    if not 2 < count <= MOST_WITNESSES:
        return []
    table = table_of(collation)
    runs = [_runs(tokens) for tokens in collation.tokens]
    groups, families = list(range(count)), list(range(count))
    for w in range(count):
        for other in range(w):
            common = len(runs[w] & runs[other]) / max(1, min(len(runs[w]), len(runs[other])))
            if common >= KIN:
                unite(families, w, other)
            if groups[w] != groups[other] and (common >= LEAST_OF_RUNS or _shared(table[w], table[other]) >= LEAST_SHARE):
                unite(groups, w, other)
    voices = Counter(groups[family] for family in set(families))
    sizes = Counter(groups)
    largest = max(voices, key=lambda group: (voices[group], sizes[group], -group))
    if voices[largest] < 2 or list(voices.values()).count(voices[largest]) > 1:
        return []
    return [w for w in range(count) if groups[w] != largest and (table[w] >= 0).sum() >= LEAST_WORDS]


def _runs(tokens: Tokens) -> set[tuple[str, ...]]:
    words = [word for word, shape in zip(tokens.folds, tokens.shapes, strict=True) if shape is not Shape.PUNCTUATION]
    return set(zip(*(words[start:] for start in range(RUN)), strict=False))


def _shared(one: Ints, two: Ints) -> float:
    """Share of the words which both have in the same columns of their common span, of those of the one with fewer.

    It is 1 where that span is short.
    """
    held = [np.flatnonzero(row >= 0) for row in (one, two)]
    if not all(map(len, held)):
        return 1.0
    span = slice(max(columns[0] for columns in held), min(columns[-1] for columns in held) + 1)
    a, b = one[span], two[span]
    fewer = min(int(np.count_nonzero(row >= 0)) for row in (a, b))
    return int(np.count_nonzero((a == b) & (a >= 0))) / fewer if fewer >= LEAST_WORDS else 1.0
