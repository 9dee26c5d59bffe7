"""Requests over connections to checked addresses, kept for the next request to the same origin.

A host is asked for one thing at a time, so its connection needs no pool that every request would look through: it stands
under its origin, the one longest unused goes first. HTTP itself is httpcore's. The request line is our URL's own: what the
address check saw is what is asked for.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpcore

from pipeline.crawl.connections import CheckedBackend
from pipeline.crawl.urls import Url

Headers = Sequence[tuple[bytes, bytes]]


class Transport:
    """Connections by origin; errors are httpcore's and those of the address check."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        backend: CheckedBackend,
        *,
        proxy: Url | None,
        most_open: int,
        most_kept: int,
        keep_alive: float,
        connect_timeout: float,
    ) -> None:
        # Only made use of to make connections: which kind, a proxy decides.
        self._maker = (
            httpcore.AsyncConnectionPool(ssl_context=tls, keepalive_expiry=keep_alive, network_backend=backend)
            if proxy is None
            else httpcore.AsyncHTTPProxy(proxy.origin, ssl_context=tls, keepalive_expiry=keep_alive, network_backend=backend)
        )
        self._kept: OrderedDict[str, httpcore.AsyncConnectionInterface] = OrderedDict()
        self._most_kept = most_kept
        self._open = asyncio.Semaphore(most_open)
        self._extensions = {"timeout": {"connect": connect_timeout}}

    @asynccontextmanager
    async def ask(self, url: Url, headers: Headers) -> AsyncIterator[httpcore.Response]:
        """The response to a GET of `url`; its body is still to be read. Whoever leaves it unread loses the connection."""
        async with self._open:
            connection = await self._take(url)
            try:
                response = await connection.handle_async_request(self._request(url, headers))
                try:
                    yield response
                finally:
                    await response.aclose()
            finally:
                await self._keep(url.origin, connection)

    async def aclose(self) -> None:
        """Close every connection."""
        kept, self._kept = self._kept, OrderedDict()
        for connection in kept.values():
            await connection.aclose()

    def _request(self, url: Url, headers: Headers) -> httpcore.Request:
        parts = urlsplit(url.origin)
        host = (parts.hostname or "").encode()
        target = httpcore.URL(scheme=parts.scheme.encode(), host=host, port=parts.port, target=url.target.encode())
        return httpcore.Request(b"GET", target, headers=headers, extensions=self._extensions)

    async def _take(self, url: Url) -> httpcore.AsyncConnectionInterface:
        kept = self._kept.pop(url.origin, None)
        if kept is not None:
            if kept.is_available() and not kept.has_expired():
                return kept
            await kept.aclose()
        return self._maker.create_connection(httpcore.Origin(url.scheme.encode(), url.hostname.encode(), url.port))

    async def _keep(self, origin: str, connection: httpcore.AsyncConnectionInterface) -> None:
        if not connection.is_idle() or connection.is_closed() or origin in self._kept:
            await connection.aclose()
            return
        self._kept[origin] = connection
        if len(self._kept) > self._most_kept:
            _, oldest = self._kept.popitem(last=False)
            await oldest.aclose()
