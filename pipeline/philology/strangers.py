"""Witnesses that do not belong to the article, and passages of another text in those that do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.philology.cohesion import Foreign, table_of
from pipeline.philology.collation import Collation, without, without_passages
from pipeline.philology.recovered import Attestation, Kind, Omission, Recovery, Stranger

# Copies of one article, spun or cut, have a fifth of the shorter one's words in common columns at least, unrelated articles
# about one in a hundred. A text of fewer words than this says nothing.
LEAST_SHARE = 0.07
LEAST_WORDS = 8
# A witness is a stranger that quotes the story where more than the one share of it is of another text and it has less than the
# other share of the story.
MOST_FOREIGN = 0.5
LEAST_OF_STORY = 0.5

WHY = "shares no wording with the other witnesses"
WHY_PARTLY = "only a passage of it belongs to this article"
WHY_FOREIGN = "of another article"


def strangers_of(collation: Collation) -> list[int]:
    """Witnesses outside the largest group that hangs together by common wording, the longer one where two groups are equal."""
    count = len(collation.sigla)
    if count < 2 or collation.width == 0:
        return []
    table = table_of(collation)
    sizes = (table >= 0).sum(axis=1).tolist()
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


def reported(recovery: Recovery, collation: Collation, strange: Sequence[int], why: str = WHY) -> Recovery:
    """The recovery of the others with the strangers named in it, and why they are."""
    rows = {row.siglum: row for row in recovery.witnesses}
    lineage = max((row.lineage for row in recovery.witnesses), default=0)
    for w in strange:
        lineage += 1
        siglum, source = collation.sigla[w], collation.witnesses[w].source
        rows[siglum] = Attestation(siglum, source, Kind.OTHER, 0.0, 0.0, None, lineage, evidence=why)
    return replace(
        recovery,
        witnesses=tuple(rows[siglum] for siglum in collation.sigla),
        strangers=_ordered(
            collation, {collation.witnesses[w].source: why for w in strange} | {s.source: s.why for s in recovery.strangers}
        ),
    )


def without_foreign(collation: Collation, foreign: Iterable[Foreign]) -> Collation:
    """The collation without the passages of other texts; every witness stays, if with no word."""
    return without_passages(collation, _paragraphs(collation, foreign))


def told(recovery: Recovery, collation: Collation, foreign: Sequence[Foreign]) -> Recovery:
    """The recovery with the passages of other texts among the omissions, and witnesses of little else among the strangers."""
    size: dict[int, int] = {}
    for passage in foreign:
        size[passage.witness] = size.get(passage.witness, 0) + passage.last - passage.first
    rows = []
    why = {stranger.source: stranger.why for stranger in recovery.strangers}
    for w, row in enumerate(recovery.witnesses):
        share = size.get(w, 0) / max(1, len(collation.tokens[w]))
        if not share:
            rows.append(row)
            continue
        evidence = f"{share:.0%} of it is of another article"
        kind = Kind.EDITED if row.kind in (Kind.VERBATIM, Kind.TRUNCATED) else row.kind
        if share > MOST_FOREIGN and row.coverage < LEAST_OF_STORY:
            kind = Kind.OTHER
            why[row.source] = WHY_PARTLY if row.coverage else WHY
        rows.append(replace(row, kind=kind, evidence=evidence, foreign=share))
    omitted = [
        Omission((collation.sigla[p.witness],), collation.tokens[p.witness].printed(p.first, p.last - 1), WHY_FOREIGN)
        for p in foreign
    ]
    return replace(
        recovery,
        witnesses=tuple(rows),
        omitted=(*recovery.omitted, *omitted),
        strangers=_ordered(collation, why),
    )


def _ordered(collation: Collation, why: Mapping[str, str]) -> tuple[Stranger, ...]:
    return tuple(Stranger(w.source, why[w.source]) for w in collation.witnesses if w.source in why)


def _paragraphs(collation: Collation, foreign: Iterable[Foreign]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for passage in foreign:
        found.setdefault(passage.witness, set()).update(collation.tokens[passage.witness].places[passage.first : passage.last])
    return found
