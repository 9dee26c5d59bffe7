"""Passages that some witnesses print and that belong to another text: they share no matter with the rest of the story."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Collation
from pipeline.philology.language import Fluency
from pipeline.philology.tokens import Shape

Ints = NDArray[np.int32]

# A witness holds a paragraph of another where it has this share of its words in the same columns: spun copies have half.
HELD = 0.3
# Words of a Zipf frequency (powers of ten in a billion words) of this and more say nothing about the matter.
COMMON = 5.2
WEIGHTLESS = 6.0
# Of the weight of a passage's rarer words, this share stands elsewhere in the story: nineteen in twenty passages of other
# articles have less than the greater share, one in fifty of an article's own that few witnesses have.
LEAST_COHESION = 0.06
LEAST_OF_SHORT = 0.04
# Where two witnesses go on, or end, right where the passage stands, it was put in rather than cut out of them: then more is
# asked.
LEAST_OF_INSERTED = 0.11
LEAST_CLOSING = 2
NEXT = 15
# Fewer of these rarer words say nothing of the matter of a passage, or of a story; with more the greater share is asked for.
LEAST_OF_PASSAGE = 20
LEAST_OF_STORY = 80
SHORT = 60


@dataclass(frozen=True, slots=True)
class Foreign:
    """Tokens first … last - 1 of a witness, whole paragraphs, that belong to another text."""

    witness: int
    first: int
    last: int


def table_of(collation: Collation) -> Ints:
    """A number for every witness's folded word in every column, shape (witnesses, columns); -1 for gaps and punctuation."""
    numbers: dict[str, int] = {}
    table = np.full((len(collation.sigla), collation.width), -1, dtype=np.int32)
    for w, (line, tokens) in enumerate(zip(collation.columns, collation.tokens, strict=True)):
        own = [
            -1 if shape is Shape.PUNCTUATION else numbers.setdefault(folded, len(numbers))
            for folded, shape in zip(tokens.folds, tokens.shapes, strict=True)
        ]
        row = np.array(line, dtype=np.int64)
        held = row >= 0
        if own:
            table[w, held] = np.array(own, dtype=np.int32)[row[held]]
    return table


def foreign_passages(collation: Collation, frequency: Fluency) -> list[Foreign]:
    """The passages of another text, by witness and in its order; none where too little is common to tell the story's matter."""
    if len(collation.sigla) < 2 or collation.width == 0:
        return []
    table = table_of(collation)
    runs = [run for w in range(len(collation.sigla)) for run in _runs(collation, table, w)]
    if not runs:
        return []
    weights = _Weights(frequency)
    known: dict[frozenset[int], frozenset[str]] = {}
    found: list[Foreign] = []
    for run in runs:
        if run.holders not in known:
            known[run.holders] = _core(collation, table, run.holders)
        core = known[run.holders]
        passage = collation.tokens[run.witness].folds[run.first : run.last]
        if _is_foreign(passage, core, weights, _inserted(collation, run)):
            found.append(Foreign(run.witness, run.first, run.last))
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring paragraphs of a witness that the same few witnesses hold."""

    witness: int
    first: int
    last: int
    holders: frozenset[int]


def _runs(collation: Collation, table: Ints, w: int) -> list[_Run]:
    tokens = collation.tokens[w]
    if not len(tokens):
        return []
    column_of = np.full(len(tokens), -1, dtype=np.int64)
    row = np.array(collation.columns[w], dtype=np.int64)
    held = np.flatnonzero(row >= 0)
    column_of[row[held]] = held
    starts = [at for at in range(len(tokens)) if tokens.opens(at)]
    found: list[_Run] = []
    for first, last in zip(starts, [*starts[1:], len(tokens)], strict=True):
        columns = column_of[first:last]
        columns = columns[columns >= 0]
        own = table[w, columns]
        columns, own = columns[own >= 0], own[own >= 0]
        same = (table[:, columns] == own).sum(axis=1)
        holders = frozenset(np.flatnonzero(same >= max(1.0, HELD * len(own))).tolist()) | {w}
        if 2 * len(holders) > len(collation.sigla):
            continue
        if found and found[-1].last == first and found[-1].holders == holders:
            found[-1] = _Run(w, found[-1].first, last, holders)
        else:
            found.append(_Run(w, first, last, holders))
    return found


def _core(collation: Collation, table: Ints, holders: frozenset[int]) -> frozenset[str]:
    """The words on which two witnesses or more stand together, not all of them among `holders`."""
    inside = np.array(sorted(holders))
    outside = np.array([w for w in range(table.shape[0]) if w not in holders])
    words: set[str] = set()
    for w in outside.tolist():
        line = table[w]
        together = (table[outside] == line).sum(axis=0) + (table[inside] == line).sum(axis=0) > 1
        row = collation.columns[w]
        folds = collation.tokens[w].folds
        words.update(folds[row[column]] for column in np.flatnonzero(together & (line >= 0)).tolist())
    return frozenset(words)


class _Weights:
    """What a word says of the matter of a text: nothing where it is common, more the rarer it is."""

    def __init__(self, frequency: Fluency) -> None:
        self.frequency = frequency
        self.known: dict[str, float] = {}

    def of(self, word: str) -> float:
        weight = self.known.get(word)
        if weight is None:
            zipf = self.frequency([word]) / math.log(10) + 9
            telling = zipf < COMMON and any(letter.isalnum() for letter in word)
            weight = self.known[word] = WEIGHTLESS - zipf if telling else 0.0
        return weight


def _inserted(collation: Collation, run: _Run) -> bool:
    """Whether enough other witnesses stand right before and right behind the run, or have no place to stand there."""
    within = [column for column, index in enumerate(collation.columns[run.witness]) if run.first <= index < run.last]
    first, last = min(within), max(within)
    others = [row for w, row in enumerate(collation.columns) if w not in run.holders]
    end = collation.width
    before, behind = range(max(0, first - NEXT), first), range(last + 1, min(end, last + 1 + NEXT))
    closing = [True] * len(others)
    for near, whole in ((before, range(first)), (behind, range(last + 1, end))):
        if any(row[column] >= 0 for row in others for column in whole):
            for at, row in enumerate(others):
                closing[at] &= any(row[column] >= 0 for column in near)
    return sum(closing) >= LEAST_CLOSING


def _is_foreign(passage: Sequence[str], core: frozenset[str], weights: _Weights, inserted: bool) -> bool:
    own = {word: weight for word in set(passage) if (weight := weights.of(word)) > 0}
    if len(own) < LEAST_OF_PASSAGE or sum(weights.of(word) > 0 for word in core) < LEAST_OF_STORY:
        return False
    shared = sum(weight for word, weight in own.items() if word in core)
    least = LEAST_OF_SHORT if len(own) < SHORT else LEAST_OF_INSERTED if inserted else LEAST_COHESION
    return shared < least * sum(own.values())
