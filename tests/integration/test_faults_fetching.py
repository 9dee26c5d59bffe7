"""The fetch loop when things around it fail: one visit, the bell, the database, the loop itself."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, text, update

from pipeline.crawl.fetcher import Fetcher
from pipeline.crawl.robots import Robots
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.stages.outcome import Bell, Outcome, Ring
from pipeline.store import hosts
from pipeline.store.engine import SessionFactory
from pipeline.store.hosts import Lease
from pipeline.store.tables import Attempt, AttemptEnd, Capture, FrontierRow, Host, QuarantinedWork, Visit

PAGE = Reply(b"<html><body><p>A page.</p></body></html>", headers={"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A round waits out the intervals of hosts that a busy machine makes slow: five times the latency, which has a limit."""
    monkeypatch.setattr("pipeline.stages.fetching.PATIENCE", 5.5 * settings.fetch_timeout)


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(3) as found:
        for site in found:
            site.pages["/story"] = PAGE
        yield found


def queue(factory: SessionFactory, settings: Settings, *urls: str) -> tuple[int, ...]:
    with factory.begin() as session:
        return admit(session, urls, settings, found_by="hand").admitted.ids


def run(
    factory: SessionFactory,
    settings: Settings,
    ring: Ring = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    async def work() -> Outcome:
        async with Fetcher(fetch_options(settings)) as fetcher:
            return await fetch(factory, fetcher, settings, worker="test", ring=ring, stopping=stopping)

    return asyncio.run(work())


def states(factory: SessionFactory) -> list[str]:
    with factory() as session:
        return list(session.scalars(select(FrontierRow.state).order_by(FrontierRow.id)))


def test_an_exception_in_one_visit_touches_no_other(
    factory: SessionFactory, settings: Settings, sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visit that we fail over is counted, three times, and quarantined; the other hosts' visits come in as ever."""
    sites[0].pages["/robots.txt"] = Reply(b"poison")
    parse = Robots.parse.__func__

    def fail(cls: type[Robots], status: int | None, body: bytes | str = b"") -> Robots:
        if b"poison" in (body if isinstance(body, bytes) else body.encode()):
            raise ZeroDivisionError("by us")
        return parse(cls, status, body)

    monkeypatch.setattr(Robots, "parse", classmethod(fail))
    queue(factory, settings, *(site.url("/story") for site in sites))
    run(factory, settings)
    assert states(factory) == [Visit.QUARANTINED, Visit.CAPTURED, Visit.CAPTURED]
    with factory() as session:
        tries = session.scalars(select(Attempt.end).where(Attempt.subject_id == 1)).all()
        assert session.scalar(select(func.count()).where(Attempt.ended_at.is_(None))) == 0
    assert tries == [AttemptEnd.ERROR] * 3


def test_a_failure_of_ours_is_logged_beside_the_loop(
    factory: SessionFactory, settings: Settings, sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a traceback is written, however long that takes, the loop goes on: it would count as latency of every other host."""
    logging, ticked, seen = threading.Event(), threading.Event(), []

    def write(*_: object, **__: object) -> None:
        logging.set()
        seen.append(ticked.wait(10))

    async def work() -> None:
        async with Fetcher(fetch_options(settings)) as fetcher:
            round_ = fetch(factory, fetcher, settings, worker="test", ring=lambda _: None, stopping=lambda: False)
            running = asyncio.create_task(round_)
            while not logging.is_set() and not running.done():  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.01)
            ticked.set()
            await running

    monkeypatch.setattr("pipeline.stages.fetching.log.error", write, raising=False)
    ids = queue(factory, settings, sites[0].url("/story"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).where(FrontierRow.id == ids[0]).values(visit_url="http://user@[nowhere\\/"))
    asyncio.run(work())
    assert seen == [True] * 3


def test_a_url_whose_workers_died_three_times_is_put_aside_by_the_loop_itself(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """The loop takes a dead worker's host within a moment of its lease's end, before any sweep: it has to count as well."""
    (id_,) = queue(factory, settings, sites[0].url("/story"))
    with factory.begin() as session:
        for _ in range(2):
            values = {"stage": "fetch", "subject_id": id_, "worker": "dead", "lease_until": func.now()}
            session.add(Attempt(**values, ended_at=func.now(), end=AttemptEnd.DIED, outcome="died"))
        session.add(Attempt(**values))
    run(factory, settings)
    assert states(factory) == [Visit.QUARANTINED]
    assert sites[0].asked == []
    with factory() as session:
        assert session.scalars(select(QuarantinedWork.subject_id)).all() == [id_]
        assert session.scalars(select(Attempt.end)).all() == [AttemptEnd.DIED] * 3
        assert session.scalar(select(Host.free_at <= func.clock_timestamp()))


def test_a_bell_that_raises_loses_no_result(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Whatever ringing raises, every page is recorded: the sweep rings later."""

    def fail(_: Bell) -> None:
        raise ConnectionError("no bell")

    queue(factory, settings, *(site.url("/story") for site in sites))
    outcome = run(factory, settings, ring=fail)
    assert outcome.state == "6 visits, 3 captures"
    assert states(factory) == [Visit.CAPTURED] * 3


def test_a_database_that_is_away_for_a_while_costs_no_page(
    factory: SessionFactory, settings: Settings, sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are cut and refused while answers come in: they are recorded when it is back, each page asked for once."""
    for site in sites:
        site.pages["/story"] = Reply(PAGE.body, headers=PAGE.headers, hold=0.5)
    queue(factory, settings, *(site.url("/story") for site in sites))
    done = threading.Event()

    def cut() -> None:
        """Ends every connection again and again for two seconds from the first request for a page."""
        while not any(len(site.asked) for site in sites):
            time.sleep(0.01)
        end = time.monotonic() + 2
        others = "pid <> pg_backend_pid() AND application_name = 'wirecopy'"
        with factory() as session:
            while time.monotonic() < end:
                session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        done.set()

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        run(factory, settings)
    finally:
        cutter.join()
    assert done.is_set()
    assert states(factory) == [Visit.CAPTURED] * 3
    assert [[asked.path for asked in site.asked].count("/story") for site in sites] == [1, 1, 1]
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Capture)) == 3
        assert AttemptEnd.DIED not in session.scalars(select(Attempt.end)).all()


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
def test_leases_are_given_back(
    factory: SessionFactory, settings: Settings, sites: list[Site], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A round that is stopped or cancelled over a hanging host gives the lease back; nobody's failure is counted."""
    monkeypatch.setattr("pipeline.stages.fetching.STOP_PATIENCE", 0.2)
    sites[0].pages["/story"] = Reply(PAGE.body, headers=PAGE.headers, hold=4.0)
    queue(factory, settings, sites[0].url("/story"))

    def hanging() -> bool:
        with factory() as session:
            return session.scalars(select(Attempt.end).order_by(Attempt.id)).all() == [AttemptEnd.DONE, None]

    async def cancelled() -> None:
        async with Fetcher(fetch_options(settings)) as fetcher:
            round_ = asyncio.create_task(
                fetch(factory, fetcher, settings, worker="test", ring=lambda _: None, stopping=lambda: False)
            )
            while not hanging():  # noqa: ASYNC110 - what it waits for stands in the database
                await asyncio.sleep(0.01)
            round_.cancel()
            await asyncio.gather(round_, return_exceptions=True)

    if how == "cancelled":
        asyncio.run(cancelled())
    else:
        run(factory, settings, stopping=hanging)
    with factory() as session:
        ends = session.execute(select(Attempt.end, Attempt.outcome).order_by(Attempt.id)).all()
        assert session.scalar(select(Host.free_at < func.now() + text("interval '1 second'")))
    assert ends[-1] == (AttemptEnd.DONE, "broken off: the worker was told to stop")
    assert states(factory) == [Visit.WAITING]


def test_a_url_that_no_parser_takes_stops_nothing(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A row from an older version whose URL is none any more is quarantined; the others are fetched."""
    ids = queue(factory, settings, *(site.url("/story") for site in sites))
    with factory.begin() as session:
        session.execute(update(FrontierRow).where(FrontierRow.id == ids[0]).values(visit_url="http://user@[nowhere\\/"))
    run(factory, settings)
    assert states(factory) == [Visit.QUARANTINED, Visit.CAPTURED, Visit.CAPTURED]


def test_a_borrowed_host_is_held_for_the_whole_request(
    factory: SessionFactory, settings: Settings, sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While robots.txt of one host is read from another one, slowly, nobody else asks that one for anything."""
    first, second, _ = sites
    asked, looked = threading.Event(), threading.Event()
    first.pages["/robots.txt"] = Reply(status=301, headers={"Location": second.url("/rules.txt")})
    second.pages["/rules.txt"] = Reply(b"", begins=asked, until=looked)
    queue(factory, settings, first.url("/story"), second.url("/story"))
    due = update(FrontierRow).where(FrontierRow.url == second.url("/story"))
    with factory.begin() as session:
        session.execute(due.values(next_attempt_at=func.now() + text("interval '1 hour'")))
    take, looks = hosts.take_leases, 0

    def look(*words: Any, **named: Any) -> list[Lease]:
        """Leases as ever. From the request for the rules on the other host's page is due; five looks later they are sent."""
        nonlocal looks
        if asked.is_set():
            looks += 1
            if looks == 1:
                with factory.begin() as session:
                    session.execute(due.values(next_attempt_at=func.now()))
            if looks == 5:
                looked.set()
        return take(*words, **named)

    monkeypatch.setattr(hosts, "take_leases", look)
    run(factory, settings)
    assert looked.is_set()
    times = sorted(second.asked, key=lambda asked: asked.begun)
    assert [asked.path for asked in times] == ["/rules.txt", "/robots.txt", "/story"]
    assert all(later.begun >= earlier.ended for earlier, later in pairwise(times))
