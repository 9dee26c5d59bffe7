"""What comes first where copies go on differently after their last common words: the order that needs the likelier cuts."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.tokens import Tokens

# Shorter stretches are readings, not passages.
LEAST_TOKENS = 6

Table = NDArray[np.int32]


def succeeded(table: Table, tokens: Sequence[Tokens]) -> Table:
    """The columns, with passages that no witness has both of in the likelier order.

    After the last words that two groups of witnesses have in common each goes on with passages of its own, and one of them ends
    there: nothing but the way that copies are cut says which passage came first. Editors take out a paragraph, and pages end
    anywhere: so the group with fewer paragraphs left, fewer words where they are equal, was cut off, and the other one lacks
    those in its midst.
    """
    held = np.ascontiguousarray(table.T >= 0)
    parted = _parted(held)
    boundary = 1
    while boundary < len(held):
        if not parted[boundary]:
            boundary += 1
            continue
        first, last = _exclusive(held, boundary)
        if _late(table, tokens, first, boundary, last):
            order = [*range(first), *range(boundary, last), *range(first, boundary), *range(last, table.shape[1])]
            table, held = table[:, order], held[order]
            parted = _parted(held)
            boundary = first + last - boundary
        boundary += 1
    return table


def _parted(held: NDArray[np.bool_]) -> list[bool]:
    """For every column whether no witness has both it and the one before it; `held` has a row for each column."""
    found = np.zeros(len(held), dtype=bool)
    found[1:] = ~(held[:-1] & held[1:]).any(axis=1)
    parted: list[bool] = found.tolist()
    return parted


def _exclusive(held: NDArray[np.bool_], boundary: int) -> tuple[int, int]:
    """The longest stretches before and behind the boundary, as first and last column, that no witness has both of."""
    first, last = boundary - 1, boundary + 1
    before, behind = held[first].copy(), held[boundary].copy()
    growing = True
    while growing:
        growing = False
        if first > 0 and not (held[first - 1] & behind).any():
            first -= 1
            before |= held[first]
            growing = True
        if last < len(held) and not (held[last] & before).any():
            behind |= held[last]
            last += 1
            growing = True
    return first, last


def _late(table: Table, tokens: Sequence[Tokens], first: int, boundary: int, last: int) -> bool:
    """Whether the stretch behind the boundary ends its holders and leaves them less than the one before it."""
    if boundary - first < LEAST_TOKENS or last - boundary < LEAST_TOKENS:
        return False
    before = _openings(table, first, boundary)
    behind = _openings(table, boundary, last)
    ends = not (table[list(behind), last:] >= 0).any()
    opened = all(tokens[w].opens(index) for w, index in (*before.items(), *behind.items()))
    return ends and opened and max(_left(tokens, behind)) < max(_left(tokens, before))


def _openings(table: Table, first: int, last: int) -> dict[int, int]:
    """Witness → its first token in the stretch."""
    held = table[:, first:last] >= 0
    found = np.flatnonzero(held.any(axis=1))
    opening = table[found, first + held[found].argmax(axis=1)]
    return dict(zip(found.tolist(), opening.tolist(), strict=True))


def _left(tokens: Sequence[Tokens], openings: Mapping[int, int]) -> list[tuple[int, int]]:
    """For every witness the paragraphs and the tokens from its token on."""
    return [(len(tokens[w].paragraphs) - tokens[w].places[index], len(tokens[w]) - index) for w, index in openings.items()]
