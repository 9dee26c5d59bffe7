"""The servers that a command connects to, and the one `up` of a data folder."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.embedded import lock
from pipeline.embedded.holding import Holding, read_address
from pipeline.embedded.postgres import Postgres
from pipeline.embedded.valkey import Valkey
from pipeline.errors import Misuse, Unavailable, WirecopyError

LOOKED_AT_FOR = 0.5  # seconds at most that looks of running() may keep the lock of `up` from it
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_FOLDER = (errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Servers:
    """What a command connects to."""

    database_url: str  # postgresql+psycopg://…, for SQLAlchemy
    redis_url: str  # redis://…, for redis-py and Celery alike
    owned: bool  # whether this command started one of them; False where all of them were running


def be_quiet(_line: str) -> None:
    """Say nothing."""


@contextmanager
def attach_or_start(
    data_dir: Path,
    *,
    database_url: str | None,
    redis_url: str | None,
    say: Callable[[str], None] = be_quiet,
    wheels: bool = True,
    namespaces: bool = True,
) -> Iterator[Servers]:
    """The servers for as long as the context lasts; private ones answer when it begins.

    A URL that is given is handed on as it is, not tried. One that is not given is what the `up` that runs on this data
    folder was given, else that of a private server in the data folder: joined where it runs, else started, and stopped
    when its last user has gone. `say` gets a line before each wait that a user would notice. `wheels` and `namespaces`
    are false where the wheels' programs, or user namespaces for root's PostgreSQL, are not to be used.
    Raises Misuse where the data folder cannot be used, Unavailable where a server is not installed or does not start.
    """
    holdings: list[Holding] = []
    addresses: list[Callable[[], str]] = []
    try:
        with _explained(data_dir):
            up = _read_up(data_dir) or {}
            database_url = database_url or up.get("database_url")
            redis_url = redis_url or up.get("redis_url")
            folder = data_dir.expanduser().resolve()
            postgres = Postgres(folder / "postgres", folder / "logs/postgres.log", wheel=wheels, namespaces=namespaces)
            valkey = Valkey(folder / "valkey", folder / "logs/valkey.log", wheel=wheels)
            for given, program in ((database_url, postgres), (redis_url, valkey)):
                if given:
                    addresses.append(partial(str, given))
                else:
                    _make_folders(folder, (program.folder, program.log.parent))
                    holdings.append(Holding(program, say))
                    holdings[-1].begin()
                    addresses.append(holdings[-1].wait)
            database, broker = (address() for address in addresses)  # both are starting by now
        yield Servers(database, broker, owned=any(holding.started for holding in holdings))
    finally:
        for holding in holdings:
            holding.drop()
        for holding in holdings:
            holding.settle()


@contextmanager
def exclusive(data_dir: Path, *, database_url: str | None = None, redis_url: str | None = None) -> Iterator[None]:
    """Being the only `up` on a data folder, for as long as the context lasts or the process lives.

    The URLs are those that this `up` was given; commands without URLs of their own take them over, so that `up` and
    they look at one database. Raises Misuse, with the process id of the other, where there is one.
    """
    with _explained(data_dir):
        _make_folders(data_dir, ())
        path = data_dir / "up.lock"
        descriptor = lock.open_lock(path)
        _hand_over(path, data_dir)
    try:
        if not lock.take_within(descriptor, lock.SOLE, LOOKED_AT_FOR):
            other = (_read_up(data_dir) or {}).get("pid", "unknown")
            raise Misuse(
                f"`wirecopy up` runs on {data_dir} already (process {other}): "
                "stop it with Ctrl-C or kill, or take another --data-dir."
            )
        facts = {"pid": str(os.getpid()), "database_url": database_url, "redis_url": redis_url}
        with _explained(data_dir):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({name: fact for name, fact in facts.items() if fact}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def running(data_dir: Path) -> Servers | None:
    """The servers of the `up` that runs on this data folder; None where none does, or where it is still starting.

    They may end at any time: a command that is to use them takes attach_or_start. Raises Misuse, Unavailable.
    """
    with _explained(data_dir):
        up = _read_up(data_dir)
        if up is None:
            return None
        database = up.get("database_url") or read_address(data_dir / "postgres")
        broker = up.get("redis_url") or read_address(data_dir / "valkey")
    return Servers(database, broker, owned=False) if database and broker else None


def _read_up(data_dir: Path) -> dict[str, str] | None:
    path = data_dir / "up.lock"
    if not path.exists() or lock.is_free(path):
        return None
    try:
        facts: dict[str, str] = json.loads(path.read_text())
    except ValueError:
        return {}  # it has just begun, or is about to end
    return facts


def _make_folders(data_dir: Path, folders: tuple[Path, ...]) -> None:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in folders:
        folder.mkdir(exist_ok=True, mode=0o700)
        _hand_over(folder, data_dir)


def _hand_over(path: Path, data_dir: Path) -> None:
    """Where root works on another user's data folder, what it makes there shall be that user's."""
    owner = data_dir.stat()
    if os.geteuid() == 0 and owner.st_uid != path.stat().st_uid:
        os.chown(path, owner.st_uid, owner.st_gid)


@contextmanager
def _explained(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explain(error, data_dir) from error


def _explain(error: OSError, data_dir: Path) -> WirecopyError:
    place = f"{error.filename or data_dir}: {error.strerror}"
    if error.errno in CLOSED:
        return Misuse(
            f"The data folder {data_dir} cannot be written ({place}): open it to this user, or take another --data-dir."
        )
    if error.errno in NO_FOLDER:
        return Misuse(f"{data_dir} cannot be a data folder ({place}): take another --data-dir.")
    if error.errno in FULL:
        return Unavailable(f"The disk of the data folder {data_dir} is full ({place}): make room, then try again.")
    return Unavailable(f"The servers of {data_dir} could not be started ({place}): mend that, then try again.")
