"""Exchanges as WARC records: what warcio reads back, and that its own check passes."""

import gzip
import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from pipeline.exports.warc import Exchange, Revisited, write_exchange, write_information

URL = "https://news.example/story?page=1"
WHEN = datetime(2026, 5, 4, 12, 30, 1, 250, UTC)
BODY = b"<p>The wording that the agency sent out.</p>"
SENT = (("Host", "news.example"), ("User-Agent", "wirecopy/0.1 (+mailto:desk@example.org)"))
PLAIN = Exchange(URL, WHEN, 200, (("content-type", "text/html"),), BODY, address="192.0.2.7", request=SENT)


def written(*exchanges: Exchange) -> bytes:
    stream = io.BytesIO()
    write_information(stream, "test.warc.gz", {"software": "wirecopy"})
    for exchange in exchanges:
        write_exchange(stream, exchange)
    return stream.getvalue()


def read(content: bytes) -> list[tuple[str, dict[str, str], str, dict[str, str], bytes]]:
    """(type, record headers, first line, HTTP headers, payload) of every record, each digest checked."""
    found = []
    for record in ArchiveIterator(io.BytesIO(content), check_digests="raise"):
        http = record.http_headers
        found.append(
            (
                record.rec_type,
                dict(record.rec_headers.headers),
                "" if http is None else f"{http.protocol} {http.statusline}",
                {} if http is None else dict(http.headers),
                record.content_stream().read(),
            )
        )
    return found


def test_an_exchange_is_two_records() -> None:
    """The answer with its headers and body, and the request that it answers, which names it."""
    information, response, request = read(written(PLAIN))
    assert information[0] == "warcinfo"
    assert (response[0], response[2], response[4]) == ("response", "HTTP/1.1 200 OK", BODY)
    assert response[3] == {"content-type": "text/html", "Content-Length": str(len(BODY))}
    assert response[1]["WARC-Target-URI"] == URL
    assert response[1]["WARC-Date"] == "2026-05-04T12:30:01.000250Z"
    assert response[1]["WARC-IP-Address"] == "192.0.2.7"
    assert (request[0], request[2], request[3]) == ("request", "GET /story?page=1 HTTP/1.1", dict(SENT))
    assert request[1]["WARC-Concurrent-To"] == response[1]["WARC-Record-ID"]
    assert request[1]["WARC-Date"] == response[1]["WARC-Date"]


def test_headers_of_the_packing_are_renamed() -> None:
    """The body is inflated, so a reader must not inflate it again; what the host said of it is still there."""
    headers = (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"), ("Content-Length", "7"))
    _, response = read(written(Exchange(URL, WHEN, 200, headers, BODY)))
    assert response[3] == {
        "X-Crawler-Content-Encoding": "gzip",
        "X-Crawler-Transfer-Encoding": "chunked",
        "X-Crawler-Content-Length": "7",
        "Content-Length": str(len(BODY)),
    }
    assert response[4] == BODY


@pytest.mark.parametrize(
    ("exchange", "mark"),
    [
        (Exchange(URL, WHEN, 200, (), BODY), None),
        (Exchange(URL, WHEN, 200, (), BODY, truncated=True), "length"),
        (Exchange(URL, WHEN, 302, (("location", "/there"),), None), "unspecified"),
    ],
)
def test_what_is_missing_of_a_body_is_said(exchange: Exchange, mark: str | None) -> None:
    """A body that was cut at a limit, or not kept at all, has WARC-Truncated."""
    _, response = read(written(exchange))
    assert response[1].get("WARC-Truncated") == mark


@pytest.mark.parametrize(
    ("status", "body", "profile"),
    [(200, BODY, "identical-payload-digest"), (304, None, "server-not-modified")],
)
def test_what_has_not_changed_is_a_revisit(status: int, body: bytes | None, profile: str) -> None:
    """It names the record that holds the bytes, and holds none itself; same bytes have the digest of the first."""
    first, again = PLAIN, Exchange(URL, WHEN, status, (), body, revisits=Revisited(URL, WHEN))
    _, response, _, revisit = read(written(first, again))
    assert (revisit[0], revisit[4]) == ("revisit", b"")
    assert revisit[1]["WARC-Profile"].endswith(profile)
    assert (revisit[1]["WARC-Refers-To-Target-URI"], revisit[1]["WARC-Refers-To-Date"]) == (URL, response[1]["WARC-Date"])
    digest = response[1]["WARC-Payload-Digest"] if body else None
    assert revisit[1].get("WARC-Payload-Digest") == digest


HEADERS = st.lists(st.tuples(st.text(st.characters(max_codepoint=255), max_size=12), st.text(max_size=30)), max_size=5)


@given(
    headers=HEADERS, body=st.binary(max_size=200), status=st.integers(100, 999), version=st.sampled_from(["1.0", "1.1", "2"])
)
def test_any_answer_gives_valid_records(headers: list[tuple[str, str]], body: bytes, status: int, version: str) -> None:
    """Whatever a host sends as headers: every digest is right, every record is whole, and the body comes back as it was."""
    exchange = Exchange(URL, WHEN, status, tuple(headers), body, http_version=version, request=(*SENT, *headers))
    records = read(written(exchange, PLAIN))
    assert [record[0] for record in records] == ["warcinfo", "response", "request", "response", "request"]
    assert (records[1][4], records[3][4]) == (body, BODY)


def test_warcio_check_passes(tmp_path: Path) -> None:
    """The tool that others check with finds nothing wrong, and finds a changed byte."""
    file, changed = tmp_path / "a.warc.gz", tmp_path / "changed.warc"
    content = written(PLAIN, Exchange(URL, WHEN, 200, (), BODY, revisits=Revisited(URL, WHEN)))
    file.write_bytes(content)
    changed.write_bytes(unpack(content).replace(b"The wording", b"The Wording"))
    program = str(Path(sys.executable).parent / "warcio")
    assert [subprocess.run([program, "check", str(path)], check=False).returncode for path in (file, changed)] == [0, 1]


def unpack(content: bytes) -> bytes:
    """Every gzip member, one behind the other."""
    return gzip.decompress(content)
