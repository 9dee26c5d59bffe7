"""Eight fetch workers on one host: its interval holds over all of them, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from redis import Redis
from sqlalchemy import func, select

from pipeline.settings import Settings, as_environment
from pipeline.stages.admission import admit
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Attempt, Capture, FrontierRow, Stage, Visit

BENCH = Path(__file__).parents[2] / "bench"
WORKERS, PAGES, INTERVAL = 8, 16, 0.25
KILLS = (2, 5, 8)
REDIS_GOES = 11
PORT = 8_953
# A host of the simulator that neither hangs nor fails nor redirects.
HOST = f"127.1.0.5:{PORT}"
PATIENCE = 240.0


@contextmanager
def simulated(report: dict[str, int]) -> Iterator[None]:
    """The web, in a process of its own; what it saw stands in `report` afterwards."""
    words = [sys.executable, str(BENCH / "web_simulator.py"), "--hosts", "5", "--port", str(PORT), "--interval", str(INTERVAL)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield
            report |= json.loads(process.communicate(timeout=30)[0])
        finally:
            process.kill()


def start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    """A process that fetches, as those of `wirecopy worker fetch` do, and rings the bells of the real Redis."""
    words = [sys.executable, str(BENCH / "fetch_worker.py")]
    environment = os.environ | as_environment(settings) | {"PYTHONPATH": str(BENCH.parent)}
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def count(factory: SessionFactory) -> int:
    with factory() as session:
        return session.scalar(select(func.count()).select_from(Capture)) or 0


def kill_who_fetches(factory: SessionFactory) -> int:
    """Kill (-9) the worker that has the host's lease; its process id."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with factory() as session:
            worker = session.scalar(select(Attempt.worker).where(Attempt.stage == Stage.FETCH, Attempt.ended_at.is_(None)))
        if worker is not None and psutil.pid_exists(int(worker.split()[-1])):
            os.kill(int(worker.split()[-1]), signal.SIGKILL)
            return int(worker.split()[-1])
    raise AssertionError("nobody fetches")


def restart_redis(settings: Settings) -> None:
    """Kill (-9) the Redis of these settings; its keeper starts it again."""
    with Redis.from_url(settings.redis_url) as redis:
        os.kill(redis.info("server")["process_id"], signal.SIGKILL)  # type: ignore[index]


@pytest.mark.slow
def test_the_interval_holds_over_processes_kills_and_a_restart_of_redis(factory: SessionFactory, settings: Settings) -> None:
    """No two requests overlap and none comes inside the interval, whoever is killed; and every page arrives, once."""
    paced = settings.model_copy(
        update={
            "fetch_interval": INTERVAL,
            "fetch_timeout": 7.5,
            "connect_timeout": 5.0,
            "host_lease": 8.0,
            "quarantine_after": 50,
        }
    )
    with factory.begin() as session:
        admit(session, [f"http://{HOST}/page/{number}" for number in range(PAGES)], paced, found_by="hand")
    report: dict[str, int] = {}
    kills, redis_runs = list(KILLS), True
    with simulated(report):
        workers = {process.pid: process for process in (start_worker(paced) for _ in range(WORKERS))}
        try:
            end = time.monotonic() + PATIENCE
            while (done := count(factory)) < PAGES:
                assert time.monotonic() < end, f"{done} of {PAGES} pages in {PATIENCE:g} s"
                if kills and done >= kills[0]:
                    kills.pop(0)
                    dead = workers.pop(kill_who_fetches(factory))
                    dead.communicate()
                    fresh = start_worker(paced)
                    workers[fresh.pid] = fresh
                elif redis_runs and done >= REDIS_GOES:
                    redis_runs = False
                    restart_redis(paced)
                time.sleep(0.02)
        finally:
            for process in workers.values():
                process.kill()
                process.communicate()
    assert not kills
    assert not redis_runs
    assert (report["overlaps"], report["hurries"]) == (0, 0)
    with factory() as session:
        assert set(session.scalars(select(FrontierRow.state))) == {Visit.CAPTURED}
        assert session.scalar(select(func.count(Capture.frontier_id.distinct()))) == PAGES
        assert len(session.scalars(select(Attempt.id).where(Attempt.end == "died")).all()) == len(KILLS)
