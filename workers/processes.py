"""The processes of a running wirecopy: workers, beat, and the fleet that watches over them."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from pipeline.cli.messages import say
from pipeline.errors import Unavailable
from pipeline.settings import Settings, as_environment
from pipeline.stages.outcome import Ring
from workers import app as application

# A child that ends this often within this many seconds of its start will not be mended by another start.
MOST_STARTS = 5
QUICK_END = 20.0
STOP_WITHIN = 15.0
LIFELINE = "WIRECOPY_LIFELINE"


def ringer(settings: Settings) -> Ring:
    """A bell on the settings' Redis."""
    application.configure(settings)
    return application.ring


def run_worker(settings: Settings, queue: str) -> None:
    """One Celery worker on a queue, until it is told to stop."""
    _begin(settings)
    count = settings.fetch_processes if queue == application.FETCH else settings.dedupe_processes
    worker = application.app.Worker(
        queues=[queue],
        concurrency=count,
        hostname=f"{queue}-{os.getpid()}@%h",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    sys.exit(worker.exitcode or 0)


def run_beat(settings: Settings) -> None:
    """The beat, until it is told to stop. Its state is in Postgres: it keeps no file."""
    _begin(settings)
    application.app.Beat(scheduler="celery.beat:Scheduler", loglevel="WARNING", quiet=True).run()


def _begin(settings: Settings) -> None:
    os.environ.update(as_environment(settings))
    application.configure(settings)
    write_logs()
    if os.environ.pop(LIFELINE, ""):
        threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Stop when the process that watches over this one is gone: its end of the pipe on stdin closes."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_WITHIN)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def write_logs() -> None:
    """One line an event to stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


@dataclass
class Child:
    """A process of the fleet and how often it was started."""

    name: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    quick_ends: int = 0


class ChildProcesses:
    """Fetch worker, dedupe worker and beat, each in a session of its own, so that Ctrl-C reaches wirecopy alone."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._environment = {**os.environ, **as_environment(settings), LIFELINE: "1"}
        self._log = log
        self._children = [
            self._start(name, arguments)
            for name, arguments in (
                ("fetch worker", ("worker", "fetch")),
                ("dedupe worker", ("worker", "dedupe")),
                ("beat", ("beat",)),
            )
        ]

    def check(self) -> None:
        """Start again what has ended by itself. Raises Unavailable where it ends again and again."""
        for child in self._children:
            if child.process.poll() is None:
                continue
            quick = time.monotonic() - child.started < QUICK_END
            child.quick_ends = child.quick_ends + 1 if quick else 0
            if child.quick_ends >= MOST_STARTS:
                raise Unavailable(f"The {child.name} ends as soon as it starts; {self._log} says why.")
            say(f"The {child.name} ended (exit {child.process.returncode}); starting it again.")
            self._bury(child)
            again = self._start(child.name, child.arguments)
            child.process, child.started = again.process, again.started

    def stop(self) -> None:
        """Tell every process to stop, wait for it, and kill what does not."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.terminate()
        end = time.monotonic() + STOP_WITHIN
        for child in self._children:
            try:
                child.process.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            self._bury(child)

    def _start(self, name: str, arguments: tuple[str, ...]) -> Child:
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-m", "workers.console", *arguments],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return Child(name, arguments, process)

    @staticmethod
    def _bury(child: Child) -> None:
        """End what a process that has ended leaves behind: a killed worker's children would finish their round alone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        if child.process.stdin is not None:
            child.process.stdin.close()


@contextmanager
def fleet(settings: Settings) -> Iterator[ChildProcesses]:
    """The processes of a running wirecopy, stopped when the context ends; their lines go to logs/workers.log."""
    folder = settings.data_folder / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="wirecopy-logs-"))
    processes = ChildProcesses(settings, folder / "workers.log")
    try:
        yield processes
    finally:
        processes.stop()
