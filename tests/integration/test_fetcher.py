"""The fetcher against a real server on the loopback."""

import asyncio
import gzip
import socket
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import brotli
import pytest

from pipeline.crawl.answers import Answer, Failure, Validators
from pipeline.crawl.fetcher import Fetcher, FetchOptions
from pipeline.crawl.urls import parse
from pipeline.errors import Misuse

OPTIONS = FetchOptions("wirecopy/0.1 (+mailto:desk@example.com)", allow_private_addresses=True, total_timeout=20)
PAGE = b"<p>The wording that the agency sent out.</p>" * 50


class Site:
    """A server that says, byte for byte, what a test tells it to; `requests` holds the heads it was sent."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.says: Callable[[str, socket.socket], None] = lambda path, peer: None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._peers.append(peer)
            self._threads.append(threading.Thread(target=self._serve, args=(peer,)))
            self._threads[-1].start()

    def _serve(self, peer: socket.socket) -> None:
        buffer = b""
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    chunk = peer.recv(65536)
                    if not chunk:
                        return
                    buffer += chunk
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                self.requests.append(head.decode("latin-1"))
                self.says(head.split()[1].decode(), peer)
        except OSError:
            return
        finally:
            peer.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for peer in self._peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)


def answer(body: bytes = PAGE, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def fetch(
    *urls: str,
    options: FetchOptions = OPTIONS,
    resolve: Callable[[str, int], Awaitable[list[str]]] | None = None,
    validators: Validators | None = None,
) -> list[Answer | Failure]:
    """The URLs' results, one after the other, from one fetcher."""

    async def run() -> list[Answer | Failure]:
        async with Fetcher(options, resolve) as fetcher:
            return [await fetcher.fetch(parse(url), validators) for url in urls]

    return asyncio.run(run())


def fetch_answer(url: str, options: FetchOptions = OPTIONS) -> Answer:
    [result] = fetch(url, options=options)
    assert isinstance(result, Answer), result
    return result


def fetch_failure(url: str, options: FetchOptions = OPTIONS) -> Failure:
    [result] = fetch(url, options=options)
    assert isinstance(result, Failure), result
    return result


def always(reply: bytes) -> Callable[[str, socket.socket], None]:
    return lambda path, peer: peer.sendall(reply)


def then_close(reply: bytes) -> Callable[[str, socket.socket], None]:
    def say(path: str, peer: socket.socket) -> None:
        peer.sendall(reply)
        peer.shutdown(socket.SHUT_RDWR)

    return say


def test_a_page_is_fetched(site: Site) -> None:
    """Status, headers in order, body, address and version are the server's."""
    site.says = always(answer(PAGE, "200 OK", "X-One: a", "X-One: b", 'ETag: "v1"'))
    found = fetch_answer(site.url("/a?b=c#d"))
    assert (found.status, found.body, found.wire_bytes, found.address) == (200, PAGE, len(PAGE), "127.0.0.1")
    assert (found.truncated, found.location, found.http_version) == (False, None, "1.1")
    assert found.headers[1:] == (("x-one", "a"), ("x-one", "b"), ("etag", '"v1"'))
    assert found.header("ETag") == '"v1"'
    assert site.requests[0].splitlines()[0] == "GET /a?b=c HTTP/1.1"


def test_the_request_is_honest_and_says_nothing_else(site: Site) -> None:
    """Host with its port, our name, what we inflate; no referrer, no cookie, no language."""
    site.says = always(answer())
    fetch_answer(site.url("/", "news.localhost"))
    headers = dict(line.split(": ", 1) for line in site.requests[0].splitlines()[1:])
    assert headers["Host"] == f"news.localhost:{site.port}"
    assert headers["User-Agent"] == "wirecopy/0.1 (+mailto:desk@example.com)"
    assert headers["Accept-Encoding"] == "gzip, deflate, br, zstd"
    assert sorted(headers) == ["Accept", "Accept-Encoding", "Host", "User-Agent"]


def test_a_conditional_request_carries_both_validators(site: Site) -> None:
    """They go back as they came; one that is no header value stays out."""
    site.says = always(answer(b"", "304 Not Modified"))
    when = "Wed, 01 May 2024 12:00:00 GMT"
    [found] = fetch(site.url(), validators=Validators('W/"é"', when))
    assert isinstance(found, Answer)
    assert found.status == 304
    assert 'If-None-Match: W/"é"' in site.requests[0]
    assert f"If-Modified-Since: {when}" in site.requests[0]
    fetch(site.url(), validators=Validators("a\r\nX-Injected: 1", "日"))
    assert "If-" not in site.requests[1]


def test_more_headers_are_sent_where_they_are_asked_for(site: Site) -> None:
    """A key or a range goes out besides our own headers, and only with that request."""
    site.says = always(answer())

    async def run() -> list[Answer | Failure]:
        async with Fetcher(OPTIONS) as fetcher:
            with_key = await fetcher.fetch(parse(site.url()), headers={"X-Key": "secret", "Range": "bytes=0-9"})
            return [with_key, await fetcher.fetch(parse(site.url()))]

    first, second = asyncio.run(run())
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert dict(first.sent)["X-Key"] == "secret"
    assert dict(first.sent)["Range"] == "bytes=0-9"
    assert "X-Key" not in dict(second.sent)


def test_a_body_can_be_taken_as_it_comes(site: Site) -> None:
    """The pieces are the body, inflated, and the answer has none; who wants no more gets no more."""
    body = b"one line\n" * 50_000
    site.says = always(answer(gzip.compress(body), "200 OK", "Content-Encoding: gzip"))

    async def take(want: Callable[[bytes], bool]) -> Answer:
        async with Fetcher(OPTIONS) as fetcher:
            result = await fetcher.fetch(parse(site.url()), take=want)
        assert isinstance(result, Answer)
        return result

    pieces: list[bytes] = []
    whole = asyncio.run(take(lambda piece: pieces.append(piece) is None))
    assert (b"".join(pieces), whole.body, whole.truncated) == (body, b"", False)
    stopped = asyncio.run(take(lambda _: False))
    assert (stopped.body, stopped.truncated) == (b"", True)
    site.says = always(answer(b"not here", "404 Not Found"))
    assert asyncio.run(take(lambda _: False)).body == b"not here"


def test_no_cookie_comes_back(site: Site) -> None:
    """What one answer sets, the next request does not send."""
    site.says = always(answer(PAGE, "200 OK", "Set-Cookie: id=1; Path=/"))
    fetch(site.url("/1"), site.url("/2"))
    assert len(site.requests) == 2
    assert not any("cookie" in request.lower() for request in site.requests)


def test_a_connection_is_used_again(site: Site) -> None:
    """Two pages of a host come over one connection."""
    site.says = always(answer())
    fetch(site.url("/1"), site.url("/2"))
    assert (len(site.requests), site.connections) == (2, 1)


def test_a_kept_connection_that_was_closed_is_replaced(site: Site) -> None:
    """A host that closes a kept connection as the next request arrives is asked once more, on a new one."""

    def say(path: str, peer: socket.socket) -> None:
        if path == "/2" and site.connections == 1:
            peer.shutdown(socket.SHUT_RDWR)
        else:
            peer.sendall(answer())

    site.says = say
    results = fetch(site.url("/1"), site.url("/2"))
    assert [type(result) for result in results] == [Answer, Answer]
    assert [request.split()[1] for request in site.requests] == ["/1", "/2", "/2"]


@pytest.mark.parametrize("reply", [b"\0\0\0\r\n\r\n", b"HTTP/1.1 2"])
def test_a_host_that_begins_to_answer_is_asked_once(site: Site, reply: bytes) -> None:
    """On a kept connection, too: whoever answers rubbish, or half of a line, has heard the question."""

    def say(path: str, peer: socket.socket) -> None:
        if path == "/2":
            peer.sendall(reply)
            peer.shutdown(socket.SHUT_RDWR)
        else:
            peer.sendall(answer())

    site.says = say
    found, failure = fetch(site.url("/1"), site.url("/2"))
    assert isinstance(found, Answer)
    assert isinstance(failure, Failure)
    assert failure.kind == "protocol"
    assert [request.split()[1] for request in site.requests] == ["/1", "/2"]


def test_a_host_that_hangs_up_is_asked_once(site: Site) -> None:
    """On a new connection there is no second try."""
    site.says = lambda path, peer: peer.shutdown(socket.SHUT_RDWR)
    assert fetch_failure(site.url()).kind == "protocol"
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [(gzip.compress(PAGE, mtime=0), "gzip"), (zlib.compress(PAGE), "deflate"), (PAGE, "gzip"), (brotli.compress(PAGE), "br")],
)
def test_a_packed_body_is_inflated(site: Site, packed: bytes, encoding: str) -> None:
    """The body is the page's, the bytes on the wire are counted as they came."""
    site.says = always(answer(packed, "200 OK", f"Content-Encoding: {encoding}"))
    found = fetch_answer(site.url())
    assert (found.body, found.wire_bytes, found.truncated) == (PAGE, len(packed), False)


def test_a_bomb_gives_the_limit_and_no_more(site: Site) -> None:
    """100 MB out of 100 kB: the first bytes are kept and the answer is marked."""
    site.says = always(answer(gzip.compress(b"\0" * 100_000_000, 1), "200 OK", "Content-Encoding: gzip"))
    found = fetch_answer(site.url(), replace(OPTIONS, max_bytes=50_000))
    assert (len(found.body), found.truncated) == (50_000, True)


def test_a_long_body_is_cut_at_either_limit(site: Site) -> None:
    """Over the limit on the wire as over the inflated one, what was read is kept and marked."""
    site.says = always(answer(b"x" * 300_000))
    for options in (replace(OPTIONS, max_bytes=100_000), replace(OPTIONS, max_wire_bytes=100_000)):
        found = fetch_answer(site.url(), options)
        assert (found.body, found.truncated) == (b"x" * 100_000, True)


def test_a_body_that_ends_early_is_kept_and_marked(site: Site) -> None:
    """A connection that breaks in the middle leaves what came."""
    site.says = then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PAGE)
    found = fetch_answer(site.url())
    assert (found.body, found.truncated) == (PAGE, True)


def test_pictures_are_not_read(site: Site) -> None:
    """A type that holds no article costs its headers alone."""
    site.says = always(answer(b"x" * 1000, "200 OK", "Content-Type: image/jpeg"))
    found = fetch_answer(site.url())
    assert (found.body, found.wire_bytes, found.truncated) == (b"", 0, True)


def test_a_slow_drip_ends_with_the_total_time(site: Site) -> None:
    """A byte now and then keeps no fetch alive."""
    stop = threading.Event()

    def say(path: str, peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.02):
            peer.sendall(b"x")

    site.says = say
    failure = fetch_failure(site.url(), replace(OPTIONS, total_timeout=0.5))
    stop.set()
    assert (failure.kind, failure.address) == ("timeout", "127.0.0.1")


def test_silence_and_headers_without_end_are_failures(site: Site) -> None:
    """A host that says nothing times out; one that only sends headers is no HTTP server."""
    site.says = lambda path, peer: None
    assert fetch_failure(site.url(), replace(OPTIONS, total_timeout=0.3)).kind == "timeout"
    site.says = then_close(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 5000)
    assert fetch_failure(site.url()).kind == "protocol"


@pytest.mark.parametrize(
    "reply", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\0" * 100, b"<html>HTTP/0.9</html>\r\n\r\n"]
)
def test_what_is_no_http_is_a_failure(site: Site, reply: bytes) -> None:
    """Bytes of another protocol are a value, not an exception."""
    site.says = then_close(reply)
    assert fetch_failure(site.url()).kind == "protocol"


def test_a_packing_that_was_not_asked_for_is_a_failure(site: Site) -> None:
    """Compression with a dictionary was not in Accept-Encoding."""
    site.says = always(answer(b"....", "200 OK", "Content-Encoding: dcb"))
    assert fetch_failure(site.url()).kind == "encoding"


@pytest.mark.parametrize(
    ("status", "location", "leads"),
    [
        ("301 Moved", "/there", "http://127.0.0.1:{port}/there"),
        ("302 Found", "//other.example/x", "http://other.example/x"),
        ("307 Temporary", "https://other.example/ü#part", "https://other.example/%C3%BC"),
        ("308 Permanent", "?page=2", "http://127.0.0.1:{port}/from?page=2"),
    ],
)
def test_a_redirect_is_an_answer(site: Site, status: str, location: str, leads: str) -> None:
    """It is not followed: where it leads is absolute, and one request was made."""
    site.says = always(answer(b"", status, f"Location: {location}"))
    found = fetch_answer(site.url("/from"))
    assert found.location == parse(leads.format(port=site.port))
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "location",
    ["javascript:alert(1)", "http://user:pw@example.com/", "\\\\127.0.0.1\\c", "http://[", "http://2130706433/"],
)
def test_a_redirect_to_no_url_is_a_failure(site: Site, location: str) -> None:
    """Whatever Location says, it gives a URL with one reading or a Failure."""
    site.says = always(answer(b"", "302 Found", f"Location: {location}"))
    assert fetch_failure(site.url()).kind == "bad_redirect"


def test_a_redirect_to_nowhere_and_a_location_without_redirect(site: Site) -> None:
    """A 301 without Location is an answer that leads nowhere; a 201 with one is no redirect."""
    site.says = always(answer(b"", "301 Moved"))
    assert fetch_answer(site.url()).location is None
    site.says = always(answer(b"", "201 Created", "Location: javascript:void(0)"))
    assert fetch_answer(site.url()).location is None


def test_this_machine_is_refused_by_default(site: Site) -> None:
    """By address and by name, and nothing is ever connected."""
    options = replace(OPTIONS, allow_private_addresses=False)
    hosts = ("127.0.0.1", "localhost", "news.localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0")
    results = fetch(*(site.url("/", host) for host in hosts), options=options)
    assert [result.kind for result in results if isinstance(result, Failure)] == ["refused_address"] * len(hosts)
    assert results[0].address == "127.0.0.1"
    assert site.connections == 0


def test_a_name_with_one_bad_address_is_refused(site: Site) -> None:
    """Every address of a name is checked, not only the first."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    [result] = fetch("http://example.com/", options=replace(OPTIONS, allow_private_addresses=False), resolve=resolve)
    assert isinstance(result, Failure)
    assert (result.kind, result.address) == ("refused_address", "10.0.0.1")


def test_a_name_is_looked_up_once_a_connection(site: Site) -> None:
    """A resolver that changes its answer changes nothing: what was checked is what is connected to."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    site.says = always(answer(PAGE, "200 OK", "Connection: close"))
    first, second = fetch(site.url("/", "rebind.example"), site.url("/", "rebind.example"), resolve=resolve)
    assert isinstance(first, Answer)
    assert isinstance(second, Failure)
    assert (second.kind, asked, len(site.requests)) == ("refused_address", ["rebind.example"] * 2, 1)


def test_the_second_address_is_tried(site: Site) -> None:
    """An address where nobody listens does not hide the next."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.99", "127.0.0.1"]

    site.says = always(answer())
    [result] = fetch(site.url("/", "two.example"), resolve=resolve)
    assert isinstance(result, Answer)
    assert result.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dead_name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "resolver"),
        (UnicodeError("label too long"), "resolver"),
    ],
)
def test_a_name_that_gives_no_address_is_a_failure(error: Exception, kind: str) -> None:
    """A name that does not exist is told from one that could not be looked up."""

    async def resolve(host: str, port: int) -> list[str]:
        raise error

    [result] = fetch("http://gone.example/", resolve=resolve)
    assert isinstance(result, Failure)
    assert result.kind == kind


def test_a_lookup_that_hangs_ends_with_the_time_for_connecting() -> None:
    """The lookup is part of the connection's time."""

    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    [result] = fetch("http://slow.example/", options=replace(OPTIONS, connect_timeout=0.2), resolve=resolve)
    assert isinstance(result, Failure)
    assert result.kind == "timeout"


def test_nobody_listening_is_a_failure() -> None:
    """A closed port."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert fetch_failure(f"http://127.0.0.1:{port}/").kind == "connect"


def test_proxies_of_the_environment_are_ignored(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy comes by a setting or not at all."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.says = always(answer())
    assert fetch_answer(site.url()).body == PAGE


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_tls_names_the_host_and_its_failure_is_told(reply: bytes) -> None:
    """The handshake carries the host's name, not its address; what is no TLS, or an alert, is a failure of TLS."""
    hellos: list[bytes] = []

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    def serve() -> None:
        peer, _ = server.accept()
        with peer:
            hellos.append(peer.recv(65536))
            peer.sendall(reply)
            peer.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        [result] = fetch(f"https://news.example:{server.getsockname()[1]}/", resolve=resolve)
        thread.join(10)
    assert isinstance(result, Failure)
    assert (result.kind, result.address) == ("tls", "127.0.0.1")
    assert b"news.example" in hellos[0]


def test_a_proxy_by_setting_is_used(site: Site) -> None:
    """Everything goes through it, names are its to look up, and literal addresses are still refused."""
    site.says = always(answer())
    options = replace(OPTIONS, proxy=site.url(), allow_private_addresses=False)
    found, refused = fetch("http://page.example/x", "http://10.0.0.1/x", options=options)
    assert isinstance(found, Answer)
    assert found.body == PAGE
    assert site.requests[0].splitlines()[0] == "GET http://page.example/x HTTP/1.1"
    assert isinstance(refused, Failure)
    assert (refused.kind, len(site.requests)) == ("refused_address", 1)


@pytest.mark.parametrize("options", [replace(OPTIONS, user_agent=" "), replace(OPTIONS, user_agent="a\r\nX: y")])
def test_a_user_agent_is_one_line(options: FetchOptions) -> None:
    """Nobody is fetched from without saying who asks."""
    with pytest.raises(Misuse, match="user agent"):
        Fetcher(options)


def test_a_bad_proxy_setting_is_misuse() -> None:
    """The message says which setting."""
    with pytest.raises(Misuse, match="proxy"):
        fetch("http://page.example/", options=replace(OPTIONS, proxy="socks5://127.0.0.1:1080"))


def test_hanging_hosts_hold_up_nobody(site: Site) -> None:
    """With two hundred fetches that hang, another host's page still comes."""
    all_asked = threading.Event()

    def say(path: str, peer: socket.socket) -> None:
        if path != "/hang":
            peer.sendall(answer())
        elif len(site.requests) == 200:
            all_asked.set()

    site.says = say

    async def run() -> Answer | Failure:
        async with Fetcher(OPTIONS) as fetcher:
            hanging = [asyncio.create_task(fetcher.fetch(parse(site.url("/hang", f"h{n}.localhost")))) for n in range(200)]
            await asyncio.to_thread(all_asked.wait, 20)
            page = await fetcher.fetch(parse(site.url("/page")))
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            return page

    result = asyncio.run(run())
    assert isinstance(result, Answer)
    assert result.body == PAGE
