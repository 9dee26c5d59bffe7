"""WARC files: what comes in is written to them once, whatever dies, and a story's captures are handed out."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, update
from warc_reading import passes_check, records
from warcio.archiveiterator import ArchiveIterator
from whole_walk import HTML, SENTENCES, fetch_due, finish, reply, walk

from pipeline.settings import Settings
from pipeline.stages import archiving
from pipeline.stages.admission import admit
from pipeline.stages.archiving import archive_captures, export_story
from pipeline.store import archive
from pipeline.store.engine import SessionFactory
from pipeline.store.frontier import afresh
from pipeline.store.tables import Capture, FrontierRow, Story, WarcFile


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (site,):
        yield site


@pytest.fixture
def archived(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"warc": True, "warc_dir": str(tmp_path / "warc"), "contact": "desk@example.org"})


def files(settings: Settings) -> list[Path]:
    return sorted(settings.warc_folder.iterdir())


def fetch_again(factory: SessionFactory, settings: Settings) -> None:
    """Every page once more, as a source would poll it."""
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(**afresh()))
    finish(factory, settings, fetch_due(factory, settings))


def test_every_answer_is_archived_once(factory: SessionFactory, archived: Settings, site: Site) -> None:
    """A page, a redirect and a page that is gone are responses with their requests, in one file that warcio finds whole."""
    site.pages |= {"/story": reply(), "/old": Reply(status=301, headers={"Location": "/new"}), "/new": Reply(status=404)}
    walk(factory, archived, site.url("/story"), site.url("/old"))
    assert archive_captures(factory, archived).state == "3 captures archived"
    assert archive_captures(factory, archived).state == "0 captures archived"
    (file,) = files(archived)
    assert file.name.endswith(".warc.gz.open")
    found = records(file.read_bytes())
    urls = [site.url(path) for path in ("/story", "/old", "/new")]
    assert Counter(found) == Counter(
        [("warcinfo", None), *(("response", url) for url in urls), *(("request", url) for url in urls)]
    )
    assert passes_check(file)
    with factory() as session:
        assert session.scalars(select(Capture.warc_file_id)).all() == [1, 1, 1]


def test_the_request_is_the_one_that_was_sent(factory: SessionFactory, archived: Settings, site: Site) -> None:
    """Its headers are those that went out: who we are, and on the second visit the validators."""
    site.pages["/story"] = [reply(ETag='"one"'), Reply(status=304)]
    walk(factory, archived, site.url("/story"))
    fetch_again(factory, archived)
    archive_captures(factory, archived)
    (file,) = files(archived)
    sent = [
        dict(record.http_headers.headers)
        for record in ArchiveIterator(io.BytesIO(file.read_bytes()))
        if record.rec_type == "request"
    ]
    assert ["desk@example.org" in headers["User-Agent"] for headers in sent] == [True, True]
    assert [headers.get("If-None-Match") for headers in sent] == [None, '"one"']


def test_what_has_not_changed_is_a_revisit_of_the_first(factory: SessionFactory, archived: Settings, site: Site) -> None:
    """Same bytes and 304 refer to the record that holds the body; a changed page is a response again."""
    changed = reply(SENTENCES[:4])
    site.pages["/story"] = [reply(ETag='"one"'), reply(ETag='"one"'), Reply(status=304), changed, Reply(status=304)]
    walk(factory, archived, site.url("/story"))
    for _ in range(4):
        fetch_again(factory, archived)
    archive_captures(factory, archived)
    (file,) = files(archived)
    found = [
        (record.rec_type, record.rec_headers.get_header("WARC-Refers-To-Date"), record.rec_headers.get_header("WARC-Date"))
        for record in ArchiveIterator(io.BytesIO(file.read_bytes()))
        if record.rec_type in {"response", "revisit"}
    ]
    dates = [date for _, _, date in found]
    assert [(kind, refers) for kind, refers, _ in found] == [
        ("response", None),
        ("revisit", dates[0]),
        ("revisit", dates[0]),
        ("response", None),
        ("revisit", dates[3]),
    ]
    assert passes_check(file)


@pytest.mark.parametrize("head", ['<meta name="robots" content="noarchive">', ""])
def test_what_may_not_be_archived_is_not(factory: SessionFactory, archived: Settings, site: Site, head: str) -> None:
    """A page that says noarchive, in its head or its headers, is in no file; nor is one that nobody has read yet."""
    site.pages["/story"] = reply(head=head) if head else reply(X_Robots_Tag="noarchive")
    with factory.begin() as session:
        admit(session, [site.url("/story")], archived, found_by="hand")
    bells = fetch_due(factory, archived)
    assert archive_captures(factory, archived).state == "0 captures archived"
    finish(factory, archived, bells)
    archive_captures(factory, archived)
    assert all(url is None for file in files(archived) for _, url in records(file.read_bytes()))


def test_a_process_that_dies_over_a_file_leaves_no_half_record(
    factory: SessionFactory, archived: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote and did not commit is cut off, and written again: every capture stands there once, and the file is whole."""
    site.pages |= {f"/{number}": reply(SENTENCES[number:]) for number in range(3)}
    walk(factory, archived, site.url("/0"))
    archive_captures(factory, archived)
    walk(factory, archived, site.url("/1"), site.url("/2"))

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        with files(archived)[0].open("ab") as half:
            half.write(b"\x1f\x8b half of a record")
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(archive, "mark", die)
        with pytest.raises(Killed):
            archive_captures(factory, archived)
    assert not passes_check(files(archived)[0])
    assert archive_captures(factory, archived).state == "2 captures archived"
    (file,) = files(archived)
    assert passes_check(file)
    assert sorted(url for kind, url in records(file.read_bytes()) if kind == "response" and url) == sorted(
        site.url(f"/{number}") for number in range(3)
    )


def test_files_are_rotated_and_closed(factory: SessionFactory, archived: Settings, site: Site) -> None:
    """One that has reached its size takes its final name; so does the last one when the setting is switched off."""
    small = archived.model_copy(update={"warc_size": 1})
    for number in range(2):
        site.pages[f"/{number}"] = reply(SENTENCES[number:])
        walk(factory, small, site.url(f"/{number}"))
        archive_captures(factory, small)
    assert [file.name.endswith(".open") for file in files(small)] == [False, True]
    archive_captures(factory, small.model_copy(update={"warc": False}))
    assert [file.suffixes[-2:] for file in files(small)] == [[".warc", ".gz"]] * 2
    assert all(map(passes_check, files(small)))
    with factory() as session:
        assert session.scalar(select(func.count()).where(WarcFile.closed_at.is_not(None))) == 2


def test_without_the_setting_nothing_is_written(factory: SessionFactory, archived: Settings, site: Site) -> None:
    """No file, and no capture that waits for one."""
    off = archived.model_copy(update={"warc": False})
    site.pages["/story"] = reply()
    walk(factory, off, site.url("/story"))
    assert archive_captures(factory, archived).state == "0 captures archived"
    assert not archived.warc_folder.exists()


def test_a_storys_captures_are_exported(factory: SessionFactory, settings: Settings, tmp_path: Path) -> None:
    """Every page that a copy was read out of, with body and headers as they came, and nothing else."""
    with serving(3) as sites:
        for site in sites:
            site.pages["/story"] = reply(head=f"<!-- {site.host} -->", X_Served="yes")
        sites[0].pages["/none"] = Reply(b"<html></html>", headers=HTML)
        urls = [site.url("/story") for site in sites]
        walk(factory, settings, *urls, sites[0].url("/none"))
    with factory() as session:
        (story_id,) = session.scalars(select(Story.id))
        stream = io.BytesIO()
        assert export_story(session, stream, story_id, settings) == (3, 0)
    found = records(stream.getvalue())
    assert sorted(url for kind, url in found if kind == "response" and url) == sorted(urls)
    headers = [
        dict(record.http_headers.headers)
        for record in ArchiveIterator(io.BytesIO(stream.getvalue()))
        if record.rec_type == "response"
    ]
    assert [header["x-served"] for header in headers] == ["yes"] * 3
    path = tmp_path / "story.warc.gz"
    path.write_bytes(stream.getvalue())
    assert passes_check(path)


def test_an_export_without_bodies_says_so(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A body that is no longer kept leaves a record of the headers, and is counted."""
    site.pages["/story"] = reply()
    walk(factory, settings, site.url("/story"))
    with factory.begin() as session:
        session.execute(update(Capture).values(kept=False))
    with factory() as session:
        (story_id,) = session.scalars(select(Story.id))
        assert export_story(session, io.BytesIO(), story_id, settings) == (1, 1)


def test_places_of_two_machines_differ(archived: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same path on another machine is another folder."""
    here = archiving.place_of(archived)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert archiving.place_of(archived) != here
