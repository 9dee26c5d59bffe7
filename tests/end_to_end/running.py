"""The command line as a process of its own, on a data folder of the test's."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PATIENCE = 90.0
LOOPBACK = {
    "WIRECOPY_ALLOW_PRIVATE_ADDRESSES": "true",
    "WIRECOPY_FETCH_INTERVAL": "0.05",
    "WIRECOPY_SETTLE": "0.5",
    "WIRECOPY_TICK": "0.3",
    "WIRECOPY_SWEEP": "3",
}


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a command on this folder: no setting of the machine's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WIRECOPY_")}
    return own | LOOPBACK | {"WIRECOPY_DATA_DIR": str(folder)} | more


def run(folder: Path, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """`wirecopy WORDS`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "workers.console", *words],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(folder, **more),
        cwd=folder,
        timeout=PATIENCE * 2,
        check=False,
    )


@contextmanager
def running(folder: Path, *words: str, until: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`wirecopy WORDS` in the background, from the moment that its stderr says `until`; killed at the end of the block."""
    said = folder / f"said-{words[0]}-{time.monotonic_ns()}"
    with said.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.console", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=environment(folder, **more),
            cwd=folder,
            start_new_session=True,
        )
    try:
        wait_for(lambda: until in said.read_text() or process.poll() is not None, f"{words[0]} to say {until!r}")
        assert until in said.read_text(), said.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()
        process.wait()


def wait_for(holds: object, what: str, patience: float = PATIENCE) -> None:
    """Look again and again until it holds."""
    end = time.monotonic() + patience
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, f"waited {patience:g} s in vain for {what}"
        time.sleep(0.1)


def processes_on(folder: Path) -> list[str]:
    """The processes that work on this folder: those whose command line or environment name it."""
    found = []
    for process in psutil.process_iter(["pid"]):
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid():
                continue
            words = process.cmdline()
            if any(str(folder) in word for word in words) or process.environ().get("WIRECOPY_DATA_DIR") == str(folder):
                found.append(f"{process.pid} {' '.join(words)[:200]}")
    return found
