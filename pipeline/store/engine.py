"""Connections to PostgreSQL, and sessions on them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from pipeline.errors import Misuse, Unavailable

T = TypeVar("T")
OLDEST_POSTGRES = 14
SessionFactory = sessionmaker[Session]
# A server that restarts is back after a few of these.
OUTAGE_PAUSE = 0.5
# A machine that loses its power says no goodbye: its locks and ours on it are let go of after a minute of silence.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def connect(database_url: str, password_file: str = "") -> Engine:
    """An engine on the database, built without connecting to it. Raises Misuse for a URL that is none of ours."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise Misuse(f"database_url is no database URL: {error}. Write postgresql://user@host/database.") from error
    if not url.drivername.startswith("postgres"):
        raise Misuse(f"database_url names {url.drivername}; wirecopy stores in PostgreSQL: postgresql://user@host/database.")
    if password_file and not url.password:
        try:
            url = url.set(password=Path(password_file).read_text("utf-8").strip())
        except OSError as error:
            raise Misuse(f"Cannot read database_password_file: {error}.") from error
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        connect_args={
            "connect_timeout": 10,
            "application_name": "wirecopy",
            "options": " ".join(["-c timezone=UTC", *(f"-c tcp_{name}={value}" for name, value in KEEPALIVES.items())]),
            **KEEPALIVES,
        },
    )


def sessions(engine: Engine) -> SessionFactory:
    """A factory of sessions; objects stay readable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def unavailable_as_error(engine: Engine) -> Iterator[None]:
    """Turn a lost or refused connection into Unavailable."""
    try:
        yield
    except OperationalError as error:
        where = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
        why = " ".join(str(error.orig).split()).rstrip(".?")
        raise Unavailable(
            f"No answer from PostgreSQL at {where}: {why}. "
            "Start the server, or mend database_url (`wirecopy config show`); `wirecopy doctor` looks closer."
        ) from error


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the server is away or going, and nothing about what was asked of it."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)  # none where no server said anything
    return error.connection_invalidated or (
        isinstance(error, OperationalError) and (state is None or state.startswith(("08", "57P")))
    )


def outlast(work: Callable[[], T], seconds: float, hurried: Callable[[], bool] = lambda: False) -> T:
    """What `work` returns; while the server is away it is tried again, for `seconds` or until `hurried`.

    Where the server went away over a commit the work may have been done already: `work` must stand being done twice.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return work()
        except DBAPIError as error:
            if not is_outage(error) or time.monotonic() >= end or hurried():
                raise
            time.sleep(OUTAGE_PAUSE)


def check_server(engine: Engine) -> int:
    """The server's major version. Raises Unavailable where nothing answers and Misuse for a server that is too old."""
    with unavailable_as_error(engine), engine.connect() as connection:
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < OLDEST_POSTGRES:
        raise Misuse(f"The server is PostgreSQL {version}; wirecopy needs {OLDEST_POSTGRES} or newer.")
    return version
