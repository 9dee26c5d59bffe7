"""The measures of the benches, on answers known beforehand."""

from collections.abc import Callable
from importlib.util import find_spec

import pytest

from bench.growth import exponent
from bench.peers import PEERS, Rows, TooLong, limited, voted
from bench.scores import calibration_error, floor, rightly_grouped
from pipeline.philology.witness import Witness


def test_the_floor_is_what_no_witness_attests() -> None:
    """Of ten tokens two stand in no witness in their place: a fifth."""
    witnesses = [Witness("a", ("one two three four five",)), Witness("b", ("six seven eight",))]
    assert floor(witnesses, "one two three four five six seven eight nine ten") == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("groups", "share"),
    [
        ([{0, 1}, {2, 3, 4}], 1.0),
        ([{2, 3, 4}, {0, 1}], 1.0),
        ([{0, 1, 2, 3, 4}], 0.6),
        ([{0}, {1}, {2, 3, 4}], 0.8),
        ([{0, 2}, {1, 3, 4}], 0.6),
        ([], 0.0),
    ],
)
def test_copies_are_counted_to_their_version_under_the_best_pairing(groups: list[set[int]], share: float) -> None:
    """The share of copies in the group that is paired with their version; a group is paired once."""
    assert rightly_grouped(groups, [{0, 1}, {2, 3, 4}]) == pytest.approx(share)


def test_calibration_error_is_the_mean_distance_of_promise_and_truth() -> None:
    """Ten tokens at .9 of which seven are right, and ten at .1 of which one is: (.2 + 0) / 2."""
    rows = [(0.9, at < 7) for at in range(10)] + [(0.1, at < 1) for at in range(10)]
    assert calibration_error(rows) == pytest.approx(0.1)


def test_exponents_of_powers() -> None:
    """Squares grow with the power two, a line with one."""
    assert exponent([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2)
    assert exponent([5, 20, 200], [0.5, 2, 20]) == pytest.approx(1)


def test_votes_count_gaps_and_break_ties_for_the_token() -> None:
    """Most votes win; a gap that most have leaves nothing; on a tie a token, the first in order."""
    assert voted([["the", "the", "a"], ["", "", "big"], ["cat", ""], ["sat", "lay"]]) == ["the", "cat", "lay"]


@pytest.mark.parametrize("name", PEERS)
def test_peers_put_three_copies_right(name: str) -> None:
    """Each peer outvotes one wrong word a copy and finds its way over a passage that one copy lacks."""
    package, _, method = PEERS[name]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed: scripts/bench-setup")
    assert attempt(method) == [
        "officials",
        "said",
        "on",
        "Monday",
        "that",
        "the",
        "old",
        "bridge",
        "would",
        "stay",
        "closed",
        "for",
        "weeks",
    ]


def attempt(method: Callable[[Rows], list[str]]) -> list[str]:
    return method(
        [
            ["officials", "said", "on", "Monday", "that", "the", "old", "overpass", "would", "stay", "closed", "for", "weeks"],
            ["officials", "stated", "on", "Monday", "that", "the", "old", "bridge", "would", "stay", "closed", "for", "weeks"],
            ["officials", "said", "on", "Monday", "that", "the", "old", "bridge", "would", "stay", "shut"],
        ]
    )


def run_forever() -> None:
    while True:
        pass


def test_a_peer_that_takes_too_long_is_stopped() -> None:
    """What runs past its seconds ends with TooLong."""
    with limited(1), pytest.raises(TooLong):
        run_forever()
