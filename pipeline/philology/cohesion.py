"""Passages that some witnesses print and that belong to another text: they share no matter with the rest of the story."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Collation
from pipeline.philology.language import Fluency
from pipeline.philology.tabulation import Numbering, tabulated
from pipeline.philology.tokens import Shape, fold, shape_of

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
    return _words(collation)[0]


def _words(collation: Collation) -> tuple[Ints, Sequence[str]]:
    """The table of folded words and the word of every number in it."""
    words = Numbering()
    table = tabulated(collation, lambda text: -1 if shape_of(text) is Shape.PUNCTUATION else words.of(fold(text)))
    return table, words.names


def foreign_passages(collation: Collation, frequency: Fluency) -> list[Foreign]:
    """The passages of another text, by witness and in its order; none where too little is common to tell the story's matter."""
    if len(collation.sigla) < 2 or collation.width == 0:
        return []
    table, names = _words(collation)
    standing = standing_together(table)
    runs = [run for w in range(len(collation.sigla)) for run in _runs(collation, table, standing, w)]
    if not runs:
        return []
    weights = _Weights(frequency)
    together = np.zeros((len(table), len(names)), dtype=bool)
    witness, column = np.nonzero(standing > 1)
    together[witness, table[witness, column]] = True
    stood = np.pad((collation.table.indices >= 0).cumsum(axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    known: dict[frozenset[int], frozenset[str]] = {}
    found: list[Foreign] = []
    for run in runs:
        if run.holders not in known:
            known[run.holders] = _core(together, names, run.holders, weights)
        core = known[run.holders]
        passage = collation.tokens[run.witness].folds[run.first : run.last]
        if _is_foreign(passage, core, weights, _inserted(collation, stood, run)):
            found.append(Foreign(run.witness, run.first, run.last))
    return found


def standing_together(table: Ints) -> Ints:
    """For every cell of a table the number of the witnesses that have the same in that column; 0 where the cell is -1."""
    found = np.zeros(table.shape, dtype=np.int32)
    witness, column = np.nonzero(table >= 0)
    keys = column * (int(table.max(initial=0)) + 1) + table[witness, column]
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found[witness, column] = counts[which]
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring paragraphs of a witness that the same few witnesses hold."""

    witness: int
    first: int
    last: int
    holders: frozenset[int]


def _runs(collation: Collation, table: Ints, standing: Ints, w: int) -> list[_Run]:
    tokens = collation.tokens[w]
    if not len(tokens):
        return []
    count = len(table)
    column_of = np.full(len(tokens), -1, dtype=np.int64)
    row = collation.table.indices[w]
    held = np.flatnonzero(row >= 0)
    column_of[row[held]] = held
    places = np.array(tokens.places)
    starts = np.flatnonzero(np.diff(places, prepend=-1)).tolist()
    fitting = np.zeros(len(tokens) + 1, dtype=np.int64)
    words = np.zeros(len(tokens) + 1, dtype=np.int64)
    np.cumsum(np.where(column_of >= 0, standing[w, column_of], 0), out=fitting[1:])
    np.cumsum((column_of >= 0) & (table[w, column_of] >= 0), out=words[1:])
    found: list[_Run] = []
    for first, last in zip(starts, [*starts[1:], len(tokens)], strict=True):
        # half of the witnesses with all of the words, the others just short of holding it, have fewer than this together
        if 2 * (fitting[last] - fitting[first]) > (1 + HELD) * count * (words[last] - words[first]):
            continue
        columns = column_of[first:last]
        columns = columns[columns >= 0]
        own = table[w, columns]
        columns, own = columns[own >= 0], own[own >= 0]
        same = (table[:, columns] == own).sum(axis=1)
        holders = frozenset(np.flatnonzero(same >= max(1.0, HELD * len(own))).tolist()) | {w}
        if 2 * len(holders) > count:
            continue
        if found and found[-1].last == first and found[-1].holders == holders:
            found[-1] = _Run(w, found[-1].first, last, holders)
        else:
            found.append(_Run(w, first, last, holders))
    return found


def _core(together: NDArray[np.bool_], names: Sequence[str], holders: frozenset[int], weights: "_Weights") -> frozenset[str]:
    """The telling words on which two witnesses or more stand together, not all of them among `holders`.

    `together[w, n]` says whether witness w has word n where another one has it.
    """
    outside = np.ones(len(together), dtype=bool)
    outside[list(holders)] = False
    words = (names[number] for number in np.flatnonzero(together[outside].any(axis=0)).tolist())
    return frozenset(word for word in words if weights.of(word) > 0)


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


def _inserted(collation: Collation, stood: Ints, run: _Run) -> bool:
    """Whether enough other witnesses stand right before and right behind the run, or have no place to stand there.

    `stood[w, c]` is the number of the columns before c in which witness w has anything.
    """
    line = collation.table.indices[run.witness]
    first, last = np.flatnonzero((line >= run.first) & (line < run.last))[[0, -1]].tolist()
    others = np.ones(len(stood), dtype=bool)
    others[list(run.holders)] = False
    end = collation.width
    ranges = ((max(0, first - NEXT), first, 0, first), (last + 1, min(end, last + 1 + NEXT), last + 1, end))
    closing = np.ones(int(others.sum()), dtype=bool)
    for near, nearest, begin, over in ranges:
        if (stood[others, over] > stood[others, begin]).any():
            closing &= stood[others, nearest] > stood[others, near]
    return int(closing.sum()) >= LEAST_CLOSING


def _is_foreign(passage: Sequence[str], core: frozenset[str], weights: _Weights, inserted: bool) -> bool:
    own = {word: weight for word in set(passage) if (weight := weights.of(word)) > 0}
    if len(own) < LEAST_OF_PASSAGE or len(core) < LEAST_OF_STORY:
        return False
    shared = sum(weight for word, weight in own.items() if word in core)
    least = LEAST_OF_SHORT if len(own) < SHORT else LEAST_OF_INSERTED if inserted else LEAST_COHESION
    return shared < least * sum(own.values())
