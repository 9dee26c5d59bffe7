"""Many URLs, long URLs, and the same URLs from two sides at once."""

import random
import string
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.source_list import add_source
from pipeline.store.engine import SessionFactory
from pipeline.store.frontier import Admitted
from pipeline.store.tables import FrontierRow, Host


def admitted(factory: SessionFactory, settings: Settings, urls: list[str]) -> Admitted:
    with factory.begin() as session:
        return admit(session, urls, settings, found_by="hand").admitted


def count(factory: SessionFactory, table: type) -> int:
    with factory() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.slow
def test_seventy_thousand_hosts_in_one_go(factory: SessionFactory, settings: Settings) -> None:
    """More URLs and hosts than a statement has parameters come in, again as duplicates, and again after all were given up."""
    urls = [f"http://127.{a}.{b}.{c}/story" for a in range(1, 4) for b in range(100) for c in range(1, 251)][:70_000]
    first = admitted(factory, settings, urls)
    assert len(first.new) == len(urls)
    assert count(factory, Host) == len(urls)
    assert admitted(factory, settings, urls).known == first.new
    with factory.begin() as session:
        session.execute(FrontierRow.__table__.update().values(state="given_up"))
    assert admitted(factory, settings, urls).reopened == first.new


def test_ids_come_in_the_order_given(factory: SessionFactory, settings: Settings) -> None:
    """Of URLs with one priority the one that was named first is visited first, duplicates or not."""
    urls = [f"http://127.0.0.1/{number}" for number in (5, 3, 9, 3, 1, 5)]
    ids = admitted(factory, settings, urls).ids
    with factory() as session:
        rows = session.scalars(select(FrontierRow.url).order_by(FrontierRow.id)).all()
    assert sorted(ids) == list(ids)
    assert rows == [f"http://127.0.0.1/{number}" for number in (5, 3, 9, 1)]


def test_two_that_admit_the_same_urls_crosswise(factory: SessionFactory, settings: Settings) -> None:
    """Two sessions with the same URLs in opposite order both come through, and each URL is new to one of them."""
    urls = [f"http://127.0.0.{number % 200 + 1}/{number}" for number in range(2_500)]
    together = threading.Barrier(2)

    def work(given: list[str]) -> Admitted:
        together.wait()
        return admitted(factory, settings, given)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(work, (urls, urls[::-1]))
    assert len(one.new) + len(two.new) == len(urls) == count(factory, FrontierRow)
    assert set(one.ids) == set(two.ids)


@pytest.mark.parametrize("letters", [string.ascii_letters + string.digits, string.ascii_letters + "[]|,;()" * 8])
def test_the_longest_urls_are_taken(factory: SessionFactory, settings: Settings, letters: str) -> None:
    """2,048 characters that cannot be compressed, as page and as source with the longest name, fit into every index."""
    letters_ = random.Random(5)
    head = "http://127.0.0.1/?q="
    url = head + "".join(letters_.choices(letters, k=2_048 - len(head)))
    assert len(admitted(factory, settings, [url]).new) == 1
    with factory.begin() as session:
        add_source(
            session, settings, name="".join(letters_.choices("äöü€" + letters, k=200)), kind="feed", url=url, interval=60
        )
    assert count(factory, FrontierRow) == 2
