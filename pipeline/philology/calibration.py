"""Probabilities that mean what they say: raw ones mapped by isotonic regression fitted on articles held apart."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pipeline.philology.recovered import Reason

Table = tuple[tuple[float, float], ...]
"""(raw log-odds, probability) in increasing order of both; between two entries the value is interpolated."""

# Fitted by bench/recovery_fit.py.
TABLES: Mapping[Reason, Table] = {
    Reason.AGREED: (
        (1.81, 0.7884),
        (2.6, 0.8609),
        (4.0, 0.9338),
        (4.88, 0.9638),
        (10.76, 0.98),
        (23.48, 0.98),
        (23.49, 0.9999),
    ),
    Reason.VOTED: (
        (0.74, 0.6491),
        (1.89, 0.823),
        (2.62, 0.9099),
        (3.46, 0.9548),
        (4.44, 0.9719),
        (5.43, 0.9772),
        (6.04, 0.9772),
        (6.7, 0.9862),
        (7.48, 0.9868),
        (10.19, 0.9892),
        (17.5, 0.9898),
        (22.87, 0.9898),
        (25.59, 0.9898),
        (25.6, 0.9998),
    ),
    Reason.FLUENCY: (
        (0.13, 0.5166),
        (0.51, 0.5661),
        (0.75, 0.5744),
        (1.0, 0.5826),
        (1.24, 0.6405),
        (1.62, 0.6867),
        (2.11, 0.7822),
        (2.51, 0.8471),
        (2.75, 0.8554),
        (3.11, 0.861),
        (3.53, 0.905),
        (3.78, 0.9132),
        (4.2, 0.9232),
        (4.58, 0.938),
        (4.85, 0.9545),
        (5.07, 0.9628),
        (5.5, 0.9709),
        (6.02, 0.973),
        (7.95, 0.975),
        (13.26, 0.9886),
    ),
    Reason.SINGLE: (
        (1.82, 0.7249),
        (2.84, 0.7614),
        (2.88, 0.7893),
        (3.23, 0.8344),
        (3.31, 0.8942),
        (3.83, 0.91),
        (4.12, 0.9523),
        (4.8, 0.9642),
        (5.36, 0.9642),
        (5.37, 0.985),
    ),
}


def calibrated(raw: float, reason: Reason, tables: Mapping[Reason, Table] = TABLES) -> float:
    """The probability that a token with this raw log-odds and reason is right."""
    table: Sequence[tuple[float, float]] = tables.get(reason, ())
    if not table:
        return min(0.9999, max(0.0001, 1 / (1 + math.exp(-max(-30.0, min(30.0, raw))))))
    return interpolated(raw, table)


def interpolated(raw: float, table: Sequence[tuple[float, float]]) -> float:
    """The table's value at raw log-odds: that of the nearest entry beyond its ends."""
    at = bisect_right(table, (raw, 2.0))
    if at == 0:
        return table[0][1]
    if at == len(table):
        return table[-1][1]
    (left, low), (right, high) = table[at - 1], table[at]
    return low + (high - low) * (raw - left) / (right - left)
