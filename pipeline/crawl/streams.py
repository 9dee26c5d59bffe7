"""TCP and TLS streams of asyncio's own, for httpcore to speak HTTP over.

httpcore's own come through anyio, which costs half as much CPU a page again as all that HTTP itself takes. Reading and
writing have no time limits here: a fetch has one for all that it does.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from pipeline.crawl.visit import current_visit

_FULL = 256 * 1024
"""Bytes that wait to be read, at which the sender is made to wait."""


class Stream(httpcore.AsyncNetworkStream, asyncio.Protocol):
    """One connection: asyncio's protocol on one side, httpcore's stream on the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parts: list[bytes] = []
        self._held = 0
        self._ended = False
        self._error: Exception | None = None
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note what is written to."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Hold what came until it is read."""
        self._parts.append(data)
        self._held += len(data)
        if self._held >= _FULL and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The other side has said everything; nothing is to be said to it any more."""
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Let whoever reads or writes know."""
        self._ended = True
        self._error = error
        self._can_write.set()
        self._wake()

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """The other side reads again."""
        self._can_write.set()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109 - httpcore's signature
        """What came, at most about `max_bytes`; empty at the end. Raises httpcore.ReadError where the connection broke."""
        if not self._parts and not self._ended:
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        if self._parts:
            current_visit.get().heard = True
            return self._take(max_bytes)
        if self._error is not None:
            raise httpcore.ReadError(self._error) from self._error
        return b""

    def _take(self, most: int) -> bytes:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        data, rest = data[:most], data[most:]
        self._parts = [rest] if rest else []
        self._held = len(rest)
        if self._paused and self._held < _FULL:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - httpcore's signature
        """Send bytes. Raises httpcore.WriteError where the connection is gone."""
        if not buffer:
            return
        if self._transport.is_closing():
            raise httpcore.WriteError(str(self._error or "the connection is closed"))
        self._transport.write(buffer)
        if not self._can_write.is_set():
            await self._can_write.wait()

    async def aclose(self) -> None:
        """Close the connection, at once: a TLS goodbye that a host does not answer would be waited for."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """This stream, from now on inside TLS. Raises httpcore's connection errors, the SSL error as their argument."""
        try:
            async with asyncio.timeout(timeout):
                inside = await self._loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            await self.aclose()
            raise httpcore.ConnectTimeout(f"no TLS handshake with {server_hostname} in {timeout:g} s") from error
        except OSError as error:
            await self.aclose()
            raise httpcore.ConnectError(error) from error
        if inside is None:
            raise httpcore.ConnectError("the connection broke off in the TLS handshake")
        self._transport = inside
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and the fetcher ask for: `is_readable`, `server_addr`, `ssl_object`."""
        if info == "is_readable":
            return self._ended or bool(self._parts)
        return self._transport.get_extra_info({"server_addr": "peername"}.get(info, info))


async def open_stream(address: str, port: int, seconds: float | None) -> Stream:
    """A connection to an address, which is no name. Raises httpcore's connection errors."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            _, stream = await loop.create_connection(Stream, address, port)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"no connection to {address}") from error
    except OSError as error:
        raise httpcore.ConnectError(error) from error
    return stream


SocketOptions = Iterable[httpcore.SOCKET_OPTION] | None
