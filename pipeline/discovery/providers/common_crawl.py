"""Common Crawl: pages that gave us no text, read out of its archive.

index.commoncrawl.org/collinfo.json lists the crawls (`id`, `name`, `timegate`, `cdx-api`, and since 2025 `from` and `to`, as
published examples of the file show; an older entry lacks the last two); it is to be kept for a day. A crawl's `cdx-api` takes
url=, output=json, filter= and limit= and answers with a JSON object a line, or 404 where it has no capture
(cocrawler/cdx_toolkit, commoncrawl.org/cdxj-index). The record itself is a gzip of its own in a WARC file, read by a range
request to data.commoncrawl.org. One request a second at the most: the bucket is everybody's.
"""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from pipeline.discovery.candidates import ArchivedPage, Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind
from pipeline.discovery.web import Web, date_of, expect, mapping_of, read_date, read_json, text_of, url_of
from pipeline.errors import Malformed
from pipeline.settings import Settings

NAME = "common-crawl"
WHAT = "Common Crawl"
INTERVAL, BUDGET = 1.5, 1_000
KEPT = 86_400.0
MOST_CRAWLS = 3
LARGEST = 10_000_000
"""Bytes of a record, packed and unpacked; a longer page is cut."""
# They tell of the way that the archive got the page, not of the bytes that it has.
_OF_THE_WAY = ("content-encoding", "transfer-encoding", "content-length")


def make(settings: Settings) -> Provider:
    """Common Crawl, its index at `common_crawl_index_url` and its files at `common_crawl_data_url`."""
    index, data = settings.common_crawl_index_url.rstrip("/"), settings.common_crawl_data_url.rstrip("/")

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        url = query.words[0]
        crawls = read_json(expect(await web.get(f"{index}/collinfo.json", keep=KEPT), WHAT), WHAT)
        if not isinstance(crawls, list):
            raise Malformed(f"{WHAT}: collinfo.json is no list; the service may have changed.")
        for api in choose_crawls(crawls, wanted.published)[:MOST_CRAWLS]:
            asked = urlencode({"url": url, "output": "json", "filter": "status:200", "limit": "5"})
            reply = await web.get(f"{api}?{asked}", keep=settings.discovery_keep)
            if reply.status == 404:
                continue
            captures = sorted(read_captures(expect(reply, WHAT).body), key=lambda row: str(row["timestamp"]))
            for capture in captures[:1]:
                first, length = int(capture["offset"]), int(capture["length"])
                if not 0 < length <= LARGEST:
                    continue
                span = {"Range": f"bytes={first}-{first + length - 1}"}
                record = expect(await web.get(f"{data}/{capture['filename']}", span), WHAT)
                if record.status != 206:
                    raise Malformed(f"{WHAT}: a part of a file was asked for, and the answer is {record.status}.")
                page = read_record(record.body)
                return [Candidate(url, f"captured on {page.captured_at:%Y-%m-%d}", published=page.captured_at, archived=page)]
        return ()

    off = None if index and data else "common_crawl_index_url or common_crawl_data_url is empty"
    return Provider(NAME, frozenset({QueryKind.LOST}), ask, INTERVAL, BUDGET, off)


def choose_crawls(crawls: Sequence[object], published: datetime | None) -> list[str]:
    """The `cdx-api` of crawls, those first that ended soonest after the article came out; the newest first where unknown."""
    rows = [row for row in crawls if isinstance(row, dict) and url_of(row, "cdx-api")]
    if published is not None:
        ends = [(date_of(row, "to"), row) for row in rows]
        after = sorted(((end, at) for at, (end, _) in enumerate(ends) if end is not None and end >= published))
        if after:
            rows = [rows[at] for _, at in after]
    return [str(row["cdx-api"]) for row in rows]


def read_captures(body: bytes) -> list[Mapping[str, Any]]:
    """The captures in an index's answer, a JSON object a line; those that lack where they lie are passed over."""
    found: list[Mapping[str, Any]] = []
    for line in body.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        try:
            row = mapping_of(json.loads(line), WHAT)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{WHAT}: the index answers with no JSON: {line[:100]!r}.") from error
        named = text_of(row, "filename") and text_of(row, "timestamp")
        if named and all(str(row.get(key, "")).isdigit() for key in ("offset", "length")):
            found.append(row)
    return found


def read_record(packed: bytes) -> ArchivedPage:
    """The page in one WARC record. Raises Malformed for what is none, or breaks off."""
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(packed))), None)
        if record is None or record.rec_type != "response" or record.http_headers is None:
            raise Malformed(f"{WHAT}: the record is no answer to a request.")
        body = record.content_stream().read(LARGEST + 1)
        when = read_date(record.rec_headers.get_header("WARC-Date") or "")
        status = int(record.http_headers.get_statuscode())
        headers = tuple((str(name), str(value)) for name, value in record.http_headers.headers)
    except (ArchiveLoadFailed, OSError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise Malformed(f"{WHAT}: the record cannot be read: {error}.") from error
    if when is None:
        raise Malformed(f"{WHAT}: the record has no date.")
    kept = tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_WAY)
    return ArchivedPage(status, kept, body[:LARGEST], when, truncated=len(body) > LARGEST)
