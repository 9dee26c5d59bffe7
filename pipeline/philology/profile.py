"""Progressive alignment of token rows to one table of columns, in native code."""

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from pipeline.philology import alignment
from pipeline.philology.tokens import Shape, Tokens

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Columns = tuple[Ints, Ints, Ints, Ints, Ints, Floats, Ints, Ints]
"""What stands in the columns, as `alignment.extend` takes and gives it."""
Runs = tuple[list[int], list[bool]]

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
# Beyond this many cells (bytes of traceback) a stretch without anchors is searched near its diagonal only, if it has more cells
# itself than the other number.
MOST_CELLS = 24_000_000
CELLS_OF_A_STRETCH = 1_000_000
LEAST_WIDTH, MOST_WIDTH = 32, 500


class Vocabulary:
    """Ids for folded forms and for their first and last letters, shared by the witnesses of a story."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.affixes: dict[str, int] = {}
        self._known: dict[str, tuple[int, int, int]] = {}

    def of(self, folded: str, shape: Shape) -> tuple[int, int, int]:
        """Ids of the word, of its head and of its tail; -1 where it is too short to have one."""
        known = self._known.get(folded)
        if known is None:
            word = self.words.setdefault(folded, len(self.words))
            head = tail = -1
            if shape is not Shape.PUNCTUATION and len(folded) <= 64:
                letters = "".join(letter for letter in folded if letter.isalnum())
                if len(letters) > 4:
                    head = self.affixes.setdefault("^" + letters[:4], len(self.affixes))
                if len(letters) > 5 or (shape is Shape.NUMBER and len(letters) > 2):
                    tail = self.affixes.setdefault(letters[-4:] + "$", len(self.affixes))
            known = self._known[folded] = (word, head, tail)
        return known


class Row:
    """One witness as arrays, its paragraphs in the order in which they are aligned."""

    def __init__(self, tokens: Tokens, order: Sequence[int], vocabulary: Vocabulary) -> None:
        if list(order) == list(range(len(order))):
            self.indices = np.arange(len(tokens), dtype=np.int32)
        else:
            of_paragraph: list[list[int]] = [[] for _ in tokens.paragraphs]
            for index, place in enumerate(tokens.places):
                of_paragraph[place].append(index)
            self.indices = np.array([index for place in order for index in of_paragraph[place]], dtype=np.int32)
        ids = np.array(
            [vocabulary.of(word, shape) for word, shape in zip(tokens.folds, tokens.shapes, strict=True)], dtype=np.int32
        ).reshape(-1, 3)[self.indices]
        self.words: Ints = np.ascontiguousarray(ids[:, 0])
        self.heads: Ints = np.ascontiguousarray(ids[:, 1])
        self.tails: Ints = np.ascontiguousarray(ids[:, 2])
        marks = np.array([shape is Shape.PUNCTUATION for shape in tokens.shapes], dtype=np.int32)
        self.marks: Ints = marks[self.indices]
        places = np.array(tokens.places, dtype=np.int32)[self.indices]
        self.opens: Ints = np.ones(len(places), dtype=np.int32)
        if len(places) > 1:
            self.opens[1:] = (places[1:] != places[:-1]).astype(np.int32)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Words, heads, tails, marks and openings, as `alignment` takes them."""
        return self.words, self.heads, self.tails, self.marks, self.opens

    def runs(self) -> Runs:
        """Keys of the runs of three words, by their first one, and whether the row has each only once."""
        words = self.words.astype(np.int64)
        keys = (words[:-2] << 42) ^ (words[1:-1] << 21) ^ words[2:]
        _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
        return keys.tolist(), (counts[which] == 1).tolist()


class Profile:
    """The rows aligned so far, and the columns that they stand in."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._columns = _without_entries(0)
        # columns keep a number of their own: those of each row's tokens, and those of all columns in order
        self._numbers: list[Ints] = []
        self._order: Ints = np.zeros(0, dtype=np.int32)
        # where a run of three words was first seen, as row and position; None where a row has it several times
        self._runs: dict[int, tuple[int, int] | None] = {}

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
            profile._keep(row, columns, numbers, row.runs())
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
        runs = row.runs()
        where = self._place(row, runs)
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
        self._keep(row, columns, numbers, runs)

    def _keep(self, row: Row, columns: Columns, numbers: Ints, runs: Runs) -> None:
        for position, (run, once) in enumerate(zip(*runs, strict=True)):
            if not once:
                self._runs[run] = None
            elif run not in self._runs:
                self._runs[run] = (len(self.rows), position)
        self.rows.append(row)
        self._columns = columns
        self._numbers.append(numbers)

    def _places(self) -> Ints:
        """The place of every column by its number."""
        place = np.empty(len(self._order), dtype=np.int32)
        place[self._order] = np.arange(len(self._order), dtype=np.int32)
        return place

    def _place(self, row: Row, runs: Runs) -> Ints:
        pointer, words, heads, tails, marks, counts, opened, present = self._columns
        if len(row) == 0 or len(present) == 0:
            return np.full(len(row), -1, dtype=np.int32)
        opens = (opened / present).astype(np.float32)
        held = (present / len(self.rows)).astype(np.float32)
        low, high = band(len(row), len(present), self._anchors(runs))
        where = alignment.best_path(*row.arrays, pointer, words, heads, tails, marks, counts, opens, held, low, high, SCORES)
        loose: Ints = alignment.loosen(where, row.words, row.heads, row.marks, row.opens, pointer, words, GAP_AT_ISLAND)
        return np.where(_strays(loose, row, pointer, words), -1, loose).astype(np.int32)

    def _anchors(self, runs: Runs) -> list[tuple[int, int]]:
        """Pairs of a position and a column that hold one run of words, in increasing order of both; stray ones left out."""
        place = self._places()
        pairs: list[tuple[int, int]] = []
        for position, (run, once) in enumerate(zip(*runs, strict=True)):
            known = self._runs.get(run) if once else None
            if known is not None:
                pairs.append((position + 1, int(place[self._numbers[known[0]][known[1] + 1]])))
        return _gathered(pairs)


def _without_entries(columns: int) -> Columns:
    whole = np.zeros(0, dtype=np.int32)
    none = np.zeros(columns, dtype=np.int32)
    return (np.zeros(columns + 1, dtype=np.int32), whole, whole, whole, whole, np.zeros(0, dtype=np.float32), none, none)


def _gathered(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain of the pairs, as far as they follow each other closely there and nothing of the kind crosses it.

    Either end of what follows closely is left out: words there may stand beyond the gap as well.
    """
    chain = alignment.increasing(pairs)
    crossed = np.zeros(len(chain) + 1, dtype=np.int64)
    for first, *_, last in _close(sorted(set(pairs).difference(chain))):
        for position, column in (first, last):
            ends = (bisect_left(chain, (position, 0)), bisect_left(chain, column, key=itemgetter(1)))
            crossed[min(ends)] += 1
            crossed[max(ends)] -= 1
    kept = [pair for pair, count in zip(chain, np.cumsum(crossed).tolist(), strict=False) if not count]
    return [pair for group in _close(kept) for pair in group[TRIMMED:-TRIMMED]]


def _close(pairs: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Runs of more than twice TRIMMED pairs that follow each other closely in both members."""
    groups: list[list[tuple[int, int]]] = []
    for position, column in pairs:
        if groups:
            ahead, across = position - groups[-1][-1][0], column - groups[-1][-1][1]
            if ahead <= FARTHEST_ANCHOR and 0 < across <= 2 * ahead + FARTHEST_ANCHOR:
                groups[-1].append((position, column))
                continue
        groups.append([(position, column)])
    return [group for group in groups if len(group) > 2 * TRIMMED]


def band(tokens: int, columns: int, anchors: Sequence[tuple[int, int]]) -> tuple[Ints, Ints]:
    """The fewest and the most columns gone through after each number of tokens, 0 to all, that an alignment is looked for in.

    The anchors are pairs of a token and a column, in increasing order of both.
    """
    tokens_at = np.array([-1, *(position for position, _ in anchors), tokens], dtype=np.int64)
    columns_at = np.array([-1, *(column for _, column in anchors), columns], dtype=np.int64)
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
