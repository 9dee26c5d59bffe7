"""Bodies: in the database or a folder, each once, and dropped when their time is over."""

import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filled_store import page
from loopback import Site, serving
from sqlalchemy import func, select, update
from whole_walk import SENTENCES, reply, walk

from pipeline.settings import Settings
from pipeline.stages.keeping import bodies_under, drop_old_bodies
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Body, Capture, StoredWitness, Visit

PAGE = b"<p>The wording that the agency sent out.</p>" * 50


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (site,):
        yield site


@pytest.fixture
def kept_in(tmp_path: Path, settings: Settings) -> dict[str, Settings]:
    """The settings with each place for bodies."""
    return {
        place: settings.model_copy(update={"body_store": place, "body_dir": str(tmp_path / "bodies")})
        for place in ("database", "folder")
    }


def files(settings: Settings) -> list[Path]:
    return sorted(path for path in settings.body_folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("place", ["database", "folder"])
def test_a_body_is_kept_once_and_comes_back(factory: SessionFactory, kept_in: dict[str, Settings], place: str) -> None:
    """The same bytes stored twice are one row, and at most one file; they come back as they were, under their SHA-256."""
    bodies = bodies_under(kept_in[place])
    with factory.begin() as session:
        names = {bodies.put(session, PAGE) for _ in range(2)}
        other = bodies.put(session, b"")
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Body)) == 2
        assert [bodies.read(session, name) for name in (*names, other, "0" * 64)] == [PAGE, b"", None]
        assert session.scalars(select(Body.data.is_(None))).all() == [place == "folder"] * 2
    assert len(files(kept_in[place])) == (2 if place == "folder" else 0)


def test_a_change_of_the_setting_concerns_new_bodies_alone(factory: SessionFactory, kept_in: dict[str, Settings]) -> None:
    """What lies in either place is read and dropped whatever the setting says now; what is stored again stays where it is."""
    places = {name: bodies_under(settings) for name, settings in kept_in.items()}
    with factory.begin() as session:
        old = {place: bodies.put(session, place.encode()) for place, bodies in places.items()}
        for place, bodies in places.items():
            for was, name in old.items():
                assert bodies.put(session, was.encode()) == name, place
    with factory.begin() as session:
        for bodies in places.values():
            assert [bodies.read(session, name) for name in old.values()] == [b"database", b"folder"]
        assert places["database"].drop_unused(session, old["folder"])
        assert places["folder"].drop_unused(session, old["database"])
        assert session.scalars(select(Body)).all() == []
    assert files(kept_in["folder"]) == []


def test_bodies_of_the_first_wirecopy_are_read(factory: SessionFactory, kept_in: dict[str, Settings]) -> None:
    """They are packed with zlib; a file is gzip, which other programs read."""
    with factory.begin() as session:
        session.add(Body(sha256="1" * 64, data=zlib.compress(PAGE), size=len(PAGE)))
        bodies_under(kept_in["folder"]).put(session, PAGE)
    with factory() as session:
        assert bodies_under(kept_in["folder"]).read(session, "1" * 64) == PAGE
    (file,) = files(kept_in["folder"])
    assert gzip.decompress(file.read_bytes()) == PAGE


@pytest.mark.parametrize("harm", ["gone", "cut", "other"])
def test_a_file_that_does_not_hold_its_body_holds_none(
    factory: SessionFactory, kept_in: dict[str, Settings], harm: str
) -> None:
    """A file that is missing, damaged or another's is no body; nothing raises."""
    bodies = bodies_under(kept_in["folder"])
    with factory.begin() as session:
        name = bodies.put(session, PAGE)
    path = bodies.path(name)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9] if harm == "cut" else gzip.compress(b"another"))
    with factory() as session:
        assert bodies.read(session, name) is None


def test_a_file_that_went_is_written_again(factory: SessionFactory, kept_in: dict[str, Settings]) -> None:
    """The row alone is not believed: whoever stores the bytes again finds no file, and writes it."""
    bodies = bodies_under(kept_in["folder"])
    with factory.begin() as session:
        name = bodies.put(session, PAGE)
    bodies.path(name).unlink()
    with factory.begin() as session:
        bodies.put(session, PAGE)
        assert bodies.read(session, name) == PAGE


def test_a_transaction_that_is_undone_leaves_no_body(factory: SessionFactory, kept_in: dict[str, Settings]) -> None:
    """No row, and so no body; the file that was written is taken up by the next who stores these bytes."""
    bodies = bodies_under(kept_in["folder"])
    with factory() as session:
        name = bodies.put(session, PAGE)
        session.rollback()
        assert bodies.read(session, name) is None
    with factory.begin() as session:
        bodies.put(session, PAGE)
    with factory() as session:
        assert bodies.read(session, name) == PAGE
    assert len(files(kept_in["folder"])) == 1


def test_storing_and_dropping_at_once_lose_nothing(factory: SessionFactory, kept_in: dict[str, Settings]) -> None:
    """While one drops a body again and again and another stores it with a capture, the capture's body is there."""
    bodies = bodies_under(kept_in["folder"])
    with factory.begin() as session:
        row = page(session, "http://127.0.0.1/story", Visit.WITNESS)
        session.execute(update(Capture).where(Capture.frontier_id == row).values(kept=False))

    def drop(_: int) -> None:
        with factory.begin() as session:
            bodies.drop_unused(session, name)

    def store(_: int) -> bool:
        with factory.begin() as session:
            bodies.put(session, PAGE)
            session.execute(update(Capture).values(body_sha256=name, kept=True))
        with factory.begin() as session:
            held = bodies.read(session, name) == PAGE
            session.execute(update(Capture).values(kept=False))
        return held

    with factory.begin() as session:
        name = bodies.put(session, PAGE)
    with ThreadPoolExecutor(2) as pool:
        dropping = pool.map(drop, range(40))
        held = list(pool.map(store, range(40)))
        list(dropping)
    assert all(held)


def test_old_bodies_are_dropped_and_evidence_stays(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """After body_lifetime a page that gave no story has its headers and hash alone; a copy's body stays while the setting says so."""
    site.pages |= {
        "/story": reply(),
        "/thin": reply(["Rain is expected in the north on Sunday and Monday, the weather office said."]),
    }
    lived = settings.model_copy(update={"body_lifetime": 3_600.0})
    walk(factory, lived, site.url("/story"), site.url("/thin"))
    assert drop_old_bodies(factory, lived).state == "0 bodies dropped"
    with factory.begin() as session:
        session.execute(update(Capture).values(fetched_at=func.now() - func.make_interval(0, 0, 0, 0, 2)))
    assert drop_old_bodies(factory, settings).state == "bodies are kept for ever"
    assert drop_old_bodies(factory, lived).state == "1 bodies dropped"
    with factory() as session:
        kept = {capture.url: capture.kept for capture in session.scalars(select(Capture))}
    assert kept == {site.url("/story"): True, site.url("/thin"): False}
    assert drop_old_bodies(factory, lived.model_copy(update={"keep_evidence": False})).state == "1 bodies dropped"
    with factory() as session:
        assert session.scalars(select(Body)).all() == []
        assert all(len(capture.body_sha256) == 64 and capture.headers for capture in session.scalars(select(Capture)))
        assert {SENTENCES[0] in witness.text for witness in session.scalars(select(StoredWitness))} == {True, False}


def test_what_waits_to_be_read_keeps_its_body(factory: SessionFactory, settings: Settings) -> None:
    """However old it is."""
    with factory.begin() as session:
        page(session, "http://127.0.0.1/story", Visit.CAPTURED)
        session.execute(update(Capture).values(fetched_at=func.now() - func.make_interval(1)))
    assert drop_old_bodies(factory, settings.model_copy(update={"body_lifetime": 1.0})).state == "0 bodies dropped"


def test_a_page_is_read_out_of_the_folder(factory: SessionFactory, kept_in: dict[str, Settings], site: Site) -> None:
    """All the way from the fetch to the story with bodies in files."""
    site.pages["/story"] = reply()
    walk(factory, kept_in["folder"], site.url("/story"))
    with factory() as session:
        witness = session.scalars(select(StoredWitness)).one()
        assert witness.text.split("\n\n") == list(SENTENCES)
    assert len(files(kept_in["folder"])) == 1
