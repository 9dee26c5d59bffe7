"""Progressive alignment of token rows to one table of columns, in native code."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.philology import alignment
from pipeline.philology.tokens import Shape, Tokens

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Entries = tuple[Ints, Ints, Ints, Ints, Ints, Floats, Floats, Floats]

# In the order of the names in `alignment`. A word against another word costs less than two gaps up to about eight words in a
# row (spinners replace), more beyond (promotion lines do not stand for text); a word hardly ever stands against punctuation.
SCORES = np.array([1.0, 0.6, 0.35, -0.12, -0.22, -1.6, -0.9, -0.08, -0.5, 0.4, -0.3], dtype=np.float32)

# Gaps longer than this make an island of what is aligned between them.
GAP_AT_ISLAND = 5

# A row of which fewer tokens fit than this share of it (or of the columns, where they are fewer), and never so many in a row,
# does not overlap with the others: copies of one passage have two fifths in common, and runs of five.
LEAST_FITTING = 0.2
LEAST_RUN = 5

# Beyond this many cells (bytes of traceback) a pair is cut at anchors, or where none are found, in proportion.
MOST_CELLS = 24_000_000
CELLS_OF_A_PIECE = 1_000_000


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


class Profile:
    """The rows aligned so far: `table[r, c]` is the position in row r that stands in column c, or -1."""

    def __init__(self, row: Row) -> None:
        self.rows = [row]
        self.table: Ints = np.arange(len(row), dtype=np.int32).reshape(1, -1)

    def add(self, row: Row) -> None:
        """Align one more row to the columns; its tokens that fit none open columns of their own."""
        where = self._place(row)
        self.table = alignment.widen(self.table, where)
        self.rows.append(row)

    def take_out(self, which: int) -> Row:
        """Remove a row and the columns that only it had."""
        row = self.rows.pop(which)
        table = np.delete(self.table, which, axis=0)
        self.table = np.ascontiguousarray(table[:, (table >= 0).any(axis=0)])
        return row

    def _place(self, row: Row) -> Ints:
        columns = self.table.shape[1]
        if len(row) == 0 or columns == 0:
            return np.full(len(row), -1, dtype=np.int32)
        entries = self._entries()
        if len(row) * columns <= MOST_CELLS:
            where = self._place_piece(row, 0, len(row), entries, 0, columns)
        else:
            where = self._place_long(row, entries)
        loose: Ints = alignment.loosen(where, row.words, row.heads, row.marks, entries[0], entries[1], GAP_AT_ISLAND)
        return np.full(len(row), -1, dtype=np.int32) if _by_chance(loose, row.words, entries) else loose

    def _entries(self) -> Entries:
        stacked = [
            np.concatenate([getattr(row, name) for row in self.rows]) for name in ("words", "heads", "tails", "marks", "opens")
        ]
        offsets = np.cumsum([0, *(len(row) for row in self.rows)])[:-1].astype(np.int64)
        return alignment.summarize(self.table, offsets, *stacked)

    def _place_piece(self, row: Row, first: int, last: int, entries: Entries, left: int, right: int) -> Ints:
        pointer, words, heads, tails, marks, counts, opens, held = entries
        cut = slice(first, last)
        scores = alignment.match_scores(
            row.words[cut], row.heads[cut], row.tails[cut], row.marks[cut], row.opens[cut],
            pointer[left : right + 1], words, heads, tails, marks, counts, opens[left:right], SCORES,
        )  # fmt: skip
        where: Ints = alignment.best_path(scores, row.opens[cut], opens[left:right], held[left:right], SCORES)
        where[where >= 0] += left
        return where

    def _place_long(self, row: Row, entries: Entries) -> Ints:
        pointer, words = entries[0], entries[1]
        consensus = words[pointer[:-1]]
        where = np.full(len(row), -1, dtype=np.int32)
        before, column_before = 0, 0
        for position, column in [*_anchors(row.words, consensus), (len(row), len(consensus))]:
            where[before:position] = self._place_stretch(row, before, position, entries, column_before, column)
            if position < len(row):
                where[position] = column
            before, column_before = position + 1, column + 1
        return where

    def _place_stretch(self, row: Row, first: int, last: int, entries: Entries, left: int, right: int) -> Ints:
        n, m = last - first, right - left
        if n == 0 or m == 0:
            return np.full(n, -1, dtype=np.int32)
        if n * m <= CELLS_OF_A_PIECE:
            return self._place_piece(row, first, last, entries, left, right)
        pieces = int(np.ceil(np.sqrt(n * m / CELLS_OF_A_PIECE)))
        cuts = np.linspace(first, last, pieces + 1).astype(int)
        column_cuts = np.linspace(left, right, pieces + 1).astype(int)
        parts: list[Ints] = []
        for piece in range(pieces):
            a, b, c, d = cuts[piece], cuts[piece + 1], column_cuts[piece], column_cuts[piece + 1]
            small = (b - a) * (d - c) <= 4 * CELLS_OF_A_PIECE and d > c
            parts.append(self._place_piece(row, a, b, entries, c, d) if small else np.full(b - a, -1, dtype=np.int32))
        return np.concatenate(parts)


def _by_chance(where: Ints, words: Ints, entries: Entries) -> bool:
    """Whether the row stands where it does by chance: few of its words fit, and nowhere several in a row.

    Parts of one article that do not overlap share names and common words, which line up here and there.
    """
    pointer, column_words = entries[0], entries[1]
    smaller = min(len(words), len(pointer) - 1)
    held = np.flatnonzero(where >= 0)
    if (column_words[pointer[where[held]]] == words[held]).sum() >= LEAST_FITTING * smaller:
        return False
    same = np.zeros(len(words) + 1, dtype=bool)
    for at in held.tolist():
        same[at] = words[at] in column_words[pointer[where[at]] : pointer[where[at] + 1]]
    longest = int(np.diff(np.flatnonzero(~same), prepend=-1).max()) - 1
    return same.sum() < LEAST_FITTING * smaller and longest < LEAST_RUN


def _anchors(words: Ints, columns: Ints) -> list[tuple[int, int]]:
    """Pairs of positions with the same three words in a row, found once on either side, in increasing order of both."""

    def once(ids: Sequence[int]) -> dict[tuple[int, ...], int]:
        seen: dict[tuple[int, ...], int] = {}
        for position in range(len(ids) - 2):
            key = tuple(ids[position : position + 3])
            seen[key] = -1 if key in seen else position
        return seen

    ours, theirs = once(words.tolist()), once(columns.tolist())
    pairs = [(at, theirs[key]) for key, at in ours.items() if at >= 0 and theirs.get(key, -1) >= 0]
    return alignment.increasing(pairs)
