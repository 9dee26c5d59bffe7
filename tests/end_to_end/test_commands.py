"""wirecopy as its users run it: commands as processes, real servers, a real web on loopback."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Reply, Site, serving
from running import processes_on, run, running, wait_for

HTML = {"Content-Type": "text/html; charset=utf-8"}
PARAGRAPHS = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent, both sides said, letting 41 container ships that had waited outside the breakwater begin to unload.",
    "“We asked for a wage that pays the rent in this city, and we have it in writing,” said Ilse Marrant, who leads the Calder Quay Workers’ Union, after 17 hours of talks in the customs house.",
    "The board’s chairman, Tomas Vereker, said the agreement would cost $12.3 million a year and would be paid for by a fee of $9 on every container that leaves the port by road.",
    "Exporters of fruit said losses since the walkout began on March 1 had reached $58 million, with 2,300 tonnes of pears spoiled in warehouses that ran out of cold space on the fourth day.",
)
SPUN = {
    "ended": "completed",
    "agreed": "concurred",
    "wages": "salaries",
    "ships": "vessels",
    "talks": "discussions",
    "losses": "damages",
}


def page(paragraphs: tuple[str, ...]) -> Reply:
    """A paper's page around the paragraphs."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    head = "<title>Dockers end strike</title><meta property='article:published_time' content='2026-03-13T08:00:00Z'>"
    return Reply(
        f"<html lang=en><head>{head}</head><body><article><h1>Dockers end strike</h1>{body}</article></body></html>".encode(),
        headers=HTML,
    )


def spun(paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(" ".join(SPUN.get(word, word) for word in paragraph.split()) for paragraph in paragraphs)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder with a blank in its path, shared by the tests of this module so that servers are made once."""
    with tempfile.TemporaryDirectory(prefix="wire copy ") as name:
        yield Path(name)
        assert processes_on(Path(name)) == []


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (site,):
        yield site


def rows(result: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    """The JSON lines that a command printed."""
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_is_queued_waits_until_something_fetches_it(folder: Path, site: Site) -> None:
    """`add` alone fetches nothing and says so; `add --wait` fetches all that waits, recovers it, and it is found."""
    site.pages |= {"/one": page(PARAGRAPHS), "/two": page(spun(PARAGRAPHS)), "/three": page(PARAGRAPHS)}
    queued = run(folder, "add", site.url("/one"))
    assert (queued.returncode, queued.stdout) == (0, "")
    assert "Nothing is fetched or placed until `wirecopy up` runs" in queued.stderr
    assert site.asked == []
    waited = run(
        folder, "add", "-i", "-", "--wait", stdin=f"{site.url('/one')}\n# a comment\n{site.url('/two')}\n{site.url('/three')}\n"
    )
    assert waited.returncode == 0, waited.stderr
    (hit,) = rows(run(folder, "search", "dockers strike"))
    assert hit["copies"] == 3
    shown = run(folder, "story", "show", str(hit["id"]))
    assert all(paragraph in shown.stdout for paragraph in PARAGRAPHS)
    kinds = sorted(str(copy["kind"]) for copy in rows(run(folder, "story", "copies", str(hit["id"]))))
    assert kinds.count("verbatim") == 2
    status = rows(run(folder, "status"))
    assert status


def test_a_scheduled_crawl_finds_new_items_once(folder: Path, site: Site) -> None:
    """Under `up` a feed is polled when it is due; each item is fetched once, however often the feed lists it."""
    items = "".join(f"<item><title>{name}</title><link>{site.url('/' + name)}</link></item>" for name in ("first", "second"))
    feed = (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title><link>{site.url('/')}</link>{items}</channel></rss>"
    )
    site.pages |= {
        "/feed": Reply(feed.encode(), headers={"Content-Type": "application/rss+xml"}),
        "/first": page(tuple(paragraph.replace("Calder", "Wexholm") for paragraph in PARAGRAPHS)),
        "/second": Reply(status=404),
    }
    with running(folder, "up", until="wirecopy is up"):
        added = run(folder, "crawl", "add", "harbour", site.url("/feed"), "--every", "1")
        assert added.returncode == 0, added.stderr
        wait_for(lambda: len([asked for asked in site.asked if asked.path == "/feed"]) >= 3, "three polls of the feed")
        wait_for(lambda: {"/first", "/second"} <= {asked.path for asked in site.asked}, "both items")
        assert run(folder, "crawl", "disable", "harbour").returncode == 0
    assert [asked.path for asked in site.asked if asked.path in {"/first", "/second"}].count("/first") == 1
    (source,) = (row for row in rows(run(folder, "crawl", "list")) if row["name"] == "harbour")
    assert source["pages"] == 2


def test_two_ups_on_one_folder(folder: Path) -> None:
    """The second `up` is refused with the process of the first, which goes on."""
    with running(folder, "up", until="wirecopy is up") as first:
        second = run(folder, "up")
        assert second.returncode == 2
        assert str(first.pid) in second.stderr
        assert first.poll() is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_all_of_it(folder: Path, number: int, code: int) -> None:
    """Ctrl-C and SIGTERM end `up` with their code and leave no process."""
    with running(folder, "up", until="wirecopy is up") as process:
        process.send_signal(number)
        assert process.wait(60) == code
    wait_for(lambda: processes_on(folder) == [], "every process to end", 20)


def test_ctrl_c_while_the_servers_start(folder: Path) -> None:
    """Interrupted before it is up, `up` leaves no process either."""
    with running(folder, "up", until="starting PostgreSQL") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    wait_for(lambda: processes_on(folder) == [], "every process to end", 20)


@pytest.mark.slow
def test_kill_9_loses_nothing(folder: Path, site: Site) -> None:
    """Killed with a page in flight, `up` takes its processes with it; the next one fetches what was queued."""
    site.pages |= {"/slow": Reply(page(PARAGRAPHS).body, headers=HTML, hold=2.0), "/next": page(PARAGRAPHS)}
    short = {"WIRECOPY_FETCH_TIMEOUT": "5", "WIRECOPY_HOST_LEASE": "6"}
    with running(folder, "up", until="wirecopy is up", **short) as process:
        assert run(folder, "add", site.url("/slow"), site.url("/next")).returncode == 0
        wait_for(lambda: any(asked.path == "/robots.txt" for asked in site.asked), "the first request")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    wait_for(lambda: processes_on(folder) == [], "every process to end", 40)
    with running(folder, "up", until="wirecopy is up", **short):
        wait_for(lambda: any(asked.path == "/next" for asked in site.asked), "the page that was queued")
    assert sum(asked.path == "/next" for asked in site.asked) == 1


@pytest.mark.parametrize(
    ("words", "more", "code", "said"),
    [
        (("--set", "fetch_intervall=3", "status"), {}, 2, "Did you mean 'fetch_interval'?"),
        (("--set", "fetch_interval=soon", "status"), {}, 2, "fetch_interval"),
        (("--nonsense",), {}, 2, "No such option"),
        (("status",), {"WIRECOPY_NONSENSE": "1"}, 2, "nonsense"),
        (("add", "no url at all"), {}, 2, "None of the lines is a URL"),
        (("add", "-i", "missing.txt"), {}, 2, "missing.txt"),
        (("add", "https://somebody.example/story"), {}, 2, "WIRECOPY_CONTACT"),
        (("status",), {"WIRECOPY_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, 5, "wirecopy doctor"),
        (("status",), {"WIRECOPY_DATABASE_URL": "mysql://x"}, 2, "postgresql://"),
        (("worker", "fetch"), {}, 2, "wirecopy up"),
        (("search", "zyzzyva"), {}, 3, ""),
        (("story", "show", "99999"), {}, 3, "search"),
    ],
)
def test_wrong_use_is_told_with_what_to_do(
    folder: Path, words: tuple[str, ...], more: dict[str, str], code: int, said: str
) -> None:
    """Each misuse ends with its code and one message on stderr, without a traceback, and nothing on stdout."""
    result = run(folder, *words, **more)
    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_some_lines_that_are_no_urls_do_not_stop_the_others(folder: Path, site: Site) -> None:
    """Bad lines are named with the reason, the good ones are queued, and the exit code says partly."""
    result = run(folder, "add", "ftp://x/y", site.url("/good"), "http://user:secret@127.0.0.1/")
    assert result.returncode == 4
    assert "1 new" in result.stderr
    assert result.stderr.count("Not queued") == 2


def test_recover_prints_the_text_alone(tmp_path: Path) -> None:
    """Of three files the recovered text goes to stdout and the table of witnesses to stderr; JSON has its schema."""
    for number, paragraphs in enumerate((PARAGRAPHS, spun(PARAGRAPHS), PARAGRAPHS)):
        (tmp_path / f"{number}.txt").write_text("Dockers end strike\n\n" + "\n\n".join(paragraphs), "utf-8")
    result = run(tmp_path, "recover", *(f"{number}.txt" for number in range(3)))
    assert result.stdout == "Dockers end strike\n\n" + "\n\n".join(PARAGRAPHS) + "\n"
    assert "1.txt" in result.stderr
    document = json.loads(run(tmp_path, "recover", str(tmp_path), "--format", "json").stdout)
    assert document["schema"] == 1
    assert document["text"] == result.stdout.rstrip("\n")
    assert [document["text"][token["start"] : token["end"]] for token in document["tokens"]] == [
        token["text"] for token in document["tokens"]
    ]
