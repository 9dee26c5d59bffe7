"""Two texts laid against each other: which of their words stand where a common origin would put them.

A dot lies wherever the texts hold the same word. A copy draws diagonals, however many of its words were replaced, and a moved
paragraph draws its diagonal elsewhere; strangers scatter. A dot weighs what it tells beyond chance, and counts only in a
dense diagonal neighbourhood. (The dot plot is Gibbs and McIntyre's, 1970; the weights and neighbourhoods are ours.)
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Weights = NDArray[np.float64]
Marks = NDArray[np.bool_]

_STEP, _DRIFT = 8, 4
"""Size of a cell: words along the text, diagonals across it."""
_NEAR, _FAR = (1, 1), (4, 2)
"""Cells around a dot that make its near neighbourhood (24 words, 12 diagonals) and its far one (72 words, 20 diagonals)."""
_NEAR_BITS, _FAR_BITS = 18.0, 60.0
"""What the neighbourhoods of a dot must weigh. Fitted: 98 of 100 pairs of strangers have no such dot."""
_BRIDGE = 12
"""Words between two counted dots that are taken to be replaced, not foreign."""
_CHANCES = 12.0
"""Places in a near neighbourhood where a word may find its like by chance; a word that common tells nothing."""
_BACKGROUND = 600.0
"""Words of text that the commonness of a word is judged by at least, so that a short text's words are not all common."""
_MOST_DOTS = 600_000
_MOST_DIAGONALS = 24
_OPEN_DIAGONALS = 4
_STRAY = 2


@dataclass(frozen=True, slots=True)
class DotPlot:
    """What two texts have in common, place by place."""

    held: tuple[Marks, Marks]
    """For each text, the words that find their like in the right place."""
    covered: tuple[Marks, Marks]
    """For each text, the words in stretches that the other has too, replaced words among them."""
    strength: float
    """Bits of the heaviest far neighbourhood."""
    order: float
    """Share of the counted words that stand in one order in both texts, 0 to 1; moved passages lower it."""
    flow: float
    """Share of the counted words whose next one follows closely in the other text too, 0 to 1; scattered likeness lowers it."""
    longest_run: int
    """Words of the longest stretch without a difference."""
    line: tuple[Numbers, Numbers]
    """The counted words of the first text, ascending, and where the best supported like of each stands in the second."""


def plot_dots(first: Sequence[str], second: Sequence[str]) -> DotPlot:
    """The dot plot of two texts given as folded words."""
    x, y, bits = _number(first, second)
    i, j, weights = _list_dots(x, y, bits)
    near, far = _weigh_neighbourhoods(i, j, weights, len(x), len(y))
    counted = (near >= _NEAR_BITS) & (far >= _FAR_BITS)
    i, j, far = i[counted], j[counted], far[counted]
    held = (_mark(i, len(x)), _mark(j, len(y)))
    line = _list_best(i, j, far)
    return DotPlot(
        held=held,
        covered=(_bridge(held[0]), _bridge(held[1])),
        strength=float(far.max(initial=0.0)),
        order=_measure_order(line[1].tolist()),
        flow=_measure_flow(line[1].tolist()),
        longest_run=_measure_run(x, y, i, j),
        line=line,
    )


def list_diagonals(plot: DotPlot) -> list[list[tuple[int, int]]]:
    """The passages that two texts have in common: for each its equal words, as places in the first text and in the second.

    In the order of the first text; two of them may interlock by a few words. A word continues the latest of the last few
    diagonals that it lies close behind; strays of one or two words are left out.
    """
    diagonals: list[list[tuple[int, int]]] = []
    for place, other in zip(*(places.tolist() for places in plot.line), strict=True):
        for diagonal in reversed(diagonals[-_OPEN_DIAGONALS:]):
            last, last_other = diagonal[-1]
            if 0 < place - last <= _BRIDGE + 1 and 0 < other - last_other <= 2 * _BRIDGE:
                diagonal.append((place, other))
                break
        else:
            diagonals.append([(place, other)])
    return [diagonal for diagonal in diagonals if len(diagonal) > _STRAY]


def _number(first: Sequence[str], second: Sequence[str]) -> tuple[Numbers, Numbers, Weights]:
    ids: dict[str, int] = {}
    x = np.array([ids.setdefault(key, len(ids)) for key in first], dtype=np.int64)
    y = np.array([ids.setdefault(key, len(ids)) for key in second], dtype=np.int64)
    counts = np.bincount(np.concatenate((x, y)), minlength=len(ids))
    bits = np.log2(max(len(x) + len(y), _BACKGROUND) / np.maximum(counts, 1) / _CHANCES)
    return x, y, np.maximum(bits, 0.0)


def _list_dots(x: Numbers, y: Numbers, bits: Weights) -> tuple[Numbers, Numbers, Weights]:
    in_x, in_y = np.bincount(x, minlength=len(bits)), np.bincount(y, minlength=len(bits))
    dots = in_x * in_y
    # The words with most dots tell least: they are the ones to leave out of a text made to be costly.
    by_dots = np.argsort(dots, kind="stable")
    kept = np.zeros(len(bits), dtype=np.bool_)
    kept[by_dots[: np.searchsorted(np.cumsum(dots[by_dots]), _MOST_DOTS, side="right")]] = True
    kept &= bits > 0
    places = np.flatnonzero(kept[x])
    words = x[places]
    repeats = in_y[words]
    starts = np.cumsum(in_y) - in_y
    offsets = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    j = np.argsort(y, kind="stable")[np.repeat(starts[words], repeats) + offsets]
    return np.repeat(places, repeats), j, np.repeat(bits[words], repeats)


def _weigh_neighbourhoods(i: Numbers, j: Numbers, weights: Weights, rows: int, columns: int) -> tuple[Weights, Weights]:
    down, across = rows // _STEP + 1, (rows + columns) // _DRIFT + 1
    cell_row, cell_column = i // _STEP, (j - i + rows) // _DRIFT
    cells = np.bincount(cell_row * across + cell_column, weights=weights, minlength=down * across)
    sums = np.zeros((down + 1, across + 1))
    sums[1:, 1:] = cells.reshape(down, across).cumsum(0).cumsum(1)

    def weigh(height: int, width: int) -> Weights:
        top, bottom = np.maximum(cell_row - height, 0), np.minimum(cell_row + height + 1, down)
        left, right = np.maximum(cell_column - width, 0), np.minimum(cell_column + width + 1, across)
        total: Weights = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return total

    return weigh(*_NEAR), weigh(*_FAR)


def _mark(places: Numbers, length: int) -> Marks:
    marks = np.zeros(length, dtype=np.bool_)
    marks[places] = True
    return marks


def _bridge(held: Marks) -> Marks:
    places = np.flatnonzero(held)
    covered = held.copy()
    for at in np.flatnonzero(np.diff(places) <= _BRIDGE + 1):
        covered[places[at] : places[at + 1]] = True
    return covered


def _list_best(i: Numbers, j: Numbers, support: Weights) -> tuple[Numbers, Numbers]:
    """The counted words of the first text, in its order, and the best supported place of each in the second."""
    best = np.lexsort((-support, i))
    places, firsts = np.unique(i[best], return_index=True)
    return places, j[best][firsts]


def _measure_order(line: list[int]) -> float:
    tails: list[int] = []
    for place in line:
        at = bisect_right(tails, place)
        tails[at : at + 1] = [place]
    return len(tails) / max(1, len(line))


def _measure_flow(line: list[int]) -> float:
    follows = sum(1 for place, after in pairwise(line) if 0 < after - place <= 2 * _BRIDGE)
    return follows / max(1, len(line) - 1)


def _measure_run(x: Numbers, y: Numbers, i: Numbers, j: Numbers) -> int:
    diagonals, counts = np.unique(j - i, return_counts=True)
    longest = 0
    for diagonal in diagonals[np.argsort(-counts, kind="stable")][:_MOST_DIAGONALS].tolist():
        start, end = max(0, -diagonal), min(len(x), len(y) - diagonal)
        breaks = np.flatnonzero(x[start:end] != y[start + diagonal : end + diagonal])
        edges = np.concatenate(([-1], breaks, [end - start]))
        longest = max(longest, int(np.diff(edges).max()) - 1)
    return longest
