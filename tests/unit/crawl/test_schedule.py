"""When a listing is polled next: the estimator, what an owner and a person ask for, failures, cron lines, revisits."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.cron import check_cron, next_time
from pipeline.crawl.schedule import (
    LONGEST,
    SHORTEST,
    Due,
    History,
    Poll,
    Rule,
    plan_next,
    plan_revisit,
    remember,
)
from pipeline.errors import Malformed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADAPTIVE = Rule()
HOUR = 3_600.0


def ago(*seconds: float) -> list[datetime]:
    return [NOON - timedelta(seconds=each) for each in seconds]


def wait_of(due: Due, now: datetime = NOON) -> float:
    assert due.at is not None
    return (due.at - now).total_seconds()


def plan(poll: Poll, history: History | None = None, rule: Rule = ADAPTIVE, **more: object) -> Due:
    return plan_next(remember(history or History(), poll), poll, rule, **more)  # type: ignore[arg-type]


def follow(gaps: list[float], new: list[int], first: Poll | None = None) -> tuple[History, Poll]:
    """The history of a first poll and those that follow, each so many seconds later with so many new items of ten."""
    poll = first or Poll(NOON, 10, 10)
    history = remember(History(), poll)
    for gap, count in zip(gaps, new, strict=True):
        poll = Poll(poll.at + timedelta(seconds=gap), count, 10)
        history = remember(history, poll)
    return history, poll


@pytest.mark.parametrize("gap", [600.0, 1_800.0, 4 * HOUR, 12 * HOUR])
def test_the_first_wait_is_read_off_the_dates(gap: float) -> None:
    """A listing whose items came at even distances is polled at that distance, jitter apart, and the reason says so."""
    due = plan(Poll(NOON, 20, 20, ago(*(gap * number for number in range(1, 21)))))
    assert wait_of(due) == pytest.approx(gap, rel=0.2)
    assert due.why.startswith("something new every ")


@pytest.mark.parametrize("dates", [[], ago(60), ago(*[60.0] * 20)])
def test_dates_that_say_nothing_are_not_believed(dates: list[datetime]) -> None:
    """Without dates, or with one date for all (that of the file), an hour is assumed, or what the listing says of itself."""
    assert wait_of(plan(Poll(NOON, 20, 20, dates))) == pytest.approx(HOUR, rel=0.1)
    assert wait_of(plan(Poll(NOON, 20, 20, dates, period=4 * HOUR))) == pytest.approx(4 * HOUR, rel=0.1)


@pytest.mark.parametrize("gap", [600.0, 1_800.0, 6 * HOUR])
def test_the_wait_comes_to_what_a_listing_brings(gap: float) -> None:
    """Whatever was assumed first, after 40 items that came one by one the wait is the time between two."""
    history, poll = follow([gap] * 40, [1] * 40)
    assert wait_of(plan_next(history, poll, ADAPTIVE), poll.at) == pytest.approx(gap, rel=0.25)


def test_nothing_new_doubles_the_wait_up_to_a_day() -> None:
    """A listing that brings nothing is polled ever more rarely, and once a day at the least."""
    history, poll = follow([], [])
    waits = []
    for _ in range(12):
        due = plan_next(history, poll, ADAPTIVE)
        waits.append(due.wait)
        poll = Poll(poll.at + timedelta(seconds=due.wait), 0, 10)
        history = remember(history, poll)
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[:4]))
    assert waits[-1] == LONGEST
    assert "once a day at the least" in plan_next(history, poll, ADAPTIVE).why


def test_a_list_of_nothing_but_new_items_is_polled_sooner() -> None:
    """Where no known item is on the list any more, some are lost: it counts as having brought twice as many."""
    some, poll = follow([4 * HOUR] * 5, [9] * 5)
    all_, _ = follow([4 * HOUR] * 5, [10] * 5)
    assert plan_next(all_, poll, ADAPTIVE).wait < 0.6 * plan_next(some, poll, ADAPTIVE).wait


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.one_of(st.none(), st.integers(0, 50))), max_size=30),
    st.lists(st.floats(-1e5, 1e8), max_size=20),
    st.one_of(st.none(), st.floats(0, 1e9)),
    st.one_of(st.none(), st.floats(0, 1e9)),
)
def test_every_wait_lies_between_five_minutes_and_a_day(
    polls: list[tuple[float, int | None]], ages: list[float], ttl: float | None, retry_after: float | None
) -> None:
    """Whatever came, was said and failed, the next poll is in 5 minutes to a day (or never), for a reason, the same each time."""
    at = NOON
    poll = Poll(at, 20, 20, ago(*ages), ttl=ttl)
    history = remember(History(), poll)
    for gap, new in polls:
        at += timedelta(seconds=gap)
        poll = Poll(at, new, 20, ttl=ttl, retry_after=retry_after)
        history = remember(history, poll)
    due = plan_next(history, poll, ADAPTIVE, seed="7")
    assert due == plan_next(history, poll, ADAPTIVE, seed="7")
    assert due.why
    if due.at is not None:
        assert SHORTEST - 1e-3 <= wait_of(due, at) <= LONGEST * 1.1 + 1e-3


def test_jitter_parts_what_was_added_together() -> None:
    """Listings with the same history are spread over a tenth to either side."""
    poll = Poll(NOON, 20, 20, ago(*(HOUR * number for number in range(1, 21))))
    waits = [wait_of(plan(poll, seed=str(number))) for number in range(200)]
    mean = sum(waits) / len(waits)
    assert max(waits) / mean == pytest.approx(1.1, abs=0.03)
    assert min(waits) / mean == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [({"ttl": 1_800.0}, 1_800.0), ({"max_age": 1_800.0}, 1_800.0), ({"ttl": 7 * LONGEST}, HOUR), ({"ttl": 60.0}, 600.0)],
)
def test_an_owner_is_obeyed_where_that_is_sane(said: dict[str, float], seconds: float) -> None:
    """Both ttl and max-age make a wait of ten minutes longer, up to an hour; they make none shorter."""
    due = plan(Poll(NOON, 20, 20, ago(*(600.0 * number for number in range(1, 21))), **said))
    assert wait_of(due) == pytest.approx(seconds, rel=0.15)
    assert wait_of(due) >= min(said.get("ttl", 0.0), HOUR)
    assert ("its owner asks" in due.why) == (seconds > 600)


def test_a_ttl_is_remembered_over_answers_without_a_body() -> None:
    """A 304 says nothing of it."""
    history, poll = follow([600.0] * 20, [1] * 20, Poll(NOON, 10, 10, ttl=HOUR))
    assert plan_next(history, poll, ADAPTIVE).wait == HOUR


@pytest.mark.parametrize(("rule", "usual"), [(ADAPTIVE, 600.0), (Rule(every=900.0), 900.0), (Rule(every=1.0), 1.0)])
def test_failures_back_off_and_are_forgotten(rule: Rule, usual: float) -> None:
    """5 minutes, 10, 20 and so on up to a day, never sooner than without the failure; after a success it is as before."""
    history, poll = follow([600.0] * 40, [1] * 40)
    waits = []
    for _ in range(12):
        poll = Poll(poll.at + timedelta(minutes=1), None)
        history = remember(history, poll)
        waits.append(plan_next(history, poll, rule).wait)
    expected = [max(300.0 * 2**number, usual) for number in range(12)]
    assert waits == pytest.approx([min(each, LONGEST) for each in expected], rel=0.2)
    poll = Poll(poll.at + timedelta(minutes=1), 1, 10)
    assert plan_next(remember(history, poll), poll, rule).wait == pytest.approx(usual, rel=0.2)


def test_retry_after_is_obeyed_up_to_a_day() -> None:
    """What the server asks for counts where it is more than the back-off, and jitter takes nothing off it."""
    for asked, got in ((10_000.0, 10_000.0), (10.0, 300.0), (1e8, LONGEST)):
        due = [plan(Poll(NOON, None, retry_after=asked), seed=str(number)) for number in range(20)]
        assert {each.wait for each in due} == {got}
        assert all(wait_of(each) >= min(asked, LONGEST) for each in due)


def test_what_has_failed_for_thirty_days_sleeps() -> None:
    """Failures in a row over 30 days end the polls, with the day since when; one success between them does not."""
    history = remember(History(), Poll(NOON, None))
    before, after = (Poll(NOON + timedelta(days=days), None) for days in (29, 30))
    assert plan(before, history).at is not None
    due = plan(after, history)
    assert (due.at, due.why) == (None, "asleep: every poll has failed since 2026-03-02")
    woken = remember(remember(history, Poll(NOON + timedelta(days=1), 0)), Poll(NOON + timedelta(days=2), None))
    assert plan(after, woken).at is not None


def test_a_person_s_schedule_is_kept() -> None:
    """An interval to the second and a cron line to the minute, whatever comes and whatever the owner says."""
    poll = Poll(NOON + timedelta(seconds=7), 3, 10, ttl=HOUR)
    assert wait_of(plan(poll, rule=Rule(every=60.0)), poll.at) == 60.0
    due = plan(poll, rule=Rule(cron="30 6 * * *", zone="Europe/Berlin"))
    assert due.at == datetime(2026, 3, 3, 5, 30, tzinfo=UTC)
    assert due.why == "cron 30 6 * * * (Europe/Berlin)"


def test_listings_of_a_crowded_host_wait_longer_by_one_factor() -> None:
    """Where polls would take more than half of a host's time, each waits as much longer."""
    poll = Poll(NOON, 20, 20, ago(*(HOUR * number for number in range(1, 21))))
    alone, crowded = plan(poll, seed="1"), plan(poll, seed="1", load=1.5)
    assert wait_of(crowded) == pytest.approx(3 * wait_of(alone))
    assert crowded.wait == alone.wait
    assert "its host has many listings" in crowded.why


@pytest.mark.parametrize(
    ("line", "zone", "now", "then"),
    [
        ("0 2 * * *", "UTC", "2026-03-02T12:00", "2026-03-03T02:00"),
        ("*/20 * * * *", "UTC", "2026-03-02T12:00", "2026-03-02T12:20"),
        ("0 9 * * MON-FRI", "America/New_York", "2026-03-06T20:00", "2026-03-09T13:00"),  # summer time has begun between
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:00"),  # 2:30 is left out: at the end of the gap
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:31", "2026-10-26T01:30"),  # 2:30 comes twice, and is taken once
        ("0 0 29 2 *", "UTC", "2026-03-02T12:00", "2028-02-29T00:00"),
    ],
)
def test_cron_lines(line: str, zone: str, now: str, then: str) -> None:
    """The first time after now, in the zone of the line."""
    found = next_time(line, zone, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(then).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* * 31 2 *",
        "* * * * MON#2/2",
        "@daily",
        "a b c d e",
        "* * * * 9",
        "*/0 * * * *",
        "0 0 1-0 * *",
        "1," * 200 + "1 * * * *",
    ],
)
def test_wrong_cron_lines(line: str) -> None:
    """What is none says so, and how one is written."""
    with pytest.raises(Malformed):
        check_cron(line, "UTC")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5_000, "Europe"])
def test_wrong_zones(zone: str) -> None:
    """A zone that is none is named, and no file is read for it."""
    with pytest.raises(Malformed, match="is no time zone"):
        check_cron("* * * * *", zone)


@given(st.lists(st.text("0123456789*/,-LW#MONJAN?", max_size=8), min_size=5, max_size=5).map(" ".join))
def test_any_cron_line_is_one_or_malformed(line: str) -> None:
    """Nothing else is raised, and a time that is found lies ahead."""
    try:
        found = next_time(line, "Europe/Berlin", NOON)
    except Malformed:
        return
    assert found > NOON


def test_revisits_slow_down_and_end() -> None:
    """An hour after it came, and then at four times the age each: five in 30 days, none behind the last day or where off."""
    age, ages = 0.0, []
    while (delay := plan_revisit(age, 30 * LONGEST, 0.0)) is not None:
        age += delay
        ages.append(age / HOUR)
    assert ages == [1, 4, 16, 64, 256]
    assert plan_revisit(29 * LONGEST, 30 * LONGEST, 0.0) is None
    assert plan_revisit(0.0, 0.0, 0.0) is None
