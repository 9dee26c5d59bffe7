"""Fetch: visit the hosts that are due, side by side, one request a lease.

A visit is one request: to a host whose robots.txt is unknown or stale, for robots.txt; else for the page. So every request
is made under a lease, with the host's interval before the next one. All database work goes through one thread, visits
that end close together in one transaction, so that no host waits for the database.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from pipeline.crawl.answers import Answer, Failure, Validators
from pipeline.crawl.fetcher import FEEDS, PAGES, Fetcher, FetchOptions
from pipeline.crawl.robots import Robots
from pipeline.crawl.urls import Url, parse
from pipeline.settings import Settings
from pipeline.stages import visits
from pipeline.stages.admission import LOOPBACK
from pipeline.stages.claims import quarantine_if_hopeless
from pipeline.stages.judgement import Decision
from pipeline.stages.outcome import Bell, Outcome, Ring
from pipeline.stages.visits import Robot, Visited
from pipeline.store import attempts, hosts
from pipeline.store.engine import SessionFactory
from pipeline.store.hosts import Lease
from pipeline.store.tables import AttemptEnd, Purpose, RobotsFile, Stage, Visit

T = TypeVar("T")
ROBOTS = "text/plain, */*;q=0.1"
NO_CONTACT_DELAY = 3_600.0
PRODUCT = "wirecopy"
MOST_ROBOTS_HOPS = 5
BORROW_TRIES = 20
# How long a round waits for a host's interval to pass before it leaves that to the next round.
PATIENCE = 1.5
LONGEST_NAP = 0.25
log = structlog.get_logger()


def fetch_options(settings: Settings) -> FetchOptions:
    """How the fetcher is to fetch under these settings."""
    contact = f"; +{settings.contact}" if settings.contact else ""
    return FetchOptions(
        user_agent=f"{PRODUCT}/0.1 (news copy research{contact})",
        total_timeout=settings.fetch_timeout,
        connect_timeout=settings.connect_timeout,
        max_bytes=settings.max_body,
        max_wire_bytes=settings.max_body,
        allow_private_addresses=settings.allow_private_addresses,
    )


class Desk:
    """The database side of a round of fetching: one thread, and what is to be recorded in batches."""

    def __init__(self, factory: SessionFactory, worker: str, settings: Settings, ring: Ring) -> None:
        self._factory = factory
        self._worker = worker
        self._settings = settings
        self._ring = ring
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._waiting: list[Visited] = []
        self._flush: asyncio.Task[None] | None = None
        self.captured = 0
        self.visits = 0

    async def take(self, count: int) -> list[Lease]:
        """Lease up to `count` due hosts."""

        def work() -> list[Lease]:
            with self._factory.begin() as session:
                return hosts.take_leases(session, count, self._settings.host_lease, self._worker, visits.origin_of)

        return await self._run(work)

    async def next_due(self) -> float | None:
        """Seconds until a host is due; None where no URL waits."""

        def work() -> float | None:
            with self._factory.begin() as session:
                return hosts.next_due(session)

        return await self._run(work)

    async def borrow(self, host: str) -> bool:
        """Lease another host for one request, released by its interval; False where it is not free before long."""

        def work() -> bool:
            with self._factory.begin() as session:
                return hosts.borrow(session, host, self._settings.fetch_interval)

        for _ in range(BORROW_TRIES):
            if await self._run(work):
                return True
            await asyncio.sleep(LONGEST_NAP)
        return False

    def record(self, visited: Visited) -> None:
        """Let a visit be recorded soon, together with others."""
        self._waiting.append(visited)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._record_all())

    async def close(self) -> None:
        """Record what still waits and let go of the thread."""
        if self._flush is not None:
            await self._flush
        if self._waiting:
            await self._record_all()
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _record_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            for bell in await self._run(lambda batch=batch: self._write(batch)):  # type: ignore[misc]
                self._ring(bell)

    def _write(self, batch: list[Visited]) -> list[Bell]:
        try:
            bells: list[Bell] = []
            with self._factory.begin() as session:
                for visited in batch:
                    bells += visits.record(session, visited, self._settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours, and it is counted
            if len(batch) > 1:  # one visit that cannot be written down must not take the others with it
                return [bell for visited in batch for bell in self._write([visited])]
            self._write_error(batch[0], error)
            return []
        self.visits += len(batch)
        self.captured += len(bells)
        return bells

    def _write_error(self, visited: Visited, error: Exception) -> None:
        """Count a visit that we could not write down as a failure of our own."""
        log.error("fetch", url=visited.url.text, outcome="error", exc_info=error)
        with self._factory.begin() as session:
            lease = visited.lease
            attempts.finish(session, lease.attempt_id, AttemptEnd.ERROR, f"{type(error).__name__}: {error}")
            hosts.release(
                session, lease, pause=self._settings.fetch_interval, interval=lease.interval, points=lease.host_points
            )
            quarantine_if_hopeless(session, Stage.FETCH, lease.row.id, self._settings.quarantine_after)


async def fetch(
    factory: SessionFactory,
    fetcher: Fetcher,
    settings: Settings,
    *,
    worker: str,
    ring: Ring,
    stopping: Callable[[], bool],
) -> Outcome:
    """Visit due hosts until none is due, the round's time is over, or `stopping` says so; then wait for the open visits."""
    desk = Desk(factory, worker, settings, ring)
    clock = asyncio.get_running_loop().time
    end = clock() + settings.shift
    active: set[asyncio.Task[None]] = set()
    try:
        while True:
            closing = clock() >= end or stopping()
            if not closing and (room := settings.fetch_concurrency - len(active)) > 0:
                active |= {asyncio.create_task(_visit(lease, fetcher, settings, desk)) for lease in await desk.take(room)}
            if active:
                done, active = await asyncio.wait(
                    active, timeout=None if closing else LONGEST_NAP / 2, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
                continue
            due = None if closing else await desk.next_due()
            if due is None or due > PATIENCE:
                break
            await asyncio.sleep(min(max(due, 0.01), LONGEST_NAP))
    finally:
        for task in active:
            task.cancel()
        await desk.close()
    more = (Bell(Stage.FETCH),) if closing and not stopping() else ()
    return Outcome(f"{desk.visits} visits, {desk.captured} captures", next=more)


async def _visit(lease: Lease, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    """Make the one request that a lease is for."""
    url = parse(lease.row.visit_url)
    now = datetime.now(UTC)
    known = lease.robots
    if not settings.contact and not url.host.startswith(LOOPBACK):
        robot = Robot(Robots.parse(None), fresh=False, lifetime=0)
        decision = Decision(Visit.WAITING, "no contact is set, and only loopback is fetched without one", NO_CONTACT_DELAY)
        desk.record(Visited(lease, url, "nothing", None, robot, decision))
    elif known is None or known.expires_at <= now:
        answer = await _ask_robots(url, fetcher, settings, desk)
        robot = _robot(answer, known, settings)
        if robot.rules.status is None or robot.rules.status >= 500:
            decision = visits.decide(lease, answer, datetime.now(UTC), settings)
        else:
            decision = Decision(Visit.WAITING, "robots.txt first", points=lease.row.points)
        desk.record(Visited(lease, url, "robots", answer, robot, decision))
    else:
        await _visit_page(lease, url, Robot(Robots.parse(known.status, known.body), False, 0), fetcher, settings, desk)


async def _visit_page(lease: Lease, url: Url, robot: Robot, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    rules = robot.rules
    if not rules.allows(url, PRODUCT):
        if rules.status is None or rules.status >= 500:
            # Not a word of the host's: everything counts as disallowed until its robots.txt can be read.
            decision = Decision(
                Visit.WAITING, "robots.txt cannot be read", visits.ROBOTS_RETRY, lease.row.points, lease.row.points > 0
            )
        else:
            decision = Decision(Visit.REFUSED, "robots.txt disallows it")
        desk.record(Visited(lease, url, "nothing", None, robot, decision))
        return
    accept = FEEDS if lease.row.purpose == Purpose.SOURCE else PAGES
    result = await fetcher.fetch(url, Validators(lease.row.etag, lease.row.last_modified), accept)
    desk.record(Visited(lease, url, "page", result, robot, visits.decide(lease, result, datetime.now(UTC), settings)))


async def _ask_robots(url: Url, fetcher: Fetcher, settings: Settings, desk: Desk) -> Answer | Failure:
    """The answer to robots.txt of the URL's origin, up to five redirects followed (RFC 9309, 2.3.1.2).

    Each hop keeps the manners of a visit: on the same host after the interval, on another under that host's own lease.
    """
    answer: Answer | Failure = await fetcher.fetch(parse(url.origin + "/robots.txt"), None, ROBOTS)
    for _ in range(MOST_ROBOTS_HOPS):
        if isinstance(answer, Failure) or answer.location is None:
            break
        hop = answer.location
        if hop.host == url.host:
            await asyncio.sleep(settings.fetch_interval)
            answer = await fetcher.fetch(hop, None, ROBOTS)
        elif await desk.borrow(hop.host):
            answer = await fetcher.fetch(hop, None, ROBOTS)
        else:
            return Failure(hop, "timeout", f"robots.txt leads to {hop.host}, which is busy", 0.0)
    return answer


def _robot(answer: Answer | Failure, known: RobotsFile | None, settings: Settings) -> Robot:
    """The rules in an answer; where there is none, the ones known from before for a while longer."""
    rules = Robots.parse(None) if isinstance(answer, Failure) else Robots.parse(answer.status, answer.body)
    if rules.status is not None and rules.status < 500:
        return Robot(rules, fresh=True, lifetime=settings.robots_lifetime)
    if known is not None and known.status is not None and known.status < 500:
        rules = Robots.parse(known.status, known.body)
    return Robot(rules, fresh=True, lifetime=visits.ROBOTS_RETRY)
