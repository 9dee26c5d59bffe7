"""Probabilities that mean what they say: raw ones mapped by isotonic regression fitted on articles held apart."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pipeline.philology.recovered import Reason

Table = tuple[tuple[float, float], ...]
"""(raw log-odds, probability) in increasing order of both; between two entries the value is interpolated."""

# Fitted by bench/recovery.py --fit.
TABLES: Mapping[Reason, Table] = {}


def calibrated(raw: float, reason: Reason, tables: Mapping[Reason, Table] = TABLES) -> float:
    """The probability that a token with this raw log-odds and reason is right."""
    table: Sequence[tuple[float, float]] = tables.get(reason, ())
    if not table:
        return min(0.9999, max(0.0001, 1 / (1 + 2.718281828459045 ** -max(-30.0, min(30.0, raw)))))
    at = bisect_right(table, (raw, 2.0))
    if at == 0:
        return table[0][1]
    if at == len(table):
        return table[-1][1]
    (left, low), (right, high) = table[at - 1], table[at]
    return low + (high - low) * (raw - left) / (right - left)
