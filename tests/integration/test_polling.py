"""Sources polled on a real database over real sockets: when they are due again, what they name, and what they get wrong."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, text, update
from whole_walk import HTML, fetch_due, finish

from pipeline.settings import Settings
from pipeline.stages import retrying
from pipeline.stages.source_list import add_source
from pipeline.store import frontier, quarantine, queries, sources
from pipeline.store.engine import SessionFactory
from pipeline.store.queries import SourceView
from pipeline.store.tables import Attempt, Capture, FrontierRow, Host, Listing, Purpose, Source, Stage, Visit

RSS = {"Content-Type": "application/rss+xml"}
XML = {"Content-Type": "application/xml"}


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(2) as found:
        yield found


@pytest.fixture
def site(sites: list[Site]) -> Site:
    return sites[0]


def feed(*items: str, minutes: float = 0.0, head: str = "", **headers: str) -> Reply:
    """A feed of these links, the last one the newest; with `minutes` each came so long after the one before it."""
    now = datetime.now(UTC)
    listed = ""
    for number, link in enumerate(items):
        when = format_datetime(now - timedelta(minutes=minutes * (len(items) - number - 1)))
        listed += f"<item><title>x</title><link>{link}</link>{f'<pubDate>{when}</pubDate>' if minutes else ''}</item>"
    body = f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{head}{listed}</channel></rss>"
    return Reply(body.encode(), headers=RSS | {name.replace("_", "-"): value for name, value in headers.items()})


def sitemap(*links: str) -> bytes:
    return f"<urlset>{''.join(f'<url><loc>{link}</loc></url>' for link in links)}</urlset>".encode()


def index(*links: str, changed: str = "") -> Reply:
    """An index of these sitemaps."""
    last = f"<lastmod>{changed}</lastmod>" if changed else ""
    each = "".join(f"<sitemap><loc>{link}</loc>{last}</sitemap>" for link in links)
    return Reply(f"<sitemapindex>{each}</sitemapindex>".encode(), headers=XML)


def add(
    factory: SessionFactory, settings: Settings, site: Site, kind: str = "feed", path: str = "/feed", **more: object
) -> None:
    with factory.begin() as session:
        add_source(session, settings, name="world", kind=kind, url=site.url(path), **more)  # type: ignore[arg-type]


def poll(factory: SessionFactory, settings: Settings, *, due: bool = True) -> SourceView:
    """One round of fetching and reading, all listings due; the only source after it."""
    if due:
        with factory.begin() as session:
            polled = FrontierRow.purpose == Purpose.SOURCE, FrontierRow.state == Visit.WAITING
            session.execute(update(FrontierRow).where(*polled).values(next_attempt_at=func.now()))
            session.execute(update(Host).values(free_at=func.now(), interval=None))  # a slow machine's hosts rest for long
    bells = [bell for bell in fetch_due(factory, settings) if bell.stage is Stage.READ_SOURCE]
    finish(factory, settings, bells)
    return view(factory)


def view(factory: SessionFactory) -> SourceView:
    with factory() as session:
        (found,) = queries.sources(session)
        assert queries.status(session).adds_up
        return found


def polled_urls(factory: SessionFactory) -> list[str]:
    """The URLs that wait to be polled."""
    with factory() as session:
        rows = select(FrontierRow.url).where(FrontierRow.purpose == Purpose.SOURCE, FrontierRow.state == Visit.WAITING)
        return sorted(session.scalars(rows))


def articles(factory: SessionFactory) -> list[str]:
    with factory() as session:
        return sorted(session.scalars(select(FrontierRow.url).where(FrontierRow.purpose == Purpose.ARTICLE)))


def sent_validators(factory: SessionFactory) -> bool:
    """Whether the last poll asked conditionally."""
    with factory() as session:
        polls = select(Attempt).where(Attempt.stage == Stage.FETCH, Attempt.url.endswith("/feed"))
        last = session.scalars(polls.order_by(Attempt.id.desc()).limit(1)).one()
        return any(name.lower() in {"if-none-match", "if-modified-since"} for name in last.detail["sent"])


def test_a_feed_is_polled_as_often_as_its_dates_say(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Items every two hours make a wait of two hours, jitter apart; the source says why, and what it brought."""
    site.pages["/feed"] = feed(*(site.url(f"/{number}") for number in range(12)), minutes=120)
    add(factory, settings, site)
    assert view(factory).why == "not polled yet"
    found = poll(factory, settings)
    assert found.due_in == pytest.approx(7_200, rel=0.25)
    assert found.why is not None
    assert found.why.startswith("something new every ")
    assert (found.state, found.polls, found.pages, found.last_outcome) == ("on", 1, 12, "12 items, 12 new")


def test_what_an_owner_asks_for_is_obeyed(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """The feed's ttl, and the answer's Cache-Control less its Age, make the wait longer."""
    links = [site.url(f"/{number}") for number in range(6)]
    site.pages["/feed"] = [
        feed(*links, minutes=6, head="<ttl>45</ttl>"),
        feed(*links, minutes=6, Cache_Control="public, max-age=3900", Age="600"),
    ]
    add(factory, settings, site)
    assert poll(factory, settings).why == "its owner asks for 45 min between two polls"
    assert poll(factory, settings).why == "its owner asks for 55 min between two polls"


def test_an_item_is_new_once(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Other ids, tracking parameters, www and fragments make no new item: URLs are compared, not ids."""
    one = "<item><guid>{0}</guid><link>http://{1}/story{2}</link></item>"
    site.pages["/feed"] = [
        Reply(f"<rss version='2.0'><channel>{one.format(number, site.host, tail)}</channel></rss>".encode(), headers=RSS)
        for number, tail in enumerate(["", "?utm_source=rss", "#top", "/"])
    ]
    add(factory, settings, site)
    said = [poll(factory, settings).last_outcome for _ in range(4)]
    assert said == ["1 items, 1 new"] + ["1 items, 0 new"] * 3


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=500), "the server answers 500"),
        (Reply(status=404), "the server answers 404"),
        (Reply(status=304), "304 to a page that we do not hold"),
        (Reply(b"<html><title>t</title>", headers=HTML), "unreadable: "),
        (Reply(b"", headers=RSS), "unreadable: "),
    ],
)
def test_polls_that_fail_back_off(factory: SessionFactory, settings: Settings, site: Site, reply: Reply, reason: str) -> None:
    """Each failure doubles the wait from five minutes on; one success, and it is forgotten."""
    site.pages["/feed"] = [reply, reply, reply, feed(site.url("/a"))]
    add(factory, settings, site)
    for failures in (1, 2, 3):
        found = poll(factory, settings)
        assert found.due_in == pytest.approx(150 * 2**failures, rel=0.12)
        assert found.state == "failing"
        assert reason in (found.last_outcome or "")
    assert found.why == "failed 3 times in a row"
    found = poll(factory, settings)
    assert (found.state, found.failing_since, found.polls) == ("on", None, 4)


def test_retry_after_sets_the_next_poll(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A server that is busy for two hours is left alone for as long."""
    site.pages["/feed"] = Reply(status=503, headers={"Retry-After": "7200"})
    add(factory, settings, site)
    assert poll(factory, settings).due_in == pytest.approx(7_200, rel=0.12)


def test_a_source_dead_for_thirty_days_sleeps_until_it_is_woken(
    factory: SessionFactory, settings: Settings, site: Site
) -> None:
    """It is polled no more and reported; switched on by hand it is polled again, and wakes with its first success."""
    site.pages["/feed"] = Reply(status=410)
    add(factory, settings, site)
    poll(factory, settings)
    with factory.begin() as session:
        session.execute(update(Listing).values(failing_since=func.now() - func.make_interval(0, 0, 0, 31)))
    found = poll(factory, settings)
    assert (found.state, found.next_at, polled_urls(factory)) == ("asleep", None, [])
    assert (found.last_outcome or "").startswith("asleep: every poll has failed since ")
    with factory.begin() as session:
        assert queries.status(session).sources_asleep == 1
        add_source(session, settings, name="world", kind="feed", url=site.url("/feed"))  # as reading its file again does
    assert view(factory).state == "asleep"
    site.pages["/feed"] = feed(site.url("/a"))
    with factory.begin() as session:
        sources.set_enabled(session, sources.named(session, ["world"])[0], enabled=True)
    found = poll(factory, settings)
    assert (found.state, found.pages) == ("on", 1)


def test_a_server_that_lies_of_nothing_new_is_found_out(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """After a day of 304 the whole is asked for; items older than a 304 show that it lied, and it is never asked so again."""
    old, new = feed(site.url("/a"), minutes=1, ETag='"1"'), feed(site.url("/a"), site.url("/b"), minutes=60, ETag='"1"')
    site.pages["/feed"] = [old, Reply(status=304), Reply(status=304), new, new]
    add(factory, settings, site)
    poll(factory, settings)
    assert poll(factory, settings).last_outcome == "not modified (304)"
    assert sent_validators(factory)
    with factory.begin() as session:
        session.execute(update(Listing).values(whole_at=func.now() - func.make_interval(0, 0, 0, 2)))
    poll(factory, settings)
    site.pages["/feed"] = feed(site.url("/a"), site.url("/b"), minutes=30, ETag='"1"')
    with factory.begin() as session:  # as if the lie had been told long enough ago that no clock explains it
        later = func.now() + func.make_interval(0, 0, 0, 0, 1)
        session.execute(update(Listing).values(polled_at=later))
    found = poll(factory, settings)
    assert (found.last_outcome, sent_validators(factory)) == ("2 items, 1 new", False)
    with factory() as session:
        assert session.scalars(select(Listing.distrusted)).one()
    poll(factory, settings)
    assert not sent_validators(factory)


def test_a_304_to_a_request_for_the_whole_is_a_failure(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Whoever did not ask conditionally holds nothing that could be unmodified."""
    site.pages["/feed"] = [feed(site.url("/a")), Reply(status=304)]
    add(factory, settings, site)
    poll(factory, settings)
    found = poll(factory, settings)
    assert (found.state, found.last_outcome) == ("failing", "304 to a request for the whole")


def test_the_same_bytes_bring_their_validators_back(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """An honest server that was asked for the whole is asked conditionally again."""
    site.pages["/feed"] = [feed(site.url("/a"), ETag='"1"')]
    add(factory, settings, site)
    poll(factory, settings)
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(etag=None))
    assert poll(factory, settings).last_outcome == "the same bytes as before"
    poll(factory, settings)
    assert sent_validators(factory)


def test_an_index_is_followed_and_let_go(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Its sitemaps are polled, packed ones and such of news too, while it names them; one that it drops is polled no more."""
    news = (
        '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>{}</loc><news:news>'
        "<news:publication_date>2026-01-01</news:publication_date></news:news></url></urlset>"
    )
    site.pages |= {
        "/feed": index(site.url("/one.xml.gz"), site.url("/news.xml")),
        "/one.xml.gz": Reply(gzip.compress(sitemap(site.url("/a"))), headers={"Content-Type": "application/gzip"}),
        "/news.xml": Reply(news.format(site.url("/b")).encode(), headers=XML),
    }
    add(factory, settings, site, kind="sitemap")
    poll(factory, settings)
    found = poll(factory, settings)
    assert polled_urls(factory) == [site.url("/feed"), site.url("/news.xml"), site.url("/one.xml.gz")]
    assert (articles(factory), found.listings, found.pages) == ([site.url("/a"), site.url("/b")], 3, 2)
    site.pages["/feed"] = index(site.url("/news.xml"))
    assert poll(factory, settings).listings == 2
    assert polled_urls(factory) == [site.url("/feed"), site.url("/news.xml")]
    with factory.begin() as session:
        source = sources.named(session, ["world"])[0]
        sources.set_enabled(session, source, enabled=False)
        sources.set_enabled(session, source, enabled=True)
    assert polled_urls(factory) == [site.url("/feed"), site.url("/news.xml")]


def test_a_sitemap_that_its_index_calls_changed_is_due_at_once(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A new lastmod in the index lets its sitemap be polled; the same one does not."""
    site.pages |= {"/feed": index(site.url("/one.xml"), changed="2026-01-01"), "/one.xml": Reply(sitemap(site.url("/a")))}
    add(factory, settings, site, kind="sitemap")
    poll(factory, settings)
    poll(factory, settings)

    def poll_index() -> int:
        own = FrontierRow.url == site.url("/feed")
        with factory.begin() as session:
            session.execute(update(FrontierRow).where(own).values(next_attempt_at=func.now(), body_sha256=None))
        poll(factory, settings, due=False)
        poll(factory, settings, due=False)
        return [asked.path for asked in site.asked].count("/one.xml")

    assert poll_index() == 1
    site.pages["/feed"] = index(site.url("/one.xml"), changed=datetime.now(UTC).isoformat())
    assert poll_index() == 2
    assert poll_index() == 2


def test_a_sitemap_that_is_gone_sleeps_until_its_index_says_that_it_has_changed(
    factory: SessionFactory, settings: Settings, site: Site
) -> None:
    """Its source goes on, and it is not polled again because the index still names it."""
    site.pages["/feed"] = index(site.url("/one.xml"), changed="2026-01-01")
    add(factory, settings, site, kind="sitemap")
    poll(factory, settings)
    poll(factory, settings)
    with factory.begin() as session:
        long_ago = func.now() - func.make_interval(0, 0, 0, 31)
        session.execute(update(Listing).where(Listing.failures > 0).values(failing_since=long_ago, polled_at=long_ago))
    assert poll(factory, settings).state == "on"
    assert polled_urls(factory) == [site.url("/feed")]
    for changed, urls in (("2026-01-01", ["/feed"]), (datetime.now(UTC).isoformat(), ["/feed", "/one.xml"])):
        site.pages["/feed"] = index(site.url("/one.xml"), changed=changed)
        with factory.begin() as session:
            session.execute(update(FrontierRow).values(body_sha256=None))
        poll(factory, settings)
        assert polled_urls(factory) == [site.url(url) for url in urls]


def test_a_cron_line_that_is_wrong_here_stops_nothing(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A zone that this machine does not know: the source is polled as one without a schedule, and says why."""
    site.pages["/feed"] = feed(site.url("/a"))
    add(factory, settings, site, cron="0 6 * * *")
    with factory.begin() as session:
        session.execute(update(Source).values(time_zone="Mars/Olympus"))
    found = poll(factory, settings)
    assert (found.state, "'Mars/Olympus' is no time zone" in (found.why or "")) == ("on", True)


def test_what_was_captured_of_another_url_is_not_read(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A source that moves while its capture waits begins anew, without the old one's items and validators."""
    one, two = sites
    one.pages["/feed"] = feed(one.url("/a"), ETag='"1"')
    two.pages["/feed"] = feed(two.url("/b"))
    add(factory, settings, one)
    bells = fetch_due(factory, settings)
    add(factory, settings, two)
    finish(factory, settings, bells)
    found = poll(factory, settings)
    assert (articles(factory), found.polls, sent_validators(factory)) == ([two.url("/b")], 1, False)


def test_indexes_that_name_each_other_end(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """An index that names itself, two in a ring, and a chain without end: each URL is polled once, at most three deep."""
    site.pages["/feed"] = index(site.url("/feed"), site.url("/ring"), site.url("/1"))
    site.pages["/ring"] = index(site.url("/feed"), site.url("/ring"))
    for number in range(1, 9):
        site.pages[f"/{number}"] = index(site.url(f"/{number + 1}"))
    add(factory, settings, site, kind="sitemap")
    for _ in range(4):
        found = poll(factory, settings)
    assert polled_urls(factory) == [site.url(path) for path in ("/1", "/2", "/3", "/feed", "/ring")]
    site.pages["/feed"] = index(site.url("/ring"))
    poll(factory, settings)
    assert polled_urls(factory) == [site.url("/feed"), site.url("/ring")]
    assert found.state == "on"


def test_a_source_polls_so_many_sitemaps_at_the_most(
    factory: SessionFactory, settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that names more is followed in part, and says so."""
    monkeypatch.setattr(sources, "MOST_LISTINGS", 3)
    site.pages["/feed"] = index(*(site.url(f"/{number}.xml") for number in range(9)))
    add(factory, settings, site, kind="sitemap")
    assert poll(factory, settings).listings == 3
    with factory() as session:
        own = select(FrontierRow.id).where(FrontierRow.url == site.url("/feed"))
        (finding,) = session.scalars(select(Capture.finding).where(Capture.frontier_id.in_(own)))
    assert finding == "index of 9 sitemaps, 2 to be read, 7 left out, for a source polls 3 URLs at the most"


def test_a_source_that_moves_leaves_its_sitemaps_behind(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """With another URL nothing of the old one is polled, what was remembered of it is forgotten; and moved back it begins anew."""
    one, two = sites
    one.pages |= {"/feed": index(one.url("/one.xml")), "/one.xml": Reply(sitemap(one.url("/a")))}
    two.pages |= {"/feed": Reply(sitemap(two.url("/b")))}
    add(factory, settings, one, kind="sitemap")
    poll(factory, settings)
    add(factory, settings, two, kind="sitemap")
    assert polled_urls(factory) == [two.url("/feed")]
    assert view(factory).why == "not polled yet"
    poll(factory, settings)
    add(factory, settings, one, kind="sitemap", path="/one.xml")  # what was a sitemap of the index is the source's own now
    assert polled_urls(factory) == [one.url("/one.xml")]
    add(factory, settings, one, kind="sitemap")
    found = poll(factory, settings)
    assert polled_urls(factory) == [one.url("/feed"), one.url("/one.xml")]
    assert found.listings == 2


def test_a_json_feed_is_a_feed(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Its items are admitted, and the pages elsewhere that they are about."""
    one, two = sites
    items = [{"id": "1", "url": one.url("/a"), "external_url": two.url("/b")}, {"id": one.url("/c")}, {"id": "4"}, 5]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items}
    one.pages["/feed"] = Reply(json.dumps(body).encode(), headers={"Content-Type": "application/feed+json"})
    add(factory, settings, one)
    assert poll(factory, settings).last_outcome == "3 items, 3 new"
    assert articles(factory) == sorted([one.url("/a"), one.url("/c"), two.url("/b")])


def test_a_section_page_gives_the_links_to_articles(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Those that the pattern is found in, on the page's own host unless others are let in; known ones are not new."""
    one, two = sites
    links = "".join(f'<a href="{link}">x</a>' for link in ("/news/1", "/about", "/news/2?utm_source=x", two.url("/news/3")))
    one.pages["/feed"] = Reply(f"<html><body>{links}</body></html>".encode(), headers=HTML)
    add(factory, settings, one, kind="section", links="/news/[0-9]+")
    assert poll(factory, settings).last_outcome == "2 items, 2 new"
    add(factory, settings, one, kind="section", links="/news/[0-9]+", other_hosts=True)
    with factory.begin() as session:
        session.execute(update(FrontierRow).where(FrontierRow.purpose == Purpose.SOURCE).values(body_sha256=None))
    assert poll(factory, settings).last_outcome == "3 items, 1 new"


def test_a_quarantined_source_comes_back_when_it_is_retried(
    factory: SessionFactory, settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three failures of ours put the reading aside; run leaves it there, and after a retry it is read and polled again."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by us")

    site.pages["/feed"] = feed(site.url("/a"), minutes=1)
    add(factory, settings, site)
    bells = fetch_due(factory, settings)
    monkeypatch.setattr("pipeline.crawl.feeds.read", fail)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            finish(factory, settings, bells)
    assert (view(factory).state, polled_urls(factory)) == ("quarantined", [])
    with factory.begin() as session:
        assert sources.quarantined(session) == {session.scalars(select(Source.id)).one()}
        sources.make_due(session, sources.named(session, ["world"])[0])
        (entry,) = queries.quarantine_entries(session)
    assert polled_urls(factory) == []
    monkeypatch.undo()
    with factory.begin() as session:
        outcome = retrying.retry(session, entry.id)
    finish(factory, settings, outcome.next)
    found = view(factory)
    assert (found.state, found.pages, polled_urls(factory)) == ("on", 1, [site.url("/feed")])
    with factory.begin() as session:  # put aside on its way there, it comes back the same way
        row = session.scalars(select(FrontierRow.id).where(FrontierRow.purpose == Purpose.SOURCE)).one()
        quarantine.put(session, Stage.FETCH, row, "feed", "boom", [])
        frontier.end_visit(session, row, Visit.QUARANTINED, "boom")
        retrying.retry(session, queries.quarantine_entries(session)[0].id)
    assert poll(factory, settings, due=False).state == "on"


def test_a_host_is_left_alone_for_as_long_as_its_source_asks(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """The longest of its sources' intervals counts for every request there; without them it is our own again."""
    site.pages["/feed"] = feed(site.url("/a"))
    add(factory, settings, site, host_interval=0.2)
    with factory.begin() as session:
        add_source(session, settings, name="b", kind="feed", url=site.url("/other"), host_interval=0.4, enabled=False)
    fetch_due(factory, settings)
    with factory.begin() as session:
        host = session.scalars(select(Host)).one()
        assert (host.least_interval, (host.interval or 0.0) >= 0.4) == (0.4, True)
        add_source(session, settings, name="b", kind="feed", url=site.url("/other"), enabled=False)
        session.refresh(host)
        assert host.least_interval == 0.2


def test_a_feed_beyond_the_limit_is_cut_and_read(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Of a file that goes on and on, what came is read, and the outcome says that it was cut."""
    site.pages["/feed"] = feed(*(site.url(f"/{number}") for number in range(2_000)))
    add(factory, settings, site)
    found = poll(factory, settings.model_copy(update={"max_body": 20_000}))
    assert (found.state, found.last_outcome) == ("on", f"{found.pages} items, {found.pages} new, cut at 20,000 bytes")
    assert 100 < found.pages < 2_000


@pytest.mark.parametrize("change", ["off", "on", "due"])
def test_a_switch_waits_for_a_visit_that_is_being_written_down(
    factory: SessionFactory, settings: Settings, site: Site, change: str
) -> None:
    """The visit holds the URL's row and goes on to the source's: the switch has to take them in the same order."""
    add(factory, settings, site)

    def switch() -> None:
        with factory.begin() as session:
            source = session.scalars(select(Source)).one()
            if change == "due":
                sources.make_due(session, source)
            else:
                sources.set_enabled(session, source, enabled=change == "on")

    with factory.begin() as session:
        source = session.scalars(select(Source)).one()
        source.asleep_at = func.now()
        source.enabled = change == "off"
        if change == "on":
            session.execute(update(FrontierRow).values(state=Visit.CANCELLED))
    with ThreadPoolExecutor(1) as threads:
        with factory.begin() as visit:
            visit.execute(select(FrontierRow.id).with_for_update())
            switching = threads.submit(switch)
            blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not visit.scalar(blocked):
                assert not switching.done()
            visit.execute(update(Source).values(polls=Source.polls + 1))
        switching.result(timeout=30)
    with factory() as session:
        source = session.scalars(select(Source)).one()
        assert (source.polls, source.enabled) == (1, change == "on")
