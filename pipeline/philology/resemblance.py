"""How like each other the witnesses of a story are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

Row = Sequence[int] | NDArray[np.int32]
"""The numbers of a witness's words."""

# Pairs beyond these sizes are compared with a sample of the others, and rows by their first tokens.
MOST_COMPARED = 48
MOST_TOKENS = 6_000


def common_words(rows: Sequence[Row], others: Sequence[Row]) -> NDArray[np.float64]:
    """Length of the longest common subsequence of every row with every other, shape (rows, others)."""
    as_text = [_spelled(row) for row in rows]
    theirs = [_spelled(row) for row in others]
    found: NDArray[np.float64] = process.cdist(as_text, theirs, scorer=LCSseq.similarity, dtype=np.uint32).astype(np.float64)
    return found


def centrality(rows: Sequence[Row]) -> list[float]:
    """For every row its mean likeness to the others, 0 to 1: twice the common subsequence over both lengths."""
    step = max(1, len(rows) // MOST_COMPARED)
    sample = list(rows)[::step]
    shared = common_words(rows, sample)
    lengths = np.array([min(len(row), MOST_TOKENS) for row in rows], dtype=np.float64)
    sums = lengths[:, None] + lengths[::step][None, :]
    likeness = 2 * shared / np.maximum(sums, 1)
    return [round(float(value), 9) for value in likeness.mean(axis=1)]


def _spelled(row: Row) -> str:
    # ids as characters, the first ones as those that rapidfuzz finds without hashing; the code points of surrogates are left
    # out, ids beyond Unicode's range fold over
    numbers = np.array(row[:MOST_TOKENS], dtype=np.int64)
    codes = np.where(numbers < 0xD800, numbers, 0xE000 + numbers % 0x100000)
    return codes.astype("<u4").tobytes().decode("utf-32-le")
