"""The process that pages are read in: killed, starved, orphaned, and alive again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from pipeline.crawl.extraction import read_page
from pipeline.crawl.extractor import Extractor
from pipeline.crawl.pages import ExtractionFailure, Page
from pipeline.errors import Unavailable

SENTENCE = "The minister said on Monday that food would be sent to the coast before the winter storms began. "
PAGE = f"<html><head><title>Food for the coast</title></head><body><p>{SENTENCE * 3}</p><p>{SENTENCE * 2}</p></body></html>".encode()
# Within every limit of size, and more than a second of work.
SLOW = b"<html><body><article>" + b"<b><i><p>" * 33_000 + f"<p>{SENTENCE * 3}</p></article></body></html>".encode()
URL = "https://news.example/food"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(seconds=20) as made:
        yield made


def test_a_page_is_what_it_is_at_home(extractor: Extractor) -> None:
    """The process gives what `read_page` gives, from the same process every time."""
    headers = [("content-type", "text/html"), ("x-robots-tag", "noarchive")]
    assert extractor.extract(PAGE, URL, headers) == read_page(PAGE, URL, headers)
    first = extractor.pid
    assert extractor.extract(b"") == read_page(b"")
    assert extractor.pid == first


def test_a_large_body_goes_through(extractor: Extractor) -> None:
    """More than a pipe holds, in both directions."""
    body = PAGE.replace(b"</body>", b"".join(b"<p>%d %s</p>" % (n, SENTENCE.encode()) for n in range(5_000)) + b"</body>")
    found = extractor.extract(body, URL)
    assert found == read_page(body, URL)
    assert isinstance(found, Page)
    assert len(found.text) > 400_000


def test_a_page_that_takes_too_long_is_killed() -> None:
    """The failure says so, and the next page is read, by a new process."""
    with Extractor(seconds=20) as extractor:
        extractor.extract(PAGE)
        first = extractor.pid
        extractor._seconds = 0.05
        found = extractor.extract(SLOW)
        assert isinstance(found, ExtractionFailure)
        assert found.kind == "timeout"
        assert extractor.pid is None
        extractor._seconds = 20
        assert isinstance(extractor.extract(PAGE), Page)
        assert extractor.pid not in {None, first}


def test_a_page_that_takes_too_much_memory_is_a_failure() -> None:
    """The limit is of address space; the next page is read."""
    with Extractor(seconds=60, memory=300_000_000) as extractor:
        found = extractor.extract(b"<html><body><p>" + b"x" * 25_000_000)
        assert isinstance(found, ExtractionFailure)
        assert found.kind == "memory"
        assert isinstance(extractor.extract(PAGE), Page)


def test_a_process_that_dies_between_pages_is_replaced(extractor: Extractor) -> None:
    """The next page does not notice."""
    extractor.extract(PAGE)
    first = extractor._process
    assert first
    first.kill()
    first.wait(10)
    assert isinstance(extractor.extract(PAGE), Page)
    assert extractor.pid != first.pid


def test_a_process_that_dies_on_a_page_is_a_crash() -> None:
    """The page is told what happened to it, and the next one is read."""
    with Extractor(seconds=60) as extractor:
        extractor.extract(PAGE)
        pid = extractor.pid
        assert pid
        killer = threading.Timer(0.1, os.kill, (pid, signal.SIGSEGV))
        killer.start()
        found = extractor.extract(SLOW)
        killer.join()
        assert isinstance(found, ExtractionFailure)
        assert found.kind == "crash"
        assert "signal 11" in found.message
        assert isinstance(extractor.extract(PAGE), Page)


def test_a_process_is_replaced_after_its_share_of_pages() -> None:
    """No process reads pages for ever."""
    with Extractor(pages=1) as extractor:
        assert isinstance(extractor.extract(PAGE), Page)
        assert extractor.pid is None
        assert isinstance(extractor.extract(PAGE), Page)


def test_a_process_that_cannot_start_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is nobody's page's fault, and the message says what to try."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Extractor() as extractor, pytest.raises(Unavailable, match="extraction_process"):
        extractor.extract(PAGE)


def test_the_process_ends_with_its_input() -> None:
    """A parent that dies closes the pipe, and nothing is left running."""
    command = [sys.executable, "-m", "pipeline.crawl.extraction_process", "1500000000", "10"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said, _ = process.communicate(b"", timeout=60)
    assert process.returncode == 0
    assert b'"ready": true' in said


def test_a_page_that_outlasts_a_dead_parent_ends_by_itself() -> None:
    """The alarm inside the process needs nobody to ring it."""
    command = [sys.executable, "-m", "pipeline.crawl.extraction_process", "1500000000", "0.05"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    head = b'{"url": "", "headers": [], "agent": "wirecopy"}'
    process.communicate(len(head).to_bytes(4) + head + len(SLOW).to_bytes(4) + SLOW, timeout=60)
    assert process.returncode == -signal.SIGALRM
