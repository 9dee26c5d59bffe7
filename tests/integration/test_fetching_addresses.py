"""Hosts that share an address, and the lease that they share where the setting says so."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from threading import Event

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from loopback import Asked, Reply, Site, serving
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.store import hosts
from pipeline.store.engine import SessionFactory
from pipeline.store.hosts import Lease, Release
from pipeline.store.tables import Address, Attempt, FrontierRow, Host, Visit

INTERVAL = 0.1
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = Reply(b"<html><body><p>A page.</p></body></html>", headers=HTML)
URLS = [f"http://host{number}.example/{page}" for number in range(6) for page in range(8)]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round waits out the intervals of hosts that a busy machine makes slow, for they grow with the latency."""
    monkeypatch.setattr("pipeline.stages.fetching.PATIENCE", 20.0)


@pytest.fixture
def pair() -> Iterator[tuple[Site, Site]]:
    """Two hosts at one address."""
    with serving(1) as (first,):
        second = Site(first.host.partition(":")[0])
        yield first, second
        second.close()


@pytest.fixture
def shared(settings: Settings) -> Settings:
    return settings.model_copy(update={"share_address": True, "fetch_interval": INTERVAL})


def run(factory: SessionFactory, settings: Settings, loops: int = 1) -> None:
    """A round of so many loops side by side."""

    async def one(name: int) -> None:
        async with Fetcher(fetch_options(settings)) as fetcher:
            await fetch(factory, fetcher, settings, worker=str(name), ring=lambda _: None, stopping=lambda: False)

    async def all_() -> None:
        await asyncio.gather(*(one(name) for name in range(loops)))

    asyncio.run(all_())


def queue(factory: SessionFactory, settings: Settings, *urls: str) -> None:
    with factory.begin() as session:
        admit(session, urls, settings, found_by="hand")


def in_turn(*sites: Site) -> list[Asked]:
    """The requests to all of the hosts; fails where two overlap or one comes inside the interval."""
    times = sorted((asked for site in sites for asked in site.asked), key=lambda asked: asked.begun)
    assert min(later.begun - earlier.ended for earlier, later in pairwise(times)) >= INTERVAL * 0.9
    return times


def states(factory: SessionFactory) -> set[str]:
    with factory() as session:
        return set(session.scalars(select(FrontierRow.state)))


def test_hosts_at_one_address_take_turns(factory: SessionFactory, shared: Settings, pair: tuple[Site, Site]) -> None:
    """With the setting no two requests to their address overlap or come inside the interval, from the first on."""
    for site in pair:
        site.pages |= {f"/{number}": Reply(PAGE.body, headers=HTML, hold=0.02) for number in range(6)}
        queue(factory, shared, *(site.url(f"/{number}") for number in range(6)))
    run(factory, shared, loops=2)
    assert len(in_turn(*pair)) == 14
    assert states(factory) == {Visit.CAPTURED}
    with factory() as session:
        assert set(session.scalars(select(Host.address))) == {pair[0].host.partition(":")[0]}
        assert (
            session.scalars(select(Attempt.outcome).where(Attempt.detail["asked"].astext == "nothing")).all()
            == ["its address first"] * 2
        )


def test_without_the_setting_hosts_at_one_address_are_independent(
    factory: SessionFactory, settings: Settings, pair: tuple[Site, Site]
) -> None:
    """Each of two hosts answers only once the other has been asked."""
    first, second = Event(), Event()
    pair[0].pages["/story"] = Reply(PAGE.body, headers=HTML, begins=first, until=second)
    pair[1].pages["/story"] = Reply(PAGE.body, headers=HTML, begins=second, until=first)
    queue(factory, settings, *(site.url("/story") for site in pair))
    run(factory, settings)
    assert states(factory) == {Visit.CAPTURED}
    one, other = (next(asked for asked in site.asked if asked.path == "/story") for site in pair)
    assert max(one.begun, other.begun) < min(one.ended, other.ended)
    with factory() as session:
        assert session.scalars(select(Host.address)).all() == [None, None]


def test_rules_that_lie_at_the_same_address_are_read_in_turn(
    factory: SessionFactory, shared: Settings, pair: tuple[Site, Site]
) -> None:
    """A robots.txt that redirects to a host at the same address is followed under the lease that is held, after the interval."""
    first, second = pair
    first.pages |= {"/robots.txt": Reply(status=301, headers={"Location": second.url("/rules.txt")}), "/story": PAGE}
    second.pages |= {"/rules.txt": Reply(b"User-agent: *\nDisallow: /no\n"), "/story": PAGE}
    queue(factory, shared, first.url("/story"), first.url("/no"), second.url("/story"))
    run(factory, shared, loops=2)
    assert sorted(asked.path for asked in in_turn(*pair)) == ["/robots.txt", "/robots.txt", "/rules.txt", "/story", "/story"]
    assert states(factory) == {Visit.CAPTURED, Visit.REFUSED}


def test_a_name_without_an_address_fails_before_any_request(factory: SessionFactory, shared: Settings) -> None:
    """A dead name is the failure that it is without the setting, and its URL waits for its next try."""
    queue(factory, shared.model_copy(update={"contact": "desk@example.com"}), "http://no-such-name.invalid/story")
    run(factory, shared.model_copy(update={"contact": "desk@example.com"}))
    with factory() as session:
        row = session.scalars(select(FrontierRow)).one()
    assert row.state == Visit.WAITING
    assert (row.reason or "").split(":")[0] in {"dead_name", "resolver"}


def test_a_host_is_borrowed_with_its_address_or_not_at_all(session: Session) -> None:
    """While another host at the address is leased a host cannot be borrowed, and stays free; given back, both rest."""
    one = hosts.borrow(session, "one.example", 60, "192.0.2.1")
    assert one is not None
    assert hosts.borrow(session, "two.example", 60, "192.0.2.1") is None
    assert hosts.borrow(session, "two.example", 60, "192.0.2.2")
    hosts.give_back(session, "one.example", one, 30)
    free = session.execute(
        select(Address.address, Address.free_at > func.now() + text("interval '31 s'"), Address.lease.is_(None)).order_by(
            Address.address
        )
    ).all()
    assert [tuple(row) for row in free] == [("192.0.2.1", False, True), ("192.0.2.2", True, False)]


@given(
    addresses=st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", None]), min_size=6, max_size=6),
    steps=st.lists(st.tuples(st.sampled_from(["take", "release", "expire"]), st.integers(0, 5)), max_size=12),
)
@effort(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_is_held_by_two_leases(
    session: Session, settings: Settings, addresses: list[str | None], steps: list[tuple[str, int]]
) -> None:
    """Whatever is taken, released or runs out: of the leases that hold, no two are of one known address."""
    with session.begin_nested() as undone:
        admit(session, URLS, settings.model_copy(update={"contact": "desk@example.com"}), found_by="hand")
        for number, address in enumerate(addresses):
            session.execute(update(Host).where(Host.name == f"host{number}.example").values(address=address))
        session.add_all(Address(address=address, free_at=datetime(2000, 1, 1, tzinfo=UTC)) for address in {*addresses} - {None})
        session.flush()
        held: list[Lease] = []
        for step, number in steps:
            if step == "take":
                held += hosts.take_leases(session, number, 60, "test", by_address=True)
            elif held:
                lease = held.pop(number % len(held))
                long_ago = datetime(2000, 1, 1, tzinfo=UTC)
                session.execute(update(Attempt).where(Attempt.id == lease.attempt_id).values(ended_at=func.now()))
                if step == "release":
                    hosts.release(session, [Release(lease, 0, None, 0, lease.address)])
                    session.execute(update(Host).where(Host.lease.is_(None)).values(free_at=long_ago))
                    session.execute(update(Address).where(Address.lease.is_(None)).values(free_at=long_ago))
                else:
                    session.execute(update(Host).where(Host.id == lease.host_id).values(free_at=long_ago))
                    session.execute(update(Address).where(Address.address == lease.address).values(free_at=long_ago))
            known = [lease.address for lease in held if lease.address is not None]
            assert len(known) == len(set(known))
        undone.rollback()
