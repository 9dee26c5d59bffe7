import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filled_store import document, page, recover, story, witness
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from pipeline.cli.app import make_app
from pipeline.cli.wiring import Wiring
from pipeline.embedded import Servers
from pipeline.errors import WirecopyError
from pipeline.settings import Settings
from pipeline.stages.outcome import Bell, Ring
from pipeline.store import jobs, quarantine
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import FrontierRow, Stage, Visit

FUEL = "Fuel prices rose by 2.5 per cent on Monday, the ministry said."
SPUN = "Gasoline costs rose by two.5 per cent on Monday, the ministry stated."


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    message: str
    """What went to stderr, or the error that the console script would print there."""

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class CommandLine:
    """The command line on the tests' database, and the bells that it rang."""

    servers: Servers
    folder: Path
    bells: list[Bell]

    def __call__(self, *arguments: str) -> Result:
        wiring = Wiring(
            ring=self._ring,
            fleet=lambda _settings: nullcontext(),  # type: ignore[arg-type,return-value]
            worker=lambda _settings, _queue: None,
            beat=lambda _settings: None,
        )
        given = ["--data-dir", str(self.folder), "--database-url", self.servers.database_url]
        given += ["--redis-url", self.servers.redis_url, "--set", "contact=desk@example.org"]
        result = CliRunner().invoke(make_app(wiring), [*given, *arguments])
        if isinstance(result.exception, WirecopyError):
            return Result(result.exception.exit_code, result.stdout, str(result.exception))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    def _ring(self, _settings: Settings) -> Ring:
        return self.bells.append


@pytest.fixture
def wirecopy(servers: Servers, database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return CommandLine(servers, tmp_path / "data", [])


@pytest.fixture
def filled(factory: SessionFactory) -> dict[str, int]:
    """Two stories, one without a recovery; two jobs; one entry in quarantine."""
    with factory.begin() as session:
        first = witness(session, "http://a.example/fuel", FUEL, title="Fuel", kind="verbatim", siglum="A", error_rate=0.0)
        late = datetime(2026, 5, 6, tzinfo=UTC)
        second = witness(session, "http://b.example/fuel", SPUN, published=late, kind="spun", siglum="B", error_rate=0.25)
        fuel = story(session, "Fuel", first, second)
        recover(session, fuel, FUEL, doubtful=("Fuel", "prices"))
        bridge = story(session, "Bridge", witness(session, "http://c.example/bridge", "The bridge reopens."))
        gone = page(session, "http://d.example/gone", Visit.GONE, "the server answers 404")
        waits = page(session, "http://d.example/waits", Visit.WAITING)
        done = _job(session, first.frontier_id or 0, gone)
        runs = _job(session, waits)
        failing = page(session, "http://d.example/failing", Visit.QUARANTINED, "fetch failed 3 times: boom")
        quarantine.put(session, Stage.FETCH, failing, "http://d.example/failing", "boom", [{"end": "error", "outcome": "boom"}])
        return {"fuel": fuel.id, "bridge": bridge.id, "done": done, "runs": runs, "failing": failing}


def _job(session: Session, *rows: int) -> int:
    job = jobs.open_job(session, "add", f"{len(rows)} URLs")
    jobs.add_items(session, job, rows)
    return job


def test_search_finds(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """Rows on stdout and nothing else there; filters narrow, days inclusive."""
    found = wirecopy("search", "fuel", "--from", "2026-05-06", "--to", "2026-05-06", "--host", "b.example", "--kind", "spun")
    assert (found.code, [row["id"] for row in found.rows()]) == (0, [filled["fuel"]])
    assert (found.rows()[0]["title"], found.rows()[0]["copies"]) == ("Fuel", 2)
    csv = wirecopy("search", "gasoline", "--format", "csv").out
    assert csv.splitlines()[0].startswith("id,title,language,copies,")
    table = wirecopy("search", "bridge", "--format", "table", "--min-witnesses", "1", "--lang", "en").out
    assert "bridge reopens" in table


def test_search_finds_nothing(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """Exit 3 with a hint; stdout stays valid in its format."""
    found = wirecopy("search", "zeppelin", "--format", "json")
    assert (found.code, json.loads(found.out)) == (3, [])
    assert "Try fewer words" in found.message


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["search", "the"], "add a word"),
        (["search", ""], "name a word"),
        (["search", "a\0b"], "NUL"),
        (["search", "\udc80"], "UTF-8"),
        (["search", "fuel", "--from", "yesterday"], "2026-03-31"),
        (["search", "fuel", "--to", "2026-02-30"], "2026-03-31"),
        (["search", "fuel", "--from", "2026-05-02", "--to", "2026-05-01"], "exchange"),
        (["search", "fuel", "--limit", "-1"], "equal to 1"),
        (["search", "fuel", "--limit", "ten"], "integer"),
        (["search", "fuel", "--min-witnesses", "-2"], "equal to 0"),
        (["search", "fuel", "--kind", "copied"], "verbatim"),
        (["search", "fuel", "--format", "xml"], "jsonl"),
        (["search", "fuel", "--host", "a\0"], "NUL"),
        (["story", "show", "one"], "integer"),
        (["story", "show", "1", "--format", "csv"], "json"),
        (["jobs", "show", "javascript:alert(1)"], "https://"),
        (["quarantine", "retry"], "--all"),
        (["quarantine", "discard", "1", "--all"], "--all"),
        (["quarantine", "list", "--stage", "dream"], "extract"),
        (["crawl", "add", "world", "http://a.example/rss", "--every", "often"], "15m"),
        (["crawl", "add", "world", "http://a.example/rss", "--every", "0"], "above 0"),
        (["crawl", "add", "world", "http://a.example/rss", "--every", "9" * 400], "a year"),
        (["crawl", "add", " ", "http://a.example/rss"], "name"),
        (["crawl", "add", "world", "feed.xml"], "https://"),
        (["config", "show", "--format", "yaml"], "tsv"),
    ],
)
def test_wrong_use(wirecopy: CommandLine, arguments: list[str], hint: str) -> None:
    """Wrong use ends with 2, says what would be right, and prints no data."""
    result = wirecopy(*arguments)
    assert result.code == 2
    assert hint in " ".join(result.message.replace("│", " ").split())
    assert result.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["story", "show", "999999"],
        ["story", "show", "0"],
        ["story", "copies", str(10**30)],
        ["jobs", "show", "999999"],
        ["jobs", "show", "9" * 40],
        ["jobs", "watch", "999999"],
        ["jobs", "cancel", "999999"],
        ["jobs", "cancel", str(2**63)],
        ["jobs", "show", "http://nowhere.example/"],
        ["quarantine", "show", "999999"],
        ["quarantine", "retry", "999999", str(2**64)],
        ["crawl", "run"],
        ["crawl", "run", "nobody"],
        ["crawl", "enable", "nobody"],
    ],
)
def test_what_is_not_there(wirecopy: CommandLine, arguments: list[str]) -> None:
    """What is not stored ends with 3, and the message names the command that helps."""
    result = wirecopy(*arguments)
    assert (result.code, result.out) == (3, "")
    assert "`wirecopy " in result.message


def test_story_show(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """The text alone on stdout; doubt in brackets on request; as JSON the document with the story's facts."""
    number = str(filled["fuel"])
    assert wirecopy("story", "show", number).out == FUEL + "\n"
    assert wirecopy("story", "show", number, "--doubt").out == f"[Fuel prices]{FUEL.removeprefix('Fuel prices')}\n"
    assert "2 copies" in wirecopy("story", "show", number).message
    shown = json.loads(wirecopy("story", "show", number, "--format", "json").out)
    about = shown.pop("story")
    assert shown == document("Fuel", FUEL, ("Fuel", "prices"))
    assert (about["id"], about["version"], about["copies"], about["settled"]) == (filled["fuel"], 1, 2, True)
    assert wirecopy("story", "show", number, "--version", "2").code == 3


def test_a_story_without_a_recovery(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """A story that is still to be collated says so, with 3."""
    result = wirecopy("story", "show", str(filled["bridge"]))
    assert (result.code, result.out) == (3, "")
    assert "waits for collation" in result.message


def test_story_copies(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """Every copy with siglum, host, kind and error."""
    rows = wirecopy("story", "copies", str(filled["fuel"])).rows()
    assert [(row["siglum"], row["host"], row["kind"], row["error_rate"]) for row in rows] == [
        ("A", "a.example", "verbatim", 0.0),
        ("B", "b.example", "spun", 0.25),
    ]


def test_jobs(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """list, show by number and by URL, watch and cancel of jobs that end differently."""
    assert [(row["id"], row["state"]) for row in wirecopy("jobs", "list").rows()] == [
        (filled["runs"], "running"),
        (filled["done"], "done"),
    ]
    items = wirecopy("jobs", "show", str(filled["done"])).rows()
    assert [(item["url"], item["state"], item["reason"]) for item in items] == [
        ("http://a.example/fuel", "witness", None),
        ("http://d.example/gone", "gone", "the server answers 404"),
    ]
    (told,) = wirecopy("jobs", "show", "http://d.example/gone").rows()
    assert told["verdict"] == "Did not arrive (gone): the server answers 404."
    assert "Did not arrive" in wirecopy("jobs", "show", "http://d.example/gone", "--format", "table").out
    assert wirecopy("jobs", "watch", str(filled["done"])).code == 4
    assert "1 URLs are not fetched" in wirecopy("jobs", "cancel", str(filled["runs"])).message
    watched = wirecopy("jobs", "watch", str(filled["runs"]))
    assert (watched.code, watched.rows()[0]["state"], watched.rows()[0]["missed"]) == (1, "cancelled", 1)


def test_quarantine(wirecopy: CommandLine, filled: dict[str, int], factory: SessionFactory) -> None:
    """List and show what is there; retry puts it back and rings; the second time there is nothing to retry."""
    (entry,) = wirecopy("quarantine", "list").rows()
    number = str(entry["id"])
    assert (entry["stage"], entry["reason"]) == ("fetch", "boom")
    assert wirecopy("quarantine", "show", number).rows()[0]["history"] == [{"end": "error", "outcome": "boom"}]
    assert "boom" in wirecopy("quarantine", "list", "--format", "table").out
    partly = wirecopy("quarantine", "retry", number, "999999")
    assert (partly.code, wirecopy.bells) == (4, [Bell(Stage.FETCH)])
    with factory() as session:
        assert session.get_one(FrontierRow, filled["failing"]).state == Visit.WAITING
    nothing = wirecopy("quarantine", "retry", "--all")
    assert (nothing.code, nothing.message) == (0, "Nothing is in quarantine.\n")
    assert wirecopy("quarantine", "list", "--resolved").rows()[0]["resolution"] == "retried"


def test_crawl(wirecopy: CommandLine, factory: SessionFactory, tmp_path: Path) -> None:
    """Sources by hand and by file; run makes due and rings; off is off; a wrong entry is named and ends with 4."""
    (tmp_path / "sources.toml").write_text('[map]\nkind = "sitemap"\nurl = "http://a.example/map.xml"\ninterval = 60\n')
    assert wirecopy("crawl", "add", "world", "http://a.example/rss", "--every", "2h").code == 0
    assert {row["name"]: row["interval"] for row in wirecopy("crawl", "list").rows()} == {"map": 60, "world": 7_200}
    assert [row["name"] for row in wirecopy("crawl", "next", "--limit", "1").rows()] == ["map"]
    wirecopy.bells.clear()
    ran = wirecopy("crawl", "run", "world")
    assert (ran.code, wirecopy.bells) == (0, [Bell(Stage.FETCH)])
    assert "Due now: world." in ran.message
    assert wirecopy("crawl", "disable", "world", "map").code == 0
    assert wirecopy("crawl", "next").out == ""
    assert wirecopy("crawl", "run").code == 3
    off = wirecopy("crawl", "run", "world")
    assert (off.code, "crawl enable world" in off.message) == (2, True)
    assert wirecopy("crawl", "enable", "world").code == 0
    assert [row["name"] for row in wirecopy("crawl", "next").rows()] == ["world"]
    with (tmp_path / "sources.toml").open("a") as file:
        file.write('[broken]\nkind = "page"\n')
    listed = wirecopy("crawl", "list")
    assert (listed.code, len(listed.rows())) == (4, 2)
    assert "Source 'broken' in" in listed.message


def test_crawl_add_takes_all_that_a_file_takes(wirecopy: CommandLine, tmp_path: Path) -> None:
    """Cron, zone, tags, discovery, the host's interval and a section's links; what is wrong is refused, with what to do."""
    options = ["--kind", "section", "--cron", "30 6 * * *", "--time-zone", "Europe/Berlin", "--tag", "world", "--tag", "b"]
    options += ["--discover", "--host-interval", "30s", "--links", "/news/", "--other-hosts"]
    added = wirecopy("crawl", "add", "front", "http://a.example/", *options)
    assert (added.code, "at the times of 30 6 * * * (Europe/Berlin)" in added.message) == (0, True)
    (row,) = wirecopy("crawl", "list").rows()
    assert (row["kind"], row["cron"], row["time_zone"], row["tags"]) == (
        "section",
        "30 6 * * *",
        "Europe/Berlin",
        ["world", "b"],
    )
    assert (row["discover"], row["host_interval"], row["links"], row["other_hosts"]) == (True, 30, "/news/", True)
    assert wirecopy("crawl", "next").rows()[0]["why"] == "not polled yet"
    wrong = wirecopy("crawl", "add", "front", "http://a.example/", "--cron", "30 6 * *")
    assert (wrong.code, "it has five fields" in wrong.message) == (2, True)
    assert wirecopy("crawl", "add", "front", "http://a.example/", "--every", "often").code == 2
    assert "as often as it brings something new" in wirecopy("crawl", "add", "front", "http://a.example/").message
    (source,) = wirecopy("status").rows()[0]["brought"]
    assert (source["name"], source["state"], source["pages"]) == ("front", "on", 0)
    assert "front" in wirecopy("status", "--format", "table").out


def test_status(wirecopy: CommandLine, filled: dict[str, int]) -> None:
    """One record that adds up, and a table of the same."""
    (found,) = wirecopy("status").rows()
    assert (found["urls"], found["witnesses"], found["stories"], found["adds_up"]) == (6, 3, 2, True)
    table = wirecopy("status", "--format", "table").out
    assert "1 waiting, 3 witness, 1 gone, 1 quarantined, 1 due now" in table


def test_config(wirecopy: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting with its value and where it came from; the files that were looked at."""
    (tmp_path / "wirecopy.toml").write_text("settle = 7\n")
    monkeypatch.setenv("WIRECOPY_TICK", "3")
    shown = {row["name"]: row for row in wirecopy("config", "show").rows()}
    assert set(shown) == set(Settings.model_fields)
    assert [(shown[name]["value"], shown[name]["origin"]) for name in ("settle", "tick", "max_hops", "contact")] == [
        (7.0, str(tmp_path / "wirecopy.toml")),
        (3.0, "environment"),
        (10, "default"),
        ("desk@example.org", "flag"),
    ]
    paths = {row["path"]: row["exists"] for row in wirecopy("config", "path").rows()}
    assert (paths[str(tmp_path / "wirecopy.toml")], paths[str(tmp_path / "sources.toml")]) == (True, False)


def test_doctor_on_good_servers(wirecopy: CommandLine) -> None:
    """Servers, schema, folder and packages are well; passwords are not shown."""
    found = wirecopy("doctor")
    levels = {row["what"]: row["level"] for row in found.rows()}
    assert {levels[what] for what in ("Python", "packages", "PostgreSQL", "schema", "Valkey", "data folder", "contact")} == {
        "ok"
    }
    password = wirecopy.servers.redis_url.split("@")[0].split(":")[-1]
    assert password not in found.out
    assert found.code == (1 if "fail" in levels.values() else 0)


def test_doctor_without_servers(wirecopy: CommandLine, tmp_path: Path) -> None:
    """Where nothing answers each failing line says what to do, and the exit code is 1."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    nowhere = ["--database-url", "postgresql://x:secret@127.0.0.1:1/x", "--redis-url", "redis://127.0.0.1:1"]
    found = wirecopy(*nowhere, "--data-dir", str(blocked / "data"), "doctor")
    rows = {row["what"]: row for row in found.rows()}
    assert found.code == 1
    assert [rows[what]["level"] for what in ("Python", "data folder", "PostgreSQL", "Valkey")] == ["ok", "fail", "fail", "fail"]
    assert "secret" not in found.out
    assert "checks failed" in found.message


COMMANDS: list[list[str]] = [
    ["search"],
    *(["story", name] for name in ("show", "copies", "explain")),
    *(["jobs", name] for name in ("list", "show", "watch", "cancel")),
    *(["quarantine", name] for name in ("list", "show", "retry", "discard")),
    *(["crawl", name] for name in ("list", "add", "run", "next", "enable", "disable")),
    ["status"],
    ["doctor"],
    *(["config", name] for name in ("show", "path")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example(wirecopy: Callable[..., Result], command: list[str]) -> None:
    """--help names the command in an example, and ends with 0."""
    shown = wirecopy(*command, "--help")
    assert shown.code == 0
    example = " ".join(shown.out.split("Example:")[1].split())
    assert example.startswith("wirecopy ")
    assert f" {' '.join(command)}" in example[:60]
