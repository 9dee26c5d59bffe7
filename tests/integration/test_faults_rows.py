"""Rows that must neither get lost nor come round for ever: redirects, sources, stories, captures."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, text, update

from pipeline.crawl.extractor import Extractor
from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.collating import collate_story
from pipeline.stages.extraction import extract
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.placing import place
from pipeline.stages.reading import read_source
from pipeline.stages.recovering import recover_story
from pipeline.stages.source_list import add_source
from pipeline.stages.sweeping import sweep, tick
from pipeline.store import captures, frontier, jobs, overdue, quarantine
from pipeline.store.engine import SessionFactory
from pipeline.store.frontier import Admitted
from pipeline.store.tables import (
    Body,
    Capture,
    FrontierRow,
    Host,
    Source,
    Stage,
    StoredCollation,
    StoredRecovery,
    StoredWitness,
    Story,
    Visit,
)

HTML = {"Content-Type": "text/html; charset=utf-8"}
SENTENCES = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent.",
    "The board said the agreement would cost $12.3 million a year and would be paid for by a fee on every container leaving by road.",
    "Exporters of fruit said losses since the walkout began had reached $58 million, with 2,300 tonnes of pears spoiled in warehouses.",
    "The government in Lanvere had threatened to send soldiers to work the cranes, a step last taken in 1987 on the northern quay.",
)
PARAGRAPHS = "".join(f"<p>{sentence} {other}</p>" for sentence in SENTENCES for other in SENTENCES if other != sentence)
PAGE = Reply(
    f"<html lang=en><title>Strike ends</title><article><h1>Strike ends</h1>{PARAGRAPHS}</article></html>".encode(), 200, HTML
)


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(2) as found:
        yield found


def queue(factory: SessionFactory, settings: Settings, *urls: str) -> Admitted:
    with factory.begin() as session:
        return admit(session, urls, settings, found_by="hand").admitted


def run(factory: SessionFactory, settings: Settings) -> list[Bell]:
    bells: list[Bell] = []

    async def work() -> None:
        async with Fetcher(fetch_options(settings)) as fetcher:
            await fetch(factory, fetcher, settings, worker="test", ring=bells.append, stopping=lambda: False)

    asyncio.run(work())
    return bells


def rows(factory: SessionFactory) -> list[FrontierRow]:
    with factory() as session:
        return list(session.scalars(select(FrontierRow).order_by(FrontierRow.id)))


def host_names(factory: SessionFactory) -> list[str]:
    with factory() as session:
        joined = select(Host.name).join(FrontierRow, FrontierRow.host_id == Host.id).order_by(FrontierRow.id)
        return list(session.scalars(joined))


@pytest.mark.parametrize("ended", [Visit.GIVEN_UP, Visit.CANCELLED, Visit.GONE, Visit.REFUSED])
def test_a_row_without_a_text_stands_for_no_page(
    factory: SessionFactory, settings: Settings, sites: list[Site], ended: Visit
) -> None:
    """A page that leads to a URL that was given up before is fetched under its own row."""
    one, two = sites
    one.pages["/a"] = Reply(status=301, headers={"Location": two.url("/b")})
    two.pages["/b"] = PAGE
    queue(factory, settings, two.url("/b"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(state=ended))
    queue(factory, settings, one.url("/a"))
    run(factory, settings)
    assert [row.state for row in rows(factory)] == [ended, Visit.CAPTURED]


def test_what_stands_as_the_same_page_is_reopened_with_it(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """A URL that led to one that was given up later is tried again on request, on its own host."""
    one, two = sites
    one.pages["/a"] = Reply(status=301, headers={"Location": two.url("/b")})
    two.pages["/b"] = Reply(status=400)
    queue(factory, settings, two.url("/b"), one.url("/a"))
    with factory.begin() as session:
        due = func.now() + text("interval '0.5 s'")
        session.execute(update(FrontierRow).where(FrontierRow.url == two.url("/b")).values(next_attempt_at=due))
    run(factory, settings)
    assert [row.state for row in rows(factory)] == [Visit.GIVEN_UP, Visit.SAME]
    two.pages["/b"] = PAGE
    again = queue(factory, settings, one.url("/a"))
    assert len(again.reopened) == 1
    assert host_names(factory) == [two.host, one.host]
    run(factory, settings)
    assert [(row.state, row.same_as) for row in rows(factory)] == [(Visit.GIVEN_UP, None), (Visit.CAPTURED, None)]


def test_two_rows_recorded_at_once_do_not_become_each_other(factory: SessionFactory, settings: Settings) -> None:
    """A leads to B and B to A, written down by two workers in the same moment: one of them still has to be fetched."""
    urls = ["http://127.0.0.1/a", "http://127.0.0.2/b"]
    queue(factory, settings, *urls)
    one, two = rows(factory)
    together = threading.Barrier(2)

    def hop(row: FrontierRow, other: FrontierRow) -> None:
        with factory.begin() as session:
            together.wait()
            found = frontier.standing_for(session, row.id, other.key)
            if found is not None:
                frontier.end_visit(session, row.id, Visit.SAME, same_as=found.id)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hop, (one, two), (two, one)))
    assert sorted(row.state for row in rows(factory)) == [Visit.SAME, Visit.WAITING]


def test_a_cancelled_job_takes_nothing_from_others(factory: SessionFactory, settings: Settings) -> None:
    """A waiting URL that a page of another job led to is fetched for that one, though its own job is cancelled."""
    queue(factory, settings, "http://127.0.0.1/a", "http://127.0.0.1/b", "http://127.0.0.1/c")
    a, b, c = (row.id for row in rows(factory))
    with factory.begin() as session:
        frontier.end_visit(session, a, Visit.SAME, same_as=b)
        jobs.add_items(session, jobs.open_job(session, "add", ""), [a])
        cancelled = jobs.open_job(session, "add", "")
        jobs.add_items(session, cancelled, [b, c])
        assert jobs.cancel(session, cancelled) == 1
    assert [row.state for row in rows(factory)] == [Visit.SAME, Visit.WAITING, Visit.CANCELLED]


def test_asking_again_gives_a_host_that_was_given_up_another_chance(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """The first failure after that does not end all the host's other URLs once more."""
    sites[0].pages["/a"] = Reply(status=500)
    urls = [sites[0].url(path) for path in ("/a", "/b")]
    queue(factory, settings, *urls)
    with factory.begin() as session:
        session.execute(update(Host).values(points=20))
        session.execute(update(FrontierRow).values(state=Visit.GIVEN_UP))
    assert len(queue(factory, settings, *urls).reopened) == 2
    run(factory, settings)
    assert rows(factory)[0].state == Visit.WAITING
    assert rows(factory)[1].state in {Visit.WAITING, Visit.GONE}


FEED = "<?xml version='1.0'?><rss version='2.0'><channel><title>t</title><link>{0}</link><item><title>x</title><link>{0}</link></item></channel></rss>"


def poll(factory: SessionFactory, settings: Settings) -> list[str]:
    """One poll of the only source; what its readings said."""
    said = [
        read_source(factory, id_, settings, "test").state
        for bell in run(factory, settings)
        if bell.stage is Stage.READ_SOURCE
        for id_ in bell.subjects
    ]
    with factory.begin() as session:
        session.execute(update(FrontierRow).where(FrontierRow.purpose == "source").values(next_attempt_at=func.now()))
    return said


def test_a_redirecting_feed_is_asked_for_on_its_own_host(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """After a poll that ended on another host the next one begins under the lease of the feed's own."""
    one, two = sites
    one.pages["/feed"] = Reply(status=302, headers={"Location": two.url("/real")})
    two.pages["/real"] = Reply(FEED.format(two.url("/x")).encode(), headers={"Content-Type": "application/rss+xml"})
    with factory.begin() as session:
        add_source(session, settings, name="f", kind="feed", url=one.url("/feed"), interval=3_600)
    assert poll(factory, settings) == ["1 items, 1 new"]
    assert host_names(factory)[0] == one.host
    assert rows(factory)[0].visit_url == one.url("/feed")


def test_an_unchanged_feed_is_not_read_again_and_stays_on_its_schedule(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """The same bytes, a 304 and a 404 are polls like any other: counted, with the next one set; a new item is read."""
    feed = {"Content-Type": "application/rss+xml", "ETag": '"1"'}
    first = Reply(FEED.format(sites[0].url("/x")).encode(), headers=feed)
    sites[0].pages["/feed"] = [
        first,
        first,
        Reply(status=304),
        Reply(status=404),
        Reply(FEED.format(sites[0].url("/y")).encode(), headers=feed),
    ]
    with factory.begin() as session:
        add_source(session, settings, name="f", kind="feed", url=sites[0].url("/feed"), interval=3_600)
    said = [poll(factory, settings) for _ in range(5)]
    assert said == [["1 items, 1 new"], [], [], [], ["1 items, 1 new"]]
    with factory() as session:
        assert session.scalars(select(Source.polls)).one() == 5
        assert session.scalar(select(func.count()).where(Capture.read_at.is_(None), Capture.id > 0)) == 0
    assert rows(factory)[0].state == Visit.WAITING


def test_a_source_switched_off_while_it_is_read_stays_off(
    factory: SessionFactory, settings: Settings, sites: list[Site]
) -> None:
    """The poll that was on its way is read; no other follows."""
    sites[0].pages["/feed"] = Reply(FEED.format(sites[0].url("/x")).encode(), headers={"Content-Type": "application/rss+xml"})
    with factory.begin() as session:
        add_source(session, settings, name="f", kind="feed", url=sites[0].url("/feed"), interval=0.1)
    (bell,) = (bell for bell in run(factory, settings) if bell.stage is Stage.READ_SOURCE)
    with factory.begin() as session:
        add_source(session, settings, name="f", kind="feed", url=sites[0].url("/feed"), interval=0.1, enabled=False)
    read_source(factory, bell.subject_id, settings, "test")
    assert rows(factory)[0].state == Visit.CANCELLED


def test_a_capture_without_its_body_ends(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A body that is gone from the store ends the visit with that reason; the sweep does not ring for it for ever."""
    sites[0].pages["/a"] = PAGE
    queue(factory, settings, sites[0].url("/a"))
    (bell,) = run(factory, settings)
    with factory.begin() as session:
        session.execute(Body.__table__.delete())
    with Extractor() as extractor:
        extract(factory, bell.subject_id, extractor, settings, "test")
    assert (rows(factory)[0].state, rows(factory)[0].reason) == (Visit.GIVEN_UP, "its body is no longer in the store")
    with factory() as session:
        assert overdue.unread_articles(session, 0.0, 10) == []


def test_a_body_is_not_dropped_while_its_twin_is_stored(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A noarchive page is forgotten while another worker stores the same bytes: the other capture keeps its body."""
    sites[0].pages["/a"] = PAGE
    queue(factory, settings, sites[0].url("/a"))
    (bell,) = run(factory, settings)
    storing, stored = threading.Event(), threading.Event()

    def drop() -> None:
        storing.wait()
        with factory.begin() as session:
            stored.set()
            captures.drop_body(session, session.get_one(Capture, bell.subject_id), bodies_under(settings))

    with ThreadPoolExecutor(1) as pool:
        dropping = pool.submit(drop)
        with factory.begin() as session:
            bodies_under(settings).put(session, PAGE.body)
            storing.set()
            stored.wait()
            # The twin: another capture of the same bytes, which becomes visible with this transaction.
            session.execute(
                text(
                    "WITH a AS (INSERT INTO attempts (stage, subject_id, worker, lease_until, ended_at) "
                    "VALUES ('fetch', 1, 't', now(), now()) RETURNING id) "
                    "INSERT INTO captures (attempt_id, frontier_id, url, status, headers, body_sha256, truncated, wire_bytes, "
                    "fetched_at) SELECT a.id, frontier_id, url, status, headers, body_sha256, truncated, wire_bytes, now() "
                    "FROM captures, a"
                )
            )
        dropping.result()
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Body)) == 1


def test_a_quarantined_collation_is_not_rung_for_at_every_tick(factory: SessionFactory, settings: Settings) -> None:
    """A story in quarantine that gets another witness rests, and nobody waits for it, until a person retries it."""
    with factory.begin() as session:
        session.add(Story(id=1, revision=2, due_at=func.now()))
        quarantine.put(session, Stage.COLLATE, 1, "story", "by us", [])
    assert tick(factory, settings).next == ()
    with factory() as session:
        assert overdue.unfinished(session, 3_600) == 0
    with factory.begin() as session:
        quarantine.resolve(session, 1, "retried")
        session.execute(update(Story).values(due_at=func.now()))
    assert tick(factory, settings).next == (Bell(Stage.COLLATE, 1),)


def test_a_story_without_copies_is_done_with(factory: SessionFactory, settings: Settings) -> None:
    """Nothing to align is nothing to recover: the sweep does not ring for it for ever."""
    with factory.begin() as session:
        session.add(Story(id=1, revision=1, due_at=func.now()))
    assert collate_story(factory, 1, settings, "test").state == "no copies"
    assert sweep(factory, settings).next == ()
    with factory() as session:
        assert overdue.unfinished(session, 3_600) == 0


def test_every_stage_run_twice_at_once_has_one_effect(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Four of each at the same time: one witness a page, one story, one collation a revision, one recovery."""
    for site in sites:
        site.pages["/a"] = PAGE
    queue(factory, settings, *(site.url("/a") for site in sites))
    bells = run(factory, settings)

    def four(work: Callable[[], Outcome]) -> None:
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(work) for _ in range(4)]:
                future.result()

    with Extractor() as extractor:
        for id_ in [id_ for bell in bells for id_ in bell.subjects]:
            four(lambda id_=id_: extract(factory, id_, extractor, settings, "test"))  # type: ignore[misc]
    with factory() as session:
        ids = session.scalars(select(StoredWitness.id)).all()
    assert len(ids) == 2
    for id_ in ids:
        four(lambda id_=id_: place(factory, id_, settings, "test"))  # type: ignore[misc]
    four(lambda: collate_story(factory, 1, settings, "test"))
    four(lambda: recover_story(factory, 1, settings, "test"))
    with factory() as session:
        story = session.scalars(select(Story)).one()
        assert (story.revision, story.collated, story.recovered, story.due_at) == (2, 2, 2, None)
        assert session.scalar(select(func.count()).select_from(StoredCollation)) == 1
        assert session.scalar(select(func.count()).select_from(StoredRecovery)) == 1
