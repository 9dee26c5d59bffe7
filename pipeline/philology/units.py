"""Variation units: stretches of columns where the witnesses differ, with whole attested readings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Collation, State
from pipeline.philology.tokens import unspaced

# A unit of more columns than this is read column by column: longer ones are passages, not readings.
MOST_COLUMNS = 7

ABSENT = -1
_CUT_MARKS = frozenset({"...", "....", "…", "[...]", "[…]"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One attested reading: its tokens, and the columns they stand in."""

    texts: tuple[str, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Columns first … last - 1 of the collation, with what stands there.

    `choice[w]` is the index in `candidates` of the reading of witness w, or ABSENT where it has no vote. One candidate: all
    agree.
    """

    first: int
    last: int
    candidates: tuple[Candidate, ...]
    choice: tuple[int, ...]

    @property
    def disputed(self) -> bool:
        """Whether the witnesses differ."""
        return len(self.candidates) > 1


Ints = NDArray[np.int32]
Cell = str | None
"""What a witness has in a column: its token, "" where nothing stands there, None where it has no vote."""


# What stands for no vote among the numbers of a collation's table, beside -1 for nothing.
_VOTELESS = -2


def places_of(collation: Collation) -> list[Place]:
    """The places of a collation's blocks, in order."""
    cells = _cells(collation)
    return [place for block in collation.blocks for place in _places(cells, block.first, block.last)]


def _cells(collation: Collation) -> list[list[Cell]]:
    """For every column what every witness has there: rows are columns, in order."""
    table = collation.table
    cells = table.numbers.copy()
    if not collation.blocks:
        return [[] for _ in range(collation.width)]
    letters = np.array([list(block.states) for block in collation.blocks])
    silent = np.isin(letters, (State.MISSING, State.OUTSIDE, State.LOOSE))
    cells[np.repeat(silent, [block.last - block.first for block in collation.blocks], axis=0).T] = _VOTELESS
    _forget_cut_marks(cells, silent, collation)
    printed = np.array([*table.forms, None, ""], dtype=object)
    found: list[list[Cell]] = printed[cells.T].tolist()
    return found


def _forget_cut_marks(cells: Ints, silent: NDArray[np.bool_], collation: Collation) -> None:
    # "…" where a witness breaks off is its editor's mark, no reading
    block, witness = np.nonzero(silent[1:] & ~silent[:-1])
    ends = np.array([one.last for one in collation.blocks])[block]
    standing = np.maximum.accumulate(np.where(cells != -1, np.arange(cells.shape[1]), -1), axis=1)[witness, ends - 1]
    marks = np.array([*(text in _CUT_MARKS for text in collation.table.forms), False, False])
    cut = (standing >= 0) & marks[cells[witness, standing]]
    cells[witness[cut], standing[cut]] = _VOTELESS


def _places(cells: Sequence[Sequence[Cell]], first: int, last: int) -> list[Place]:
    """The columns first … last - 1 as places: single columns, or neighbours joined where a substitution spans them."""
    found: list[Place] = []
    agreed = [_agreed(cells[column]) for column in range(first, last)]
    leading = [cells[column][0] if agreed[column - first] else _leading(cells[column]) for column in range(first, last)]
    column = first
    while column < last:
        text = cells[column][0]
        if agreed[column - first] and text is not None:
            found.append(Place(column, column + 1, (_alone(text, column),), _unanimous(len(cells[column]))))
            column += 1
            continue
        end = column + 1
        # where all have the same nothing joins a column to its neighbour
        while (
            end < last
            and end - column < MOST_COLUMNS
            and not (agreed[end - 1 - first] or agreed[end - first])
            and _belong(cells, leading, end - 1, first)
        ):
            end += 1
        found.append(_place(cells, column, end))
        column = end
    return found


def _alone(text: str, column: int) -> Candidate:
    return Candidate((text,), (column,)) if text else Candidate((), ())


def _agreed(cell: Sequence[Cell]) -> bool:
    return cell.count(cell[0]) == len(cell)


def _leading(cell: Sequence[Cell]) -> Cell:
    counts = Counter(cell)
    del counts[None]
    if len(counts) < 2:
        return next(iter(counts), None)
    return min(counts, key=lambda text: (-counts[text], not text, text))


def _belong(cells: Sequence[Sequence[Cell]], leading: Sequence[Cell], left: int, first: int) -> bool:
    one, two = leading[left - first], leading[left + 1 - first]
    for a, b in set(zip(cells[left], cells[left + 1], strict=True)):
        if a is None or b is None or a == one or b == two:
            continue
        if "" in (a, b, one, two) or (unspaced(a) and unspaced(b)):
            return True
    return False


def _place(cells: Sequence[Sequence[Cell]], first: int, last: int) -> Place:
    rows = list(zip(*cells[first:last], strict=True))
    readings: dict[tuple[str, ...], Candidate] = {}
    texts_of: dict[tuple[Cell, ...], tuple[str, ...]] = {}
    # witnesses repeat each other: each row of cells is read once, in the order of the first that has it
    for row in dict.fromkeys(rows):
        if None not in row:
            held = [(text, column) for column, text in enumerate(row, first) if text]
            texts = texts_of[row] = tuple(text for text, _ in held)
            readings.setdefault(texts, Candidate(texts, tuple(column for _, column in held)))
    order = sorted(readings)
    number = {texts: at for at, texts in enumerate(order)}
    choices = {row: number[texts] for row, texts in texts_of.items()}
    return Place(
        first=first,
        last=last,
        candidates=tuple(readings[texts] for texts in order),
        choice=tuple([choices.get(row, ABSENT) for row in rows]),
    )


@cache
def _unanimous(witnesses: int) -> tuple[int, ...]:
    return (0,) * witnesses
