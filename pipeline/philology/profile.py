"""Progressive alignment of token rows to one table of columns, in native code."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.philology import alignment
from pipeline.philology.tokens import Shape, Tokens
from pipeline.philology.vocabulary import Vocabulary

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Marks = NDArray[np.bool_]
Pairs = NDArray[np.int32]
"""Positions in a row and columns, shape (2, pairs), in the order of the positions."""
Columns = tuple[Ints, Ints, Ints, Ints, Ints, Floats, Ints, Ints]
"""What stands in the columns, as `alignment.extend` takes and gives it."""

# In the order of the names in `alignment`. A word against another word costs less than two gaps up to about eight words in a
# row (spinners replace), more beyond (promotion lines do not stand for text); a word hardly ever stands against punctuation.
SCORES = np.array([1.0, 0.6, 0.35, -0.12, -0.22, -1.6, -0.9, -0.08, -0.5, 0.4, -0.3], dtype=np.float32)

# Gaps longer than this make an island of what is aligned between them.
GAP_AT_ISLAND = 5

# A paragraph of so many words, of which fewer than this share fit and never so many tokens in a row, is no copy of what it
# stands beside: copies of one passage have two fifths in common, and runs of five.
LEAST_WORDS = 4
LEAST_FITTING = 0.3
LEAST_RUN = 5

# A row is aligned in a band: this many columns beyond the anchors on either side of it. Anchors are runs of three words that a
# row has once, as one before it has. Alone they stand anywhere: more than twice TRIMMED have to follow each other closely.
BAND = 32
TRIMMED = 3
FARTHEST_ANCHOR = 8
# What stands for the column of a run that no row has had yet, and of one that a row has several times.
UNSEEN, SEVERAL = -1, -2
# Beyond this many cells (bytes of traceback) a stretch without anchors is searched near its diagonal only, if it has more cells
# itself than the other number.
MOST_CELLS = 24_000_000
CELLS_OF_A_STRETCH = 1_000_000
LEAST_WIDTH, MOST_WIDTH = 32, 500


class Row:
    """One witness as arrays, its paragraphs in the order in which they are aligned."""

    def __init__(self, tokens: Tokens, order: Sequence[int], vocabulary: Vocabulary) -> None:
        places = np.array(tokens.places, dtype=np.int32)
        rank = np.empty(len(order), dtype=np.int32)
        rank[list(order)] = np.arange(len(order), dtype=np.int32)
        self.indices: Ints = np.argsort(rank[places], kind="stable").astype(np.int32)
        self.words: Ints = vocabulary.of(tokens)[self.indices]
        self.heads, self.tails = vocabulary.affixes(self.words)
        shapes = np.fromiter(tokens.shapes, dtype=np.int32, count=len(tokens))[self.indices]
        self.marks: Ints = (shapes == Shape.PUNCTUATION).astype(np.int32)
        self.opens: Ints = np.ones(len(places), dtype=np.int32)
        self.opens[1:] = np.diff(places[self.indices]) != 0
        self.runs: Ints = vocabulary.runs(self.words)
        # whether the row has each of its runs only once
        self.once: Marks = np.bincount(self.runs, minlength=1)[self.runs] == 1

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Words, heads, tails, marks and openings, as `alignment` takes them."""
        return self.words, self.heads, self.tails, self.marks, self.opens


class Profile:
    """The rows aligned so far, and the columns that they stand in."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._columns = _without_entries(0)
        # columns keep a number of their own: those of each row's tokens, and those of all columns in order
        self._numbers: list[Ints] = []
        self._order: Ints = np.zeros(0, dtype=np.int32)
        # of every run of three words the number of the column of its second one where it was first seen
        self._seen: Ints = np.zeros(0, dtype=np.int32)

    @classmethod
    def of_table(cls, rows: Sequence[Row], table: Ints) -> "Profile":
        """The profile of rows that are aligned already, as `table` gives them."""
        profile = cls()
        profile._columns = _without_entries(table.shape[1])
        profile._order = np.arange(table.shape[1], dtype=np.int32)
        for row, line in zip(rows, table, strict=True):
            held = np.flatnonzero(line >= 0).astype(np.int32)
            columns = alignment.extend(*profile._columns, *(array[line[held]] for array in row.arrays), held)[:-1]
            numbers = np.zeros(len(row), dtype=np.int32)
            numbers[line[held]] = held
            profile._keep(row, columns, numbers)
        return profile

    @property
    def table(self) -> Ints:
        """`table[r, c]` is the position in row r that stands in column c, or -1."""
        found = np.full((len(self.rows), len(self._order)), -1, dtype=np.int32)
        place = self._places()
        for line, numbers in zip(found, self._numbers, strict=True):
            line[place[numbers]] = np.arange(len(numbers), dtype=np.int32)
        return found

    def add(self, row: Row) -> None:
        """Align one more row to the columns; its tokens that fit none open columns of their own."""
        where = self._place(row)
        extended = alignment.extend(*self._columns, *row.arrays, where)
        columns, source = extended[:-1], extended[-1]
        fresh = source < 0
        order = np.empty(len(source), dtype=np.int32)
        order[~fresh] = self._order
        order[fresh] = np.arange(len(self._order), len(source), dtype=np.int32)
        numbers = np.empty(len(row), dtype=np.int32)
        numbers[where >= 0] = self._order[where[where >= 0]]
        numbers[where < 0] = order[fresh]
        self._order = order
        self._keep(row, columns, numbers)

    def _keep(self, row: Row, columns: Columns, numbers: Ints) -> None:
        self._know(row)
        self._seen[row.runs[~row.once]] = SEVERAL
        new = row.once & (self._seen[row.runs] == UNSEEN)
        self._seen[row.runs[new]] = numbers[1:-1][new]
        self.rows.append(row)
        self._columns = columns
        self._numbers.append(numbers)

    def _places(self) -> Ints:
        """The place of every column by its number."""
        place = np.empty(len(self._order), dtype=np.int32)
        place[self._order] = np.arange(len(self._order), dtype=np.int32)
        return place

    def _know(self, row: Row) -> None:
        """Make room for the row's runs among those that were seen."""
        more = int(row.runs.max(initial=-1)) + 1 - len(self._seen)
        if more > 0:
            self._seen = np.concatenate([self._seen, np.full(more, UNSEEN, dtype=np.int32)])

    def _place(self, row: Row) -> Ints:
        pointer, words, heads, tails, marks, counts, opened, present = self._columns
        if len(row) == 0 or len(present) == 0:
            return np.full(len(row), -1, dtype=np.int32)
        opens = (opened / present).astype(np.float32)
        held = (present / len(self.rows)).astype(np.float32)
        low, high = band(len(row), len(present), self._anchors(row))
        where = alignment.best_path(*row.arrays, pointer, words, heads, tails, marks, counts, opens, held, low, high, SCORES)
        loose: Ints = alignment.loosen(where, row.words, row.heads, row.marks, row.opens, pointer, words, GAP_AT_ISLAND)
        return np.where(_strays(loose, row, pointer, words), -1, loose).astype(np.int32)

    def _anchors(self, row: Row) -> Pairs:
        """Pairs of a position and a column that hold one run of words, in increasing order of both; stray ones left out."""
        self._know(row)
        seen = self._seen[row.runs]
        positions = np.flatnonzero(row.once & (seen >= 0))
        return _gathered(np.stack([positions + 1, self._places()[seen[positions]]]).astype(np.int32))


def _without_entries(columns: int) -> Columns:
    whole = np.zeros(0, dtype=np.int32)
    none = np.zeros(columns, dtype=np.int32)
    return (np.zeros(columns + 1, dtype=np.int32), whole, whole, whole, whole, np.zeros(0, dtype=np.float32), none, none)


def _gathered(pairs: Pairs) -> Pairs:
    """The longest chain of the pairs, as far as they follow each other closely there and nothing of the kind crosses it.

    Either end of what follows closely is left out: words there may stand beyond the gap as well.
    """
    linked = alignment.increasing(pairs[1])
    chain = pairs[:, linked]
    crossed = np.zeros(chain.shape[1] + 1, dtype=np.int64)
    stray = np.delete(pairs, linked, axis=1)
    for first, last in _close(stray):
        for position, column in (stray[:, first], stray[:, last - 1]):
            ends = (np.searchsorted(chain[0], position), np.searchsorted(chain[1], column))
            crossed[min(ends)] += 1
            crossed[max(ends)] -= 1
    kept = chain[:, np.cumsum(crossed)[:-1] == 0]
    inner = [kept[:, first + TRIMMED : last - TRIMMED] for first, last in _close(kept)]
    return np.concatenate([kept[:, :0], *inner], axis=1)


def _close(pairs: Pairs) -> list[tuple[int, int]]:
    """Runs, as first and last + 1, of more than twice TRIMMED pairs that follow each other closely in both members."""
    ahead, across = np.diff(pairs, axis=1)
    apart = (ahead > FARTHEST_ANCHOR) | (across <= 0) | (across > 2 * ahead + FARTHEST_ANCHOR)
    edges = [0, *(np.flatnonzero(apart) + 1).tolist(), pairs.shape[1]]
    return [(first, last) for first, last in pairwise(edges) if last - first > 2 * TRIMMED]


def band(tokens: int, columns: int, anchors: Pairs) -> tuple[Ints, Ints]:
    """The fewest and the most columns gone through after each number of tokens, 0 to all, that an alignment is looked for in.

    The anchors are pairs of a token and a column, in increasing order of both.
    """
    tokens_at, columns_at = np.pad(anchors.astype(np.int64), ((0, 0), (1, 1)), constant_values=-1)
    tokens_at[-1], columns_at[-1] = tokens, columns
    rows = np.arange(tokens + 1)
    before = np.searchsorted(tokens_at, rows - 1, side="right") - 1
    after = np.searchsorted(tokens_at, rows, side="left")
    left, right = columns_at[before] + 1, columns_at[after]
    low = np.where(before > 0, left - BAND, 0)
    high = np.where(after < len(tokens_at) - 1, right + BAND, columns)
    if (np.minimum(high, columns) - np.maximum(low, 0) + 1).sum() > MOST_CELLS:
        first, last = tokens_at[before] + 1, tokens_at[after]
        wide = (last - first) * (right - left) > CELLS_OF_A_STRETCH
        width = min(MOST_WIDTH, max(LEAST_WIDTH, MOST_CELLS // (2 * int(wide.sum()))))
        slope = (right - left) / np.maximum(last - first, 1)
        middle = left + (rows - first) * slope
        low = np.where(wide, np.maximum(low, np.floor(middle - slope) - width), low)
        high = np.where(wide, np.minimum(high, np.ceil(middle + slope) + width), high)
    low = np.maximum.accumulate(np.clip(low, 0, columns))
    high = np.minimum.accumulate(np.clip(high, 0, columns)[::-1])[::-1]
    return low.astype(np.int32), high.astype(np.int32)


def _strays(where: Ints, row: Row, pointer: Ints, column_words: Ints) -> NDArray[np.bool_]:
    """Which tokens stand where they do by chance: those of paragraphs few of whose words fit, and never several in a row.

    Passages that do not overlap, and the lines that pages put between paragraphs, share names and common words, which line up
    here and there.
    """
    size = int(max(column_words.max(initial=0), row.words.max(initial=0))) + 1
    columns = np.repeat(np.arange(len(pointer) - 1, dtype=np.int64), np.diff(pointer))
    same = (where >= 0) & np.isin(where.astype(np.int64) * size + row.words, columns * size + column_words)
    paragraph = np.cumsum(row.opens) - 1
    spoken = row.marks == 0
    words, fitting = (np.bincount(paragraph, weights=spoken & which) for which in (True, same))
    breaks = np.cumsum(~same | (row.opens > 0))
    longest = np.zeros(len(words), dtype=np.int64)
    np.maximum.at(longest, paragraph, np.bincount(breaks, weights=same).astype(np.int64)[breaks])
    stray: NDArray[np.bool_] = ((words >= LEAST_WORDS) & (fitting < LEAST_FITTING * words) & (longest < LEAST_RUN))[paragraph]
    return stray
