"""A collation as tables of numbers: what each witness has in each column, compared by whole arrays."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.tokens import Tokens

if TYPE_CHECKING:
    from pipeline.philology.collation import Collation

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a collation; both arrays have shape (witnesses, columns), and -1 for gaps."""

    indices: Ints
    """Index of every witness's token in every column."""
    numbers: Ints
    """The number, in `forms`, of that token as it is printed."""
    forms: tuple[str, ...]


def tabulate(columns: Sequence[Sequence[int]], tokens: Sequence[Tokens]) -> Table:
    """The table of a collation's columns, which hold the indices of the witnesses' tokens."""
    width = len(columns[0]) if columns else 0
    indices = np.array(columns, dtype=np.int32).reshape(len(tokens), width)
    numbers = np.full(indices.shape, -1, dtype=np.int32)
    forms = Numbering()
    for line, own, row in zip(numbers, indices, tokens, strict=True):
        held = own >= 0
        line[held] = forms.of_all(row.texts)[own[held]]
    return Table(indices, numbers, tuple(forms.names))


def tabulated(collation: "Collation", number: Callable[[str], int]) -> Ints:
    """The number of every witness's token in every column, shape (witnesses, columns); -1 for gaps.

    `number` is asked once for each printed form: it tells what a token is worth, by its text alone.
    """
    worth = np.array([*map(number, collation.table.forms), -1], dtype=np.int32)
    return worth[collation.table.numbers]


class Numbering:
    """A number for every name, from 0 in the order in which they come; `names[number]` gives the name back."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)

    @property
    def names(self) -> list[str]:
        """The names in the order of their numbers."""
        return list(self._numbers)

    def of(self, name: str) -> int:
        """The number of the name."""
        return self._numbers[name]

    def of_all(self, names: Collection[str]) -> Ints:
        """The number of each of the names."""
        return np.fromiter(map(self._numbers.__getitem__, names), dtype=np.int32, count=len(names))

    def known(self, name: str) -> int:
        """The number of the name, -1 where it has none."""
        return self._numbers.get(name, -1)
