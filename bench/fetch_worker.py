"""One fetch worker of bench/fetch.py: rounds of the real loop until standard input ends; then a report as JSON."""

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import load
from pipeline.stages.fetching import fetch, fetch_options
from pipeline.stages.outcome import Bell
from pipeline.store.engine import connect, sessions
from workers.app import configure, ring

LOOK = 0.004
"""Seconds between two looks of the profile."""
IDLE = {("select", "selectors.py"), ("wait", "threading.py"), ("_worker", "thread.py"), ("wait", "connection.py")}
PARTS = (
    ("/h11/", "HTTP (h11)"),
    ("/httpcore/", "HTTP (httpcore)"),
    ("/anyio/", "HTTP (httpcore)"),
    ("/sqlalchemy/", "database: SQLAlchemy"),
    ("/psycopg", "database: psycopg"),
    ("/protego", "robots rules"),
    ("/crawl/robots.py", "robots rules"),
    ("/crawl/streams.py", "sockets"),
    ("/asyncio/selector_events.py", "sockets"),
    ("/crawl/", "fetcher"),
    ("/store/captures.py", "packing and hashing bodies"),
    ("/store/", "database: statements"),
    ("/kombu/", "bells (Celery)"),
    ("/celery/", "bells (Celery)"),
    ("/redis/", "bells (Celery)"),
    ("/stages/", "the loop and its decisions"),
    ("/asyncio/", "asyncio"),
)


class Profile:
    """What the threads are at, seen from one more thread."""

    def __init__(self) -> None:
        self.looks: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK)
            for thread, frame in sys._current_frames().items():
                if thread not in (self._thread.ident, waiting_for_end) and not is_idle(frame):
                    self.looks[part_of(frame)] += 1


def is_idle(frame: FrameType) -> bool:
    return (frame.f_code.co_name, Path(frame.f_code.co_filename).name) in IDLE


def part_of(frame: FrameType | None) -> str:
    """The first part that the innermost frames belong to: what a library calls of Python's own counts as its."""
    while frame is not None:
        for mark, part in PARTS:
            if mark in frame.f_code.co_filename:
                return part
        frame = frame.f_back
    return "other"


ended = threading.Event()
waiting_for_end = 0


def wait_for_end() -> None:
    global waiting_for_end  # noqa: PLW0603 - the profile leaves this thread out
    waiting_for_end = threading.get_ident()
    sys.stdin.read()
    ended.set()


async def work() -> dict[str, object]:
    settings = load().settings
    factory = sessions(connect(settings.database_url))
    bells = 0

    def count_and_ring(bell: Bell) -> None:
        nonlocal bells
        bells += len(bell.subjects)
        ring(bell)

    configure(settings)

    async with Fetcher(fetch_options(settings)) as fetcher:
        with factory() as session:
            session.connection()
        profile = Profile() if "--profile" in sys.argv else None
        threading.Thread(target=wait_for_end, daemon=True).start()
        before, rounds = time.process_time(), []
        print("ready", flush=True)
        while not ended.is_set():
            outcome = await fetch(
                factory, fetcher, settings, worker=f"bench {os.getpid()}", ring=count_and_ring, stopping=ended.is_set
            )
            rounds.append(outcome.state)
            await asyncio.sleep(0.05)
        spent = time.process_time() - before
    return {"cpu": spent, "captured": max(bells, 1), "rounds": rounds[:50], "profile": profile.looks if profile else {}}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(work())), flush=True)
