"""A command that uses the private servers, run by the tests as a process of its own.

python embedded_command.py DATA_DIR OPTIONS (as JSON): prints a line of JSON when the servers answer or an error has
come; then uses them until its standard input closes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from pipeline.embedded import attach_or_start, exclusive
from pipeline.errors import WirecopyError

ROOT = Path(__file__).parents[2]
WITHIN = 30.0  # seconds that a test waits at most for what must happen


class Command:
    """The running process and the first line that it printed."""

    def __init__(self, data_dir: Path, options: dict[str, Any], prefix: Sequence[str], env: dict[str, str] | None) -> None:
        arguments = [*prefix, sys.executable, __file__, str(data_dir), json.dumps(options)]
        env = {**(os.environ if env is None else env), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def read(self) -> dict[str, Any]:
        """What it found: database_url, redis_url and owned, or error and message."""
        answer = json.loads(self.process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def end(self) -> None:
        """Let it end by itself."""
        self.process.stdin.close()
        assert self.process.wait(WITHIN) == 0

    def signal(self, number: int) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WITHIN)


@contextmanager
def command(
    data_dir: Path, *, prefix: Sequence[str] = (), env: dict[str, str] | None = None, **options: object
) -> Iterator[Command]:
    """A command on the data folder, killed at the end of the context if it is still there."""
    started = Command(data_dir, options, prefix, env)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait(WITHIN)
        started.process.stdin.close()
        started.process.stdout.close()


def wait_until(met: Callable[[], object]) -> None:
    """Return as soon as the condition is met; it must be within WITHIN seconds."""
    deadline = time.monotonic() + WITHIN
    while not met():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def find_left_over(data_dir: Path) -> list[str]:
    """Every process that works in the data folder or was told its path."""
    found = []
    for process in psutil.process_iter():
        try:
            told = any(str(data_dir) in argument for argument in process.cmdline())
            inside = Path(process.cwd()).is_relative_to(data_dir)
            own = process.pid == os.getpid() or any(__file__ in argument for argument in process.cmdline())
        except psutil.Error:
            continue
        if (told or inside) and not own and process.status() != psutil.STATUS_ZOMBIE:
            found.append(f"{process.pid} {process.name()}")
    return found


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement that is committed at once."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def as_nobody() -> list[str]:
    """The prefix that runs a command as the user nobody, who may read everything (the interpreter too) and write nothing.

    Empty where this cannot be had: no root, no setpriv, or a container without the right.
    """
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    tried = subprocess.run([*prefix, sys.executable, "-c", ""], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else []


def main(data_dir: str, options: str) -> int:
    """Use the servers until standard input closes."""
    chosen = {"database_url": None, "redis_url": None, **json.loads(options)}
    up = chosen.pop("up", False)
    try:
        if up:
            with exclusive(Path(data_dir)), attach_or_start(Path(data_dir), **chosen) as servers:
                _use(servers)
        else:
            with attach_or_start(Path(data_dir), **chosen) as servers:
                _use(servers)
    except WirecopyError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _use(servers: Any) -> None:
    facts = {"database_url": servers.database_url, "redis_url": servers.redis_url, "owned": servers.owned}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
