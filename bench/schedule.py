"""5,000 sources on a simulated clock over 30 days: how late new items are seen, and for how many polls.

    python bench/schedule.py [--sources 5000] [--seed 2] [--fit]

The sources: Poisson, with a daily rhythm, in bursts, quiet at weekends, changing their rate, dying, dead (half of them answer);
mean periods from two minutes to ten days; windows of 5 to 100 items, three in ten without dates; alone on a host or with up to
250 others. The clock knows each host's interval: a poll that is due waits until its host is free. Policies are compared with an
oracle that knows each source's mean period and polls at it, periods clipped to 5 minutes ... 1 day for both. An item is late
where it is seen more than two of its source's periods after it came, or never. --fit tries numbers of the estimator.
"""

import argparse
import heapq
import sys
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from pipeline.crawl.schedule import LONGEST, SHORTEST, TUNING, History, Poll, Rule, Tuning, plan_next, remember

DAY = 86_400.0
DAYS = 30
END = DAYS * DAY
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
INTERVAL = 5.0
KINDS = {"poisson": 0.35, "daily": 0.25, "bursts": 0.12, "weekends": 0.1, "changing": 0.06, "dying": 0.06, "dead": 0.06}
ADAPTIVE = Rule()


@dataclass
class Feed:
    """One source: when its items came (seconds from the begin), and how it lists them."""

    number: int
    kind: str
    host: int
    items: list[float]
    window: int
    dated: bool
    answers: bool
    alive: float
    """Seconds of the 30 days in which it lived."""
    polls: list[float] = field(default_factory=list)
    seen: int = 0
    history: History = field(default_factory=History)
    wait: float = LONGEST
    state: float = 900.0

    @property
    def first(self) -> int:
        return bisect_left(self.items, 0.0)

    @property
    def period(self) -> float:
        count = len(self.items) - self.first
        return min(max(self.alive / count, SHORTEST), LONGEST) if count else LONGEST

    @property
    def oracle_polls(self) -> float:
        return self.alive / self.period + (END - self.alive) / LONGEST


def rhythm(kind: str, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """The share of its highest rate that a source has at a time."""
    phase = rng.integers(0, 24)
    change, factor = rng.uniform(0.2, 0.8) * END, 4.0 ** rng.choice([-1, 1])

    def at(times: np.ndarray) -> np.ndarray:
        hours = (times / 3600 + phase) % 24
        share = np.ones_like(times)
        if kind in {"daily", "weekends"}:
            share = np.where(hours < 7, 0.05, np.where(hours < 19, 1.0, 0.5))
        if kind == "weekends":
            share = np.where((times // DAY) % 7 >= 5, 0.05 * share, share)
        if kind == "changing":
            share = np.where((times < change) == (factor < 1), 1.0, 0.25)
        return share

    return at


def make_feed(rng: np.random.Generator, number: int, host: int) -> Feed:
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    period = float(np.exp(rng.uniform(np.log(120), np.log(10 * DAY))))
    window = int(rng.choice([5, 10, 20, 30, 50, 100]))
    past = -max(30 * DAY, period * window)
    alive = END
    if kind == "dead":
        times, alive = np.sort(rng.uniform(-400 * DAY, -60 * DAY, window)), 0.0
    else:
        rate = 1.0 / period
        if kind == "bursts":
            size = 6.0
            starts = rng.uniform(past, END, rng.poisson((END - past) * rate / size))
            times = np.concatenate(
                [start + np.cumsum(rng.exponential(60.0, rng.geometric(1 / size))) for start in starts] or [[]]
            )
        else:
            share = rhythm(kind, rng)
            mean = float(share(np.arange(-7 * DAY, END, 600.0)).mean())
            times = rng.uniform(past, END, rng.poisson((END - past) * rate / mean))
            times = times[rng.uniform(0, 1, len(times)) < share(times)]
        if kind == "dying":
            alive = float(rng.uniform(0.1, 0.9) * END)
            times = times[times < alive]
        times = np.sort(times[times < END])
        times = times[max(int(np.searchsorted(times, 0.0)) - window, 0) :]
    return Feed(
        number,
        kind,
        host,
        times.tolist(),
        window,
        bool(rng.uniform() < 0.7),
        kind != "dead" or bool(rng.uniform() < 0.5),
        alive,
    )


def make_feeds(count: int, seed: int) -> list[Feed]:
    rng = np.random.default_rng(seed)
    hosts: list[int] = []
    host = 0
    while len(hosts) < count:
        size = int(rng.choice([1, int(rng.integers(2, 21)), 250], p=[0.9, 0.0985, 0.0015]))
        hosts += [host] * size
        host += 1
    return [make_feed(rng, number, host) for number, host in enumerate(hosts[:count])]


Policy = Callable[[Feed, Poll, float], float]
"""The feed, its poll and its host's load in, seconds until the next poll out."""


def estimated(tuning: Tuning) -> Policy:
    def wait(feed: Feed, poll: Poll, load: float) -> float:
        feed.history = remember(feed.history, poll, tuning)
        due = plan_next(feed.history, poll, ADAPTIVE, load=load, seed=str(feed.number), tuning=tuning)
        feed.wait = due.wait
        return LONGEST * DAYS if due.at is None else (due.at - poll.at).total_seconds()

    return wait


def fixed(seconds: float) -> Policy:
    return lambda _feed, _poll, _load: seconds


def halving(feed: Feed, poll: Poll, _load: float) -> float:
    """Half as long where something new came, half as long again where not: how crawlers usually adapt."""
    feed.state = min(max(feed.state * (0.5 if poll.new else 1.5), SHORTEST), LONGEST)
    return feed.state


def weekly(feed: Feed, poll: Poll, _load: float) -> float:
    """The mean of the last week by the dates of the items that are known, as feed readers do; an hour where there are none."""
    if not feed.dated:
        return 3_600.0
    now = (poll.at - BEGIN).total_seconds()
    known = bisect_left(feed.items, 0.0) - feed.window  # what the first poll found
    recent = feed.seen - max(bisect_left(feed.items, now - 7 * DAY), known)
    return min(max(7 * DAY / max(recent, 1), SHORTEST), LONGEST)


def simulate(feeds: list[Feed], policy: Policy) -> tuple[float, float]:
    """Let the policy poll for 30 days, host by host, what is due first first.

    The least pause that a host had, and the wait for a host that one poll in a thousand was longer than, in seconds.
    """
    by_host: dict[int, list[Feed]] = {}
    for feed in feeds:
        by_host.setdefault(feed.host, []).append(feed)
    shortest = float("inf")
    waited = array("f")
    for members in by_host.values():
        queue = [(0.0, number) for number in range(len(members))]
        free, ended, load = 0.0, -INTERVAL, sum(INTERVAL / feed.wait for feed in members)
        while queue:
            due, number = heapq.heappop(queue)
            now = max(due, free)
            if now >= END:
                continue
            waited.append(now - due)
            feed = members[number]
            shortest = min(shortest, now - ended)
            ended = now + 0.3  # the answer
            free = ended + INTERVAL
            poll = take(feed, now, first=not feed.polls)
            load -= INTERVAL / feed.wait
            wait = policy(feed, poll, load + INTERVAL / feed.wait)
            load += INTERVAL / feed.wait
            feed.polls.append(now)
            heapq.heappush(queue, (now + wait, number))
    return shortest, float(np.quantile(np.frombuffer(waited, np.float32), 0.999))


def take(feed: Feed, now: float, *, first: bool) -> Poll:
    at = BEGIN + timedelta(seconds=now)
    if not feed.answers:
        return Poll(at, None)
    there = bisect_right(feed.items, now)
    listed = min(there, feed.window)
    dates = [BEGIN + timedelta(seconds=when) for when in feed.items[there - listed : there]] if first and feed.dated else []
    new = min(there - feed.seen, listed)
    feed.seen = there
    return Poll(at, new, listed, dates)


@dataclass
class Score:
    polls: float
    """As a multiple of the oracle's."""
    p50: float
    p95: float
    """Of the items, from publication to sight, in periods of their source."""
    late: float
    lost: float
    by_kind: dict[str, tuple[float, float]]
    worst: float
    """The share of live sources of whose own items more than a tenth are late (20 items or more)."""


def score(feeds: list[Feed]) -> Score:
    lags: dict[str, list[np.ndarray]] = {}
    polls: dict[str, list[float]] = {}
    bad = judged = 0
    lost = 0
    for feed in feeds:
        came = np.array(feed.items[feed.first :])
        times = np.array([*feed.polls, np.inf])
        at = np.searchsorted(times, came)
        lag = times[at] - came
        # What had fallen out of the list before it was seen.
        index = np.arange(feed.first, len(feed.items))
        there = np.searchsorted(np.array(feed.items), times[at], side="right")
        gone = index < there - feed.window
        lost += int(gone[np.isfinite(lag)].sum())
        lag = np.where(gone, np.inf, lag)
        # An item of the last moments, which nobody can have seen, counts only where it waits too long already.
        counted = np.isfinite(lag) | (END - came > 2 * feed.period) | gone
        lag = lag[counted] / feed.period
        lags.setdefault(feed.kind, []).append(lag)
        polls.setdefault(feed.kind, []).append(len(feed.polls) - feed.oracle_polls)
        if len(lag) >= 20:
            judged += 1
            bad += float((lag > 2).mean()) > 0.1
    every = np.concatenate([lag for part in lags.values() for lag in part])
    oracle = sum(feed.oracle_polls for feed in feeds)
    by_kind = {}
    for kind in KINDS:
        part = np.concatenate(lags.get(kind, [np.array([])]))
        of_kind = [feed for feed in feeds if feed.kind == kind]
        ratio = sum(len(feed.polls) for feed in of_kind) / max(sum(feed.oracle_polls for feed in of_kind), 1)
        by_kind[kind] = (ratio, float(np.quantile(part, 0.95, method="lower")) if len(part) else 0.0)
    return Score(
        sum(len(feed.polls) for feed in feeds) / oracle,
        float(np.quantile(every, 0.5, method="lower")),
        float(np.quantile(every, 0.95, method="lower")),
        float((every > 2).mean()),
        lost / len(every),
        by_kind,
        bad / max(judged, 1),
    )


def run(name: str, count: int, seed: int, policy: Policy) -> Score:
    feeds = make_feeds(count, seed)
    began = time.process_time()
    pause, waited = simulate(feeds, policy)
    seconds = time.process_time() - began
    found = score(feeds)
    total = sum(len(feed.polls) for feed in feeds)
    print(
        f"{name:32} polls {found.polls:5.2f}  p50 {found.p50:5.2f}  p95 {found.p95:6.2f}  late {found.late:6.2%}  "
        f"lost {found.lost:6.2%}  sources with a tenth late {found.worst:6.2%}  least pause {pause:.1f} s  "
        f"wait for the host, .999: {waited:.0f} s  {total:,} polls, {seconds:.0f} s CPU",
        flush=True,
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    hosts = len({feed.host for feed in make_feeds(given.sources, given.seed)})
    print(f"{given.sources:,} sources on {hosts:,} hosts")
    print("polls: as a multiple of the oracle's; p50, p95: from publication to sight, in periods of the source")
    if given.fit:
        tried = [(memory, 16, 1.0) for memory in (2, 4, 7, 14)] + [(7, silence, 1.0) for silence in (4, 8, 32, 1e9)]
        tried += [(7, 16, pace) for pace in (0.9, 1.2, 1.5)]
        for memory, silence, pace in tried:
            tuning = Tuning(memory=memory * DAY, silence=silence, pace=pace)
            run(f"memory {memory} d, silence {silence:g}, pace {pace}", given.sources, given.seed, estimated(tuning))
        return 0
    run("every 15 minutes", given.sources, given.seed, fixed(900))
    run("every hour", given.sources, given.seed, fixed(3_600))
    run("halved and half again", given.sources, given.seed, halving)
    run("the week's dates", given.sources, given.seed, weekly)
    ours = run("wirecopy", given.sources, given.seed, estimated(TUNING))
    for kind, (ratio, p95) in ours.by_kind.items():
        print(f"    {kind:12} polls {ratio:5.2f}  p95 {p95:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
