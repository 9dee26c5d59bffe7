"""Probabilities that mean what they say: raw ones mapped by isotonic regression fitted on articles held apart."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pipeline.philology.recovered import Reason

Table = tuple[tuple[float, float], ...]
"""(raw log-odds, probability) in increasing order of both; between two entries the value is interpolated."""

# Fitted by bench/recovery_fit.py.
TABLES: Mapping[Reason, Table] = {
    Reason.AGREED: ((1.81, 0.7884), (2.6, 0.8609), (4.0, 0.9338), (4.88, 0.9638), (10.76, 0.98), (27.13, 0.9999)),
    Reason.VOTED: (
        (0.75, 0.6491),
        (1.94, 0.8168),
        (2.69, 0.9037),
        (3.51, 0.9579),
        (4.47, 0.974),
        (5.45, 0.9772),
        (6.06, 0.9772),
        (6.71, 0.9862),
        (7.49, 0.9868),
        (10.19, 0.9891),
        (17.5, 0.9898),
        (22.86, 0.9898),
        (27.56, 0.9998),
    ),
    Reason.FLUENCY: (
        (-0.01, 0.5083),
        (0.3, 0.5331),
        (0.52, 0.5413),
        (0.89, 0.5747),
        (1.25, 0.6653),
        (1.63, 0.6867),
        (2.13, 0.7614),
        (2.89, 0.8638),
        (3.55, 0.9132),
        (4.08, 0.9183),
        (4.6, 0.9298),
        (4.97, 0.9647),
        (5.51, 0.9709),
        (6.03, 0.973),
        (7.96, 0.975),
        (13.33, 0.9885),
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
        (6.19, 0.9997),
    ),
}


def calibrated(raw: float, reason: Reason, tables: Mapping[Reason, Table] = TABLES) -> float:
    """The probability that a token with this raw log-odds and reason is right."""
    table: Sequence[tuple[float, float]] = tables.get(reason, ())
    if not table:
        return min(0.9999, max(0.0001, 1 / (1 + math.exp(-max(-30.0, min(30.0, raw))))))
    at = bisect_right(table, (raw, 2.0))
    if at == 0:
        return table[0][1]
    if at == len(table):
        return table[-1][1]
    (left, low), (right, high) = table[at - 1], table[at]
    return low + (high - low) * (raw - left) / (right - left)
