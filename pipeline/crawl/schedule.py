"""When a listing (a feed, a sitemap, a section page) is polled next, and why: pure, the polls so far in, a time out.

New items are taken for a Poisson process whose rate drifts. Counted are the new items and the seconds in which they came, the
older of both less; the quotient is the time between two new items, and that long is the wait: so on the whole every poll
brings something. What is assumed before the first poll is read off the dates in the listing. bench/schedule.py measures it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import exp

from pipeline.crawl.cron import next_time
from pipeline.crawl.spans import span

SHORTEST, LONGEST = 300.0, 86_400.0
"""Seconds between two polls that nobody asked to be otherwise."""
WISH = 3_600.0
"""Seconds of an owner's ttl and max-age that are obeyed: there are feeds that stay valid for a week, with news by the hour."""
DEAD = timedelta(days=30)
"""A listing that has failed for so long is put to sleep."""
MOST_LOAD = 0.5
"""The share of a host's time that polls may take."""
JITTER = 0.1
"""The share of a wait that may be added or taken off."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The estimator's numbers, fitted by bench/schedule.py."""

    memory: float = 7 * 86_400.0
    """Seconds after which an item counts 1/e."""
    silence: float = 16.0
    """A wait is at least the time since something new came, divided by this."""
    guess: float = 3_600.0
    """Seconds between two items where nothing is known."""
    pace: float = 1.0
    """The wait as a multiple of the time between two items."""


TUNING = Tuning()


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person wants: every so many seconds, or by a cron line, or (neither) as often as something new comes."""

    every: float | None = None
    cron: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Poll:
    """What came of one poll."""

    at: datetime
    new: int | None
    """Items that nobody knew; None where the poll failed."""
    listed: int = 0
    dates: Sequence[datetime] = ()
    """Of the items, aware; looked at on the first poll alone."""
    period: float | None = None
    """Seconds between two updates, as the listing says (sy:updatePeriod)."""
    ttl: float | None = None
    """Seconds that the listing says it is valid for; None leaves what it said before."""
    max_age: float | None = None
    """Seconds that the answer stays fresh by its Cache-Control."""
    retry_after: float | None = None
    """Seconds that the server asks for before the next try."""


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of a listing's polls."""

    polled_at: datetime | None = None
    """When it was last read; None before the first time."""
    items: float = 0.0
    """New items, an older one less than one."""
    seconds: float = 0.0
    """In which they came, older ones less."""
    new_at: datetime | None = None
    """When it last brought something new, or was first read."""
    failures: int = 0
    """In a row."""
    failing_since: datetime | None = None
    ttl: float | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When the next poll is due, and why then, for a person."""

    at: datetime | None
    """None for never: it sleeps."""
    why: str
    wait: float = LONGEST
    """Seconds until then, before the host's other listings were thought of."""


def remember(history: History, poll: Poll, tuning: Tuning = TUNING) -> History:
    """The history with one more poll."""
    if poll.new is None:
        return replace(history, failures=history.failures + 1, failing_since=history.failing_since or poll.at)
    if history.polled_at is None:
        items, seconds = _judge_dates(poll, tuning)
        new_at: datetime | None = max((when for when in poll.dates if when <= poll.at), default=poll.at)
    else:
        passed = max((poll.at - history.polled_at).total_seconds(), 0.0)
        kept = exp(-passed / tuning.memory)
        # A list on which nothing is known any more has most likely lost some items since.
        came = poll.new * 2 if poll.new == poll.listed >= 3 else poll.new
        items = history.items * kept + came
        seconds = history.seconds * kept + tuning.memory * (1.0 - kept)
        new_at = poll.at if poll.new else history.new_at
    return History(poll.at, items, seconds, new_at, ttl=history.ttl if poll.ttl is None else poll.ttl)


def _judge_dates(poll: Poll, tuning: Tuning) -> tuple[float, float]:
    """Items and seconds as if the listing had been watched since its oldest date, for one memory at the most."""
    ages = sorted(max((poll.at - when).total_seconds(), 0.0) for when in poll.dates)
    if len(ages) < 2 or ages[-1] - ages[0] < 1.0:  # all of one date: that of the file
        return 1.0, min(max(poll.period or tuning.guess, SHORTEST), LONGEST)
    recent = [age for age in ages if age <= tuning.memory]
    watched = tuning.memory if len(recent) < len(ages) else recent.pop()
    return sum(exp(-age / tuning.memory) for age in recent), tuning.memory * (1.0 - exp(-watched / tuning.memory))


def plan_next(history: History, poll: Poll, rule: Rule, *, load: float = 0.0, seed: str = "", tuning: Tuning = TUNING) -> Due:
    """When the listing is due after `poll`, which `history` has already in it.

    `load` is the share of its host's time that the polls of all its listings would take; where that is more than half, each
    waits longer by the same factor, so that there is time for articles. The same seed and poll give the same jitter. A cron
    line is kept to the minute, an interval to the second, unless polls fail.
    """
    if history.failing_since is not None and poll.at - history.failing_since >= DEAD:
        return Due(None, f"asleep: every poll has failed since {history.failing_since:%Y-%m-%d}")
    if history.failures:
        return _plan_retry(history, poll, rule, seed, tuning)
    if rule.cron is not None:
        at = next_time(rule.cron, rule.zone, poll.at)
        return Due(at, f"cron {rule.cron} ({rule.zone})", (at - poll.at).total_seconds())
    if rule.every is not None:
        return Due(poll.at + timedelta(seconds=rule.every), f"every {span(rule.every)}, as it was set", rule.every)
    wait, why = _wait(history, poll, tuning)
    jittered = min(max(wait * _jitter(seed, poll.at), SHORTEST, _wish(history, poll)), LONGEST)
    if load > MOST_LOAD:
        jittered *= load / MOST_LOAD
        why = f"{why}; {load / MOST_LOAD:.1f} times as long, for its host has many listings"
    return Due(poll.at + timedelta(seconds=jittered), why, wait)


def _wait(history: History, poll: Poll, tuning: Tuning) -> tuple[float, str]:
    """Seconds until something new is to be expected, within what its owner asks for."""
    gap = history.seconds / history.items if history.items > 0 else LONGEST
    wait, why = gap * tuning.pace, f"something new every {span(gap)}"
    silent = (poll.at - (history.new_at or poll.at)).total_seconds()
    if silent / tuning.silence > wait:
        wait, why = silent / tuning.silence, f"nothing new for {span(silent)}"
    if wait > LONGEST:
        wait, why = LONGEST, f"{why}; once a day at the least"
    wished = _wish(history, poll)
    if wished > max(wait, SHORTEST):
        return wished, f"its owner asks for {span(wished)} between two polls"
    return (SHORTEST, f"{why}; every 5 min at the most") if wait < SHORTEST else (wait, why)


def _wish(history: History, poll: Poll) -> float:
    """Seconds that the owner wants to be left between two polls, as far as that is obeyed."""
    return min(max(history.ttl or 0.0, poll.max_age or 0.0), WISH)


def _plan_retry(history: History, poll: Poll, rule: Rule, seed: str, tuning: Tuning) -> Due:
    usual = rule.every if rule.every is not None else _wait(history, poll, tuning)[0] if history.polled_at else SHORTEST
    doubled = min(SHORTEST * 2.0 ** min(history.failures - 1, 30), LONGEST)
    asked = min(poll.retry_after or 0.0, LONGEST)
    wait = max(usual, doubled, asked)
    why = f"failed {history.failures} times in a row" if history.failures > 1 else "the last poll failed"
    if rule.cron is not None:
        at = next_time(rule.cron, rule.zone, poll.at + timedelta(seconds=asked))
    else:
        jittered = wait if rule.every is not None else max(wait * _jitter(seed, poll.at), asked)
        at = poll.at + timedelta(seconds=jittered)
    return Due(at, why, wait)


def _jitter(seed: str, at: datetime) -> float:
    """A factor about 1, the same for the same seed and time: listings that were added together drift apart."""
    return 1.0 + JITTER * (zlib.crc32(f"{seed} {at.timestamp()}".encode()) / 2**31 - 1.0)


FIRST_REVISIT = 3_600.0
REVISIT_PACE = 3.0


def plan_revisit(age: float, until: float, jitter: float) -> float | None:
    """Seconds until a page of this age is looked at again, or None where it would be older than `until` then.

    An hour at the least, and three times its age: at an hour, four, sixteen, two and a half days, eleven days. `jitter`, from
    0 to 1, adds up to a tenth.
    """
    delay = max(FIRST_REVISIT, REVISIT_PACE * max(age, 0.0)) * (1.0 + JITTER * min(max(jitter, 0.0), 1.0))
    return delay if age + delay <= until else None
