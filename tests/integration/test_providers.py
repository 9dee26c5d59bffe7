"""Every provider against a server on loopback that answers as its service is documented to, and as services fail.

A case is a folder under tests/cases/discovery: what is asked, the replies in their order, and what comes of them.
"""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline import errors
from pipeline.crawl.fetcher import Fetcher, FetchOptions
from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind, Seed
from pipeline.discovery.rarity import rarity_of
from pipeline.errors import Malformed, Refused, Unavailable, WirecopyError
from pipeline.settings import Settings, load
from pipeline.stages.provider_list import list_providers
from pipeline.stages.reaching import FetchedWeb

CASES = Path(__file__).parents[1] / "cases" / "discovery"
NOW = datetime(2026, 5, 10, tzinfo=UTC)
TITLE = "Bridge over Kestrel closed after engineers find cracks"
TEXT = (
    "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks in 14 of its 96 girders.",
    'About 32,500 people use it daily. "We could not wait another day," Mayor Ines Calder told reporters in Ostrava.',
)
PHRASE = Query(QueryKind.PHRASE, ("Mayor", "Ines", "Calder", "told"), "")
QUERIES = {
    "wayback": Query(QueryKind.ADDRESS, ("http://paper.example/a",), ""),
    "common-crawl": Query(QueryKind.LOST, ("http://paper.example/a",), ""),
    "listings": Query(QueryKind.TEXT, (), ""),
    "gdelt-ngrams": Query(QueryKind.TEXT, (), ""),
}


@dataclass(frozen=True)
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """The connection ends before the body does."""


class Service:
    """A server that gives its replies in their order, the last one for ever, or by path; and what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.files: dict[str, Reply] | None = None
        self.asked: list[tuple[str, dict[str, str]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                reply = service.reply(self.path.partition("?")[0], self.headers.get("Range"))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + 100 * reply.cut))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def reply(self, path: str, span: str | None) -> Reply:
        if self.files is None:
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        found = self.files.get(path, Reply(b"not here", 404))
        if span and found.status == 200:
            first, last = map(int, span.removeprefix("bytes=").split("-"))
            return Reply(found.body[first : last + 1], 206)
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def settings_at(base: str, **more: Any) -> Settings:
    flags = {
        "searxng_url": base,
        "gdelt_doc_url": f"{base}/api/v2/doc/doc",
        "gdelt_ngrams_url": f"{base}/ngrams",
        "gdelt_ngrams_files": 2,
        "brave_url": f"{base}/res/v1/web/search",
        "brave_key": "secret",
        "media_cloud_url": f"{base}/api",
        "media_cloud_key": "secret",
        "news_api_url": f"{base}/v2/everything",
        "news_api_key": "secret",
        "wayback_url": base,
        "common_crawl_index_url": base,
        "common_crawl_data_url": f"{base}/data",
        "discovery_listings": f"{base}/news.xml",
        **more,
    }
    return load(flags, {}).settings


def provider_named(name: str, settings: Settings) -> Provider:
    return next(one for one in list_providers(settings, lambda _: ()) if one.name == name)


def ask(name: str, base: str, query: Query | None = None, published: datetime | None = None) -> Sequence[Candidate]:
    """What the provider answers, through the crawl's own fetcher."""
    provider = provider_named(name, settings_at(base))
    assert provider.off is None
    wanted = Wanted(Seed(TEXT, (TITLE,)), rarity_of("en"), NOW, published, "en")
    options = FetchOptions(user_agent="wirecopy test", allow_private_addresses=True, total_timeout=10.0)

    async def run() -> Sequence[Candidate]:
        async with Fetcher(options) as fetcher:
            return await provider.ask(query or QUERIES.get(name, PHRASE), wanted, FetchedWeb(fetcher, fetcher))

    return asyncio.run(run())


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_case(folder: Path, service: Service) -> None:
    """The folder's own words say what must hold."""
    case = json.loads((folder / "case.json").read_text("utf-8"))
    service.replies = [
        Reply((folder / reply["file"]).read_bytes(), reply.get("status", 200), reply.get("headers", {}))
        for reply in case["replies"]
    ]
    asked = case["query"]
    query = Query(QueryKind(asked["kind"]), tuple(asked["words"]), "", page=asked.get("page", 1))
    published = datetime.fromisoformat(case["published"]) if isinstance(case.get("published"), str) else None
    if "error" in case:
        with pytest.raises(getattr(errors, case["error"])) as caught:
            ask(case["provider"], service.base, query, published)
        assert case.get("says", "") in str(caught.value)
        if "retry_after" in case:
            assert getattr(caught.value, "retry_after", None) == case["retry_after"]
        return
    found = ask(case["provider"], service.base, query, published)
    assert [one.url for one in found] == [url.replace("{base}", service.base) for url in case["urls"]]
    paths = [path for path, _ in service.asked]
    if "asked" in case:
        assert paths == case["asked"]
    for path, end in zip(paths, case.get("asked_ends", paths), strict=True):
        assert path.endswith(end)
    for name, value in case.get("sent", {}).items():
        assert all(headers[name] == value for _, headers in service.asked)
    shown = {
        "titles": [one.title for one in found],
        "snippets": [one.snippet for one in found],
        "published_at": [one.published.isoformat() if one.published else None for one in found],
        "holds_phrase": [one.holds_phrase for one in found],
    }
    for name, values in shown.items():
        assert case.get(name, values) == values


WEB = ("searxng", "gdelt-doc", "brave", "media-cloud", "news-api", "wayback", "common-crawl", "listings", "gdelt-ngrams")
FAULTS: dict[str, tuple[Reply, type[WirecopyError]]] = {
    "busy": (Reply(b"slow down", 429, {"Retry-After": "33"}), Unavailable),
    "busy, empty": (Reply(b"", 429), Unavailable),
    "down": (Reply(b"<html>Bad gateway</html>", 502), Unavailable),
    "no key": (Reply(b"who are you", 401), Refused),
    "HTML": (Reply(b"<!doctype html><title>Sign in</title>", 200, {"Content-Type": "text/html"}), Malformed),
}
JSON_FAULTS: dict[str, tuple[Reply, type[WirecopyError]]] = {
    "half": (Reply(b'{"results": [{"url": "http://a.exam', cut=True), Malformed),
    "half JSON": (Reply(b'{"results": [{"url": "http://a.exam'), Malformed),
    "bytes": (Reply(bytes(range(128, 256)) * 8), Malformed),
    "a number": (Reply(b"12"), Malformed),
    "deep": (Reply(b"[" * 100_000), Malformed),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", WEB)
def test_a_failing_service_is_a_documented_error(name: str, fault: str, service: Service) -> None:
    """Whatever a service does wrong: an error of ours that says what happened, and for how long to let it alone."""
    reply, kind = FAULTS[fault]
    service.replies = [reply]
    with pytest.raises(kind) as caught:
        ask(name, service.base)
    if fault == "busy":
        assert getattr(caught.value, "retry_after", None) == 33.0
    if fault == "busy, empty":
        assert (getattr(caught.value, "retry_after", None) or 0.0) >= 60.0


@pytest.mark.parametrize("fault", JSON_FAULTS)
@pytest.mark.parametrize("name", WEB[:7])
def test_what_is_no_json_is_malformed(name: str, fault: str, service: Service) -> None:
    """Answers that break off, or are none: never an exception that nobody expects."""
    reply, kind = JSON_FAULTS[fault]
    service.replies = [reply]
    with pytest.raises(kind):
        ask(name, service.base)


@pytest.mark.parametrize("name", WEB)
def test_a_service_that_is_not_there_is_unavailable(name: str) -> None:
    """Nobody listens."""
    with pytest.raises(Unavailable, match="does not answer"):
        ask(name, "http://127.0.0.1:9999")


def test_a_key_goes_to_its_service_alone(service: Service) -> None:
    """A redirect to another host gets none."""
    service.replies = [Reply(b"", 302, {"Location": "http://127.0.0.2:9999/steal"})]
    with pytest.raises(Unavailable, match=r"redirects to 127\.0\.0\.2:9999, which gets no key"):
        ask("brave", service.base)


def test_who_needs_something_is_off_without_it() -> None:
    """Without a key, an address or a contact a provider is off, and says what would switch it on."""
    every = {one.name: one.off for one in list_providers(load({}, {}).settings, lambda _: ())}
    assert every["own-store"] is None
    assert "searxng_url" in (every["searxng"] or "")
    assert "brave_key" in (every["brave"] or "")
    assert "contact" in (every["gdelt-doc"] or "")
    some = load({"contact": "desk@example.org", "discovery_providers": "wayback"}, {}).settings
    on = [one.name for one in list_providers(some, lambda _: ()) if one.off is None]
    assert on == ["wayback"]
    with pytest.raises(errors.Misuse, match="altavista, which is no provider: there are own-store"):
        list_providers(load({"discovery_providers": "altavista"}, {}).settings, lambda _: ())


GRAMS = (
    "mayor ines calder told",
    "ines calder told reporters",
    "14 of its 96",
    "of its 96 girders",
    "the kestrel river on",
    "told reporters in ostrava",
    "calder told reporters in",
)


def minute_files(base: str, minute: str, documents: dict[int, Sequence[str]]) -> dict[str, Reply]:
    """The two files of a minute, as GDELT's page describes them."""
    grams = "".join(f"{id_}\t{gram}\t1\n" for id_, held in documents.items() for gram in held)
    rows = [
        {
            "ID": id_,
            "date": "2026-05-04T09:00:00.000Z",
            "img": "",
            "lang": "en",
            "title": f"Title {id_}",
            "url": f"https://p.example/{id_}",
        }
        for id_ in documents
    ]
    contents = "".join(json.dumps(row) + "\n" for row in rows)
    return {
        f"/ngrams/{minute}.ngrams.txt.gz": Reply(gzip.compress(grams.encode())),
        f"/ngrams/{minute}.toc.json.gz": Reply(gzip.compress(contents.encode())),
    }


PUBLISHED = datetime(2026, 5, 4, 9, 0, 30, tzinfo=UTC)


def test_quadgrams_are_joined(service: Service) -> None:
    """Documents that share rare runs of words are candidates; minutes without a file are passed over; case plays no part."""
    others = ["one of the most", "at the end of", "for the first time"]
    service.files = minute_files(service.base, "20260504090100", {1: [gram.upper() for gram in GRAMS], 2: others})
    service.files |= minute_files(service.base, "20260504085800", {3: [*GRAMS[:2], *others], 4: GRAMS})
    found = ask("gdelt-ngrams", service.base, published=PUBLISHED)
    assert [(one.url, one.title) for one in found] == [("https://p.example/1", "Title 1"), ("https://p.example/4", "Title 4")]
    assert all(one.holds_phrase and "mayor ines calder told" in (one.snippet or "") for one in found)
    assert all("runs of four words" in one.why for one in found)


@pytest.mark.parametrize("damage", ["cut", "packed on the way", "several gzips", "no contents", "odd lines"])
def test_damaged_files_cost_nothing_but_themselves(service: Service, damage: str) -> None:
    """Of a file that breaks off the whole lines count; a file without its table of contents gives nothing."""
    names = "/ngrams/20260504090000.ngrams.txt.gz", "/ngrams/20260504090000.toc.json.gz"
    files = minute_files(service.base, "20260504090000", {1: GRAMS})
    grams = files[names[0]].body
    if damage == "cut":
        files[names[0]] = Reply(grams, cut=True)
    elif damage == "packed on the way":
        files = {name: Reply(reply.body, 200, {"Content-Encoding": "gzip"}) for name, reply in files.items()}
    elif damage == "several gzips":
        files[names[0]] = Reply(gzip.compress(b"7\tsome other words here\t1\n") + grams)
    elif damage == "no contents":
        del files[names[1]]
    else:
        files[names[0]] = Reply(gzip.compress(b"no tabs\n\t\t\n\xff\xfe\t\xff\n" + gzip.decompress(grams)))
        files[names[1]] = Reply(gzip.compress(b"no json\n[1]\n{}\n" + gzip.decompress(files[names[1]].body)))
    service.files = files
    found = ask("gdelt-ngrams", service.base, published=PUBLISHED)
    assert [one.url for one in found] == ([] if damage == "no contents" else ["https://p.example/1"])


def test_a_gzip_that_is_none_is_malformed(service: Service) -> None:
    """Bytes that begin like a gzip and go on otherwise."""
    service.files = {"/ngrams/20260504090000.ngrams.txt.gz": Reply(b"\x1f\x8b\x08\x00" + b"rubbish" * 50)}
    with pytest.raises(Malformed, match="no gzip, or damaged"):
        ask("gdelt-ngrams", service.base, published=PUBLISHED)


def record(kind: str = "response", body: bytes = b"<html><p>What the page said.</p></html>") -> bytes:
    """One gzipped WARC record, as Common Crawl has them."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Crawler-Content-Encoding: gzip\r\n"
    block = http + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2026-04-20T10:11:12Z\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
        f"WARC-Target-URI: http://paper.example/a\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + block + b"\r\n\r\n")


def crawled(service: Service, packed: bytes, **more: Any) -> None:
    """Two crawls, of which the older one has the page, behind 10 bytes of other records."""
    crawls = [
        {
            "id": "CC-MAIN-2026-18",
            "cdx-api": f"{service.base}/new-index",
            "from": "2026-05-01T00:00:00",
            "to": "2026-05-09T00:00:00",
        },
        {"id": "CC-MAIN-2026-15", "name": "April", "timegate": f"{service.base}/old/", "cdx-api": f"{service.base}/old-index"},
    ]
    row = {"urlkey": "example,paper)/a", "timestamp": "20260420101112", "url": "http://paper.example/a", "mime": "text/html"}
    row |= {
        "status": "200",
        "digest": "X",
        "length": str(len(packed)),
        "offset": "10",
        "filename": "crawl-data/x.warc.gz",
        **more,
    }
    service.files = {
        "/collinfo.json": Reply(json.dumps(crawls).encode()),
        "/new-index": Reply(b'{"message": "No Captures found for: http://paper.example/a"}', 404),
        "/old-index": Reply((json.dumps(row) + "\n").encode()),
        "/data/crawl-data/x.warc.gz": Reply(b"0123456789" + packed + b"rest"),
    }


def test_a_lost_page_is_read_out_of_common_crawl(service: Service) -> None:
    """The newest crawl has none, the older one has: one range of one file is read, and the page is as it was captured."""
    packed = record()
    crawled(service, packed)
    (found,) = ask("common-crawl", service.base)
    page = found.archived
    assert page is not None
    assert found.url == "http://paper.example/a"
    assert (page.status, page.body) == (200, b"<html><p>What the page said.</p></html>")
    assert page.captured_at == datetime(2026, 4, 20, 10, 11, 12, tzinfo=UTC)
    assert ("Content-Type", "text/html") in page.headers
    assert "content-length" not in {name.lower() for name, _ in page.headers}
    assert service.asked[-1][1]["range"] == f"bytes=10-{9 + len(packed)}"


@pytest.mark.parametrize(
    "packed",
    [b"no gzip at all", record(kind="metadata"), record()[:40], gzip.compress(b"no WARC"), b""],
    ids=["no gzip", "another record", "half a gzip", "no WARC", "nothing"],
)
def test_a_record_that_is_none_is_malformed(service: Service, packed: bytes) -> None:
    """Ranges that hold something else."""
    crawled(service, packed, **({} if packed else {"length": "14"}))
    with pytest.raises(Malformed):
        ask("common-crawl", service.base)


def test_a_server_that_ignores_the_range_is_not_read(service: Service) -> None:
    """The whole file is never taken for the record."""
    crawled(service, record())
    assert service.files is not None
    service.files["/data/crawl-data/x.warc.gz"] = Reply(b"everything", 203)
    with pytest.raises(Malformed, match="the answer is 203"):
        ask("common-crawl", service.base)
