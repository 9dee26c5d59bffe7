"""Probabilities that mean what they say: raw ones mapped by isotonic regression fitted on articles held apart."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from pipeline.philology.recovered import Reason

Table = tuple[tuple[float, float], ...]
"""(raw log-odds, probability) in increasing order of both; between two entries the value is interpolated."""

# Fitted by bench/recovery_fit.py.
TABLES: Mapping[Reason, Table] = {
    Reason.AGREED: (
        (1.4, 0.8002),
        (2.12, 0.8342),
        (2.56, 0.8378),
        (3.76, 0.8991),
        (4.76, 0.9688),
        (10.55, 0.9879),
        (27.14, 0.9999),
    ),
    Reason.VOTED: (
        (0.62, 0.6994),
        (1.73, 0.8006),
        (2.47, 0.9146),
        (3.06, 0.9335),
        (3.56, 0.9589),
        (4.36, 0.9714),
        (5.47, 0.9816),
        (6.62, 0.9956),
        (7.24, 0.9956),
        (9.77, 0.9972),
        (17.75, 0.9977),
        (23.83, 0.9977),
        (27.62, 0.9998),
    ),
    Reason.FLUENCY: (
        (0.0, 0.5248),
        (0.32, 0.5331),
        (0.56, 0.5826),
        (0.93, 0.6328),
        (1.3, 0.657),
        (1.56, 0.7066),
        (1.79, 0.7314),
        (2.03, 0.7727),
        (2.3, 0.7893),
        (2.55, 0.8471),
        (2.8, 0.8554),
        (3.18, 0.89),
        (3.62, 0.8967),
        (4.12, 0.9294),
        (4.61, 0.9545),
        (4.84, 0.9711),
        (5.21, 0.9772),
        (5.71, 0.982),
        (7.06, 0.9847),
        (9.52, 0.9886),
        (14.09, 0.9886),
    ),
    Reason.SINGLE: (
        (0.81, 0.657),
        (1.32, 0.7231),
        (1.99, 0.732),
        (2.82, 0.732),
        (2.85, 0.8112),
        (3.17, 0.8243),
        (3.27, 0.8568),
        (3.81, 0.9154),
        (4.55, 0.9744),
        (5.97, 0.9996),
    ),
}


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
