"""Who copied whom: errors held in common, and errors that only the copy has."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.kinship import shared_errors

# A copy has nearly all the errors of its exemplar; fewer than these errors say nothing.
LEAST_ERRORS = 3.0
LEAST_SHARE = 0.8


def exemplars(
    choice: NDArray[np.int64], posterior: NDArray[np.float64], lineages: Sequence[int]
) -> list[tuple[int | None, float]]:
    """For every witness the one that it was copied from, and the support.

    None: copied from the article itself or from a copy not at hand. The exemplar is the witness of the same lineage whose
    errors, as far as both have the passage, are most nearly all found in the copy; of two that have the same errors the
    earlier siglum is the exemplar. Support is that share, from 0 to 1.
    """
    witnesses = len(lineages)
    found: list[tuple[int | None, float]] = [(None, 0.0)] * witnesses
    if choice.shape[0] == 0:
        return found
    shared, own = shared_errors(choice, posterior)
    for copy in range(witnesses):
        best: tuple[float, float, int] | None = None
        for other in range(witnesses):
            errors = own[other, copy]
            if other == copy or lineages[other] != lineages[copy] or errors < LEAST_ERRORS:
                continue
            share = float(shared[copy, other] / errors)
            later = (own[copy, other], copy) > (errors + 0.5, other)
            if share >= LEAST_SHARE and later and (best is None or (errors * share, share, -other) > best):
                best = (float(errors * share), share, -other)
        if best is not None:
            found[copy] = (-best[2], min(1.0, best[1]))
    return found
