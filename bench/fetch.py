"""Fetching at speed: one worker process on a web of 1,000 hosts, with a real PostgreSQL, beside bare httpx and aiohttp.

    python bench/fetch.py [--runs 10] [--seconds 30]      # throughput, CPU a page, hanging hosts, where the time goes
    python bench/fetch.py --memory [--pages 20000]        # the worker's memory over many pages, plotted as SVG

The web is bench/web_simulator.py, in a process of its own: 1,000 loopback addresses, 50 ms latency, pages of 20 kB, robots.txt
on each, eight hosts in a hundred slow, hanging, failing or redirecting. The worker is the loop of pipeline/stages/fetching.py
with an interval of half a second; captures are stored and left unread. A pair of runs differs in whether those hosts hang that
are to hang; what counts are the pages of the other hosts. The peers fetch the same pages and keep nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
from rss_plot import plot
from served import serving
from sqlalchemy import text
from web_simulator import HOSTS_WELL, address_of, role_of

from pipeline.embedded import Servers
from pipeline.settings import Settings, as_environment, load
from pipeline.stages.admission import admit
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Table

HERE = Path(__file__).parent
HOSTS = 1_000
INTERVAL = 0.5
PORT = 8_937
AIM_PAGES, AIM_CPU, AIM_LOSS = 150.0, 2.0, 0.05
PEER_SHAPES = ((1, 64), (8, 8), (32, 32), (128, 16), (500, 4))
"""Clients that the hosts are spread over, and connections that each keeps."""


@dataclass(frozen=True)
class Run:
    """What one run of the worker gave, from the moment on that robots.txt of (nearly) every host was known."""

    pages: int
    seconds: float
    cpu: dict[str, float]
    """CPU milliseconds a page by process: worker, postgres, web."""
    worker: dict[str, Any]
    web: dict[str, Any]

    @property
    def rate(self) -> float:
        return self.pages / self.seconds


@contextmanager
def web(*options: str) -> Iterator[dict[str, Any]]:
    """The simulator while it runs; its report is in the dictionary afterwards."""
    report: dict[str, Any] = {}
    words = [sys.executable, str(HERE / "web_simulator.py"), "--port", str(PORT), "--hosts", str(HOSTS), *options]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield report
        report |= json.loads(process.communicate(timeout=30)[0])
    finally:
        process.kill()
        process.wait()


def process(*words: str, environment: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    """A process of this bench's own."""
    return subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HERE.parent)} | (environment or {}),
    )


def fill(factory: SessionFactory, settings: Settings, pages: int, *, every: int) -> None:
    """An empty database with `pages` URLs of each host of every so many."""
    names = ", ".join(f'"{table.name}"' for table in Table.metadata.sorted_tables)
    with factory.begin() as session:
        session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    urls = [f"http://{address_of(host)}:{PORT}/news/{page}" for page in range(pages) for host in range(0, HOSTS, every)]
    for start in range(0, len(urls), 5_000):
        with factory.begin() as session:
            admit(session, urls[start : start + 5_000], settings, found_by="bench")
    with factory().get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # type: ignore[union-attr]
        connection.execute(text("ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def cpu_of(*processes: psutil.Process) -> float:
    """CPU seconds of processes so far."""
    spent = 0.0
    for found in processes:
        with suppress(psutil.Error):
            times = found.cpu_times()
            spent += times.user + times.system
    return spent


def servers_of(factory: SessionFactory) -> list[psutil.Process]:
    """The processes of the database that are at work: those that have a connection, and the server's own."""
    with factory() as session:
        return [psutil.Process(pid) for pid in session.scalars(text("SELECT pid FROM pg_stat_activity"))]


def captured(factory: SessionFactory) -> int:
    """Pages of hosts that never hang."""
    hanging = [f"{address_of(number)}:{PORT}" for number in range(HOSTS) if role_of(number) == "hanging"]
    statement = text("SELECT count(*) FROM captures WHERE status = 200 AND split_part(url, '/', 3) <> ALL(:hanging)")
    with factory() as session:
        return int(session.execute(statement, {"hanging": hanging}).scalar_one())


def run(factory: SessionFactory, settings: Settings, seconds: float, *web_options: str, profile: bool = False) -> Run:
    """One worker for so many seconds on a full frontier, counted from when it knows the hosts' robots.txt."""
    fill(factory, settings, 2 + int(seconds / 2), every=1)
    with web("--interval", str(INTERVAL), *web_options) as report:
        words = (str(HERE / "fetch_worker.py"), *(("--profile",) if profile else ()))
        worker = process(*words, environment=as_environment(settings))
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        wait_for_robots(factory)
        watched = {
            "worker": [psutil.Process(worker.pid)],
            "postgres": servers_of(factory),
            "web": [found for found in psutil.Process().children() if "web_simulator" in " ".join(found.cmdline())],
        }
        before, pages, began = {name: cpu_of(*found) for name, found in watched.items()}, captured(factory), time.monotonic()
        time.sleep(seconds)
        spent = {name: cpu_of(*found) - before[name] for name, found in watched.items()}
        pages, took = captured(factory) - pages, time.monotonic() - began
        said = json.loads(worker.communicate(timeout=60)[0])
    return Run(pages, took, {name: 1000 * used / max(pages, 1) for name, used in spent.items()}, said, report)


def wait_for_robots(factory: SessionFactory) -> None:
    """Until robots.txt of all hosts but those that hang or fail has come in."""
    wanted, end = len(HOSTS_WELL), time.monotonic() + 120
    while time.monotonic() < end:
        with factory() as session:
            if session.execute(text("SELECT count(*) FROM robots_files WHERE status = 200")).scalar_one() >= wanted:
                return
        time.sleep(0.25)
    raise SystemExit("robots.txt of the hosts did not come in within two minutes.")


def peer(kind: str, pages: int, shards: int, kept: int) -> dict[str, float]:
    """CPU milliseconds a page and pages a second of a bare client."""
    with web():
        words = (str(HERE / "fetch_peer.py"), kind, str(pages), str(shards), str(kept), str(PORT))
        return dict(json.loads(process(*words).communicate(timeout=300)[0]))


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3g} (from {min(values):.3g} to {max(values):.3g})"


def compare(factory: SessionFactory, settings: Settings, runs: int, seconds: float) -> bool:
    """Paired runs and the peers; whether every aim was met."""
    losses, rates, ratios, best = [], [], [], PEER_SHAPES[0]
    for number in range(runs):
        shapes = PEER_SHAPES if number == 0 else (best,)
        bare = {shape: peer("httpx", 4_000, *shape) for shape in shapes}
        best = min(bare, key=lambda shape: bare[shape]["cpu"])
        if number == 0:
            for (shards, kept), found in bare.items():
                shape = f"{shards} clients, {kept} connections kept by each"
                print(f"  bare httpx, {shape}: {found['cpu']:.2f} ms CPU a page, {found['rate']:.0f} a second")
            if find_spec("aiohttp"):
                found = peer("aiohttp", 4_000, 1, 1_000)
                print(f"  bare aiohttp: {found['cpu']:.2f} ms CPU a page, {found['rate']:.0f} a second")
            else:
                print("  bare aiohttp: skipped, it is not installed; scripts/bench-setup installs it")
        # The order changes, so that what the machine does meanwhile falls on both.
        pair = {}
        for options in (("--well",), ()) if number % 2 else ((), ("--well",)):
            pair[options] = run(factory, settings, seconds, *options)
        hung, well = pair[()], pair[("--well",)]
        losses.append(1 - hung.rate / well.rate)
        rates += [hung.rate]
        ratios.append(hung.cpu["worker"] / bare[best]["cpu"])
        print(
            f"run {number + 1}: {hung.rate:.0f} pages a second ({well.rate:.0f} where none hangs: {losses[-1]:+.1%}); "
            f"CPU ms a page: worker {hung.cpu['worker']:.2f}, bare httpx {bare[best]['cpu']:.2f}, "
            f"PostgreSQL {hung.cpu['postgres']:.2f}, simulator {hung.cpu['web']:.2f}; "
            f"overlaps {hung.web['overlaps'] + well.web['overlaps']}, "
            f"inside the interval {hung.web['hurries'] + well.web['hurries']}",
            flush=True,
        )
    print(f"pages a second: {spread(rates)}; aim {AIM_PAGES:g}")
    print(f"CPU a page over bare httpx at its best: {spread(ratios)}; aim {AIM_CPU:g}")
    print(f"others' loss through hanging hosts: {spread(losses)}; aim {AIM_LOSS:g}")
    return (
        statistics.median(rates) >= AIM_PAGES and statistics.median(ratios) <= AIM_CPU and statistics.median(losses) <= AIM_LOSS
    )


def show_profile(factory: SessionFactory, settings: Settings, seconds: float) -> None:
    """Where the worker's time goes, as a table."""
    found = run(factory, settings, seconds, profile=True)
    profile = found.worker["profile"]
    total = sum(profile.values())
    print(f"where the worker's time goes, of {total} looks at threads that were not waiting:")
    for part, looks in sorted(profile.items(), key=lambda item: -item[1]):
        if looks / total >= 0.005:
            print(f"  {looks / total:6.1%}  {part}")


def remember(factory: SessionFactory, settings: Settings, pages: int, picture: Path) -> bool:
    """The worker's memory while it fetches so many pages; whether it stays flat."""
    fill(factory, settings, -(-pages * 10 // (HOSTS * 9)), every=1)
    series: list[tuple[float, float]] = []
    with web("--interval", "0"):
        worker = process(
            str(HERE / "fetch_worker.py"), environment=as_environment(settings.model_copy(update={"fetch_interval": 0.05}))
        )
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        watched, done, end = psutil.Process(worker.pid), 0, time.monotonic() + 900
        while done < pages and time.monotonic() < end:
            time.sleep(1)
            done = captured(factory)
            series.append((done, watched.memory_info().rss / 1e6))
        worker.communicate(timeout=60)
    half = [point for point in series if point[0] >= pages / 4]
    slope = 1000 * statistics.linear_regression(*zip(*half, strict=True)).slope
    picture.write_text(plot(series, f"Memory of a fetch worker: {slope:+.2f} MB a thousand pages"), "utf-8")
    print(
        f"{series[-1][0]:.0f} pages: {half[0][1]:.0f} MB after a quarter, {series[-1][1]:.0f} MB at the end, "
        f"{max(y for _, y in series):.0f} MB at the most; {slope:+.2f} MB a thousand pages; plotted in {picture}"
    )
    return abs(slope) < 0.2 and series[-1][0] >= pages


def settings_for(servers: Servers) -> Settings:
    flags = {
        "database_url": servers.database_url,
        "redis_url": servers.redis_url,
        "allow_private_addresses": True,
        "fetch_interval": INTERVAL,
    }
    return load(flags, {}).settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--picture", type=Path, default=Path(tempfile.gettempdir()) / "fetch_memory.svg")
    parser.add_argument("--profile", action="store_true", help="only where the time goes")
    given = parser.parse_args()
    with serving() as (servers, factory):
        settings = settings_for(servers)
        if given.memory:
            return 0 if remember(factory, settings, given.pages, given.picture) else 1
        met = given.profile or compare(factory, settings, given.runs, given.seconds)
        show_profile(factory, settings, given.seconds)
    if not given.profile:
        print("every aim is met" if met else "NOT every aim is met")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
