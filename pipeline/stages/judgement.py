"""What the result of a visit means for its URL: pure, a result and the row's past in, a decision out."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.crawl import politeness
from pipeline.crawl.answers import UNREAD_TYPES, Answer, Failure
from pipeline.crawl.urls import Url
from pipeline.crawl.walls import wall_of_answer, wall_of_hop
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
    conditional: bool = True
    """Whether the request bore a validator: without one there is nothing that could be unmodified."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the frontier row. `delay` seconds until the next try where it waits; `hop` is where it waits for.

    `pending` is a visit that says nothing of the page: since when it has failed stays as it is.
    """

    state: Visit
    reason: str
    delay: float = 0.0
    points: int = 0
    failing: bool = False
    hop: Url | None = None
    pending: bool = False


def judge(result: Answer | Failure, past: Past, now: datetime, *, max_hops: int, jitter: float) -> Decision:
    """The decision on a visit's result. `jitter`, from 0 to 1, spreads the next tries of URLs that failed together."""
    if isinstance(result, Failure):
        if result.kind == "refused_address":
            return Decision(Visit.REFUSED, f"address: {result.message}")
        if result.kind == "bad_redirect":
            return Decision(Visit.GONE, result.message)
        return _failed(result, past, now, f"{result.kind}: {result.message}", jitter)
    if result.location is not None:
        return _redirected(result.url, result.location, past, max_hops)
    if result.status == 304:
        # A 304 to a page that we do not hold, or that was asked for as a whole, is not believed.
        if past.body_sha256 is not None and past.conditional:
            return Decision(Visit.UNCHANGED, "not modified (304)")
        return _failed(
            result,
            past,
            now,
            "304 to a request for the whole" if past.body_sha256 else "304 to a page that we do not hold",
            jitter,
        )
    wall = wall_of_answer(result.status, result.headers, result.body)
    if wall is not None:
        return Decision(Visit.REFUSED, f"wall: {wall}, the server answers {result.status}")
    if 200 <= result.status < 300:
        return _taken(result)
    if result.status in BUSY or result.status >= 500:
        return _failed(result, past, now, f"the server answers {result.status}", jitter)
    return _ended(result.status)


def _redirected(asked: Url, hop: Url, past: Past, max_hops: int) -> Decision:
    wall = wall_of_hop(asked, hop)
    if wall is not None:
        return Decision(Visit.REFUSED, f"wall: {wall}")
    if past.hops >= max_hops:
        return Decision(Visit.GIVEN_UP, f"more than {max_hops} redirects, the last to {hop.text}")
    return Decision(Visit.WAITING, f"redirected to {hop.text}", hop=hop, points=past.points)


def _taken(answer: Answer) -> Decision:
    media = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    if media.startswith(UNREAD_TYPES) and not answer.body:
        return Decision(Visit.REFUSED, f"type: it is {media}")
    return Decision(Visit.CAPTURED, str(answer.status))


def _ended(status: int) -> Decision:
    said = f"the server answers {status}"
    if status in GONE:
        return Decision(Visit.GONE, said)
    return Decision(Visit.REFUSED, f"wall: {said}") if status in WALLS else Decision(Visit.GIVEN_UP, said)


def _failed(result: Answer | Failure, past: Past, now: datetime, reason: str, jitter: float) -> Decision:
    outcome = politeness.classify(result)
    points = past.points + politeness.points(outcome)
    if politeness.is_given_up(points, past.first_failed_at, now):
        return Decision(Visit.GIVEN_UP, reason, points=points, failing=True)
    if outcome == "busy":
        # The host is let alone for as long as it asks; its URL keeps its turn.
        return Decision(Visit.WAITING, reason, points=points, failing=True)
    wanted = politeness.retry_after(result.headers, now) if isinstance(result, Answer) else None
    delay = wanted if wanted is not None else politeness.retry_delay(max(points, 1), jitter)
    return Decision(Visit.WAITING, reason, delay=delay, points=points, failing=True)
