"""Starting, joining and ending a server that is no more than a few lines of Python."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from pipeline.embedded import lock
from pipeline.embedded.holding import Holding, Launch
from pipeline.errors import Unavailable, WirecopyError

PREFACE = "import os, pathlib, signal, sys, time\n"
SERVE = "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\nwhile True: time.sleep(60)\n"


@dataclass
class Script:
    """A server that answers when it has written its process id to the file named in its address."""

    folder: Path
    codes: list[str]  # the script of the first start, the second …; the last for all that follow
    starts: int = 1
    tries: int = 1
    patience: int = 1
    name: str = "Script"
    prepared: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "script.log"

    def prepare(self) -> Launch:
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        url = str(self.folder / f"address{len(self.prepared)}")
        self.prepared.append(url)
        plan = {
            "make": None,
            "making": "",
            "made": "",
            "serve": [sys.executable, "-I", "-S", "-c", PREFACE + code, url],
            "stop": [int(signal.SIGTERM)],
            "patience": self.patience,
            "tries": self.tries,
            "refuses_root": False,
            "namespaces": False,
        }
        return Launch(url=url, runtime=None, note="", plan=plan)

    def answers(self, url: str) -> bool:
        return bool(Path(url).exists() and Path(url).read_text())

    def explain(self, log: str) -> WirecopyError:
        return Unavailable(f"said: {log}")


@contextlib.contextmanager
def held(program: Script) -> Iterator[str]:
    holding = Holding(program, lambda _line: None)
    try:
        holding.begin()
        yield holding.wait()
    finally:
        holding.drop()
        holding.settle()


def process_of(url: str) -> psutil.Process:
    return psutil.Process(int(Path(url).read_text()))


def wait_until(met: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def test_a_start_that_fails_is_tried_again_with_another_address(tmp_path):
    """A port taken between the look and the start costs one more start, up to as many as the program allows."""
    program = Script(tmp_path, ["sys.exit(1)", SERVE], starts=2)
    with held(program) as url:
        assert url == program.prepared[1]
    assert len(program.prepared) == 2


def test_a_start_that_keeps_failing_is_explained_with_its_own_log(tmp_path):
    """The log of an earlier day does not come into it."""
    program = Script(tmp_path, ["sys.exit('no luck')"], starts=3)
    program.log.write_text("FATAL of yesterday\n")
    with pytest.raises(Unavailable, match="no luck") as caught, held(program):
        pass
    assert "yesterday" not in str(caught.value)
    assert len(program.prepared) == 3
    assert lock.is_free(tmp_path / "server.lock")


def test_a_server_slow_to_come_up_is_tried_again_by_its_keeper(tmp_path):
    """As PostgreSQL is, while the shared memory of a crashed one is in use: the address stays."""
    code = (
        "count = pathlib.Path(sys.argv[1] + '.count')\ncount.write_text(count.read_text() + '.' if count.exists() else '.')\n"
    )
    code += "if len(count.read_text()) < 3: sys.exit(1)\n" + SERVE
    program = Script(tmp_path, [code], tries=5)
    with held(program) as url:
        assert program.prepared == [url]


def test_a_server_that_ignores_the_stop_signal_is_killed(tmp_path):
    """The wait at the end is bounded."""
    program = Script(tmp_path, ["signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE])
    with held(program) as url:
        process = process_of(url)
    assert not process.is_running()


def test_a_server_has_the_default_signals(tmp_path):
    """Nothing blocked or ignored is handed down by the keeper, so that the first stop signal works."""
    code = "path = pathlib.Path(sys.argv[1])\nblocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
    code += "if blocked: sys.exit(f'blocked {blocked}')\n" + SERVE
    with held(Script(tmp_path, [code])) as url:
        status = Path(f"/proc/{process_of(url).pid}/status")
        if status.exists():
            ignored = int(status.read_text().partition("SigIgn:")[2].split()[0], 16)
            # Python itself ignores these two when it starts
            assert ignored & ~(1 << signal.SIGPIPE - 1) & ~(1 << signal.SIGXFSZ - 1) == 0


def test_a_killed_server_is_started_again_at_its_address(tmp_path):
    """By its keeper; the one who holds it does nothing."""
    program = Script(tmp_path, [SERVE])
    with held(program) as url:
        first = process_of(url)
        first.kill()
        wait_until(lambda: Path(url).read_text() not in ("", str(first.pid)))
        assert program.prepared == [url]
        second = process_of(url)
    assert not second.is_running()


def test_a_second_holder_joins_and_the_last_one_ends_it(tmp_path):
    """Sharing within one process counts as between processes."""
    program = Script(tmp_path, [SERVE])
    with held(program) as url:
        with held(program) as again:
            assert again == url
        process = process_of(url)
        assert process.is_running()
    assert not process.is_running()
    assert program.prepared == [url]


def test_a_large_log_is_put_aside(tmp_path):
    """A log grows to a few megabytes, and one older one is kept."""
    program = Script(tmp_path, [SERVE])
    program.log.write_text("x" * 6_000_000)
    with held(program):
        pass
    assert program.log.stat().st_size < 1000
    assert program.log.with_suffix(".old.log").stat().st_size == 6_000_000
