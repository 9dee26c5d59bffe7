"""Where witnesses do not align locally: rewriters and translators move clauses, spinners and newsrooms do not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Block, Collation, State
from pipeline.philology.recovered import Kind, Recovery, Stranger
from pipeline.philology.tabulation import Numbering, tabulated
from pipeline.philology.tokens import Shape, fold, shape_of

Ints = NDArray[np.int32]
Marks = NDArray[np.bool_]

# Tokens that spinners leave alone: punctuation, numbers, names, and words of so many letters.
SHORT = 3
# A stretch is loose where, among this many firm tokens, fewer than this share of those that could agree do.
WINDOW = 25
AGREEING = 0.6
# Fewer firm tokens that could agree say nothing.
LEAST_COMPARED = 4
# A witness with more than this share of its firm tokens in loose stretches beside the base is worded anew, one with more than
# the second share is another text on the same matter.
MIXED = 0.05
OTHER = 0.08
# Of two witnesses neither is the base: they are weighed word by word.
LEAST_WITNESSES = 3
# Beyond this share it does not belong to the story.
STRANGE = 0.3
# Witnesses beyond this number are compared with a sample of the others.
MOST_COMPARED = 12


WHY = "another text on the same matter"


def firm_table(collation: Collation) -> Ints:
    """A number for every firm token by its folded form, shape (witnesses, columns); -1 for gaps and other tokens."""
    numbers = Numbering()
    return tabulated(collation, lambda text: numbers.of(fold(text)) if _firm(text) else -1)


def _firm(text: str) -> bool:
    return shape_of(text) is not Shape.WORD or len(text) <= SHORT or text[0].isupper()


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two witnesses beside each other, by the columns in which either has a firm token."""

    columns: NDArray[np.intp]
    loose: Marks
    tight: Marks
    shares: tuple[float, float]
    """For each of the two the share of its firm tokens that could agree which stand in loose stretches."""

    def spread(self, marks: Marks, width: int) -> Marks:
        """The columns, of all, that the marked stretches span."""
        found = np.zeros(width, dtype=bool)
        for first, last in _runs(marks):
            found[self.columns[first] : self.columns[last - 1] + 1] = True
        return found


def align(one: Ints, two: Ints) -> Alignment:
    """How two witnesses, rows of `firm_table`, stand to each other between the first and the last place that both span.

    What only one has there is put in or left out, not loose.
    """
    ends = [np.flatnonzero(row >= 0)[[0, -1]] if (row >= 0).any() else np.array([0, -1]) for row in (one, two)]
    first, last = max(end[0] for end in ends), min(end[1] for end in ends)
    columns = np.flatnonzero((one >= 0) | (two >= 0))
    columns = columns[(columns >= first) & (columns <= last)]
    a, b = one[columns], two[columns]
    if len(columns) < WINDOW:
        return Alignment(columns, np.zeros(len(columns), dtype=bool), np.ones(len(columns), dtype=bool), (0.0, 0.0))
    same = a == b
    agreeing, *alone = _within_window(np.stack([same, (a >= 0) & ~same, (b >= 0) & ~same]))
    apart = np.minimum(*alone)
    compared = agreeing + apart
    telling = compared >= LEAST_COMPARED
    loose = telling & (agreeing < AGREEING * compared)
    tight = (agreeing >= LEAST_COMPARED) & ~loose
    held = [(row >= 0) & telling for row in (a, b)]
    first, second = (float((loose & row).sum() / max(1, row.sum())) for row in held)
    return Alignment(columns, loose, tight, (first, second))


def _within_window(marks: Marks) -> NDArray[np.int64]:
    """How many of the marks of a row stand within the window around each place; the window is an odd number of places."""
    size = marks.shape[1]
    before = np.zeros((len(marks), size + WINDOW), dtype=np.int64)
    half = WINDOW // 2
    np.cumsum(marks, axis=1, out=before[:, half + 1 : half + 1 + size])
    before[:, half + 1 + size :] = before[:, half + size, None]
    return before[:, WINDOW:] - before[:, :size]


def _runs(marks: Marks) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def base_of(table: Ints) -> int:
    """The witness with which the others align best; of two alike the one with more firm tokens."""
    count = len(table)
    sample = range(0, count, max(1, count // MOST_COMPARED))
    loose = np.zeros((count, len(sample)))
    column = {other: at for at, other in enumerate(sample)}
    for at, other in enumerate(sample):
        for w in range(count):
            if w < other and w in column:
                loose[w, at] = loose[other, column[w]]
            elif w != other:
                loose[w, at] = sum(align(table[w], table[other]).shares)
    sizes = (table >= 0).sum(axis=1)
    return min(range(count), key=lambda w: (round(float(loose[w].mean()), 3), -int(sizes[w]), w))


def anchored(collation: Collation) -> tuple[Collation, list[float]]:
    """The collation without a say for witnesses where they do not align with the base, and each one's share of such stretches.

    A witness of another text on the same matter has a say nowhere but where it aligns, and adds nothing within the base.
    """
    table = firm_table(collation)
    shares = [0.0] * len(table)
    if len(table) < LEAST_WITNESSES:
        return collation, shares
    base = base_of(table)
    muted = np.zeros(table.shape, dtype=bool)
    held = np.flatnonzero(collation.table.indices[base] >= 0)
    lacking = np.zeros(collation.width, dtype=bool)
    if len(held):
        lacking[held[0] : held[-1]] = True
        lacking[held] = False
    for w in range(len(table)):
        beside = align(table[w], table[base])
        if w != base and beside.shares[0] > MIXED:
            shares[w] = beside.shares[0]
            loose, tight = (beside.spread(marks, collation.width) for marks in (beside.loose, beside.tight))
            muted[w] = ~tight | loose | lacking if shares[w] > OTHER else loose
    return (with_muted(collation, muted) if muted.any() else collation), shares


def named(recovery: Recovery, shares: Sequence[float]) -> Recovery:
    """The recovery with what is said of the witnesses that do not align: how much of each, and who does not belong."""
    rows = []
    strange = []
    for row, share in zip(recovery.witnesses, shares, strict=True):
        evidence = f"{share:.0%} of it does not align with the base copy"
        if share > STRANGE:
            strange.append(Stranger(row.source, WHY))
            rows.append(replace(row, kind=Kind.OTHER, loose=share, evidence=evidence))
        elif share > OTHER:
            rows.append(replace(row, kind=Kind.REWRITTEN, loose=share, evidence=evidence))
        else:
            rows.append(replace(row, loose=share))
    return replace(recovery, witnesses=tuple(rows), strangers=(*recovery.strangers, *strange))


def with_muted(collation: Collation, muted: Marks) -> Collation:
    """The collation with the blocks cut where a witness loses or gets its say; `muted` has shape (witnesses, columns).

    Who words anew leaves out as it likes: what such a witness lacks between its own words speaks against nothing.
    """
    anew: Marks = np.any(muted, axis=1)
    found: list[Block] = []
    changes = np.ones(collation.width, dtype=bool)
    changes[1:] = (muted[:, 1:] != muted[:, :-1]).any(axis=0)
    for block in collation.blocks:
        cuts = [block.first, *(int(c) for c in np.flatnonzero(changes) if block.first < c < block.last), block.last]
        for first, last in pairwise(cuts):
            states = _states(block.states, muted[:, first], anew)
            found.append(Block(first, last, states))
    return Collation(collation.witnesses, collation.sigla, collation.columns, tuple(found), collation.tokens)


def _states(states: Sequence[str], muted: Marks, anew: Marks) -> str:
    return "".join(
        State.LOOSE if (mute and state in (State.PRESENT, State.MOVED)) or (new and state == State.MISSING) else state
        for state, mute, new in zip(states, muted.tolist(), anew.tolist(), strict=True)
    )
