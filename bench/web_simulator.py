"""A web of many hosts on loopback addresses, in one process: keep-alive, a latency, a robots.txt and pages on each.

    python bench/web_simulator.py --hosts 1000 --port 8900 [--latency .05] [--well] [--interval .5]

Host number n is 127.1.x.y (`address_of`). A few in a hundred are slow, hang, fail or redirect (`role_of`); with --well all of
them answer. It serves until its standard input ends and then prints what it was asked, as JSON: requests by role, its own CPU
seconds, and how many requests overlapped another one to their host or came inside the interval.
"""

import argparse
import asyncio
import json
import random
import resource
import socket
import sys
import time
from collections import Counter
from functools import cache

ROLES = {0: "slow", 1: "hanging", 2: "failing", 3: "redirecting", 50: "slow", 51: "hanging", 52: "failing", 53: "redirecting"}
"""What the hosts are whose number ends in these, of a hundred; the others are well."""
PAGE_BYTES = 20_000
SLOW = 1.0
"""Seconds that a slow host takes longer."""


def address_of(number: int) -> str:
    """The loopback address of a host."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def role_of(number: int) -> str:
    """What kind of host it is where not all are well."""
    return ROLES.get(number % 100, "well")


HOSTS_WELL = [number for number in range(1_000) if role_of(number) == "well"]


@cache
def words() -> list[str]:
    rng = random.Random(0)
    return ["".join(rng.choices("aaabcdeeefghiiklmnnoooprsttuvwy", k=rng.randint(2, 10))) for _ in range(4_000)]


@cache
def text_of(number: int) -> bytes:
    """The body's end of every page of a host: text that packs about as well as news does."""
    rng = random.Random(number)
    text = ""
    while len(text) < PAGE_BYTES:
        text += "<p>" + " ".join(rng.choices(words(), k=60)) + ".</p>\n"
    return text.encode()


def page(number: int, path: str) -> bytes:
    """A page of exactly PAGE_BYTES, another one for every path."""
    head = f"<!DOCTYPE html><html lang=en><head><title>{path} of {number}</title></head><body><h1>{path}</h1>\n".encode()
    foot = b"</body></html>\n"
    return head + text_of(number)[: PAGE_BYTES - len(head) - len(foot)] + foot


def answer(status: str, body: bytes, kind: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Host:
    """One host: how it answers, and what it was asked."""

    def __init__(self, number: int, role: str) -> None:
        self.number, self.role = number, role
        self.open = 0
        self.last_end = 0.0
        self.robots = (
            f"# robots.txt of host {number}\nUser-agent: *\nDisallow: /private/\nDisallow: /*?print=\nAllow: /private/open\n\n"
            f"User-agent: GreedyBot\nDisallow: /\n\nSitemap: http://{address_of(number)}/sitemap.xml\n"
        ).encode()

    def reply(self, path: str) -> bytes | None:
        """What is answered to a path; None for nothing at all."""
        if self.role == "hanging":
            return None
        if path == "/robots.txt":
            return answer("200 OK", self.robots, "text/plain")
        if self.role == "failing":
            return answer("500 Internal Server Error", b"", "text/html")
        if self.role == "redirecting" and not path.startswith("/moved"):
            return answer("301 Moved Permanently", b"", "text/html", f"Location: /moved{path}")
        return answer("200 OK", page(self.number, path), "text/html; charset=utf-8", f'ETag: "{self.number}{path}"')


class Connection(asyncio.Protocol):
    """Answers one request after the other, each after the latency."""

    def __init__(self, host: Host, web: "Web") -> None:
        self.host, self.web = host, web
        self.buffer = b""
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.web.connections += 1

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.host.open -= self.asked
        self.asked = 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.ask(head.split(b" ", 2)[1].decode())

    def ask(self, path: str) -> None:
        host, web, now = self.host, self.web, time.monotonic()
        web.requests[host.role, "robots" if path == "/robots.txt" else "page"] += 1
        web.overlaps += host.open > 0
        web.hurries += now < host.last_end + web.interval
        host.open += 1
        self.asked += 1
        reply = host.reply(path)
        if reply is not None:
            pause = web.latency + (SLOW if host.role == "slow" else 0.0)
            asyncio.get_running_loop().call_later(pause, self.say, reply)

    def say(self, reply: bytes) -> None:
        if not self.asked:
            return  # whoever asked is gone
        self.host.open -= 1
        self.asked -= 1
        self.host.last_end = time.monotonic()
        if not self.transport.is_closing():
            self.transport.write(reply)  # type: ignore[attr-defined]


class Web:
    """All hosts, and what they were asked together."""

    def __init__(self, latency: float, interval: float) -> None:
        self.latency, self.interval = latency, interval
        self.requests: Counter[tuple[str, str]] = Counter()
        self.connections = self.overlaps = self.hurries = 0

    async def serve(self, hosts: list[Host], port: int) -> None:
        loop = asyncio.get_running_loop()
        for host in hosts:
            text_of(host.number)
            listener = socket.create_server((address_of(host.number), port), backlog=64)
            await loop.create_server(lambda host=host: Connection(host, self), sock=listener)  # type: ignore[misc]
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)

    def report(self) -> dict[str, object]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "requests": {f"{role} {what}": count for (role, what), count in sorted(self.requests.items())},
            "connections": self.connections,
            "overlaps": self.overlaps,
            "hurries": self.hurries,
            "cpu": used.ru_utime + used.ru_stime,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--interval", type=float, default=0.0)
    parser.add_argument("--well", action="store_true", help="no host hangs")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    hosts = [Host(n, "well" if given.well and role_of(n) == "hanging" else role_of(n)) for n in range(given.hosts)]
    web = Web(given.latency, given.interval)
    asyncio.run(web.serve(hosts, given.port))
    print(json.dumps(web.report()), flush=True)


if __name__ == "__main__":
    main()
