"""Manners: intervals, Retry-After, points, and when to try again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl import politeness
from pipeline.crawl.answers import Answer, Failure
from pipeline.crawl.politeness import Outcome
from pipeline.crawl.urls import parse

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
HERE = parse("https://example.com/")
OUTCOMES = get_args(Outcome)


@pytest.mark.parametrize(
    ("status", "outcome", "weight"),
    [(200, "good", 0), (304, "good", 0), (301, "good", 0), (404, "missing", 0), (410, "missing", 0), (429, "busy", 0),
     (503, "busy", 0), (500, "server_error", 1), (502, "server_error", 1)],
)  # fmt: skip
def test_an_answer_is_classified(status: int, outcome: str, weight: int) -> None:
    """A host that answers has no points; 5xx has one; 429 and 503 none."""
    found = politeness.classify(Answer(HERE, status, (), b"", 0, "192.0.2.1", 0.1))
    assert (found, politeness.points(found)) == (outcome, weight)


@pytest.mark.parametrize(
    ("kind", "outcome", "weight"),
    [("timeout", "timeout", 1), ("dead_name", "dead_name", 2), ("tls", "tls", 2), ("resolver", "connect", 1),
     ("connect", "connect", 1), ("protocol", "malformed", 2), ("refused_address", "refused", 0)],
)  # fmt: skip
def test_a_failure_is_weighed(kind: str, outcome: str, weight: int) -> None:
    """Timeouts weigh 1, dead names and TLS 2."""
    found = politeness.classify(Failure(HERE, kind, "", 0.1))  # type: ignore[arg-type]
    assert (found, politeness.points(found)) == (outcome, weight)


@pytest.mark.parametrize(
    ("total", "age", "gone"),
    [(4, timedelta(0), False), (5, timedelta(0), True), (0, timedelta(days=7), True), (1, timedelta(days=6.9), False)],
)
def test_a_url_is_given_up_at_five_points_or_seven_days(total: int, age: timedelta, gone: bool) -> None:
    """Whichever comes first."""
    assert politeness.is_given_up(total, NOW - age, NOW) is gone


def test_a_url_that_never_failed_is_not_given_up() -> None:
    """No points and no first failure."""
    assert politeness.is_given_up(0, None, NOW) is False


def test_a_host_is_given_up_at_twenty() -> None:
    """Twenty points in a row."""
    assert [politeness.is_host_given_up(n) for n in (19, 20)] == [False, True]


def test_the_interval_s_known_values() -> None:
    """Grows at once with latency and doubles on errors; halves its way back on good answers; stays on 404."""
    step = politeness.next_interval
    assert step(5, latency=0.2, outcome="good") == 5
    assert step(5, latency=3, outcome="good") == 15
    assert step(5, latency=0.2, outcome="good", crawl_delay=20) == 20
    assert step(5, latency=0.2, outcome="good", crawl_delay=3600) == 60
    assert step(5, latency=0.2, outcome="good", crawl_delay=1) == 5
    assert step(5, latency=0.2, outcome="busy", current=8) == 16
    assert step(5, latency=0.2, outcome="good", current=16) == 10.5
    assert step(5, latency=0.2, outcome="missing", current=16) == 16
    assert step(5, latency=0.2, outcome="server_error", current=599) == 600
    assert step(0, latency=0, outcome="good") == 0
    assert step(0, latency=0, outcome="busy") > 0


@given(
    base=st.floats(0, 100), latency=st.floats(0, 1000), delay=st.none() | st.floats(0, 1e9),
    current=st.none() | st.floats(0, 1e6), outcome=st.sampled_from(OUTCOMES),
)  # fmt: skip
def test_the_interval_keeps_its_bounds(
    base: float, latency: float, delay: float | None, current: float | None, outcome: Outcome
) -> None:
    """Never under the base or the (capped) crawl delay, never over the ceiling, and only good answers shrink it."""
    found = politeness.next_interval(base, latency=latency, outcome=outcome, crawl_delay=delay, current=current)
    floor = max(base, min(delay or 0, 60))
    assert floor <= found <= 600
    if outcome != "good":
        assert found >= min(current or 0, 600)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("99999999999999999999", 86_400.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        ("Wednesday, 01-May-24 12:01:00 GMT", 60.0),
        ("Wed May  1 12:01:00 2024", 60.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=900), usegmt=True), 86_400.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Wed, 99 May 2024 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    """Seconds and the three forms of HTTP dates; nonsense is as if it were not there."""
    assert politeness.retry_after([("date", "x"), ("Retry-After", value)], NOW) == seconds


def test_no_retry_after_is_none() -> None:
    """The header may be missing."""
    assert politeness.retry_after([], NOW) is None


@given(st.text(max_size=40))
def test_retry_after_never_raises(value: str) -> None:
    """The header is the web's: whatever it says gives seconds within the cap, or None."""
    found = politeness.retry_after([("retry-after", value)], NOW)
    assert found is None or 0 <= found <= 86_400


def test_delays_grow_to_a_day() -> None:
    """5 min, 30 min, 3 h, 18 h, a day; the jitter only ever shortens, by a tenth at most."""
    assert [politeness.retry_delay(n, 0.0) for n in (1, 2, 3, 4, 5, 500)] == [300, 1800, 10_800, 64_800, 86_400, 86_400]
    assert politeness.retry_delay(1, 1.0) == pytest.approx(270)
