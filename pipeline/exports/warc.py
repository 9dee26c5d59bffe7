"""Answers of the web as WARC records (ISO 28500:2017, WARC 1.1), each record a gzip member of its own.

Bodies are kept inflated, so the headers that speak of the packing on the wire are written under names of their own
(`X-Crawler-Content-Encoding` and so on, as other crawlers do), and Content-Length is that of the body in the record.
"""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import IO
from urllib.parse import quote, urlsplit

from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

VERSION = "1.1"
UNCHANGED = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_OF_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


@dataclass(frozen=True, slots=True)
class Revisited:
    """The earlier capture that an answer repeats."""

    url: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the answer to it."""

    url: str
    when: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    """The answer's, as sent."""
    body: bytes | None
    """Inflated; None where it was not kept."""
    truncated: bool = False
    """True where the body goes on past what was read."""
    http_version: str = "1.1"
    address: str | None = None
    request: tuple[tuple[str, str], ...] = ()
    """The headers that were sent; without any, no request record is written."""
    revisits: Revisited | None = None
    """Set where the answer says that nothing has changed, or holds the same bytes: a revisit record is written."""


def write_information(stream: IO[bytes], name: str, about: Mapping[str, str]) -> None:
    """The record that opens a file and says what made it."""
    writer = WARCWriter(stream, gzip=True, warc_version=VERSION)
    fields = {"format": "WARC File Format 1.1", "conformsTo": "http://iipc.github.io/warc-specifications/", **about}
    lines = {field: " ".join(value.split()) for field, value in fields.items()}
    writer.write_record(writer.create_warcinfo_record(name, lines))


def write_exchange(stream: IO[bytes], exchange: Exchange) -> None:
    """The answer's record (response or revisit) and, where it is known, that of the request.

    Raises OSError alone: whatever a host sent, its record is a valid one.
    """
    writer = WARCWriter(stream, gzip=True, warc_version=VERSION)
    body = exchange.body or b""
    answer = StatusAndHeaders(_status(exchange.status), _answer_headers(exchange, len(body)), protocol=_protocol(exchange))
    about = {"WARC-Date": dated(exchange.when)}
    if exchange.address:
        about["WARC-IP-Address"] = exchange.address
    if exchange.revisits is not None:
        about |= {
            "WARC-Profile": NOT_MODIFIED if exchange.status == HTTPStatus.NOT_MODIFIED else UNCHANGED,
            "WARC-Refers-To-Target-URI": exchange.revisits.url,
            "WARC-Refers-To-Date": dated(exchange.revisits.when),
        }
        if exchange.body is not None:
            about["WARC-Payload-Digest"] = _digest(exchange.body)
        record = writer.create_warc_record(exchange.url, "revisit", http_headers=answer, warc_headers_dict=about)
    else:
        if exchange.body is None:
            about["WARC-Truncated"] = "unspecified"
        elif exchange.truncated:
            about["WARC-Truncated"] = "length"
        record = writer.create_warc_record(
            exchange.url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=answer,
            warc_headers_dict=about,
        )
    if not exchange.request:
        writer.write_record(record)
        return
    parts = urlsplit(exchange.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asked = StatusAndHeaders(f"{target} {_protocol(exchange)}", _clean(exchange.request), protocol="GET")
    request = writer.create_warc_record(exchange.url, "request", http_headers=asked)
    writer.write_request_response_pair(request, record)


def _answer_headers(exchange: Exchange, length: int) -> list[tuple[str, str]]:
    kept = [
        (f"X-Crawler-{name.title()}" if name.lower() in _OF_THE_WIRE else name, value)
        for name, value in _clean(exchange.headers)
    ]
    return kept if exchange.body is None else [*kept, ("Content-Length", str(length))]


def _clean(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that have a name, each on one line of ASCII; other bytes are percent-encoded."""
    return [
        (name, quote(" ".join(value.split()), safe=_PRINTABLE, encoding="latin-1", errors="replace"))
        for name, value in headers
        if _NAME.fullmatch(name)
    ]


def _protocol(exchange: Exchange) -> str:
    """HTTP/2 has no lines to write down: its answers are written in the form of 1.1."""
    return "HTTP/1.0" if exchange.http_version == "1.0" else "HTTP/1.1"


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def dated(when: datetime) -> str:
    """A time as WARC 1.1 writes it, to the microsecond."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _digest(body: bytes) -> str:
    digester = Digester("sha1")
    digester.update(body)
    return str(digester)
