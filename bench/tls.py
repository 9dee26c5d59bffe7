"""What TLS costs the fetcher: CPU milliseconds a page without it, on kept connections, and with a handshake for each page.

    python bench/tls.py [--pages 2000] [--runs 5]

A server in a process of its own sends a page of 20 kB at once, over TLS 1.3 with a certificate (ECDSA, P-256) made for the run.
The ways take turns in each run; what counts is the process time of the fetching process, which does nothing but fetch.
"""

import argparse
import asyncio
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import trustme
from web_simulator import PAGE_BYTES, answer, page

from pipeline.crawl.answers import Answer
from pipeline.crawl.fetcher import Fetcher, FetchOptions
from pipeline.crawl.urls import parse

OPTIONS = FetchOptions("wirecopy bench", allow_private_addresses=True)
WAYS = {"without TLS": ("http", 1_024), "TLS, kept connections": ("https", 1_024), "TLS, a handshake a page": ("https", 0)}
REPLY = answer("200 OK", page(0, "/"), "text/html; charset=utf-8")


async def serve(certificate: Path) -> None:
    """Both servers; their ports on standard output; until standard input ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while await reader.readline() not in {b"\r\n", b""}:
                pass
            writer.write(REPLY)
            await writer.drain()
        writer.close()

    servers = [await asyncio.start_server(reply, "127.0.0.1", 0, ssl=tls) for tls in (None, context)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def fetch(options: FetchOptions, url: str, pages: int) -> float:
    """CPU milliseconds a page."""
    async with Fetcher(options) as fetcher:
        asked = parse(url)
        began = time.process_time()
        for _ in range(pages):
            found = await fetcher.fetch(asked)
            assert isinstance(found, Answer), found
            assert len(found.body) == PAGE_BYTES
        return 1000 * (time.process_time() - began) / pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve))
        return
    with tempfile.TemporaryDirectory(prefix="wirecopy-bench-") as folder:
        authority, certificate = Path(folder, "authority.pem"), Path(folder, "server.pem")
        ours = trustme.CA()
        ours.cert_pem.write_to_path(authority)
        ours.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        words = [sys.executable, __file__, "--serve", str(certificate)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            plain, secure = server.stdout.readline().split()
            ports = {"http": plain, "https": secure}
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(given.runs):
                for way, (scheme, kept) in WAYS.items():
                    options = replace(OPTIONS, trusted_roots=str(authority), kept_connections=kept)
                    found[way].append(asyncio.run(fetch(options, f"{scheme}://127.0.0.1:{ports[scheme]}/", given.pages)))
            server.communicate()
    for way, costs in found.items():
        print(f"{way}: {statistics.median(costs):.2f} ms CPU a page (from {min(costs):.2f} to {max(costs):.2f})")


if __name__ == "__main__":
    main()
