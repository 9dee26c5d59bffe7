"""The stage fetch, on a real database and real hosts."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, update

from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import Settings, as_environment
from pipeline.stages.admission import admit
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.sweeping import sweep
from pipeline.store import hosts
from pipeline.store.engine import SessionFactory
from pipeline.store.hosts import Lease
from pipeline.store.tables import Attempt, Capture, FrontierRow, Host, QuarantinedWork, RobotsFile, Stage, Visit

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = Reply(b"<html><body><p>A page.</p></body></html>", headers=HTML)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round waits out the intervals of hosts that a busy machine makes slow, for they grow with the latency."""
    monkeypatch.setattr("pipeline.stages.fetching.PATIENCE", 20.0)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (site,):
        yield site


def queue(factory: SessionFactory, settings: Settings, *urls: str) -> list[int]:
    with factory.begin() as session:
        return sorted(admit(session, urls, settings, found_by="hand").admitted.ids)


def run(factory: SessionFactory, settings: Settings) -> tuple[Outcome, list[Bell]]:
    """One round of fetching."""
    bells: list[Bell] = []

    async def work() -> Outcome:
        async with Fetcher(fetch_options(settings)) as fetcher:
            return await fetch(factory, fetcher, settings, worker="test", ring=bells.append, stopping=lambda: False)

    return asyncio.run(work()), bells


def row(factory: SessionFactory, id_: int) -> FrontierRow:
    with factory() as session:
        return session.get_one(FrontierRow, id_)


def test_a_page_is_captured_after_its_robots_file(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A visit is one request: robots.txt first, then the page, each an attempt in the ledger; the capture has its bell."""
    site.pages["/story"] = PAGE
    (id_,) = queue(factory, settings, site.url("/story"))
    _, bells = run(factory, settings)
    with factory() as session:
        capture = session.scalars(select(Capture)).one()
        attempts = session.scalars(select(Attempt).order_by(Attempt.id)).all()
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/story"]
    assert [attempt.detail["asked"] for attempt in attempts] == ["robots", "page"]
    assert (capture.frontier_id, capture.status, capture.kept, capture.read_at) == (id_, 200, True, None)
    assert bells == [Bell(Stage.EXTRACT, capture.id)]
    assert row(factory, id_).state == Visit.CAPTURED


def test_a_page_keeps_its_turn(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """The visit for robots.txt, made on behalf of the first page, does not put that page behind the others of its host."""
    site.pages |= {f"/{number}": PAGE for number in range(5)}
    queue(factory, settings, *(site.url(f"/{number}") for number in range(5)))
    run(factory, settings)
    assert [asked.path for asked in site.asked] == ["/robots.txt", *(f"/{number}" for number in range(5))]


def test_what_robots_txt_disallows_is_never_asked_for(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A disallowed page is refused with the reason, and its host sees no request but the one for robots.txt."""
    site.pages |= {"/robots.txt": Reply(b"User-agent: *\nDisallow: /private\n"), "/private/story": PAGE}
    (id_,) = queue(factory, settings, site.url("/private/story"))
    run(factory, settings)
    assert (row(factory, id_).state, row(factory, id_).reason) == (Visit.REFUSED, "robots.txt disallows it")
    assert [asked.path for asked in site.asked] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [
        (Reply(status=404), Visit.GONE, "the server answers 404"),
        (Reply(status=410), Visit.GONE, "the server answers 410"),
        (Reply(status=403), Visit.REFUSED, "wall: the server answers 403"),
        (Reply(status=403, headers={"cf-mitigated": "challenge"}), Visit.REFUSED, "wall: challenge (cf-mitigated: challenge)"),
        (Reply(b"<title>x</title>Checking your browser before accessing", 503), Visit.REFUSED, "wall: challenge (checking"),
        (Reply(status=302, headers={"Location": "/login?next=/story"}), Visit.REFUSED, "wall: login"),
        (Reply(b"\x89PNG", headers={"Content-Type": "image/png"}), Visit.REFUSED, "type: it is image/png"),
        (Reply(status=400), Visit.GIVEN_UP, "the server answers 400"),
        (Reply(status=302, headers={"Location": "javascript:alert(1)"}), Visit.GONE, "redirects to no URL"),
        (Reply(status=302, headers={"Location": "/story"}), Visit.GIVEN_UP, "redirects"),
        (Reply(status=304), Visit.WAITING, "304 to a page that we do not hold"),
        (Reply(status=500), Visit.WAITING, "the server answers 500"),
    ],
)
def test_every_answer_ends_in_a_named_state(
    factory: SessionFactory, settings: Settings, site: Site, reply: Reply, state: Visit, reason: str
) -> None:
    """What a host answers decides the state of the URL, and the row says why."""
    site.pages["/story"] = reply
    (id_,) = queue(factory, settings.model_copy(update={"max_hops": 3}), site.url("/story"))
    run(factory, settings.model_copy(update={"max_hops": 3}))
    found = row(factory, id_)
    assert found.state == state
    assert reason in (found.reason or "")


def test_a_redirect_is_a_visit_of_its_own(factory: SessionFactory, settings: Settings) -> None:
    """A hop to another host asks for that host's robots.txt first, and is not followed where that forbids it."""
    with serving(2) as (first, second):
        first.pages |= {
            "/open": Reply(status=301, headers={"Location": second.url("/open")}),
            "/closed": Reply(status=301, headers={"Location": second.url("/closed")}),
        }
        second.pages |= {"/robots.txt": Reply(b"User-agent: *\nDisallow: /closed\n"), "/open": PAGE, "/closed": PAGE}
        opened, closed = queue(factory, settings, first.url("/open"), first.url("/closed"))
        run(factory, settings)
        assert row(factory, opened).state == Visit.CAPTURED
        assert [hop["to"] for hop in row(factory, opened).hops] == [second.url("/open")]
        assert (row(factory, closed).state, row(factory, closed).reason) == (Visit.REFUSED, "robots.txt disallows it")
        assert [asked.path for asked in second.asked] == ["/robots.txt", "/open"]


def test_a_redirect_to_a_known_page_is_the_same_page(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A URL that leads to one that is in the frontier itself is not fetched twice; of two that lead to each other one is."""
    site.pages |= {
        "/old": Reply(status=301, headers={"Location": "/story"}),
        "/story": PAGE,
        "/ping": Reply(status=302, headers={"Location": "/pong"}),
        "/pong": Reply(status=302, headers={"Location": "/ping"}),
    }
    old, story, ping, pong = queue(factory, settings, *(site.url(path) for path in ("/old", "/story", "/ping", "/pong")))
    run(factory, settings.model_copy(update={"max_hops": 4}))
    assert (row(factory, old).state, row(factory, old).same_as) == (Visit.SAME, story)
    assert row(factory, story).state == Visit.CAPTURED
    assert sum(asked.path == "/story" for asked in site.asked) == 1
    assert {row(factory, ping).state, row(factory, pong).state} == {Visit.SAME, Visit.GIVEN_UP}


def test_a_busy_host_is_left_alone_as_long_as_it_asks(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """503 with Retry-After rests the host, not only the URL: its other pages wait as well."""
    site.pages |= {"/busy": Reply(status=503, headers={"Retry-After": "120"}), "/other": PAGE}
    busy, other = queue(factory, settings, site.url("/busy"), site.url("/other"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).where(FrontierRow.id == busy).values(priority=5))
    run(factory, settings)
    with factory() as session:
        rest = session.scalar(select(func.extract("epoch", Host.free_at - func.now())))
    assert rest == pytest.approx(120, abs=5)
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/busy"]
    assert {row(factory, busy).state, row(factory, other).state} == {Visit.WAITING}
    assert row(factory, busy).points == 0


def test_where_robots_txt_fails_nothing_is_fetched(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A robots.txt that answers 5xx disallows everything for now; the page waits and is not asked for."""
    site.pages |= {"/robots.txt": Reply(status=500), "/story": PAGE}
    (id_,) = queue(factory, settings, site.url("/story"))
    run(factory, settings)
    assert row(factory, id_).state == Visit.WAITING
    assert [asked.path for asked in site.asked] == ["/robots.txt"]


@pytest.mark.parametrize(("hops", "state"), [(5, Visit.REFUSED), (6, Visit.CAPTURED)])
def test_five_redirects_of_robots_txt_are_followed(
    factory: SessionFactory, settings: Settings, site: Site, hops: int, state: Visit
) -> None:
    """Rules behind five redirects are obeyed; behind six they count as unavailable, which allows all (RFC 9309, 2.3.1.2)."""
    site.pages["/story"] = PAGE
    for hop in range(hops):
        path = "/robots.txt" if hop == 0 else f"/rules{hop}"
        site.pages[path] = Reply(status=302, headers={"Location": f"/rules{hop + 1}"})
    site.pages[f"/rules{hops}"] = Reply(b"User-agent: *\nDisallow: /\n")
    (id_,) = queue(factory, settings, site.url("/story"))
    run(factory, settings)
    assert row(factory, id_).state == state


@pytest.mark.parametrize("status", [500, 503])
def test_rules_that_are_known_outlive_a_failure_of_robots_txt(
    factory: SessionFactory, settings: Settings, site: Site, status: int
) -> None:
    """After a day the file is asked for again; where it fails then, the rules from before are obeyed (RFC 9309, 2.4)."""
    site.pages |= {"/robots.txt": Reply(b"User-agent: *\nDisallow: /private\n"), "/first": PAGE, "/open": PAGE}
    queue(factory, settings, site.url("/first"))
    run(factory, settings)
    with factory.begin() as session:
        file = session.scalars(select(RobotsFile)).one()
        assert file.expires_at - file.fetched_at == timedelta(days=1)
        session.execute(update(RobotsFile).values(expires_at=func.now()))
    site.pages["/robots.txt"] = Reply(status=status)
    opened, closed = queue(factory, settings, site.url("/open"), site.url("/private/story"))
    run(factory, settings)
    with factory.begin() as session:  # the failed visit of robots.txt put its page off
        session.execute(update(FrontierRow).values(next_attempt_at=func.now()))
        session.execute(update(Host).values(free_at=func.now(), interval=None))
    run(factory, settings)
    assert (row(factory, opened).state, row(factory, closed).state) == (Visit.CAPTURED, Visit.REFUSED)
    assert "/private/story" not in [asked.path for asked in site.asked]


def test_a_visit_of_robots_txt_says_nothing_of_the_page(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Since when a page has failed outlives the daily visit of robots.txt, or its seven days would never end."""
    site.pages |= {"/robots.txt": Reply(b""), "/story": Reply(status=503)}
    (id_,) = queue(factory, settings, site.url("/story"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(points=1, first_failed_at=func.now() - timedelta(days=8)))
    run(factory, settings)
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/story"]
    assert row(factory, id_).state == Visit.GIVEN_UP


def test_the_databases_clock_decides(
    factory: SessionFactory, settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day of a robots.txt and the seven days of a URL are the database's, not the fetching machine's, which may be wrong."""
    site.pages |= {"/robots.txt": Reply(b""), "/failing": Reply(status=500), "/story": PAGE}
    (failing,) = queue(factory, settings, site.url("/failing"))
    run(factory, settings)
    assert row(factory, failing).state == Visit.WAITING
    take = hosts.take_leases

    def take_later(*words: Any, **named: Any) -> list[Lease]:
        return [replace(lease, taken_at=lease.taken_at + timedelta(days=8)) for lease in take(*words, **named)]

    monkeypatch.setattr(hosts, "take_leases", take_later)
    (story,) = queue(factory, settings, site.url("/story"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(next_attempt_at=func.now()))
    run(factory, settings)
    assert [asked.path for asked in site.asked].count("/robots.txt") == 2
    assert (row(factory, failing).state, row(factory, story).state) == (Visit.GIVEN_UP, Visit.CAPTURED)


def test_a_proxy_comes_by_its_setting(settings: Settings) -> None:
    """It is what everything is fetched through; without it there is none."""
    assert fetch_options(settings).proxy is None
    assert fetch_options(settings.model_copy(update={"proxy": "http://127.0.0.1:3128"})).proxy == "http://127.0.0.1:3128"


def test_a_host_that_hangs_holds_up_no_other(factory: SessionFactory, settings: Settings) -> None:
    """With room for one visit at a time, a host that hangs gives its place away: the other's pages all come before it ends."""
    with serving(2) as (hanging, well):
        hanging.pages["/robots.txt"] = Reply(hold=12.0)
        well.pages |= {f"/{number}": PAGE for number in range(3)}
        narrow = settings.model_copy(update={"fetch_concurrency": 1, "fetch_timeout": 11.0})
        queue(factory, narrow, hanging.url("/story"))
        queue(factory, narrow, *(well.url(f"/{number}") for number in range(3)))
        run(factory, narrow)
        with factory() as session:
            hung = session.scalar(select(Attempt.ended_at).where(Attempt.subject_id == 1))
            last = session.scalar(select(func.max(Capture.fetched_at)))
        assert len(well.asked) == 4
        assert last is not None
        assert hung is not None
        assert last < hung


def test_private_addresses_are_refused_unless_allowed(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Without the setting nothing on this machine is connected to, and the row says so."""
    site.pages["/story"] = PAGE
    (id_,) = queue(factory, settings, site.url("/story"))
    run(factory, settings.model_copy(update={"allow_private_addresses": False}))
    assert row(factory, id_).state == Visit.REFUSED
    assert "address" in (row(factory, id_).reason or "")
    assert site.asked == []


def test_two_fetch_loops_never_meet_on_a_host(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Requests to one host neither overlap nor come inside its interval, however many loops fetch."""
    interval = 0.1
    paced = settings.model_copy(update={"fetch_interval": interval})
    site.pages |= {f"/{number}": Reply(PAGE.body, headers=HTML, hold=0.02) for number in range(12)}
    queue(factory, paced, *(site.url(f"/{number}") for number in range(12)))

    async def both() -> None:
        async with Fetcher(fetch_options(paced)) as one, Fetcher(fetch_options(paced)) as two:
            await asyncio.gather(
                *(
                    fetch(factory, fetcher, paced, worker=name, ring=lambda _: None, stopping=lambda: False)
                    for name, fetcher in (("one", one), ("two", two))
                )
            )

    asyncio.run(both())
    times = sorted(site.asked, key=lambda asked: asked.begun)
    assert sorted(asked.path for asked in times) == sorted([*(f"/{number}" for number in range(12)), "/robots.txt"])
    assert min(later.begun - earlier.ended for earlier, later in pairwise(times)) >= interval * 0.9


KILLED = """
import asyncio, sys
from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import load
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.store.engine import connect, sessions

async def work():
    settings = load().settings
    async with Fetcher(fetch_options(settings)) as fetcher:
        await fetch(sessions(connect(settings.database_url)), fetcher, settings, worker="doomed",
                    ring=lambda _: None, stopping=lambda: False)

asyncio.run(work())
"""


@pytest.mark.slow
def test_a_url_that_kills_its_worker_three_times_is_quarantined(
    factory: SessionFactory, settings: Settings, site: Site
) -> None:
    """Each kill -9 in the middle of a fetch is counted; after the third the URL waits in quarantine with its history."""
    site.pages["/poison"] = Reply(PAGE.body, headers=HTML, hold=3.0)
    (id_,) = queue(factory, settings, site.url("/poison"))
    short = settings.model_copy(update={"host_lease": 3.0, "fetch_timeout": 2.9})
    for kill in range(3):
        seen = len([asked for asked in site.asked if asked.path == "/poison"])
        process = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ, **as_environment(short)})
        while not open_fetch(factory, "/poison"):
            assert process.poll() is None, "the fetch loop ended by itself"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with factory.begin() as session:  # the lease runs out
            session.execute(update(Attempt).where(Attempt.ended_at.is_(None)).values(lease_until=func.now()))
            session.execute(update(Host).values(free_at=func.now()))
        sweep(factory, short)
        assert (row(factory, id_).state == Visit.QUARANTINED) == (kill == 2), seen
    with factory() as session:
        entry = session.scalars(select(QuarantinedWork)).one()
    assert (entry.stage, entry.subject_id, entry.label) == (Stage.FETCH, id_, site.url("/poison"))
    assert [attempt["end"] for attempt in entry.history][-3:] == ["died", "died", "died"]


def open_fetch(factory: SessionFactory, path: str) -> bool:
    with factory() as session:
        opened = select(Attempt.id).join(FrontierRow, FrontierRow.id == Attempt.subject_id)
        robots_known = session.scalar(
            select(func.count()).select_from(Attempt).where(Attempt.detail["asked"].astext == "robots")
        )
        return (
            bool(robots_known)
            and session.scalar(opened.where(Attempt.ended_at.is_(None), FrontierRow.url.endswith(path)).limit(1)) is not None
        )
