"""One command's use of one private server: start it or join it, wait until it answers, let it go."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from pipeline.embedded import lock
from pipeline.errors import Unavailable, WirecopyError

KEEPER = Path(__file__).with_name("keeper.py")
STATE = "server.json"  # url, keeper (a process id) and runtime (a folder or empty) of the last server started
PAUSE = 0.02  # seconds between two looks
START_WITHIN = 120.0  # seconds: a first start on a slow disk, or a recovery after a crash with much to replay
STOP_WITHIN = 50.0  # seconds: the keeper has killed the server by then
ORPHAN_ENDS_WITHIN = 5.0  # seconds that a server without a keeper has to end by itself
LOG_LIMIT = 5_000_000  # bytes after which a log is put aside; one older log is kept


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server that will answer at `url`."""

    url: str
    runtime: Path | None  # a folder for sockets that the keeper removes
    note: str  # what a user who waits should be told
    plan: Mapping[str, object]  # the parts of keeper.Plan that depend on the server


class Program(Protocol):
    """A server that a keeper can run: PostgreSQL, Valkey."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def folder(self) -> Path:
        """Where its data and its locks are; its parent is the data folder."""

    @property
    def log(self) -> Path:
        """The file that it logs to."""

    @property
    def starts(self) -> int:
        """How often one command starts it before it gives up."""

    def prepare(self) -> Launch:
        """How to start it now; called only where no process of it lives. Raises Misuse, Unavailable, OSError."""

    def answers(self, url: str) -> bool:
        """Whether it takes work at the address."""

    def explain(self, log: str) -> WirecopyError:
        """Why it did not start, told from what it has logged since."""


class Holding:
    """A share of a server; begin, wait, drop and settle are called once each, in this order.

    Several may be begun before the first is waited for, so that their servers start side by side.
    """

    def __init__(self, program: Program, say: Callable[[str], None]) -> None:
        self.program = program
        self.started = False  # whether this process started the server
        self._say = say
        self._pid = os.getpid()
        self._holders = -1
        self._last = False
        self._log_from = 0
        self._lock = program.folder / "server.lock"

    def begin(self) -> None:
        """Take a share; start the server where it does not run. Raises Misuse, Unavailable, OSError."""
        self._holders = lock.open_lock(self.program.folder / "holders.lock")
        if not lock.take_within(self._holders, lock.SHARED, STOP_WITHIN):
            raise Unavailable(f"{self.program.name} of {self.program.folder} is still stopping: try again.", retry_after=10)
        self._start_if_free()

    def wait(self) -> str:
        """The address of the server, as soon as it answers there. Raises Misuse, Unavailable, OSError."""
        deadline = time.monotonic() + START_WITHIN
        starts = int(self.started)
        while time.monotonic() < deadline:
            state = _read_state(self.program.folder)
            if lock.is_free(self._lock):
                if starts >= self.program.starts:
                    raise self.program.explain(self._read_log())
                starts += self._start_if_free()
            elif state and not _is_alive(int(state["keeper"])):
                self._end_orphan(ORPHAN_ENDS_WITHIN)
            elif state and self.program.answers(state["url"]):
                return str(state["url"])
            time.sleep(PAUSE)
        raise Unavailable(
            f"{self.program.name} did not answer within {START_WITHIN:.0f} s. Its log is {self.program.log}",
            retry_after=60,
        )

    def drop(self) -> None:
        """Give the share up; the keeper stops the server when nobody has one left."""
        if self._holders < 0 or os.getpid() != self._pid:
            return  # a forked child leaves its parent's share alone
        self._last = lock.take(self._holders, lock.SOLE) or not lock.take(self._holders, lock.SHARED)
        lock.release(self._holders)
        self._holders = -1

    def settle(self) -> None:
        """Return when the server has stopped, where the share dropped was the last one."""
        if not self._last:
            return
        deadline = time.monotonic() + STOP_WITHIN
        while not lock.is_free(self._lock):
            state = _read_state(self.program.folder)
            if time.monotonic() > deadline or (state and not _is_alive(int(state["keeper"]))):
                self._end_orphan(ORPHAN_ENDS_WITHIN)
                return
            time.sleep(lock.PAUSE)

    def _start_if_free(self) -> bool:
        descriptor = lock.open_lock(self._lock)
        try:
            if not lock.take(descriptor, lock.SOLE):
                return False
            self._clear_state()
            launch = self.program.prepare()
            self._say(f"starting {self.program.name}" + (f": {launch.note}" if launch.note else ""))
            try:
                self._start_keeper(launch, descriptor)
            except BaseException:
                _remove_folder(launch.runtime)  # an interrupt, or no process to be had
                raise
            self.started = True
        finally:
            os.close(descriptor)  # not released: the keeper holds it too
        return True

    def _start_keeper(self, launch: Launch, descriptor: int) -> None:
        folder = self.program.folder
        owner = folder.parent.stat()
        other = [owner.st_uid, owner.st_gid] if os.geteuid() == 0 and owner.st_uid != 0 else None
        plan = {
            **launch.plan,
            "folder": str(folder),
            "holders": str(folder / "holders.lock"),
            "runtime": str(launch.runtime) if launch.runtime else None,
            "run_as": other,
        }
        log = self._open_log()
        try:
            if other:
                os.fchown(log, *other)
            # warnings off: Python 3.12 warns of every fork beside a thread, and the keeper's child only calls exec
            keeper = subprocess.Popen(  # noqa: S603 - our own script, no shell
                [sys.executable, "-I", "-S", "-W", "ignore", str(KEEPER), json.dumps(plan)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(os.environ),
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        finally:
            os.close(log)
        threading.Thread(target=keeper.wait, daemon=True).start()  # it may end long before this process, or after it
        _write_state(folder, {"url": launch.url, "keeper": str(keeper.pid), "runtime": str(launch.runtime or "")})

    def _end_orphan(self, patience: float) -> None:
        """Kill what is left of a server whose keeper is dead, if it does not end by itself."""
        deadline = time.monotonic() + patience
        while not lock.is_free(self._lock):
            if time.monotonic() > deadline:
                for process in find_processes(self.program.folder):
                    with contextlib.suppress(psutil.Error):
                        process.kill()
                if lock.is_free(self._lock) or time.monotonic() > deadline + patience:
                    return
            time.sleep(PAUSE)

    def _open_log(self) -> int:
        path = self.program.log
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".old.log"))
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._log_from = os.fstat(log).st_size
        return log

    def _read_log(self) -> str:
        """What has been logged since this process first started the server."""
        try:
            with self.program.log.open("rb") as file:
                file.seek(self._log_from)
                return file.read(100_000).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _clear_state(self) -> None:
        """Forget a server that has ended, with the socket folder that a killed keeper left."""
        state = _read_state(self.program.folder)
        (self.program.folder / STATE).unlink(missing_ok=True)
        _remove_folder(Path(state["runtime"]) if state and state["runtime"] else None)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment a server gets: nothing of PostgreSQL's clients in it, and messages in English."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("PG", "LC_", "LANG", "WIRECOPY_"))}
    return kept | {"LC_ALL": "C"}


def read_address(folder: Path) -> str | None:
    """The address of the server that runs in the folder, else None."""
    state, path = _read_state(folder), folder / "server.lock"
    return state["url"] if state and not lock.is_free(path) else None


def find_processes(folder: Path) -> list[psutil.Process]:
    """The servers' processes that run in the folder or under it, as far as this user may see them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            server = process.name().startswith(("postgres", "valkey", "redis"))
            if server and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def _read_state(folder: Path) -> dict[str, str] | None:
    try:
        state: dict[str, str] = json.loads((folder / STATE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return state


def _write_state(folder: Path, state: dict[str, str]) -> None:
    fresh = folder / "server.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    fresh.replace(folder / STATE)


def _remove_folder(runtime: Path | None) -> None:
    if runtime and runtime.name.startswith("wirecopy-"):
        with contextlib.suppress(OSError):
            for path in runtime.iterdir():
                path.unlink()
            runtime.rmdir()


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
