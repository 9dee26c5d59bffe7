"""What a worker process holds: engine, extractor, event loop and fetcher, each built after the fork and once a process."""

import asyncio
import atexit
import fcntl
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO

import structlog
from celery.signals import worker_process_shutdown, worker_shutting_down
from sqlalchemy import Engine

from pipeline.crawl.extractor import Extractor
from pipeline.crawl.fetcher import Fetcher
from pipeline.settings import Settings, load
from pipeline.stages.fetching import fetch_options
from pipeline.stages.outcome import Outcome
from pipeline.stages.reaching import Reach
from pipeline.store.engine import SessionFactory, connect, sessions
from workers import presence
from workers.app import ring

log = structlog.get_logger()

# One byte that a worker's parent and children share: the parent sets it when it is told to stop, and a child that is in
# a round of fetching sees it. Celery itself only waits for the round to end.
_stopping = mmap.mmap(-1, 1)
# A lock a process (POSIX record lock, gone with the process however it ends) that the children of one worker contend for:
# one of them fetches, so that the others are free to extract.
_round: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
atexit.register(_round.close)


@worker_shutting_down.connect
def _note_stop(**_: object) -> None:
    _stopping[0] = 1


def stopping() -> bool:
    """Whether this worker has been told to stop."""
    return bool(_stopping[0])


@dataclass
class Runtime:
    """The belongings of this process; each is built when it is first asked for."""

    settings: Settings
    pid: int

    @cached_property
    def worker(self) -> str:
        """The name under which this process claims work."""
        return presence.name(self.pid)

    @cached_property
    def engine(self) -> Engine:
        """The connections to Postgres."""
        return connect(self.settings.database_url, self.settings.database_password_file)

    @cached_property
    def factory(self) -> SessionFactory:
        """Sessions on the engine."""
        return sessions(self.engine)

    @cached_property
    def extractor(self) -> Extractor:
        """The process that reads pages, and that may be killed."""
        return Extractor(seconds=self.settings.extract_timeout, memory=self.settings.extract_memory)

    @cached_property
    def loop(self) -> asyncio.Runner:
        """The event loop that the fetcher's connections belong to."""
        return asyncio.Runner()

    @cached_property
    def fetcher(self) -> Fetcher:
        """The fetcher, its connections kept from round to round."""
        return self.loop.run(Fetcher(fetch_options(self.settings)).__aenter__())

    @cached_property
    def reach(self) -> Reach:
        """The fetchers of discovery's providers."""
        return self.loop.run(Reach(self.settings).__aenter__())

    def close(self) -> None:
        """Let go of everything that was built."""
        built = vars(self)
        if "extractor" in built:
            self.extractor.close()
        if "fetcher" in built:
            self.loop.run(self.fetcher.__aexit__(None, None, None))
        if "reach" in built:
            self.loop.run(self.reach.__aexit__(None, None, None))
        if "loop" in built:
            self.loop.close()
        if "engine" in built:
            self.engine.dispose()


_current: Runtime | None = None


def current() -> Runtime:
    """The runtime of this process; a child that was forked builds its own."""
    global _current  # noqa: PLW0603 - a Celery task has no other place for what outlives it
    if _current is None or _current.pid != os.getpid():
        _current = Runtime(load().settings, os.getpid())
    return _current


@worker_process_shutdown.connect
def _close(**_: object) -> None:
    if _current is not None and _current.pid == os.getpid():
        _current.close()


def take_round() -> bool:
    """Be the one process of this worker that fetches; False where another one is."""
    try:
        fcntl.lockf(_round, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_round() -> None:
    """Let another process of this worker fetch."""
    fcntl.lockf(_round, fcntl.LOCK_UN)


def perform(action: str, subject: int | None, work: Callable[[Runtime], Outcome]) -> None:
    """Run a stage, ring for what follows, and write one line about it."""
    began, cpu = time.monotonic(), time.process_time()
    outcome = work(current())
    for bell in outcome.next:
        ring(bell)
    seconds, cpu = round(time.monotonic() - began, 3), round(time.process_time() - cpu, 3)
    log.info(str(action), subject=subject, outcome=outcome.state, ids=outcome.ids, seconds=seconds, cpu=cpu)


def perform_each(action: str, subjects: Sequence[int], work: Callable[[Runtime, int], Outcome]) -> None:
    """Run a stage for one piece of work after the other; what fails over one is logged and holds up no other."""
    for subject in subjects:
        try:
            perform(action, subject, lambda at, subject=subject: work(at, subject))  # type: ignore[misc]
        except Exception:
            log.exception(str(action), subject=subject, outcome="error")
