"""Visits as the database sees them: leases taken, and what came of each recorded in one transaction."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from pipeline.crawl import politeness
from pipeline.crawl.answers import Answer, Failure
from pipeline.crawl.robots import Robots
from pipeline.crawl.urls import Url
from pipeline.settings import Settings
from pipeline.stages.claims import quarantine_if_hopeless
from pipeline.stages.judgement import Decision, Past, judge
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell
from pipeline.store import attempts, captures, frontier, hosts, sources, tombstones
from pipeline.store.bodies import fingerprint_body
from pipeline.store.hosts import Lease
from pipeline.store.tables import OPEN_VISITS, AttemptEnd, Capture, FrontierRow, Purpose, Source, Stage, Visit
from pipeline.store.values import span, storable

# A host that asks for time without saying how much.
BUSY_PAUSE = 60.0
# Where robots.txt could not be had (5xx, no answer) everything is disallowed, and asked for again after this.
ROBOTS_RETRY = 600.0
# Kept of what a page's server sent; the rest of absurdly many headers is dropped.
MOST_HEADERS = 200


@dataclass(frozen=True, slots=True)
class Robot:
    """What was learned of robots.txt on a visit, or known before it."""

    rules: Robots
    fresh: bool
    """True where this visit fetched it: it is to be stored."""
    lifetime: float


@dataclass(frozen=True, slots=True)
class Visited:
    """One visit: the lease it was made under, what robots.txt says, what was asked of the host and what came of it."""

    lease: Lease
    url: Url
    asked: Literal["page", "robots", "nothing"]
    result: Answer | Failure | None
    """The host's answer to what was asked; None where nothing was."""
    robot: Robot
    decision: Decision


def origin_of(url: str) -> str:
    """Scheme and host of a URL that stands in the frontier, in normal form: it is not parsed, so that no row can fail here."""
    return "/".join(url.split("/", 3)[:3])


def past_of(row: FrontierRow) -> Past:
    """What the row knows from earlier visits."""
    return Past(row.points, row.first_failed_at, len(row.hops), row.body_sha256)


def decide(lease: Lease, result: Answer | Failure, now: datetime, settings: Settings) -> Decision:
    """The decision on a page's answer."""
    return judge(result, past_of(lease.row), now, max_hops=settings.max_hops, jitter=random.random())


def record(session: Session, visited: Visited, settings: Settings) -> list[Bell]:
    """Write down what came of a visit: attempt, capture, robots.txt, the URL's and the host's next due time."""
    lease, result, decision = visited.lease, visited.result, visited.decision
    now = datetime.now(UTC)
    if visited.robot.fresh:
        expires = now + timedelta(seconds=visited.robot.lifetime)
        hosts.keep_robots(session, visited.url.origin, visited.robot.rules.status, visited.robot.rules.text, now, expires)
    end = AttemptEnd.FAILED if decision.failing else AttemptEnd.DONE
    if not attempts.finish(session, lease.attempt_id, end, decision.reason, _detail(visited)):
        # The lease ran out while the host was answering: the row may be somebody else's now, and only the answer is lost.
        return []
    points = _free_host(session, visited, settings)
    page = result if visited.asked == "page" and isinstance(result, Answer) else None
    capture = None if page is None else _capture(session, visited, page, settings)
    bells = _move_row(session, visited, capture)
    if politeness.is_host_given_up(points):
        hosts.give_up_host(session, lease.host_id, f"{lease.host} has failed {points} points in a row")
    return bells


def record_error(session: Session, lease: Lease, error: Exception, settings: Settings) -> list[Bell]:
    """Count a visit that we could not make or write down as a failure of our own, and let its host go on."""
    if attempts.finish(session, lease.attempt_id, AttemptEnd.ERROR, f"{type(error).__name__}: {error}"):
        _let_go(session, lease, lease.interval or settings.fetch_interval)
        quarantine_if_hopeless(session, Stage.FETCH, lease.row.id, settings.quarantine_after)
    return []


def give_back(session: Session, lease: Lease, settings: Settings) -> list[Bell]:
    """End a visit that was broken off: nobody's failure, and due again at once."""
    if attempts.finish(session, lease.attempt_id, AttemptEnd.DONE, "broken off: the worker was told to stop"):
        _let_go(session, lease, lease.interval or settings.fetch_interval)
    return []


def put_aside(session: Session, lease: Lease, settings: Settings) -> bool:
    """Put a URL whose workers have died too often in quarantine in place of visiting it; whether that was so."""
    hopeless = lease.after_death and quarantine_if_hopeless(session, Stage.FETCH, lease.row.id, settings.quarantine_after)
    if hopeless:
        attempts.withdraw(session, lease.attempt_id)
        _let_go(session, lease, 0.0)
    return hopeless


def _let_go(session: Session, lease: Lease, pause: float) -> None:
    hosts.release(session, lease, pause=pause, interval=lease.interval, points=lease.host_points)


def _free_host(session: Session, visited: Visited, settings: Settings) -> int:
    lease, result = visited.lease, visited.result
    outcome = politeness.classify(result) if result is not None else "good"
    interval = politeness.next_interval(
        settings.fetch_interval,
        latency=result.elapsed if result is not None else 0.0,
        outcome=outcome,
        crawl_delay=visited.robot.rules.crawl_delay("wirecopy"),
        current=lease.interval,
        longest_crawl_delay=settings.crawl_delay_cap,
    )
    pause = interval
    if outcome == "busy" and isinstance(result, Answer):
        asked = politeness.retry_after(result.headers, datetime.now(UTC))
        pause = max(interval, BUSY_PAUSE if asked is None else asked)
    points = lease.host_points + politeness.points(outcome) if outcome not in {"good", "missing"} else 0
    if visited.asked == "nothing":
        pause, points = 0.0, lease.host_points
    hosts.release(session, lease, pause=pause, interval=interval, points=points)
    return points


def _capture(session: Session, visited: Visited, answer: Answer, settings: Settings) -> Capture:
    readable = visited.decision.state is Visit.CAPTURED
    name = bodies_under(settings).put(session, answer.body) if readable else fingerprint_body(answer.body)
    capture = Capture(
        attempt_id=visited.lease.attempt_id,
        frontier_id=visited.lease.row.id,
        url=answer.url.text,
        status=answer.status,
        headers=[{"name": storable(name_), "value": storable(value)} for name_, value in answer.headers[:MOST_HEADERS]],
        body_sha256=name,
        kept=readable,
        truncated=answer.truncated,
        wire_bytes=answer.wire_bytes,
        fetched_at=func.now(),
        read_at=None if readable else func.now(),
        finding=None if readable else visited.decision.reason,
        to_archive=settings.warc,
    )
    session.add(capture)
    session.flush()
    return capture


def _move_row(session: Session, visited: Visited, capture: Capture | None) -> list[Bell]:
    row, decision = visited.lease.row, visited.decision
    values: dict[str, Any] = {
        "state": decision.state,
        "reason": decision.reason,
        "points": decision.points,
        "first_failed_at": (row.first_failed_at or func.now()) if decision.failing else None,
        "next_attempt_at": _next_attempt(row, decision),
        "updated_at": func.now(),
    }
    if decision.hop is not None:
        values |= _hop(session, visited, decision.hop)
    bells: list[Bell] = []
    if decision.state is Visit.CAPTURED and capture is not None:
        if row.body_sha256 == capture.body_sha256:
            values |= {"state": Visit.UNCHANGED, "reason": "the same bytes as before"}
            captures.mark_read(session, capture.id, "unchanged")
        else:
            stage = Stage.READ_SOURCE if row.purpose == Purpose.SOURCE else Stage.EXTRACT
            bells.append(Bell(stage, capture.id))
    session.execute(update(FrontierRow).where(FrontierRow.id == row.id, FrontierRow.state == Visit.WAITING).values(**values))
    if row.purpose == Purpose.SOURCE and values["state"] not in OPEN_VISITS:
        source = session.get_one(Source, row.source_id)
        sources.polled(session, source, row.id, values["reason"])
    return bells


def _next_attempt(row: FrontierRow, decision: Decision) -> Any:
    """When the row is due: one that only waits for its next request (robots.txt came first, a hop) keeps its turn."""
    if decision.delay == 0:
        return row.next_attempt_at
    return func.now() + span(decision.delay)


def _hop(session: Session, visited: Visited, hop: Url) -> dict[str, Any]:
    """The row's way on after a redirect: to the next hop, or to the row that stands for that page already."""
    row = visited.lease.row
    hops = [*row.hops, {"url": visited.url.text, "status": _status(visited.result), "to": hop.text}]
    if row.purpose == Purpose.ARTICLE:
        if tombstones.standing(session, [hop.key]):
            return {"state": Visit.REFUSED, "reason": "it redirects to a page that was deleted on request", "hops": hops}
        other = frontier.standing_for(session, row.id, hop.key)
        if other is not None:
            return {"state": Visit.SAME, "reason": f"the same page as {other.url}", "same_as": other.id, "hops": hops}
    host_id = frontier.ensure_hosts(session, [hop.host])[hop.host]
    return {"visit_url": hop.text, "host_id": host_id, "hops": hops}


def _status(result: Answer | Failure | None) -> int | None:
    return result.status if isinstance(result, Answer) else None


def _detail(visited: Visited) -> dict[str, Any]:
    result = visited.result
    said: dict[str, Any] = {"asked": visited.asked, "robots": visited.robot.rules.status}
    if result is None:
        return said
    detail: dict[str, Any] = said | {"seconds": round(result.elapsed, 4), "address": result.address}
    if isinstance(result, Answer):
        return detail | {
            "status": result.status,
            "wire_bytes": result.wire_bytes,
            "bytes": len(result.body),
            "truncated": result.truncated,
            "http": result.http_version,
            "location": result.location.text if result.location else None,
            "sent": dict(result.sent),
        }
    return detail | {"kind": result.kind, "message": storable(result.message)}
