"""A bare client on the web of bench/fetch.py: KIND PAGES SHARDS KEPT PORT; its CPU milliseconds a page and rate as JSON."""

import asyncio
import json
import sys
import time
import zlib
from collections.abc import Awaitable, Callable

import httpx
from web_simulator import HOSTS_WELL, PAGE_BYTES, address_of

SIDE_BY_SIDE = 64
Get = Callable[[str, str], Awaitable[int]]


async def drive(get: Get, pages: int, port: int) -> dict[str, float]:
    """Fetches with so many tasks side by side as our loop has, host after host."""
    wanted = iter([(address_of(HOSTS_WELL[page % len(HOSTS_WELL)]), page) for page in range(pages)])

    async def work() -> None:
        for host, page in wanted:
            assert await get(host, f"http://{host}:{port}/peer/{page}") == PAGE_BYTES

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(work() for _ in range(SIDE_BY_SIDE)))
    return {"cpu": 1000 * (time.process_time() - cpu) / pages, "rate": pages / (time.monotonic() - began)}


async def with_httpx(pages: int, shards: int, kept: int, port: int) -> dict[str, float]:
    limits = httpx.Limits(max_connections=SIDE_BY_SIDE, max_keepalive_connections=kept, keepalive_expiry=60)
    context = httpx.create_ssl_context(trust_env=False)
    clients = [httpx.AsyncClient(limits=limits, trust_env=False, timeout=30, verify=context) for _ in range(shards)]

    async def get(host: str, url: str) -> int:
        return len((await clients[zlib.crc32(host.encode()) % shards].get(url)).content)

    found = await drive(get, pages, port)
    for client in clients:
        await client.aclose()
    return found


async def with_aiohttp(pages: int, port: int) -> dict[str, float]:
    import aiohttp  # noqa: PLC0415 - of the bench's own environment: without it the other peer still runs

    connector = aiohttp.TCPConnector(limit=SIDE_BY_SIDE, keepalive_timeout=60)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get(host: str, url: str) -> int:  # noqa: ARG001 - one session for all hosts
            async with session.get(url) as answer:
                return len(await answer.read())

        return await drive(get, pages, port)


def main() -> None:
    kind, (pages, shards, kept, port) = sys.argv[1], map(int, sys.argv[2:])
    print(json.dumps(asyncio.run(with_httpx(pages, shards, kept, port) if kind == "httpx" else with_aiohttp(pages, port))))


if __name__ == "__main__":
    main()
