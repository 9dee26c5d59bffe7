"""The schedule on a simulated clock, in small: what bench/schedule.py measures of 5,000 sources holds of 80."""

import pytest

from bench.schedule import INTERVAL, Feed, estimated, fixed, make_feeds, run, score, simulate
from pipeline.crawl.schedule import TUNING

SEED = 5


def test_new_items_are_seen_in_time_for_few_polls(capsys: pytest.CaptureFixture[str]) -> None:
    """Within two of their source's periods, 95 in a hundred, at 1.3 times the oracle's polls, no host asked too soon."""
    found = run("wirecopy", 80, SEED, estimated(TUNING))
    assert found.p95 <= 2.0
    assert found.polls <= 1.3
    assert "least pause 5.0 s" in capsys.readouterr().out


def test_the_score_knows_what_is_late() -> None:
    """A source of one item an hour that is polled every hour is seen within its period; every third hour, mostly late."""
    for seconds, late in ((3_600.0, 0.0), (3 * 3_600.0, 1 / 3)):
        feed = Feed(0, "poisson", 0, [1_800.0 + 3_600.0 * hour for hour in range(720)], 20, True, True, 30 * 86_400.0)
        assert simulate([feed], fixed(seconds))[0] >= INTERVAL
        assert score([feed]).late == pytest.approx(late, abs=0.01)
        assert score([feed]).polls == pytest.approx(3_600.0 / seconds, abs=0.01)


def test_the_same_seed_makes_the_same_sources() -> None:
    """And another one others."""
    one, two, other = make_feeds(20, 1), make_feeds(20, 1), make_feeds(20, 2)
    assert one == two
    assert one != other
