"""When a host and a URL are due again. Times are seconds unless named otherwise; the clock comes in as an argument."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from pipeline.crawl.answers import Answer, Failure

Outcome = Literal["good", "missing", "busy", "server_error", "timeout", "connect", "dead_name", "tls", "refused", "malformed"]
"""How a visit went, as far as manners go:

good          2xx, 3xx
missing       4xx but 429: the host is well, the page is not there for us
busy          429, 503: the host asks for time
server_error  other 5xx
timeout, connect (the resolver's own failures among them), dead_name, tls
refused       an address that is not connected to
malformed     an answer that cannot be used: no HTTP, a packing not asked for, a redirect to nowhere
"""

POINTS: dict[Outcome, int] = {"timeout": 1, "server_error": 1, "connect": 1, "dead_name": 2, "tls": 2, "malformed": 2}
"""What a failure weighs; what is not named weighs nothing."""

_KINDS: dict[str, Outcome] = {
    "dead_name": "dead_name",
    "resolver": "connect",
    "refused_address": "refused",
    "connect": "connect",
    "tls": "tls",
    "timeout": "timeout",
    "protocol": "malformed",
    "encoding": "malformed",
    "bad_redirect": "malformed",
}


def classify(result: Answer | Failure) -> Outcome:
    """How the visit that gave `result` went."""
    if isinstance(result, Failure):
        return _KINDS[result.kind]
    if result.status in {429, 503}:
        return "busy"
    if result.status >= 500:
        return "server_error"
    return "missing" if result.status >= 400 else "good"


def points(outcome: Outcome) -> int:
    """What the outcome adds to the points of its URL and of its host."""
    return POINTS.get(outcome, 0)


def is_given_up(
    total: int,
    first_failure: datetime | None,
    now: datetime,
    *,
    limit: int = 5,
    longest: timedelta = timedelta(days=7),
) -> bool:
    """True where a URL has failed for `limit` points in a row, or has been failing for `longest`."""
    return total >= limit or (first_failure is not None and now - first_failure >= longest)


def is_host_given_up(total: int, *, limit: int = 20) -> bool:
    """True where a host has failed for `limit` points in a row."""
    return total >= limit


def next_interval(
    base: float,
    *,
    latency: float,
    outcome: Outcome,
    crawl_delay: float | None = None,
    current: float | None = None,
    latency_factor: float = 5.0,
    longest_crawl_delay: float = 60.0,
    longest: float = 600.0,
) -> float:
    """Seconds to leave a host alone after a visit that took `latency`.

    Never under `base` nor under the host's own crawl delay (obeyed up to a cap). It grows at once, to `latency_factor`
    times the latency or to twice itself on an error, and shrinks by half of the way, and on good answers only.
    """
    floor = max(base, min(crawl_delay or 0.0, longest_crawl_delay))
    ceiling = max(floor, longest)
    held = min(max(current or floor, floor), ceiling)
    wanted = min(max(floor, latency * latency_factor), ceiling)
    if outcome in {"busy", "server_error", "timeout", "connect"}:
        return min(max(wanted, held * 2, 0.1), ceiling)
    if wanted >= held:
        return wanted
    return (held + wanted) / 2 if outcome == "good" else held


def retry_after(headers: Iterable[tuple[str, str]], now: datetime, *, longest: float = 86_400.0) -> float | None:
    """Seconds that the answer's Retry-After asks for, as a number or as a date (RFC 9110, 10.2.3), or None.

    A date that has passed is 0; nothing is longer than `longest`.
    """
    value = next((value.strip() for name, value in headers if name.lower() == "retry-after"), "")
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), longest)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max((when - now).total_seconds(), 0.0), longest)


def retry_delay(failures: int, jitter: float, *, first: float = 300.0, factor: float = 6.0, longest: float = 86_400.0) -> float:
    """Seconds until a URL is tried again after `failures` failures in a row (1 or more).

    Five minutes, 30, three hours, 18, and then a day. `jitter`, from 0 to 1, takes off up to a tenth, so that URLs that
    failed together do not come back together.
    """
    steps = min(max(failures, 1), 32) - 1
    return min(first * factor**steps, longest) * (1.0 - 0.1 * min(max(jitter, 0.0), 1.0))
