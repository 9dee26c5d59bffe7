"""Fetch: visit the hosts that are due, side by side, one request a lease.

A visit is one request: to a host whose robots.txt is unknown or stale, for robots.txt; else for the page. So every request
is made under a lease, with the host's interval before the next one. All database work goes through one thread, visits
that end close together in one transaction, so that no host waits for the database.
"""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from pipeline.crawl.answers import Answer, Failure, Validators
from pipeline.crawl.fetcher import FEEDS, PAGES, Fetcher, FetchOptions
from pipeline.crawl.robots import Robots
from pipeline.crawl.urls import Url, parse
from pipeline.settings import Settings
from pipeline.stages import visits
from pipeline.stages.admission import is_loopback
from pipeline.stages.judgement import Decision
from pipeline.stages.outcome import Bell, Outcome, Ring, gather
from pipeline.stages.visits import Robot, Visited
from pipeline.store import hosts
from pipeline.store.engine import SessionFactory, is_outage, outlast
from pipeline.store.hosts import Lease
from pipeline.store.tables import Purpose, RobotsFile, Visit

T = TypeVar("T")
ROBOTS = "text/plain, */*;q=0.1"
NO_CONTACT_DELAY = 3_600.0
PRODUCT = "wirecopy"
MOST_ROBOTS_HOPS = 5
BORROW_TRIES = 20
# How long a round waits for a host's interval to pass before it leaves that to the next round.
PATIENCE = 1.5
LONGEST_NAP = 0.25
# Between two looks for due hosts, in seconds: while there are some, and while there are none.
TURN, IDLE_TURN = 0.05, 0.1
# A visit that takes longer, in seconds, does not count among `fetch_concurrency` any more; so many are open at the most.
HANGING = 2.0
MOST_OPEN = 512
# How long a round that is told to stop waits for open visits; `up` waits three times as long for its workers.
STOP_PATIENCE = 5.0
# What a visit may take of its lease: the rest is for writing it down.
LEASE_USED = 0.9
Write = Callable[[Session], list[Bell]]
# Visits that end this close together, in seconds, are written down together: a batch costs little more than a visit.
GATHER = 0.03
# Captures rung for in one message: to send one takes longer than to fetch a page, and who takes it reads one by one.
CHIME = 5
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
        max_connections=max(MOST_OPEN, settings.fetch_concurrency),
        allow_private_addresses=settings.allow_private_addresses,
        proxy=settings.proxy or None,
    )


class Desk:
    """The database side of a round of fetching: one thread, and what is to be recorded in batches."""

    def __init__(
        self, factory: SessionFactory, worker: str, settings: Settings, ring: Ring, stopping: Callable[[], bool]
    ) -> None:
        self._factory = factory
        self._stopping = stopping
        self._worker = worker
        self._settings = settings
        self._ring = ring
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._held: dict[int, Lease] = {}
        self._waiting: list[tuple[Lease, Visited | Write]] = []
        self._flush: asyncio.Task[None] | None = None
        self.captured = 0
        self.visits = 0

    async def take(self, count: int) -> list[Lease]:
        """Lease up to `count` due hosts. What has killed its workers too often is put in quarantine in place of a visit."""

        def work() -> list[Lease]:
            settings = self._settings
            with self._factory.begin() as session:
                taken = hosts.take_leases(session, count, settings.host_lease, self._worker, by_address=settings.share_address)
                leases = [lease for lease in taken if not visits.put_aside(session, lease, settings)]
            self._held |= {lease.attempt_id: lease for lease in leases}
            return leases

        return await self._run(work)

    async def next_due(self) -> float | None:
        """Seconds until a host is due; None where none is before our patience ends."""

        def work() -> float | None:
            with self._factory.begin() as session:
                return hosts.next_due(session, PATIENCE, by_address=self._settings.share_address)

        return await self._run(work)

    async def borrow(self, host: str, address: str | None) -> UUID | None:
        """Lease another host for one request, and its address where one is given; None where one is not free before long."""

        def work() -> UUID | None:
            with self._factory.begin() as session:
                return hosts.borrow(session, host, self._settings.host_lease, address)

        for _ in range(BORROW_TRIES):
            if token := await self._run(work):
                return token
            await asyncio.sleep(LONGEST_NAP)
        return None

    async def give_back(self, host: str, token: UUID) -> None:
        """End the lease of a borrowed host, which is then left alone for its interval."""

        def work() -> None:
            with self._factory.begin() as session:
                hosts.give_back(session, host, token, self._settings.fetch_interval)

        await self._run(work)

    def record(self, visited: Visited) -> None:
        """Let a visit be recorded soon, together with others."""
        self._write_down(visited.lease, visited)

    def fail(self, lease: Lease, error: Exception) -> None:
        """Let a visit that we could not make be counted as a failure of our own."""

        def write(session: Session) -> list[Bell]:
            # Here and not in the loop: a traceback with its frames' values takes long to write, and would count as latency of
            # every host that answers meanwhile.
            log.error("fetch", url=lease.row.visit_url, outcome="error", exc_info=error)
            return visits.record_error(session, lease, error, self._settings)

        self._write_down(lease, write)

    async def settle(self) -> None:
        """Wait until every visit that has ended is recorded."""
        while self._flush is not None and not self._flush.done():
            await self._flush

    async def close(self) -> None:
        """Record what still waits, give back the leases under which nothing came, and let go of the thread."""
        try:
            await self._run(lambda: None)  # what is being taken is taken then
            for lease in list(self._held.values()):
                self._write_down(lease, lambda session, lease=lease: visits.give_back(session, lease, self._settings))  # type: ignore[misc]
            await self.settle()
        finally:
            self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        """What `work` returns, done on the desk's thread. While the database is away visits go on and their results wait."""
        patiently = partial(outlast, work, self._settings.host_lease, self._stopping)
        return await asyncio.get_running_loop().run_in_executor(self._thread, patiently)

    def _write_down(self, lease: Lease, write: Visited | Write) -> None:
        self._held.pop(lease.attempt_id, None)
        self._waiting.append((lease, write))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER)
            batch, self._waiting = self._waiting, []
            bells = await self._run(partial(self._write, batch))
            await self._run(partial(self._ring_all, bells))

    def _write(self, batch: list[tuple[Lease, Visited | Write]]) -> list[Bell]:
        try:
            with self._factory.begin() as session:
                made = [what for _, what in batch if isinstance(what, Visited)]
                bells = visits.record(session, made, self._settings) if made else []
                for _, what in batch:
                    if not isinstance(what, Visited):
                        bells += what(session)
        except Exception as error:
            if is_outage(error):
                raise
            if len(batch) > 1:  # one visit that cannot be written down must not take the others with it
                return [bell for entry in batch for bell in self._write([entry])]
            lease = batch[0][0]
            log.exception("fetch", url=lease.row.visit_url, outcome="error")
            with self._factory.begin() as session:
                return visits.record_error(session, lease, error, self._settings)
        self.visits += len(batch)
        self.captured += len(bells)
        return bells

    def _ring_all(self, bells: list[Bell]) -> None:
        for bell in gather(bells, CHIME):
            try:
                self._ring(bell)
            except Exception as error:  # noqa: BLE001 - the row is written: the sweep rings for it
                log.warning("bell lost", stage=bell.stage, subjects=bell.subjects, why=str(error))


async def fetch(
    factory: SessionFactory,
    fetcher: Fetcher,
    settings: Settings,
    *,
    worker: str,
    ring: Ring,
    stopping: Callable[[], bool],
) -> Outcome:
    """Visit due hosts for as long as any is due, or until `stopping` says so; then wait for the open visits.

    A host that hangs holds up nobody: its visit soon gives its place to another, and the round goes on beside it. A round
    that is told to stop waits a moment only: visits that take longer are broken off and their leases given back.
    """
    desk = Desk(factory, worker, settings, ring, stopping)
    clock = asyncio.get_running_loop().time
    break_off: float | None = None
    active: dict[asyncio.Task[None], float] = {}
    try:
        while True:
            taken: list[Lease] = []
            if stopping():
                break_off = break_off or clock() + STOP_PATIENCE
                if clock() >= break_off:
                    break
            elif (room := _room(active.values(), clock(), settings.fetch_concurrency)) > 0:
                taken = await desk.take(room)
                active |= {asyncio.create_task(_visit(lease, fetcher, settings, desk)): clock() for lease in taken}
            if active:
                # Not at the end of every visit: hosts that are taken together cost the database little more than one.
                await asyncio.sleep(TURN if taken else IDLE_TURN)
                for task in [task for task in active if task.done()]:
                    del active[task]
                    task.result()
                continue
            await desk.settle()
            due = None if stopping() else await desk.next_due()
            if due is None:
                break
            await asyncio.sleep(min(max(due, 0.01), LONGEST_NAP))
    finally:
        for task in active:
            task.cancel()
        await asyncio.gather(*active, return_exceptions=True)
        await desk.close()
    return Outcome(f"{desk.visits} visits, {desk.captured} captures")


def _room(begun: Collection[float], now: float, places: int) -> int:
    """How many more visits may begin, given when the open ones began."""
    quick = sum(now - begin < HANGING for begin in begun)
    return min(places - quick, max(MOST_OPEN, places) - len(begun))


async def _visit(lease: Lease, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    """Make the one request that a lease is for. An exception counts against this visit and touches no other."""
    try:
        await _make_visit(lease, fetcher, settings, desk)
    except Exception as error:
        if is_outage(error):
            raise
        desk.fail(lease, error)


async def _make_visit(lease: Lease, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    url = parse(lease.row.visit_url)
    known = lease.robots
    if not settings.contact and not is_loopback(url.host):
        robot = Robot(Robots.parse(None), fresh=False, lifetime=0)
        decision = Decision(Visit.WAITING, "no contact is set, and only loopback is fetched without one", NO_CONTACT_DELAY)
        desk.record(Visited(lease, url, "nothing", None, robot, decision))
    elif settings.share_address and lease.address is None:
        await _find_address(lease, url, fetcher, settings, desk)
    elif known is None or known.expires_at <= lease.taken_at:
        try:
            async with asyncio.timeout(settings.host_lease * LEASE_USED):
                answer = await _ask_robots(lease, url, fetcher, settings, desk)
        except TimeoutError:
            answer = Failure(url, "timeout", "the redirects of robots.txt take too long", settings.host_lease * LEASE_USED)
        robot = _robot(answer, known, settings)
        if robot.rules.status is None or robot.rules.status >= 500:
            decision = visits.decide(lease, answer, settings)
        else:
            decision = Decision(Visit.WAITING, "robots.txt first", points=lease.row.points, pending=True)
        desk.record(Visited(lease, url, "robots", answer, robot, decision))
    else:
        await _visit_page(lease, url, Robot(Robots.parse(known.status, known.body), False, 0), fetcher, settings, desk)


async def _find_address(lease: Lease, url: Url, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    """Learn the address of a host that may share one, so that its first request is made under the address's lease, too."""
    robot = Robot(Robots.parse(None), fresh=False, lifetime=0)
    found = await fetcher.find_address(url)
    if isinstance(found, Failure):
        desk.record(Visited(lease, url, "page", found, robot, visits.decide(lease, found, settings)))
    else:
        decision = Decision(Visit.WAITING, "its address first", points=lease.row.points, pending=True)
        desk.record(Visited(lease, url, "nothing", None, robot, decision, found))


async def _visit_page(lease: Lease, url: Url, robot: Robot, fetcher: Fetcher, settings: Settings, desk: Desk) -> None:
    rules = robot.rules
    if not rules.allows(url, PRODUCT):
        if rules.status is None or rules.status >= 500:
            # Not a word of the host's: everything counts as disallowed until its robots.txt can be read.
            decision = Decision(Visit.WAITING, "robots.txt cannot be read", visits.ROBOTS_RETRY, lease.row.points, pending=True)
        else:
            decision = Decision(Visit.REFUSED, "robots.txt disallows it")
        desk.record(Visited(lease, url, "nothing", None, robot, decision))
        return
    accept = FEEDS if lease.row.purpose == Purpose.SOURCE else PAGES
    result = await fetcher.fetch(url, Validators(lease.row.etag, lease.row.last_modified), accept)
    desk.record(Visited(lease, url, "page", result, robot, visits.decide(lease, result, settings)))


async def _ask_robots(lease: Lease, url: Url, fetcher: Fetcher, settings: Settings, desk: Desk) -> Answer | Failure:
    """The answer to robots.txt of the URL's origin, up to five redirects followed (RFC 9309, 2.3.1.2).

    Each hop keeps the manners of a visit: on the same host (or address) after the interval, on another under that host's own
    lease.
    """
    answer: Answer | Failure = await fetcher.fetch(parse(url.origin + "/robots.txt"), None, ROBOTS)
    for _ in range(MOST_ROBOTS_HOPS):
        if isinstance(answer, Failure) or answer.location is None:
            break
        hop = answer.location
        if hop.host == url.host:
            await asyncio.sleep(visits.least_interval(lease, settings))
            answer = await fetcher.fetch(hop, None, ROBOTS)
            continue
        if not settings.contact and not is_loopback(hop.host):
            return Failure(hop, "connect", f"robots.txt leads to {hop.host}, and no contact is set", 0.0)
        address = await fetcher.find_address(hop) if settings.share_address else None
        if isinstance(address, Failure):
            return address
        if address is not None and address == lease.address:
            await asyncio.sleep(visits.least_interval(lease, settings))
            address = None  # held already
        if token := await desk.borrow(hop.host, address):
            answer = await fetcher.fetch(hop, None, ROBOTS)
            await desk.give_back(hop.host, token)
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
