"""The only module that opens a connection to the web: one URL in, one Answer or Failure out, one hop a call.

Redirects are answers here, for each hop is a visit of its own: its robots.txt, its host's lease and its address are
checked like any other's. No cookie is kept and no proxy read from the environment. HTTP is httpcore's, on connections of
our own: a third of the CPU a page of httpx, whose pool looks through its connections for every request.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Self, TypeVar, cast

import certifi
import httpcore
import psutil  # type: ignore[import-untyped,unused-ignore]

from pipeline.crawl.addresses import explain_refusal
from pipeline.crawl.answers import UNREAD_TYPES, Answer, Failure, FailureKind, Validators
from pipeline.crawl.connections import CheckedBackend, Resolver, SystemResolver
from pipeline.crawl.descriptors import make_room
from pipeline.crawl.inflation import ENCODINGS, Inflater
from pipeline.crawl.transport import Headers, Transport
from pipeline.crawl.urls import Url, join, parse
from pipeline.crawl.visit import Visit, current_visit
from pipeline.errors import Malformed, Misuse, NotFound, Refused, Unavailable

T = TypeVar("T")
Take = Callable[[bytes], bool]
"""What is done with a piece of a body as it comes; False where nothing more of it is wanted."""
PAGES = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"
FEEDS = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
"""Accept headers for the two things that are fetched."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_ENTERED = "A fetcher is entered first: async with Fetcher(options) as fetcher."
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
    kept_connections: int = 1_024
    """Idle connections that are kept open."""
    max_connections: int = 512
    """Connections in use, so that no number of hanging hosts exhausts the process."""
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
        self._transport: Transport | None = None
        self._backend: CheckedBackend | None = None

    async def __aenter__(self) -> Self:
        """The fetcher with its connections, which belong to the loop that runs now."""
        options = self.options
        try:
            proxy = None if options.proxy is None else parse(options.proxy)
        except Malformed as error:
            raise Misuse(f"The setting for the proxy is not usable: {error}") from error
        # One context for all: to load the authorities takes longer than to fetch a page.
        tls = ssl.create_default_context(cafile=options.trusted_roots or certifi.where())
        # A proxy is the operator's own choice, and may well stand in a private network.
        private = options.allow_private_addresses or proxy is not None
        backend = self._backend = CheckedBackend(self._resolve, allow_private=private, own=_find_own_addresses())
        room = make_room(options.max_connections + options.kept_connections)
        self._transport = Transport(
            tls,
            backend,
            proxy=proxy,
            most_open=min(options.max_connections, room),
            most_kept=min(options.kept_connections, max(room - options.max_connections, 0)),
            keep_alive=options.keep_alive,
            connect_timeout=options.connect_timeout,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes every connection."""
        if self._transport is not None:
            await self._transport.aclose()
        self._transport = self._backend = None
        if self._own_resolver:
            self._own_resolver.close()

    async def fetch(
        self,
        url: Url,
        validators: Validators | None = None,
        accept: str = PAGES,
        headers: Mapping[str, str] | None = None,
        take: Take | None = None,
    ) -> Answer | Failure:
        """What the host says to a GET of `url`, within the options' limits; never raises for what the web does.

        `headers` are sent besides our own (a key, a range). With `take`, the body of a 200 is not kept: its inflated pieces
        are handed over as they come, and the answer is marked truncated where `take` wants no more.
        """
        own = self._headers(url, validators, accept)
        asked = [*own, *((name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items())]
        return await self._within_limits(url, lambda visit, started: self._ask(url, asked, take, visit, started))

    async def find_address(self, url: Url) -> str | Failure:
        """The checked address that a new connection to the URL's host would be made to; the host itself hears nothing."""
        return await self._within_limits(url, lambda _visit, _started: self._look_up(url))

    async def _look_up(self, url: Url) -> str:
        if self._backend is None:
            raise Misuse(_NOT_ENTERED)
        addresses = await self._backend.check(url.hostname, url.port)
        if not addresses:
            raise NotFound(f"the name {url.hostname} has no address")
        return addresses[0]

    async def _within_limits(self, url: Url, ask: Callable[[Visit, float], Awaitable[T | Failure]]) -> T | Failure:
        clock = asyncio.get_running_loop().time
        started = clock()
        visit = Visit()
        ticket = current_visit.set(visit)
        try:
            async with asyncio.timeout(self.options.total_timeout):
                result = await ask(visit, started)
        except Exception as error:
            kind, message = _explain(error, self.options)
            if kind is None:
                raise
            return Failure(url, kind, message, clock() - started, visit.address)
        finally:
            current_visit.reset(ticket)
        return result

    async def _ask(self, url: Url, headers: Headers, take: Take | None, visit: Visit, started: float) -> Answer | Failure:
        if self._transport is None:
            raise Misuse(_NOT_ENTERED)
        if self.options.proxy is not None:
            self._check_literal(url)
        try:
            async with self._transport.ask(url, headers) as response:
                return await self._read(url, headers, response, take, visit, started)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            # A kept connection that the host closed just as it was taken up (RFC 9112, 9.3.1): once more on a new one. Where
            # it began to answer it was asked, and would be asked again inside its interval.
            if visit.connected or visit.heard:
                raise
        async with self._transport.ask(url, headers) as response:
            return await self._read(url, headers, response, take, visit, started)

    def _check_literal(self, url: Url) -> None:
        address = "127.0.0.1" if url.hostname.endswith("localhost") else url.hostname
        try:
            ip_address(address)
        except ValueError:
            return
        why = explain_refusal(address, allow_private=self.options.allow_private_addresses)
        if why:
            raise Refused(f"{url.hostname} is {why}, and nothing there is fetched")

    def _headers(self, url: Url, validators: Validators | None, accept: str) -> list[tuple[bytes, bytes]]:
        headers = [
            ("Host", url.host),
            ("User-Agent", self.options.user_agent.strip()),
            ("Accept", accept),
            ("Accept-Encoding", ENCODINGS),
        ]
        if validators:
            asked = (("If-None-Match", validators.etag), ("If-Modified-Since", validators.last_modified))
            headers += [(name, value) for name, value in asked if value and _HEADER_VALUE.fullmatch(value)]
        return [(name.encode(), value.encode("latin-1")) for name, value in headers]

    async def _read(
        self, url: Url, asked: Headers, response: httpcore.Response, take: Take | None, visit: Visit, started: float
    ) -> Answer | Failure:
        clock = asyncio.get_running_loop().time
        stream = response.extensions["network_stream"]
        peer = stream.get_extra_info("server_addr")
        visit.address = str(peer[0]) if peer else visit.address
        sent = response.headers
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in sent)
        location: Url | None = None
        if response.status in _REDIRECTS:
            named = next((value for name, value in sent if name.lower() == b"location"), None)
            try:
                location = None if named is None else join(url, named.decode("utf-8", "replace"))
            except Malformed as error:
                return Failure(url, "bad_redirect", f"it redirects to no URL: {error}", clock() - started, visit.address)
        body, wire_bytes, truncated = await self._read_body(response, headers, take if response.status == 200 else None)
        return Answer(
            url=url,
            status=response.status,
            headers=headers,
            body=body,
            wire_bytes=wire_bytes,
            address=visit.address or "",
            elapsed=clock() - started,
            location=location,
            truncated=truncated,
            http_version=response.extensions["http_version"].decode().removeprefix("HTTP/"),
            sent=tuple((name.decode(), value.decode("latin-1")) for name, value in asked),
        )

    async def _read_body(
        self, response: httpcore.Response, headers: tuple[tuple[str, str], ...], take: Take | None
    ) -> tuple[bytes, int, bool]:
        """The inflated body, or nothing where it was taken as it came; its bytes on the wire, and whether it goes on."""
        options = self.options
        packing = ", ".join(value for name, value in headers if name == "content-encoding")
        media = next((value for name, value in headers if name == "content-type"), "").strip().lower()
        if media.startswith(UNREAD_TYPES) and response.status == 200:
            return b"", 0, True
        inflater = Inflater(packing, options.max_bytes)
        parts: list[bytes] = []
        wire_bytes = 0
        broken = False
        any_read = False
        try:
            async for chunk in cast("AsyncIterable[bytes]", response.stream):
                taken = chunk[: options.max_wire_bytes - wire_bytes]
                wire_bytes += len(taken)
                piece = inflater.feed(taken)
                any_read = any_read or bool(piece)
                if take is None:
                    parts.append(piece)
                elif piece and not take(piece):
                    return b"", wire_bytes, True
                if inflater.is_full or len(taken) < len(chunk):
                    broken = True
                    break
        except (httpcore.RemoteProtocolError, httpcore.ReadError):
            broken = True  # it ended early: what came is kept and marked
        except Malformed:
            if not any_read:
                raise
            broken = True
        rest = inflater.finish()
        if take is None:
            parts.append(rest)
        elif rest:
            take(rest)
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
