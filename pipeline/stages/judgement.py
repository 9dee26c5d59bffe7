"""What the result of a visit means for its URL: pure, a result and the row's past in, a decision out."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.crawl import politeness
from pipeline.crawl.answers import Answer, Failure
from pipeline.crawl.urls import Url
from pipeline.store.tables import Visit

# The server says that the page is not for us; asking again would be rude and in vain.
WALLS = frozenset({401, 402, 403, 407, 451})
GONE = frozenset({404, 410})
BUSY = frozenset({408, 425, 429, 503})


@dataclass(frozen=True, slots=True)
class Past:
    """What the frontier row knows from earlier visits."""

    points: int
    first_failed_at: datetime | None
    hops: int
    body_sha256: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the frontier row. `delay` seconds until the next try where it waits; `hop` is where it waits for."""

    state: Visit
    reason: str
    delay: float = 0.0
    points: int = 0
    failing: bool = False
    hop: Url | None = None


def judge(result: Answer | Failure, past: Past, now: datetime, *, max_hops: int, jitter: float) -> Decision:
    """The decision on a visit's result. `jitter`, from 0 to 1, spreads the next tries of URLs that failed together."""
    if isinstance(result, Failure):
        if result.kind == "refused_address":
            return Decision(Visit.REFUSED, f"address: {result.message}")
        if result.kind == "bad_redirect":
            return Decision(Visit.GONE, result.message)
        return _failed(result, past, now, f"{result.kind}: {result.message}", jitter)
    if result.location is not None:
        if past.hops >= max_hops:
            return Decision(Visit.GIVEN_UP, f"more than {max_hops} redirects, the last to {result.location.text}")
        return Decision(Visit.WAITING, f"redirected to {result.location.text}", hop=result.location, points=past.points)
    if result.status == 304:
        # A 304 to a page that we do not hold is not believed.
        if past.body_sha256 is not None:
            return Decision(Visit.UNCHANGED, "not modified (304)")
        return _failed(result, past, now, "304 to a page that we do not hold", jitter)
    if 200 <= result.status < 300:
        return Decision(Visit.CAPTURED, str(result.status))
    if result.status in BUSY or result.status >= 500:
        return _failed(result, past, now, f"the server answers {result.status}", jitter)
    if result.status in GONE:
        return Decision(Visit.GONE, f"the server answers {result.status}")
    if result.status in WALLS:
        return Decision(Visit.REFUSED, f"wall: the server answers {result.status}")
    return Decision(Visit.GIVEN_UP, f"the server answers {result.status}")


def _failed(result: Answer | Failure, past: Past, now: datetime, reason: str, jitter: float) -> Decision:
    outcome = politeness.classify(result)
    points = past.points + politeness.points(outcome)
    if politeness.is_given_up(points, past.first_failed_at, now):
        return Decision(Visit.GIVEN_UP, reason, points=points, failing=True)
    wanted = politeness.retry_after(result.headers, now) if isinstance(result, Answer) else None
    delay = wanted if wanted is not None else politeness.retry_delay(max(points, 1), jitter)
    return Decision(Visit.WAITING, reason, delay=delay, points=points, failing=True)
