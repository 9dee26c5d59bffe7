"""Servers of a bench's own: PostgreSQL with the tables made, and Valkey, out of the wheels."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.embedded import Servers, attach_or_start
from pipeline.store import schema
from pipeline.store.engine import SessionFactory, connect, sessions


@contextmanager
def serving() -> Iterator[tuple[Servers, SessionFactory]]:
    """The servers and a factory of sessions, while they run; in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="wirecopy-bench-") as folder,
        attach_or_start(Path(folder), database_url=None, redis_url=None) as servers,
    ):
        engine = connect(servers.database_url)
        try:
            schema.upgrade(engine)
            yield servers, sessions(engine)
        finally:
            engine.dispose()
