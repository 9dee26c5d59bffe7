"""Passages that some witnesses hold and others lack: a gap of a passage is no vote."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.native import native
from pipeline.philology.tokens import Tokens

Ints = NDArray[np.int32]
States = NDArray[np.int8]

PRESENT, MOVED, MISSING, OUTSIDE = range(4)
LETTERS = "pmxo"

# A gap where another witness has this many tokens says that the witness lacks the passage (recovery.md, step 3).
LEAST_GAP = 6
# A dateline has up to this many tokens: place, date, agency, brackets, dash.
LONGEST_DATELINE = 14


@native(lambda *args: args[0].size)
def _mark_gaps(  # noqa: C901, PLR0912  (compiled: calls cost more than they clear)
    columns: Ints, opens: States, closes: States, dashes: States
) -> States:
    k, m = columns.shape
    states = np.zeros((k, m), dtype=np.int8)
    for w in range(k):
        begin = 0
        while begin < m:
            if columns[w, begin] >= 0:
                begin += 1
                continue
            end = begin
            while end < m and columns[w, end] < 0:
                end += 1
            outside = begin == 0 or end == m
            lacking = False
            for v in range(k):
                if v == w:
                    continue
                count = 0
                whole = False
                opened = False
                for c in range(begin, end):
                    if columns[v, c] < 0:
                        continue
                    count += 1
                    if opens[v, c]:
                        opened = True
                    if opened and (closes[v, c] or (dashes[v, c] and count <= LONGEST_DATELINE)):
                        whole = True
                if count >= LEAST_GAP or whole:
                    lacking = True
                    break
            if lacking:
                for c in range(begin, end):
                    states[w, c] = 3 if outside else 2
            begin = end
    return states


def states_of(table: Ints, tokens: Sequence[Tokens]) -> States:
    """State of every witness in every column: missing or outside where it lacks a passage that another has.

    A passage is six tokens or more, a whole paragraph, or the opening of a paragraph up to a dash (a dateline).
    """
    opens = _openings(table, tokens)
    closes = np.zeros(table.shape, dtype=np.int8)
    dashes = np.zeros(table.shape, dtype=np.int8)
    for w, row in enumerate(tokens):
        if not len(row):
            continue
        closing = np.diff(np.array(row.places, dtype=np.int32), append=-1) != 0
        dash = np.array([folded in {"-", "--"} for folded in row.folds], dtype=np.int8)
        held = table[w] >= 0
        closes[w, held] = closing[table[w, held]]
        dashes[w, held] = dash[table[w, held]]
    states: States = _mark_gaps(table, opens, closes, dashes)
    for w in range(table.shape[0]):
        _mark_moved(table[w], states[w], tokens[w])
    return states


def _openings(table: Ints, tokens: Sequence[Tokens]) -> States:
    """1 where a witness's token is the first of its paragraph."""
    opens = np.zeros(table.shape, dtype=np.int8)
    for w, row in enumerate(tokens):
        held = table[w] >= 0
        opening = np.diff(np.array(row.places, dtype=np.int32), prepend=-1) != 0
        opens[w, held] = opening[table[w, held]]
    return opens


def _mark_moved(line: Ints, states: States, tokens: Tokens) -> None:
    held = np.flatnonzero(line >= 0)
    if len(held) < 2 or (np.diff(line[held]) > 0).all():
        return
    places = np.array(tokens.places, dtype=np.int32)
    order: list[int] = []
    for index in line[held].tolist():
        if not order or order[-1] != places[index]:
            order.append(int(places[index]))
    # a longest increasing run of paragraphs stands still; what is outside it was moved
    lengths = [1] * len(order)
    back = [-1] * len(order)
    for i in range(len(order)):
        for j in range(max(0, i - 400), i):
            if order[j] < order[i] and lengths[j] + 1 > lengths[i]:
                lengths[i], back[i] = lengths[j] + 1, j
    at = int(np.argmax(lengths))
    still: set[int] = set()
    while at >= 0:
        still.add(order[at])
        at = back[at]
    for c in held.tolist():
        if places[line[c]] not in still:
            states[c] = MOVED


def stretches(states: States, table: Ints, tokens: Sequence[Tokens]) -> list[tuple[int, int, str]]:
    """Runs of columns as (first, last + 1, letters), cut where a state changes or most of those present open a paragraph."""
    width = table.shape[1]
    opening = _openings(table, tokens).sum(axis=0, dtype=np.int32)
    present = (table >= 0).sum(axis=0)
    changed = np.ones(width, dtype=bool)
    changed[1:] = (states[:, 1:] != states[:, :-1]).any(axis=0)
    cuts = np.flatnonzero(changed | (2 * opening > present)).tolist()
    found: list[tuple[int, int, str]] = []
    for first, last in zip(cuts, [*cuts[1:], width], strict=True):
        found.append((first, last, "".join(LETTERS[state] for state in states[:, first].tolist())))
    return found
