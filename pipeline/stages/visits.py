"""Visits as the database sees them: leases taken, and what came of each recorded in one transaction."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from pipeline.crawl import politeness
from pipeline.crawl.answers import Answer, Failure
from pipeline.crawl.robots import Robots
from pipeline.crawl.schedule import Poll
from pipeline.crawl.urls import Url, parse
from pipeline.settings import Settings
from pipeline.stages import polling, revisiting
from pipeline.stages.claims import quarantine_if_hopeless
from pipeline.stages.judgement import Decision, Past, judge
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell
from pipeline.store import attempts, captures, frontier, hosts, sources, tombstones
from pipeline.store.attempts import Finish
from pipeline.store.bodies import fingerprint_body
from pipeline.store.captures import NewCapture
from pipeline.store.frontier import Move
from pipeline.store.hosts import DueUrl, Lease, Release
from pipeline.store.tables import OPEN_VISITS, AttemptEnd, Purpose, Source, Stage, Visit
from pipeline.store.values import storable

# A host that asks for time without saying how much.
BUSY_PAUSE = 60.0
# Where robots.txt could not be had (5xx, no answer) everything is disallowed, and asked for again after this.
ROBOTS_RETRY = 600.0
# Kept of what a page's server sent; the rest of absurdly many headers is dropped.
MOST_HEADERS = 200


UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Stored:
    """A capture in the store, and whether its bytes are those that were read before."""

    id: int
    unchanged: bool


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
    address: str | None = None
    """The address of the host, where to find it was all that was done."""


def past_of(row: DueUrl) -> Past:
    """What the row knows from earlier visits."""
    return Past(row.points, row.first_failed_at, len(row.hops), row.body_sha256, bool(row.etag or row.last_modified))


def decide(lease: Lease, result: Answer | Failure, settings: Settings) -> Decision:
    """The decision on a page's answer."""
    return judge(result, past_of(lease.row), lease.taken_at, max_hops=settings.max_hops, jitter=random.random())


def record(session: Session, visits: Sequence[Visited], settings: Settings) -> list[Bell]:
    """Write down what came of visits: attempts, captures, robots.txt, when the URLs and the hosts are due next.

    Statements a batch, not statements a visit: a page costs the database a seventh of the round trips.
    """
    ends = [
        Finish(
            visited.lease.attempt_id,
            AttemptEnd.FAILED if visited.decision.failing else AttemptEnd.DONE,
            visited.decision.reason,
            _detail(visited),
        )
        for visited in visits
    ]
    # Where a lease ran out while the host was answering, the row may be somebody else's now: only that answer is lost.
    ours = attempts.finish_all(session, ends)
    kept = [visited for visited in visits if visited.lease.attempt_id in ours]
    hosts.keep_robots(session, [_robots_file(visited) for visited in kept if visited.robot.fresh])
    releases = [_release(visited, settings) for visited in kept]
    hosts.release(session, releases)
    found = _store_captures(session, kept, settings)
    moves = [_move(session, visited, found.get(visited.lease.attempt_id)) for visited in kept]
    frontier.move(session, moves)
    bells: list[Bell] = []
    for visited, move, release in zip(kept, moves, releases, strict=True):
        bells += _follow_up(session, visited, move, found.get(visited.lease.attempt_id), settings)
        if politeness.is_host_given_up(release.points):
            reason = f"{visited.lease.host} has failed {release.points} points in a row"
            hosts.give_up_host(session, visited.lease.host_id, reason)
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
    hosts.release(session, [Release(lease, pause=pause, interval=lease.interval, points=lease.host_points)])


def least_interval(lease: Lease, settings: Settings) -> float:
    """Seconds that the host is left between two requests at the least: ours, or more where a source of it asks for it."""
    return max(settings.fetch_interval, lease.least_interval or 0.0)


def _robots_file(visited: Visited) -> dict[str, Any]:
    rules, now = visited.robot.rules, visited.lease.taken_at
    expires = now + timedelta(seconds=visited.robot.lifetime)
    return {
        "origin": visited.url.origin,
        "status": rules.status,
        "body": rules.text,
        "fetched_at": now,
        "expires_at": expires,
    }


def _release(visited: Visited, settings: Settings) -> Release:
    """How the host is given back: after what pause, with what interval from now on, and how many points in a row."""
    lease, result = visited.lease, visited.result
    if visited.asked == "nothing":
        return Release(lease, pause=0.0, interval=lease.interval, points=lease.host_points, address=visited.address)
    outcome = politeness.classify(result) if result is not None else "good"
    interval = politeness.next_interval(
        least_interval(lease, settings),
        latency=result.elapsed if result is not None else 0.0,
        outcome=outcome,
        crawl_delay=visited.robot.rules.crawl_delay("wirecopy"),
        current=lease.interval,
        longest_crawl_delay=settings.crawl_delay_cap,
    )
    pause = interval
    if outcome == "busy" and isinstance(result, Answer):
        asked = politeness.retry_after(result.headers, lease.taken_at)
        pause = max(interval, BUSY_PAUSE if asked is None else asked)
    points = lease.host_points + politeness.points(outcome) if outcome not in {"good", "missing"} else 0
    address = result.address if result is not None and settings.share_address else None
    return Release(lease, pause=pause, interval=interval, points=points, address=address)


def _store_captures(session: Session, visits: Sequence[Visited], settings: Settings) -> dict[int, Stored]:
    """The captures of the visits that a page answered, by attempt."""
    bodies: dict[str, bytes] = {}
    new = []
    for visited in visits:
        answer = visited.result
        if visited.asked == "page" and isinstance(answer, Answer):
            capture = _capture(visited, answer)
            new.append(capture)
            if capture.kept:
                bodies[capture.body_sha256] = answer.body
    bodies_under(settings).put_all(session, bodies)
    ids = captures.put(session, new, to_archive=settings.warc)
    return {capture.attempt_id: Stored(ids[capture.attempt_id], capture.finding == UNCHANGED) for capture in new}


def _capture(visited: Visited, answer: Answer) -> NewCapture:
    row, readable = visited.lease.row, visited.decision.state is Visit.CAPTURED
    name = fingerprint_body(answer.body)
    finding = None if readable else visited.decision.reason
    return NewCapture(
        attempt_id=visited.lease.attempt_id,
        frontier_id=row.id,
        url=answer.url.text,
        status=answer.status,
        headers=[{"name": storable(name_), "value": storable(value)} for name_, value in answer.headers[:MOST_HEADERS]],
        body_sha256=name,
        kept=readable,
        truncated=answer.truncated,
        wire_bytes=answer.wire_bytes,
        finding=UNCHANGED if readable and row.body_sha256 == name else finding,
    )


def _move(session: Session, visited: Visited, capture: Stored | None) -> Move:
    row, decision = visited.lease.row, visited.decision
    # A row that only waits for its next request (robots.txt came first, a hop) keeps its turn.
    move = Move(
        row.id,
        decision.state,
        decision.reason,
        points=decision.points,
        failing=decision.failing or (decision.pending and row.first_failed_at is not None),
        delay=decision.delay or None,
    )
    if decision.hop is not None:
        return _hop(session, visited, decision.hop, move)
    if capture is not None and capture.unchanged:
        return replace(move, state=Visit.UNCHANGED, reason="the same bytes as before")
    return move


def _follow_up(session: Session, visited: Visited, move: Move, capture: Stored | None, settings: Settings) -> list[Bell]:
    """What a moved row asks for: its capture to be read, or, of a source or a revisit that ended, the next one."""
    purpose = visited.lease.row.purpose
    # Polls and revisits have schedules of their own: a try that failed is not repeated as a page's is.
    if move.state not in OPEN_VISITS or visited.decision.failing:
        if purpose == Purpose.SOURCE:
            _end_poll(session, visited, move)
        elif purpose == Purpose.REVISIT:
            revisiting.end_revisit(session, move.frontier_id, move.reason, settings)
    if move.state is Visit.CAPTURED and capture is not None:
        return [Bell(Stage.READ_SOURCE if purpose == Purpose.SOURCE else Stage.EXTRACT, capture.id)]
    return []


def _end_poll(session: Session, visited: Visited, move: Move) -> None:
    """The poll of a source that gave nothing to be read: it failed, or there is nothing new."""
    row, now = visited.lease.row, polling.now_of(session)
    answer = visited.result if isinstance(visited.result, Answer) else None
    headers = answer.headers if answer is not None else ()
    unchanged = move.state is Visit.UNCHANGED
    listing = sources.listing_of(session, row.id)
    if unchanged and listing is not None and answer is not None:
        if answer.status == 304:
            polling.forgo_validators(session, listing, now)
        else:
            listing.whole_at = now
            if not listing.distrusted:
                frontier.keep_validators(session, row.id, answer.header("etag"), answer.header("last-modified"))
    poll = Poll(
        now,
        0 if unchanged else None,
        max_age=polling.freshness(headers),
        retry_after=politeness.retry_after(headers, now),
    )
    polling.end_poll(session, session.get_one(Source, row.source_id), row.id, move.reason, poll)


def _hop(session: Session, visited: Visited, hop: Url, move: Move) -> Move:
    """The row's way on after a redirect: to the next hop, or to the row that stands for that page already."""
    row = visited.lease.row
    hops = [*row.hops, {"url": visited.url.text, "status": _status(visited.result), "to": hop.text}]
    if row.purpose == Purpose.REVISIT and hop.key != parse(row.url).key:
        # What stands there is another page: its text is no later version of this one.
        return replace(move, state=Visit.GONE, reason=f"it redirects to {hop.text} now", hops=hops)
    if row.purpose == Purpose.ARTICLE:
        if tombstones.standing(session, [hop.key]):
            reason = "it redirects to a page that was deleted on request"
            return replace(move, state=Visit.REFUSED, reason=reason, hops=hops)
        other = frontier.standing_for(session, row.id, hop.key)
        if other is not None:
            reason = f"the same page as {other.url}"
            return replace(move, state=Visit.SAME, reason=reason, same_as=other.id, hops=hops)
    host_id = frontier.ensure_hosts(session, [hop.host])[hop.host]
    return replace(move, visit_url=hop.text, host_id=host_id, hops=hops)


def _status(result: Answer | Failure | None) -> int | None:
    return result.status if isinstance(result, Answer) else None


def _detail(visited: Visited) -> dict[str, Any]:
    result = visited.result
    said: dict[str, Any] = {"asked": visited.asked, "robots": visited.robot.rules.status}
    if result is None:
        return said if visited.address is None else said | {"address": visited.address}
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
