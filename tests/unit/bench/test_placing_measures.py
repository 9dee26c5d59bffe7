"""The measures of bench/placing.py, on answers known beforehand."""

import pytest

from bench.placing_peers import choose_threshold, measure_precision
from bench.placing_stream import score_bcubed


@pytest.mark.parametrize(
    ("found", "scores"),
    [
        ({"a": 1, "b": 1, "c": 2, "d": 2}, (1.0, 1.0, 1.0)),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, (0.5, 1.0, 2 / 3)),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, (1.0, 0.5, 2 / 3)),
        ({"a": 1, "b": 1, "c": 1, "d": 2}, (2 / 3, 0.75, 12 / 17)),
    ],
)
def test_bcubed_scores_have_known_answers(found: dict[str, int], scores: tuple[float, float, float]) -> None:
    """Precision and recall are means over the witnesses; which numbers the stories have plays no part."""
    assert score_bcubed(found, {"a": "x", "b": "x", "c": "y", "d": "y"}) == pytest.approx(scores)


def test_the_threshold_with_the_best_f1_is_chosen() -> None:
    """Above it stand three copies and one that is none; one lower would add two of these for one copy."""
    scores = [0.9, 0.8, 0.8, 0.7, 0.3, 0.3, 0.3]
    wanted = [True, True, False, True, True, False, False]
    threshold = choose_threshold(scores, wanted)
    assert threshold == 0.7
    assert measure_precision([score >= threshold for score in scores], wanted) == 0.75
