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
# Two witnesses that stand within so many columns on either side of a passage close it: it was put in rather than cut out.
NEXT = 15
# Fewer rarer words say nothing of the matter of a passage, or of a story.
LEAST_OF_PASSAGE = 12
LEAST_OF_STORY = 25
# What is known of a passage, and the log-odds that it is another text's, fitted by bench/recovery_fit.py on whole paragraphs of
# stories, of pages that run two and of pages that quote one. Shares are of the weight of its rarer words.
NAMES: tuple[str, ...] = (
    "bias", "share that stands in the story", "rarer words", "both", "rarer words of the story", "share expected by chance",
    "witnesses closing it", "share of those without that close it", "one witness holds it", "share of the witnesses",
    "nothing before it", "nothing behind it",
)  # fmt: skip
ODDS: tuple[float, ...] = (1.51, 2.51, -4.63, -2.11, 2.48, 3.92, 2.52, -0.65, 3.68, -5.53, 2.02, 0.66)
LEAST_ODDS = 0.4
# A share of this much more keeps the logarithm of none in bounds.
BESIDES = 0.02


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
    return [
        passage
        for passage, features in passages(collation, frequency)
        if sum(odds * value for odds, value in zip(ODDS, features, strict=True)) > LEAST_ODDS
    ]


def passages(collation: Collation, frequency: Fluency) -> list[tuple[Foreign, tuple[float, ...]]]:
    """What may be of another text, with what is known of it: whole paragraphs that at most half of the witnesses hold."""
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
    found: list[tuple[Foreign, tuple[float, ...]]] = []
    for run in runs:
        if run.holders not in known:
            known[run.holders] = _core(together, names, run.holders, weights)
        features = _features(collation, run, known[run.holders], weights, stood)
        if features:
            found.append((Foreign(run.witness, run.first, run.last), features))
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

    def chance(self, word: str, length: int) -> float:
        """Probability that a text of so many words has the word whatever it is about."""
        return -math.expm1(-length * math.exp(self.frequency([word])))


def _features(collation: Collation, run: _Run, core: frozenset[str], weights: "_Weights", stood: Ints) -> tuple[float, ...]:
    """What is known of a passage, in the order of NAMES; nothing where it or the story has too few rarer words.

    `stood[w, c]` is the number of the columns before c in which witness w has anything.
    """
    passage = set(collation.tokens[run.witness].folds[run.first : run.last])
    own = {word: weight for word in passage if (weight := weights.of(word)) > 0}
    if len(own) < LEAST_OF_PASSAGE or len(core) < LEAST_OF_STORY:
        return ()
    whole = sum(own.values())
    others = [w for w in range(len(stood)) if w not in run.holders]
    length = max((len(collation.tokens[w]) for w in others), default=0)
    shared = math.log(sum(weight for word, weight in own.items() if word in core) / whole + BESIDES)
    chance = math.log(sum(weight * weights.chance(word, length) for word, weight in own.items()) / whole + BESIDES)
    before, behind, closing = _surroundings(collation, stood[others], run)
    return (
        1.0,
        shared,
        math.log(len(own)),
        shared * math.log(len(own)),
        math.log1p(len(core)),
        chance,
        math.log1p(closing),
        closing / max(1, len(others)),
        float(len(run.holders) == 1),
        len(run.holders) / len(stood),
        float(not before),
        float(not behind),
    )


def _surroundings(collation: Collation, stood: Ints, run: _Run) -> tuple[bool, bool, int]:
    """Whether any of the other witnesses stands before and behind the run, and how many stand right there on either side.

    Where none stands on a side, all do. `stood` has the others' rows alone.
    """
    line = collation.table.indices[run.witness]
    first, last = np.flatnonzero((line >= run.first) & (line < run.last))[[0, -1]].tolist()
    end = collation.width
    before = bool((stood[:, first] > 0).any())
    behind = bool((stood[:, end] > stood[:, last + 1]).any())
    closing = np.ones(len(stood), dtype=bool)
    if before:
        closing &= stood[:, first] > stood[:, max(0, first - NEXT)]
    if behind:
        closing &= stood[:, min(end, last + 1 + NEXT)] > stood[:, last + 1]
    return before, behind, int(closing.sum())
