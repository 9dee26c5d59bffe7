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
        (0.94, 0.6883),
        (1.93, 0.7939),
        (2.32, 0.7961),
        (2.78, 0.9339),
        (3.57, 0.9619),
        (4.18, 0.9642),
        (4.48, 0.9717),
        (4.71, 0.9726),
        (10.09, 0.981),
        (26.09, 0.9996),
        (27.62, 0.9996),
        (27.63, 0.9999),
    ),
    Reason.VOTED: (
        (0.73, 0.7037),
        (2.07, 0.8983),
        (2.67, 0.9564),
        (3.34, 0.9619),
        (4.18, 0.9699),
        (4.54, 0.9699),
        (4.88, 0.9733),
        (5.14, 0.9775),
        (7.0, 0.9814),
        (12.31, 0.9848),
        (23.41, 0.991),
        (27.07, 0.991),
        (27.08, 0.9998),
    ),
    Reason.FLUENCY: (
        (-0.03, 0.417),
        (0.24, 0.4256),
        (0.39, 0.4793),
        (0.59, 0.5661),
        (0.79, 0.5996),
        (1.02, 0.6322),
        (1.26, 0.6784),
        (1.51, 0.7479),
        (1.76, 0.7573),
        (2.03, 0.7645),
        (2.24, 0.814),
        (2.51, 0.8527),
        (2.77, 0.8554),
        (3.02, 0.8693),
        (3.75, 0.8773),
        (4.4, 0.9132),
        (4.8, 0.9488),
        (5.21, 0.9545),
        (5.62, 0.9737),
        (6.96, 0.9737),
        (8.47, 0.9737),
        (9.55, 0.9768),
        (11.29, 0.9796),
        (13.72, 0.9872),
    ),
    Reason.SINGLE: (
        (0.81, 0.4529),
        (1.25, 0.6405),
        (1.81, 0.7819),
        (2.7, 0.8127),
        (3.13, 0.8577),
        (3.71, 0.9181),
        (4.12, 0.9733),
        (4.64, 0.9733),
        (4.65, 0.985),
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
