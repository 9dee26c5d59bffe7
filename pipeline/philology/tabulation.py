"""A collation as tables of numbers: what each witness has in each column, compared by whole arrays."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Collation

Ints = NDArray[np.int32]


def columns_of(collation: Collation) -> Ints:
    """Index of every witness's token in every column, shape (witnesses, columns); -1 for gaps."""
    return np.array(collation.columns, dtype=np.int32).reshape(len(collation.sigla), collation.width)


def tabulated(collation: Collation, number: Callable[[str], int]) -> Ints:
    """The number of every witness's token in every column, shape (witnesses, columns); -1 for gaps.

    `number` is asked once for each printed form: it tells what a token is worth, by its text alone.
    """
    known: dict[str, int] = {}
    table = columns_of(collation)
    for line, tokens in zip(table, collation.tokens, strict=True):
        for text in dict.fromkeys(tokens.texts):
            if text not in known:
                known[text] = number(text)
        if tokens.texts:
            own = np.fromiter(map(known.__getitem__, tokens.texts), dtype=np.int32, count=len(tokens.texts))
            line[:] = np.where(line >= 0, own[line], -1)
    return table


class Numbering:
    """A number for every name, from 0 in the order in which they come; `names[number]` gives the name back."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The number of the name."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        return number

    def known(self, name: str) -> int:
        """The number of the name, -1 where it has none."""
        return self._numbers.get(name, -1)
