"""What is forgotten on request is nowhere any more, and does not come back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filled_store import page
from loopback import Reply, Site, serving
from sqlalchemy import String, cast, func, select, text, update
from warc_reading import passes_check, records
from whole_walk import HTML, SENTENCES, fetch_due, finish, reply, walk

from pipeline.errors import Misuse, NotFound
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.archiving import archive_captures
from pipeline.stages.claims import ClaimLost, claim
from pipeline.stages.forgetting import forget, lift, plan
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Outcome
from pipeline.stages.source_list import add_source
from pipeline.store import jobs, queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import (
    Attempt,
    Body,
    Capture,
    FrontierRow,
    Stage,
    StoredRecovery,
    StoredWitness,
    Story,
    Table,
    Tombstone,
    Visit,
    WarcFile,
)

SECRET = (
    "Tadeusz Quillfeather, 41, of Marrow Lane, was among those held by the harbour police on the first night of the strike."
)


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(4) as found:
        yield found


@pytest.fixture
def kept(settings: Settings, tmp_path: Path) -> Settings:
    """Bodies in files and WARC as pages come in: everything that keeps anything is on."""
    update_ = {"warc": True, "warc_dir": str(tmp_path / "warc"), "body_store": "folder", "body_dir": str(tmp_path / "bodies")}
    return settings.model_copy(update=update_)


def rows_with(factory: SessionFactory, *words: str) -> list[str]:
    """The tables that hold one of these words in any column, whatever its type."""
    found = []
    with factory() as session:
        for table in Table.metadata.sorted_tables:
            whole = cast(text(f'"{table.name}"'), String)
            for word in words:
                count = session.scalar(select(func.count()).select_from(table).where(whole.contains(word, autoescape=True)))
                found += [f"{table.name}: {word}"] * bool(count)
    return found


def bodies_with(settings: Settings, factory: SessionFactory, word: bytes) -> int:
    with factory() as session:
        names = session.scalars(select(Body.sha256)).all()
        held = sum(word in (bodies_under(settings).read(session, name) or b"") for name in names)
    on_disk = list(settings.body_folder.rglob("*.gz"))
    assert len(on_disk) == len(names)
    return held


def make_story(factory: SessionFactory, settings: Settings, sites: list[Site]) -> int:
    """Three copies, one of which names somebody; all of it archived."""
    for site in sites[1:]:
        site.pages["/story"] = reply(SENTENCES, head=f"<!-- {site.host} -->")
    sites[0].pages |= {
        "/story": reply([*SENTENCES[:2], SECRET, *SENTENCES[2:]]),
        "/old": Reply(status=301, headers={"Location": "/story"}),
    }
    walk(factory, settings, *(site.url("/story") for site in sites), sites[0].url("/old"))
    archive_captures(factory, settings)
    with factory() as session:
        return session.scalars(select(Story.id)).one()


def test_a_page_is_nowhere_any_more(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """No table, no body and no WARC record holds its words or its URL; the story is made again of the other copies."""
    story_id = make_story(factory, kept, sites)
    host, url = sites[0].host, sites[0].url("/story")
    assert rows_with(factory, "Quillfeather") != []
    with factory() as session:
        assert plan(session, url).stories == (story_id,)
    found = forget(factory, url, kept)
    assert sorted(found.urls) == sorted([url, sites[0].url("/old")])
    assert (found.captures, found.witnesses, found.remade, found.ended, found.elsewhere) == (2, 1, (story_id,), (), ())
    assert rows_with(factory, "Quillfeather", f"{host}/") == []
    assert bodies_with(kept, factory, b"Quillfeather") == 0
    (file,) = kept.warc_folder.iterdir()
    assert passes_check(file)
    urls = {url for _, url in records(file.read_bytes())} - {None}
    assert urls == {site.url("/story") for site in sites[1:]}
    finish(factory, kept, found.bells)
    with factory() as session:
        recovery = session.scalars(select(StoredRecovery)).one()
        assert recovery.version == 2
        assert all(sentence in recovery.text for sentence in SENTENCES)
        assert queries.story(session, story_id).settled
        assert queries.status(session).adds_up
    assert rows_with(factory, "Quillfeather", f"{host}/") == []


def test_what_is_archived_after_it_is_sound(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """The file that was rewritten grows on."""
    make_story(factory, kept, sites)
    forget(factory, sites[0].url("/story"), kept)
    sites[0].pages["/other"] = reply(SENTENCES[1:])
    walk(factory, kept, sites[0].url("/other"))
    assert archive_captures(factory, kept).state == "1 captures archived"
    (file,) = kept.warc_folder.iterdir()
    assert passes_check(file)
    assert sites[0].url("/other") in {url for _, url in records(file.read_bytes())}


def test_a_story_goes_with_all_its_pages(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """Nothing of it is left but tombstones, which hold no URL."""
    story_id = make_story(factory, kept, sites)
    found = forget(factory, str(story_id), kept)
    assert (len(found.urls), found.witnesses, found.remade, found.ended) == (5, 4, (), (story_id,))
    assert rows_with(factory, "Calder", "/story", "/old") == []
    assert bodies_with(kept, factory, b"") == 0
    with factory() as session:
        for table in (FrontierRow, Capture, StoredWitness, Story, StoredRecovery):
            assert session.scalar(select(func.count()).select_from(table)) == 0, table
        with pytest.raises(NotFound, match="no story"):
            plan(session, str(story_id))


def test_it_does_not_come_back_by_itself(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """Neither a URL of the page, however it is written, nor a redirect to it brings it back; lifting the tombstone does."""
    make_story(factory, kept, sites)
    url = sites[0].url("/story")
    forget(factory, url, kept)
    asked = len(sites[0].asked)
    with factory.begin() as session:
        again = admit(session, [url, f"{url}/?utm_source=feed#top"], kept, found_by="source x", reopen=False)
        assert (again.admitted.ids, again.admitted.forgotten) == ((), (url,))
    sites[1].pages["/way"] = Reply(status=302, headers={"Location": url})
    (way,) = walk(factory, kept, sites[1].url("/way"))
    with factory() as session:
        row = session.get_one(FrontierRow, way)
        assert (row.state, "deleted on request" in (row.reason or "")) == (Visit.REFUSED, True)
        with pytest.raises(NotFound, match="deleted on request"):
            plan(session, url)
    assert len(sites[0].asked) == asked
    with factory.begin() as session:
        assert lift(session, url)
        assert not lift(session, url)
    walk(factory, kept, url)
    with factory() as session:
        assert session.scalar(select(func.count()).where(StoredWitness.source == url)) == 1


def test_bytes_that_another_page_has_stay(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """A body is dropped with the last capture that has it."""
    sites[0].pages["/story"] = sites[1].pages["/story"] = reply()
    walk(factory, kept, sites[0].url("/story"), sites[1].url("/story"))
    forget(factory, sites[0].url("/story"), kept)
    assert bodies_with(kept, factory, b"Port Calder") == 1
    forget(factory, sites[1].url("/story"), kept)
    assert bodies_with(kept, factory, b"Port Calder") == 0


def test_a_feed_that_listed_it_is_dropped(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """The captured feed holds the headline and the link: its body and its record go as well, the other pages stay."""
    item = "<item><title>{}</title><link>{}</link></item>"
    feed = "".join(
        item.format(title, sites[0].url(path)) for title, path in (("Quillfeather held", "/story"), ("Rain", "/other"))
    )
    sites[0].pages |= {
        "/feed": Reply(f"<rss version='2.0'><channel>{feed}</channel></rss>".encode(), headers={"Content-Type": "text/xml"}),
        "/story": reply([SECRET, *SENTENCES]),
        "/other": reply(SENTENCES[1:]),
    }
    with factory.begin() as session:
        add_source(session, kept, name="feed", kind="feed", url=sites[0].url("/feed"), interval=3600.0)
    for _ in range(2):
        finish(factory, kept, fetch_due(factory, kept))
    archive_captures(factory, kept)
    assert bodies_with(kept, factory, b"Quillfeather") == 2
    forget(factory, sites[0].url("/story"), kept)
    assert rows_with(factory, "Quillfeather", sites[0].url("/story")) == []
    assert bodies_with(kept, factory, b"Quillfeather") == 0
    (file,) = kept.warc_folder.iterdir()
    assert {url for _, url in records(file.read_bytes())} == {None, sites[0].url("/other")}


def test_whoever_is_at_it_stores_nothing(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """A collation that was begun with the forgotten text finds its claim gone."""
    story_id = make_story(factory, settings, sites)
    with factory.begin() as session:
        session.execute(update(Story).values(due_at=func.now(), revision=Story.revision + 1))

    def finish_late() -> None:
        with claim(factory, Stage.COLLATE, story_id, "test", settings) as held:
            assert held is not None
            forget(factory, sites[0].url("/story"), settings)
            with factory.begin() as session:
                held.finish(session, Outcome("collated"))

    with pytest.raises(ClaimLost):
        finish_late()
    assert rows_with(factory, "Quillfeather") == []


def test_a_page_that_is_being_fetched_is_not_stored(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """Its answer comes when its row is gone, and is lost."""
    sites[0].pages["/story"] = Reply(reply().body, headers=HTML, hold=1.0)
    url = sites[0].url("/story")
    with factory.begin() as session:
        admit(session, [url], settings, found_by="hand")
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(fetch_due, factory, settings)
        while not is_asked_for(factory, url):
            assert not fetching.done()
        forget(factory, url, settings)
        assert fetching.result() == []
    assert rows_with(factory, url) == []
    assert len(sites[0].asked) == 2


def is_asked_for(factory: SessionFactory, url: str) -> bool:
    """Whether the page itself is being fetched: robots.txt came first."""
    with factory() as session:
        ended = select(func.count()).where(Attempt.url == url, Attempt.ended_at.is_not(None))
        opened = select(func.count()).where(Attempt.url == url, Attempt.ended_at.is_(None))
        return session.scalar(ended) == 1 and session.scalar(opened) == 1


def test_a_job_that_asked_for_it_ends(factory: SessionFactory, settings: Settings, sites: list[Site]) -> None:
    """It waits for the page no more, and its own row says nothing of it."""
    url = sites[0].url("/story")
    with factory.begin() as session:
        row = page(session, url, Visit.WAITING)
        job_id = jobs.open_job(session, "add", "1 URLs")
        jobs.add_items(session, job_id, [row])
    forget(factory, url, settings)
    with factory() as session:
        progress = queries.job(session, job_id)
        assert (progress.items, progress.done) == (0, True)
    assert rows_with(factory, url) == []


def test_a_file_of_another_machine_is_named(factory: SessionFactory, kept: Settings, sites: list[Site]) -> None:
    """What cannot be rewritten from here is said, so that somebody does it there; the rest goes."""
    make_story(factory, kept, sites)
    with factory.begin() as session:
        session.execute(update(WarcFile).values(place="another:/data/warc"))
    found = forget(factory, sites[0].url("/story"), kept)
    assert [name.startswith("another:/data/warc/") for name in found.elsewhere] == [True]
    assert rows_with(factory, "Quillfeather") == []


@pytest.mark.parametrize(
    ("what", "error"), [("http://nobody.example/x", NotFound), ("77", NotFound), ("no url", Misuse), ("9" * 30, NotFound)]
)
def test_what_is_not_there_is_said(factory: SessionFactory, settings: Settings, what: str, error: type[Exception]) -> None:
    """Neither a URL nor a number that nothing is stored under is forgotten."""
    with pytest.raises(error):
        forget(factory, what, settings)
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Tombstone)) == 0
