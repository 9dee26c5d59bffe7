"""The only module that opens a connection to the web: one URL in, one Answer or Failure out, one hop a call.

Redirects are answers here, for each hop is a visit of its own: its robots.txt, its host's lease and its address are
checked like any other's. The httpx clients keep no cookies and read no proxy from the environment, and each has its own
share of the hosts: one with 64 connections costs over three times the CPU a page of eight with 8 each.
"""

import asyncio
import re
import ssl
import zlib
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import certifi
import httpcore
import httpx
import psutil  # type: ignore[import-untyped,unused-ignore]

from pipeline.crawl.addresses import explain_refusal
from pipeline.crawl.answers import UNREAD_TYPES, Answer, Failure, FailureKind, Validators
from pipeline.crawl.connections import CheckedBackend, Resolver, SystemResolver, Visit, current_visit
from pipeline.crawl.inflation import ENCODINGS, Inflater
from pipeline.crawl.transport import SENT_HEADERS, URL, CheckedTransport
from pipeline.crawl.urls import Url, join, parse
from pipeline.errors import Malformed, Misuse, NotFound, Refused, Unavailable

PAGES = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"
FEEDS = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
"""Accept headers for the two things that are fetched."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How pages are fetched."""

    user_agent: str
    """Product token, version and a contact: who we are."""
    total_timeout: float = 30.0
    """Seconds for one fetch, from the lookup of the name to the last byte."""
    connect_timeout: float = 10.0
    """Seconds of them for the lookup and the connection."""
    max_bytes: int = 10_000_000
    """Bytes of an inflated body; what follows is not read and the answer is marked truncated."""
    max_wire_bytes: int = 5_000_000
    """Bytes of a body as it comes over the wire; the same."""
    allow_private_addresses: bool = False
    """True lets this machine and private networks be fetched from."""
    proxy: str | None = None
    """URL of an HTTP proxy that everything goes through. It looks the names up, so only addresses are checked here."""
    shards: int = 8
    """Pools that hosts are spread over: a pool's work for a request grows with its connections."""
    kept_connections: int = 8
    """Idle connections that a pool keeps open."""
    max_connections: int = 128
    """Connections of a pool, so that no number of hanging hosts exhausts the process."""
    keep_alive: float = 15.0
    """Seconds that an idle connection is kept."""
    trusted_roots: str | None = None
    """A PEM file of certificate authorities to trust instead of the public ones: a company's, or a test's."""


class Fetcher:
    """Fetches, for one event loop: `async with Fetcher(options) as fetcher: await fetcher.fetch(url)`.

    `resolve` replaces the machine's name service.
    """

    def __init__(self, options: FetchOptions, resolve: Resolver | None = None) -> None:
        if not _HEADER_VALUE.fullmatch(options.user_agent.strip()):
            raise Misuse("The user agent must be one line of text that names you and how to reach you.")
        self.options = options
        self._own_resolver = None if resolve else SystemResolver()
        self._resolve: Resolver = resolve or self._own_resolver  # type: ignore[assignment]
        self._clients: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        """The fetcher with its clients, which belong to the loop that runs now."""
        options = self.options
        # One context for all: to load the authorities takes longer than to fetch a page.
        tls = ssl.create_default_context(cafile=options.trusted_roots or certifi.where())
        backend = CheckedBackend(self._resolve, allow_private=options.allow_private_addresses, own=_find_own_addresses())
        self._clients = [self._make_client(backend, tls) for _ in range(max(1, options.shards))]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes every connection."""
        for client in self._clients:
            await client.aclose()
        self._clients = []
        if self._own_resolver:
            self._own_resolver.close()

    def _make_client(self, backend: CheckedBackend, tls: ssl.SSLContext) -> httpx.AsyncClient:
        options = self.options
        limits = httpx.Limits(
            max_connections=options.max_connections,
            max_keepalive_connections=options.kept_connections,
            keepalive_expiry=options.keep_alive,
        )
        try:
            proxy = None if options.proxy is None else parse(options.proxy)
        except Malformed as error:
            raise Misuse(f"The setting for the proxy is not usable: {error}") from error
        transport = CheckedTransport(tls, backend, limits, proxy)
        client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return client

    async def fetch(self, url: Url, validators: Validators | None = None, accept: str = PAGES) -> Answer | Failure:
        """What the host says to a GET of `url`, within the options' limits; never raises for what the web does."""
        clock = asyncio.get_running_loop().time
        started = clock()
        visit = Visit()
        ticket = current_visit.set(visit)
        try:
            async with asyncio.timeout(self.options.total_timeout):
                result = await self._ask(url, validators, accept, visit, started)
        except Exception as error:
            kind, message = _explain(error, self.options)
            if kind is None:
                raise
            return Failure(url, kind, message, clock() - started, visit.address)
        finally:
            current_visit.reset(ticket)
        return result

    async def _ask(
        self, url: Url, validators: Validators | None, accept: str, visit: Visit, started: float
    ) -> Answer | Failure:
        if self.options.proxy is not None:
            self._check_literal(url)
        request = self._make_request(url, validators, accept)
        client = self._clients[zlib.crc32(url.host.encode()) % len(self._clients)]
        try:
            response = await client.send(request, stream=True)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            # A kept connection that the host closed just as it was taken up (RFC 9112, 9.3.1): once more on a new one.
            if visit.connected:
                raise
            response = await client.send(self._make_request(url, validators, accept), stream=True)
        try:
            return await self._read(url, response, visit, started)
        finally:
            await response.aclose()

    def _check_literal(self, url: Url) -> None:
        address = "127.0.0.1" if url.hostname.endswith("localhost") else url.hostname
        try:
            ip_address(address)
        except ValueError:
            return
        why = explain_refusal(address, allow_private=self.options.allow_private_addresses)
        if why:
            raise Refused(f"{url.hostname} is {why}, and nothing there is fetched")

    def _make_request(self, url: Url, validators: Validators | None, accept: str) -> httpx.Request:
        headers = [
            ("Host", url.host),
            ("User-Agent", self.options.user_agent.strip()),
            ("Accept", accept),
            ("Accept-Encoding", ENCODINGS),
        ]
        if validators:
            asked = (("If-None-Match", validators.etag), ("If-Modified-Since", validators.last_modified))
            headers += [(name, value) for name, value in asked if value and _HEADER_VALUE.fullmatch(value)]
        timeout = {"connect": self.options.connect_timeout}
        # httpx is told the origin alone, for it would normalise the rest in its own way; the transport sends our URL.
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return httpx.Request("GET", url.origin, headers=raw, extensions={"timeout": timeout, URL: url})

    async def _read(self, url: Url, response: httpx.Response, visit: Visit, started: float) -> Answer | Failure:
        clock = asyncio.get_running_loop().time
        stream = response.extensions["network_stream"]
        peer = stream.get_extra_info("server_addr")
        visit.address = str(peer[0]) if peer else visit.address
        sent: list[tuple[bytes, bytes]] = response.extensions[SENT_HEADERS]
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in sent)
        location: Url | None = None
        if response.status_code in _REDIRECTS:
            named = next((value for name, value in sent if name.lower() == b"location"), None)
            try:
                location = None if named is None else join(url, named.decode("utf-8", "replace"))
            except Malformed as error:
                return Failure(url, "bad_redirect", f"it redirects to no URL: {error}", clock() - started, visit.address)
        body, wire_bytes, truncated = await self._read_body(response, headers)
        return Answer(
            url=url,
            status=response.status_code,
            headers=headers,
            body=body,
            wire_bytes=wire_bytes,
            address=visit.address or "",
            elapsed=clock() - started,
            location=location,
            truncated=truncated,
            http_version=response.extensions["http_version"].decode().removeprefix("HTTP/"),
            sent=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.request.headers.raw),
        )

    async def _read_body(self, response: httpx.Response, headers: tuple[tuple[str, str], ...]) -> tuple[bytes, int, bool]:
        """The inflated body, its bytes on the wire, and whether it goes on past what was read."""
        options = self.options
        packing = ", ".join(value for name, value in headers if name == "content-encoding")
        media = next((value for name, value in headers if name == "content-type"), "").strip().lower()
        if media.startswith(UNREAD_TYPES) and response.status_code == 200:
            return b"", 0, True
        inflater = Inflater(packing, options.max_bytes)
        parts: list[bytes] = []
        wire_bytes = 0
        broken = False
        try:
            async for chunk in response.aiter_raw():
                taken = chunk[: options.max_wire_bytes - wire_bytes]
                wire_bytes += len(taken)
                parts.append(inflater.feed(taken))
                if inflater.is_full or len(taken) < len(chunk):
                    broken = True
                    break
        except (httpcore.RemoteProtocolError, httpcore.ReadError):
            broken = True  # it ended early: what came is kept and marked
        except Malformed:
            if not any(parts):
                raise
            broken = True
        parts.append(inflater.finish())
        return b"".join(parts), wire_bytes, broken or not inflater.is_complete


def _find_own_addresses() -> frozenset[str]:
    """Every address of this machine's interfaces, public ones included."""
    found = psutil.net_if_addrs()
    return frozenset(entry.address.partition("%")[0] for entries in found.values() for entry in entries)


def _explain(error: BaseException, options: FetchOptions) -> tuple[FailureKind | None, str]:
    """What kind of failure an exception is; None for one that is not the web's doing."""
    # httpcore wraps the foreign exception as its own's argument and cuts the chain of causes.
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    text = str(error) or type(error).__name__
    kinds: list[tuple[type[BaseException] | tuple[type[BaseException], ...], FailureKind, str]] = [
        (Refused, "refused_address", text),
        (NotFound, "dead_name", text),
        (Unavailable, "resolver", text),
        (Malformed, "encoding", text),
        (httpcore.TimeoutException, "timeout", text if len(text) > 20 else "no connection or no answer in time"),
        (TimeoutError, "timeout", f"no complete answer in {options.total_timeout:g} s"),
        (httpcore.RemoteProtocolError, "protocol", text),
        (httpcore.LocalProtocolError, "protocol", text),
        ((httpcore.NetworkError, httpcore.ProxyError, OSError), "connect", text),
    ]
    if isinstance(inner, ssl.SSLError):
        return "tls", text
    return next(((kind, said) for types, kind, said in kinds if isinstance(error, types)), (None, text))
