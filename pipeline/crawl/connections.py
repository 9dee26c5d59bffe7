"""Connections to checked addresses: a name is looked up once, and what was checked is what is connected to."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import httpcore

from pipeline.crawl.addresses import explain_refusal
from pipeline.crawl.streams import SocketOptions, open_stream
from pipeline.crawl.visit import current_visit
from pipeline.errors import NotFound, Refused, Unavailable

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host name and port to addresses, best first; raises OSError (socket.gaierror among them)."""


class SystemResolver:
    """The machine's own name service, in threads of its own.

    asyncio's default pool has six threads on two cores: six names whose servers hang would stop every other lookup.
    """

    def __init__(self, threads: int = 64) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of `host`; names under .localhost are this machine without a lookup (RFC 6761, 6.3)."""
        if host == "localhost" or host.endswith(".localhost"):
            return ["127.0.0.1", "::1"]
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Lets go of the threads; a lookup under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore, to addresses that `explain_refusal` has no word against."""

    def __init__(self, resolve: Resolver, *, allow_private: bool, own: frozenset[str]) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._own = own

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,  # noqa: ARG002 - httpcore's own signature
        socket_options: SocketOptions = None,  # noqa: ARG002 - httpcore's own signature
    ) -> httpcore.AsyncNetworkStream:
        """A stream to the first address of `host` that accepts; raises ours and httpcore's connection errors."""
        visit = current_visit.get()
        try:
            async with asyncio.timeout(timeout):
                addresses = await self.check(host, port)
                for index, address in enumerate(addresses):
                    visit.address = address
                    try:
                        # A dead first address must not use up the time of the second.
                        share = None if timeout is None else timeout / (len(addresses) - index)
                        stream = await open_stream(address, port, share)
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        if index == len(addresses) - 1:
                            raise
                    else:
                        visit.connected = True
                        return stream
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection to {host} in {timeout:g} s") from error
        raise NotFound(f"the name {host} has no address")

    async def check(self, host: str, port: int) -> list[str]:
        """The addresses of `host`, every one of them checked.

        Raises Refused for an address that is not connected to, NotFound for a name that does not exist, and Unavailable
        for one that could not be looked up now.
        """
        try:
            addresses = [str(ipaddress.ip_address(host))]
        except ValueError:
            addresses = await self._look_up(host, port)
        for address in addresses:
            why = explain_refusal(address, allow_private=self._allow_private, own=self._own)
            if why:
                leads = "is" if address == host else f"leads to {address},"
                current_visit.get().address = address
                raise Refused(f"{host} {leads} {why}, and nothing there is fetched")
        return addresses

    async def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return await self._resolve(host, port)
        except socket.gaierror as error:
            if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
                raise NotFound(f"the name {host} does not exist") from error
            raise Unavailable(f"the name {host} could not be looked up: {error.strerror}") from error
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"the name {host} could not be looked up: {error}") from error

    async def sleep(self, seconds: float) -> None:
        """The pause between httpcore's own retries, of which we ask none."""
        await asyncio.sleep(seconds)
