"""Witnesses that do not belong to the article: they share no wording with the rest."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.philology.collation import Collation, without
from pipeline.philology.recovered import Attestation, Kind, Recovery, Stranger
from pipeline.philology.tokens import Shape

# Copies of one article, spun or cut, have a fifth of the shorter one's words in common columns at least, unrelated articles
# about one in a hundred. A text of fewer words than this says nothing.
LEAST_SHARE = 0.07
LEAST_WORDS = 8

WHY = "shares no wording with the other witnesses"


def strangers_of(collation: Collation) -> list[int]:
    """Witnesses outside the largest group that hangs together by common wording, the longer one where two groups are equal."""
    count = len(collation.sigla)
    if count < 2 or collation.width == 0:
        return []
    ids: dict[str, int] = {}
    table = np.full((count, collation.width), -1, dtype=np.int32)
    sizes = [0] * count
    for w, (row, tokens) in enumerate(zip(collation.columns, collation.tokens, strict=True)):
        own = [
            -1 if shape is Shape.PUNCTUATION else ids.setdefault(folded, len(ids))
            for folded, shape in zip(tokens.folds, tokens.shapes, strict=True)
        ]
        sizes[w] = sum(number >= 0 for number in own)
        table[w] = [own[index] if index >= 0 else -1 for index in row]
    groups = list(range(count))
    for w in range(count):
        held = table[w] >= 0
        for other in range(w):
            if groups[other] == groups[w]:
                continue
            common = np.count_nonzero((table[other] == table[w]) & held)
            if common and common >= LEAST_SHARE * min(sizes[w], sizes[other]):
                keep, gone = groups[other], groups[w]
                groups = [keep if group == gone else group for group in groups]
    worth = {
        group: (sum(g == group for g in groups), sum(n for g, n in zip(groups, sizes, strict=True) if g == group))
        for group in groups
    }
    largest = max(groups, key=lambda group: worth[group])
    return [w for w in range(count) if groups[w] != largest and sizes[w] >= LEAST_WORDS]


def set_apart(collation: Collation, strange: Sequence[int]) -> Collation:
    """The collation without the strangers; the others keep their sigla."""
    return without(collation, frozenset(strange))


def reported(recovery: Recovery, collation: Collation, strange: Sequence[int]) -> Recovery:
    """The recovery of the others with the strangers named in it."""
    rows = {row.siglum: row for row in recovery.witnesses}
    lineage = max((row.lineage for row in recovery.witnesses), default=0)
    for w in strange:
        lineage += 1
        siglum, source = collation.sigla[w], collation.witnesses[w].source
        rows[siglum] = Attestation(siglum, source, Kind.OTHER, 0.0, 0.0, None, lineage)
    return replace(
        recovery,
        witnesses=tuple(rows[siglum] for siglum in collation.sigla),
        strangers=tuple(Stranger(collation.witnesses[w].source, WHY) for w in strange),
    )
