"""Rarity: what shared features tell, and the order of candidates by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.philology.rarity import choose, rank, score, weight

COUNTS = st.dictionaries(st.integers(0, 40), st.integers(0, 5000), max_size=40)
FEATURES = st.sets(st.integers(0, 60), max_size=40)


@pytest.mark.parametrize(
    ("frequency", "stored", "told"),
    [(1, 1023, 100.0), (16, 1023, 36.0 / 16), (1024, 1023, 0.0), (0, 1023, 100.0), (5000, 1023, 0.0), (1, 0, 0.0)],
)
def test_weights_have_known_answers(frequency: int, stored: int, told: float) -> None:
    """A weight is the squared logarithm of the share of stories that hold the feature, over their number; never negative."""
    assert weight(frequency, stored) == pytest.approx(told)


def test_closing_lines_do_not_outweigh_a_storys_own_features() -> None:
    """Thirty features of one site, in every two-hundredth story each, tell less than ten that one story has."""
    furniture, own = range(30), range(100, 110)
    frequencies = dict.fromkeys(furniture, 500)
    order = rank({"same site": furniture, "original": own}, frequencies, 100_000)
    assert [key for key, _ in order] == ["original", "same site"]


def test_a_cut_text_is_not_punished() -> None:
    """What a candidate holds beyond what is shared plays no part: the score is of the shared features alone."""
    assert score([1, 2], {1: 3, 2: 3, 9: 1}, 50) == score([2, 1, 1], {1: 3, 2: 3}, 50)


def test_the_rarest_are_looked_up() -> None:
    """Of equally rare features the smallest come first, and a feature nobody counted is as rare as any."""
    assert choose([5, 4, 3, 2], {5: 9, 4: 1, 2: 2}, 3) == (3, 4, 2)


@given(FEATURES, FEATURES, COUNTS, st.integers(0, 10_000))
def test_more_in_common_never_tells_less(shared: set[int], further: set[int], counts: dict[int, int], stored: int) -> None:
    """A score never sinks by a further shared feature."""
    assert score(shared | further, counts, stored) >= score(shared, counts, stored) >= 0


@given(st.lists(FEATURES, max_size=6), COUNTS, st.integers(0, 10_000))
def test_candidates_come_best_first(held: list[set[int]], counts: dict[int, int], stored: int) -> None:
    """Every candidate comes once, and scores fall."""
    order = rank(dict(enumerate(held)), counts, stored)
    assert sorted(key for key, _ in order) == list(range(len(held)))
    assert [points for _, points in order] == sorted((points for _, points in order), reverse=True)
