"""Every kind of process killed in the middle of work, and Redis emptied: nothing is lost, nothing counts twice."""

import contextlib
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from loopback import Reply, Site, serving
from redis import Redis
from running import processes_on, run, running, wait_for
from sqlalchemy import func, select

from pipeline.embedded import attach_or_start
from pipeline.store import overdue
from pipeline.store.engine import connect, sessions
from pipeline.store.tables import FrontierRow, QuarantinedWork, StoredRecovery, StoredWitness, Visit

HOSTS, STORIES = 10, 6
QUICK = {
    "WIRECOPY_FETCH_TIMEOUT": "3",
    "WIRECOPY_HOST_LEASE": "4",
    "WIRECOPY_FETCH_INTERVAL": "0.2",
    "WIRECOPY_SWEEP": "1",
    "WIRECOPY_QUARANTINE_AFTER": "20",
}


def page(story: int, host: int) -> Reply:
    """A copy of a story: the story's own words, the host's own menu."""
    words = random.Random(story)
    vocabulary = ["".join(words.choices("abdegiklmnoprstu", k=words.randint(3, 9))) for _ in range(300)]
    paragraphs = [" ".join(words.choices(vocabulary, k=60)).capitalize() + "." for _ in range(6)]
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    text = f"<html lang=en><title>Story {story}</title><nav>Paper {host}</nav><article><h1>Story {story}</h1>{body}</article></html>"
    return Reply(text.encode(), headers={"Content-Type": "text/html; charset=utf-8"}, hold=0.05)


def found(folder: Path, *words: str) -> list[psutil.Process]:
    """The processes on this folder whose command line holds all the words, the oldest first."""
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            ours = process.environ().get("WIRECOPY_DATA_DIR") == str(folder) or any(str(folder) in part for part in line)
            if ours and all(word in " ".join(line) for word in words):
                processes.append((process.create_time(), process.pid, process))
    return [process for *_, process in sorted(processes, key=lambda entry: entry[:2])]


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def kill(folder: Path, *words: str, child: bool = False) -> list[psutil.Process]:
    """Kill (-9) the process of these words, or the newest child of it, once there is one; its own children."""
    main: list[psutil.Process] = []

    def there() -> bool:
        main[:] = [p for p in found(folder, *words) if p.parent() is None or words[-1] not in " ".join(p.parent().cmdline())]
        return bool(main) and (not child or bool(main[0].children()))

    wait_for(there, f"a process {words}", 20)
    target = main[0].children()[-1] if child else main[0]
    children = target.children(recursive=True)
    target.send_signal(signal.SIGKILL)
    return children


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    with serving(HOSTS) as found_:
        for number, site in enumerate(found_):
            site.pages |= {f"/{story}": page(story, number) for story in range(STORIES)}
        yield found_


@pytest.mark.slow
def test_whatever_is_killed_nothing_is_lost(sites: Sequence[Site]) -> None:
    """Sixty pages are walked while one process after the other is killed: each ends as a witness in its story, once."""
    with tempfile.TemporaryDirectory(prefix="wirecopy-kill-") as name:
        folder = Path(name)
        pages = [site.url(f"/{story}") for story in range(STORIES) for site in sites]
        with running(folder, "up", until="wirecopy is up", **QUICK) as up:
            assert run(folder, "add", "-i", "-", stdin="\n".join(pages)).returncode == 0
            wait_for(lambda: sum(len(site.asked) for site in sites) > 12, "the first requests", 20)
            kill(folder, "worker", "fetch", child=True)
            kill(folder, "extraction_process")
            kill(folder, "worker", "dedupe", child=True)
            orphans = kill(folder, "worker", "fetch")
            wait_for(lambda: not any(map(alive, orphans)), "the children of the killed worker to end", 10)
            with (
                attach_or_start(folder, database_url=None, redis_url=None) as servers,
                Redis.from_url(servers.redis_url) as redis,
            ):
                redis.flushall()
            kill(folder, "beat")
            kill(folder, "worker", "dedupe")
            kill(folder, "valkey-server")
            time.sleep(1)
            kill(folder, "postgres", "-D")
            time.sleep(2)
            os.kill(up.pid, signal.SIGKILL)
        wait_for(lambda: not processes_on(folder), "every process to end", 40)
        with (
            running(folder, "up", until="wirecopy is up", **QUICK),
            attach_or_start(folder, database_url=None, redis_url=None) as servers,
        ):
            engine = connect(servers.database_url)
            factory = sessions(engine)

            def rests() -> bool:
                with factory() as session:
                    return overdue.unfinished(session, 3600) == 0

            wait_for(rests, "all work to be done", 60)
            status = json.loads(run(folder, "status", "--format", "json").stdout)
            with factory() as session:
                assert session.scalar(select(func.count()).select_from(QuarantinedWork)) == 0
                assert (
                    session.scalar(select(func.count()).select_from(FrontierRow).where(FrontierRow.state != Visit.WITNESS)) == 0
                )
                assert session.scalar(select(func.count(StoredWitness.frontier_id.distinct()))) == len(pages)
                copies = session.execute(
                    select(StoredWitness.story_id, func.count())
                    .where(StoredWitness.relation == "copy")
                    .group_by(StoredWitness.story_id)
                ).all()
                recovered = session.scalar(select(func.count(StoredRecovery.story_id.distinct())))
            engine.dispose()
        assert sorted(count for _, count in copies) == [HOSTS] * STORIES
        assert recovered == STORIES
        assert (status["adds_up"], status["urls"], status["witnesses"]) == (True, len(pages), len(pages))
        wait_for(lambda: not processes_on(folder), "every process to end", 20)
