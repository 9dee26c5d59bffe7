"""Which witnesses descend from one copy: readings and errors that they have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Witnesses that agree on more than this share of the disputed places are one lineage from the start; others become one where
# more than SHARED_ERRORS of the fewer errors are held in common (chance explains about .3 among spinners with one dictionary).
NEAR_DUPLICATES = 0.9
SHARED_ERRORS = 0.6
LEAST_ERRORS = 6.0
LEAST_PLACES = 12
# Two clean copies agree as much as two copies of one spun copy: so many lineages are tried as independent witnesses.
MOST_DISSOLVED = 4
# By the prior alone even a clean witness seems wrong at one place in six: lineages are joined by it only beyond this share.
DOUBTFUL = 0.35

# Products of matrices this small are worked out on one core; larger ones wake threads that wait for each other, which costs
# many times the work where other processes have the cores.
_TILE = 48
_TILE_ROWS = 100


def _product(one: Floats, two: Floats) -> Floats:
    """The first, transposed, times the second."""
    found = np.zeros((one.shape[1], two.shape[1]))
    for top in range(0, one.shape[1], _TILE):
        for left in range(0, two.shape[1], _TILE):
            tile = found[top : top + _TILE, left : left + _TILE]
            for row in range(0, len(one), _TILE_ROWS):
                rows = slice(row, row + _TILE_ROWS)
                tile += one[rows, top : top + _TILE].T @ two[rows, left : left + _TILE]
    return found


# Readings that are compared at a time.
_MOST_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class Common:
    """The readings that two witnesses or more have, and the witnesses that have them."""

    place: Ints
    reading: Ints
    cell: Ints
    """Of each vote the reading, in increasing order, and in `witness` whose vote it is."""
    witness: Ints
    witnesses: int

    def weigh(self, weights: Floats) -> Floats:
        """For every pair of witnesses the sum of the weights of the readings that both have; not for one with itself."""
        roots = np.sqrt(np.maximum(weights, 0.0))
        found = np.zeros((self.witnesses, self.witnesses))
        for first in range(0, len(weights), _MOST_ROWS):
            last = min(len(weights), first + _MOST_ROWS)
            votes = slice(*np.searchsorted(self.cell, (first, last)))
            has = np.zeros((last - first, self.witnesses))
            has[self.cell[votes] - first, self.witness[votes]] = roots[self.cell[votes]]
            found += _product(has, has)
        return found


def readings_in_common(choice: Ints) -> Common:
    """The readings of `choice[u, w]` (that of witness w at place u, or -1) that several witnesses have."""
    place, witness = np.nonzero(choice >= 0)
    readings = int(choice.max(initial=0)) + 1
    keys, cell, size = np.unique(place * readings + choice[place, witness], return_inverse=True, return_counts=True)
    several = size > 1
    number = np.cumsum(several) - 1
    kept = several[cell]
    cell, witness = number[cell[kept]], witness[kept]
    order = np.argsort(cell, kind="stable")
    return Common(
        place=keys[several] // readings,
        reading=keys[several] % readings,
        cell=cell[order],
        witness=witness[order],
        witnesses=choice.shape[1],
    )


def near_duplicates(choice: Ints, common: Common, alone: Sequence[int]) -> tuple[int, ...]:
    """The lineage of every witness, those of `alone` united where two witnesses have the same at nearly every place."""
    same = common.weigh(np.ones(len(common.place)))
    held = (choice >= 0).astype(np.float64)
    compared = _product(held, held)
    groups = list(alone)
    for one, two in np.argwhere((compared >= LEAST_PLACES) & (same > NEAR_DUPLICATES * compared)).tolist():
        unite(groups, one, two)
    return _numbered(groups)


def joined(choice: Ints, lineages: Sequence[int], posterior: Floats, doubtful: float, common: Common) -> tuple[int, ...]:
    """The lineages, those joined that share their errors and are wrong at more than a share `doubtful` of the places."""
    shared, errors = _shared_errors(choice, posterior, common)
    fewer = np.minimum(errors, errors.T)
    both = (choice >= 0).astype(float)
    compared = _product(both, both)
    kin = (fewer >= np.maximum(LEAST_ERRORS, doubtful * compared)) & (shared > SHARED_ERRORS * fewer)
    groups = list(lineages)
    for one, two in np.argwhere(np.triu(kin, 1)).tolist():
        unite(groups, one, two)
    return _numbered(groups)


def dissolved(lineages: Sequence[int], alone: Sequence[int]) -> list[tuple[int, ...]]:
    """The lineages with one of them at a time, the largest first, as witnesses that have nothing but the original in common."""
    sizes = Counter(lineages)
    families = sorted((lineage for lineage in sizes if sizes[lineage] > 1), key=lambda lineage: (-sizes[lineage], lineage))
    first = max(lineages) + 1
    return [
        _numbered([first + own if lineage == family else lineage for lineage, own in zip(lineages, alone, strict=True)])
        for family in families[:MOST_DISSOLVED]
    ]


def shared_errors(choice: Ints, posterior: Floats) -> tuple[Floats, Floats]:
    """For every pair of witnesses the errors that they have in common, and those of the first where the second has a vote.

    The diagonal of the one is not filled.
    """
    return _shared_errors(choice, posterior, readings_in_common(choice))


def _shared_errors(choice: Ints, posterior: Floats, common: Common) -> tuple[Floats, Floats]:
    held = choice >= 0
    wrong = np.where(held, 1 - np.take_along_axis(posterior, np.maximum(choice, 0), axis=1), 0.0)
    mine = _product(wrong, held.astype(np.float64))
    return common.weigh(1 - posterior[common.place, common.reading]), mine


def unite(groups: list[int], one: int, two: int) -> None:
    """Make one group of those of two members, in place: the smaller number stays."""
    keep, gone = sorted((groups[one], groups[two]))
    if keep != gone:
        for at, group in enumerate(groups):
            if group == gone:
                groups[at] = keep


def _numbered(groups: Sequence[int]) -> tuple[int, ...]:
    names: dict[int, int] = {}
    return tuple(names.setdefault(group, len(names)) for group in groups)
