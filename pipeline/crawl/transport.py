"""httpx on connections of our own: its requests go out over a pool that dials checked addresses only.

httpx's own transport takes no network backend, so this is its public seam. The request line is our URL's, not httpx's
reading of it: what the address check saw is what is asked for.
"""

import ssl
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit

import httpcore
import httpx

from pipeline.crawl.connections import CheckedBackend
from pipeline.crawl.urls import Url

URL = "wirecopy_url"
"""The request extension that carries the Url."""
SENT_HEADERS = "wirecopy_sent_headers"
"""The response extension with every header as it came."""


class CheckedTransport(httpx.AsyncBaseTransport):
    """One pool of connections; errors are httpcore's and those of the address check."""

    def __init__(self, tls: ssl.SSLContext, backend: CheckedBackend, limits: httpx.Limits, proxy: Url | None) -> None:
        if proxy is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=backend,
            )
        else:
            self._pool = httpcore.AsyncHTTPProxy(
                proxy.origin,
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to a request that carries its Url; its body is still to be read."""
        url: Url = request.extensions[URL]
        response = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.scheme.encode(),
                    host=url.hostname.encode(),
                    port=urlsplit(url.origin).port,
                    target=url.target.encode(),
                ),
                headers=request.headers.raw,
                extensions={"timeout": request.extensions["timeout"]},
            )
        )
        # A client that follows nothing still reads where a redirect leads, and raises InvalidURL for a `javascript:` one.
        headers = [(name, value) for name, value in response.headers if name.lower() != b"location"]
        return httpx.Response(
            response.status,
            headers=headers,
            stream=_Stream(cast("AsyncIterator[bytes]", response.stream), response),
            extensions={**response.extensions, SENT_HEADERS: response.headers},
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, parts: AsyncIterator[bytes], response: httpcore.Response) -> None:
        self._parts = parts
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._parts:
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()
