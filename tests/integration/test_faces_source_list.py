import json
from pathlib import Path

import pytest
from filled_store import SETTINGS
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import Malformed, Misuse
from pipeline.stages import source_list
from pipeline.store import queries, sources
from pipeline.store.tables import FrontierRow, Host

GOOD = """
[world]
kind = "feed"
url = "http://feeds.example/world.rss"
interval = 900

[map]
kind = "sitemap"
url = "http://feeds.example/map.xml"
interval = 60.5
enabled = false
"""
WRONG = {
    "table": 'table = "no table"',
    "kind": '[kind]\nkind = "page"\nurl = "http://a.example/"\ninterval = 9',
    "url": '[url]\nkind = "feed"\nurl = "javascript:1"\ninterval = 9',
    "no url": '["no url"]\nkind = "feed"\ninterval = 9',
    "interval": '[interval]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 0',
    "nan": '[nan]\nkind = "feed"\nurl = "http://a.example/"\ninterval = nan',
    "truth": '[truth]\nkind = "feed"\nurl = "http://a.example/"\ninterval = true',
    "words": '[words]\nkind = "feed"\nurl = "http://a.example/"\ninterval = "15m"',
    "switch": '[switch]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 9\nenabled = "yes"',
    "cron": '[cron]\nkind = "feed"\nurl = "http://a.example/"\ncron = "61 * * * *"',
    "never": '[never]\nkind = "feed"\nurl = "http://a.example/"\ncron = "0 0 31 2 *"',
    "zone": '[zone]\nkind = "feed"\nurl = "http://a.example/"\ncron = "0 6 * * *"\ntime_zone = "Mars/Olympus"',
    "both": '[both]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 9\ncron = "0 6 * * *"',
    "tags": '[tags]\nkind = "feed"\nurl = "http://a.example/"\ntags = [1]',
    "tag": '[tag]\nkind = "feed"\nurl = "http://a.example/"\ntags = [""]',
    "one tag": '["one tag"]\nkind = "feed"\nurl = "http://a.example/"\ntags = "world"',
    "discover": '[discover]\nkind = "feed"\nurl = "http://a.example/"\ndiscover = 1',
    "host": '[host]\nkind = "feed"\nurl = "http://a.example/"\nhost_interval = 0',
    "links": '[links]\nkind = "section"\nurl = "http://a.example/"\nlinks = "("',
    "links of": '["links of"]\nkind = "feed"\nurl = "http://a.example/"\nlinks = "/news/"',
    "extra": '[extra]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 9\ncolour = 1',
    "a\\u0000b": '["a\\u0000b"]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 9',
    "": '[""]\nkind = "feed"\nurl = "http://a.example/"\ninterval = 9',
}


def written(folder: Path, text: str, name: str = "sources.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_sources_are_taken_in_once(session: Session, tmp_path: Path) -> None:
    """Two readings of a file leave two sources, the one switched off not waiting to be polled."""
    path = written(tmp_path, GOOD)
    for _ in range(2):
        synced = source_list.sync(session, SETTINGS, [path])
        assert (synced.names, synced.wrong, len(synced)) == (("world", "map"), (), 2)
    off, on = queries.sources(session)
    assert (on.name, on.interval, on.enabled, on.due_in) == ("world", 900.0, True, 0.0)
    assert (off.name, off.kind, off.interval, off.enabled, off.next_at) == ("map", "sitemap", 60.5, False, None)
    assert len(session.scalars(select(FrontierRow.id)).all()) == 2


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_entry_keeps_no_other_out(session: Session, tmp_path: Path, name: str) -> None:
    """The message names the source and the file, and the others are taken in."""
    path = written(tmp_path, WRONG[name] + "\n" + GOOD)
    synced = source_list.sync(session, SETTINGS, [path])
    assert synced.names == ("world", "map")
    (message,) = synced.wrong
    shown = repr("a\0b") if "u0000" in name else repr(name)
    assert message.startswith(f"Source {shown} in {path}: ")


def test_everything_that_a_source_may_say_is_kept(session: Session, tmp_path: Path) -> None:
    """A cron line in its zone, tags, the discovery of copies, its host's interval, a section's links; and left out, it is gone."""
    said = {
        "kind": "section",
        "url": "http://a.example/world/",
        "cron": "30 6 * * MON-FRI",
        "time_zone": "Europe/Berlin",
        "tags": ["world", "agency"],
        "discover": True,
        "host_interval": 30.0,
        "links": "/news/[0-9]+",
        "other_hosts": True,
    }
    entry = "[world]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    assert source_list.sync(session, SETTINGS, [written(tmp_path, entry)]).wrong == ()
    (view,) = queries.sources(session)
    assert {key: getattr(view, key) for key in said} == said
    assert view.interval is None
    assert session.scalars(select(Host.least_interval)).one() == 30.0
    source_list.sync(session, SETTINGS, [written(tmp_path, '[world]\nkind = "feed"\nurl = "http://a.example/world/"\n')])
    (view,) = queries.sources(session)
    assert (view.cron, view.time_zone, view.tags, view.discover, view.links, view.other_hosts) == (
        None,
        "UTC",
        [],
        False,
        None,
        False,
    )
    assert session.scalars(select(Host.least_interval)).one() is None


def test_a_file_that_is_no_toml(session: Session, tmp_path: Path) -> None:
    """A broken file is named, one that is not there passed over, and the next one read."""
    broken = written(tmp_path, "[world\n", "broken.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'[w\xf6rld]\nkind = "feed"')
    good = written(tmp_path, GOOD)
    synced = source_list.sync(session, SETTINGS, [broken, latin, tmp_path / "none.toml", good])
    assert synced.names == ("world", "map")
    assert [str(path) in message for path, message in zip((broken, latin), synced.wrong, strict=True)] == [True, True]


def test_the_later_file_counts(session: Session, tmp_path: Path) -> None:
    """Of two sources with one name the user's own, read later, is the one that is polled."""
    ours = written(tmp_path, GOOD)
    own = written(tmp_path, GOOD.replace("900", "60").replace("feeds.example/world", "other.example/world"), "own.toml")
    source_list.sync(session, SETTINGS, [ours, own])
    world = queries.sources(session)[1]
    assert (world.url, world.interval) == ("http://other.example/world.rss", 60)


def test_switched_off_by_hand_stays_off(session: Session, tmp_path: Path) -> None:
    """Reading the file again does not switch a source on that was switched off by hand."""
    path = written(tmp_path, GOOD)
    source_list.sync(session, SETTINGS, [path])
    sources.set_enabled(session, sources.named(session, ["world"])[0], enabled=False)
    source_list.sync(session, SETTINGS, [path])
    assert [source.enabled for source in queries.sources(session)] == [False, False]


def test_a_source_that_moves_is_polled_at_its_new_url_alone(session: Session) -> None:
    """A changed URL moves the row in the frontier and its host; changed back, it is the first one again."""
    urls = ["http://feeds.example/a.rss", "http://other.example/b.rss", "http://feeds.example/a.rss"]
    for url in urls:
        source_list.add_source(session, SETTINGS, name="world", kind="feed", url=url, interval=60)
        rows = session.execute(
            select(FrontierRow.url, FrontierRow.visit_url, Host.name).join(Host, Host.id == FrontierRow.host_id)
        ).all()
        assert [tuple(row) for row in rows] == [(url, url, url.split("/")[2])]
        assert queries.sources(session)[0].url == url


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, Misuse),
        ({"name": "a\nb"}, Misuse),
        ({"name": "x" * 201}, Misuse),
        ({"kind": "page"}, Misuse),
        ({"cron": "0 6 * * *"}, Misuse),
        ({"interval": None, "cron": "6"}, Malformed),
        ({"time_zone": "Nowhere"}, Malformed),
        ({"tags": ["a\nb"]}, Misuse),
        ({"host_interval": float("nan")}, Misuse),
        ({"other_hosts": True}, Misuse),
        ({"url": "nowhere"}, Malformed),
        ({"url": "http://user@a.example/"}, Malformed),
        ({"interval": -1.0}, Misuse),
        ({"interval": float("inf")}, Misuse),
        ({"interval": float("nan")}, Misuse),
    ],
)
def test_what_cannot_be_a_source(session: Session, fields: dict[str, object], error: type[Exception]) -> None:
    """Names, kinds, URLs and intervals that cannot be are refused, and nothing is stored."""
    given = {"name": "world", "kind": "feed", "url": "http://a.example/rss", "interval": 60.0} | fields
    with pytest.raises(error):
        source_list.add_source(session, SETTINGS, **given)  # type: ignore[arg-type]
    assert queries.sources(session) == ()


def test_the_list_that_ships_is_in_order(session: Session) -> None:
    """config/sources.toml is found in the installation and holds no wrong entry."""
    assert source_list.sync(session, SETTINGS, source_list.paths()[:1]).wrong == ()
