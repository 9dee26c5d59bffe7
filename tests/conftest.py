"""Real servers for every test that needs one: a private PostgreSQL and Valkey a test process, out of the wheels."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from pipeline.embedded import Servers, attach_or_start
from pipeline.settings import Settings, load
from pipeline.store import schema
from pipeline.store.engine import SessionFactory, connect, sessions
from pipeline.store.tables import Table


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey, in a folder of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="wirecopy-test-") as folder,
        attach_or_start(Path(folder), database_url=None, redis_url=None) as found,
    ):
        yield found


@pytest.fixture(scope="session")
def database(servers: Servers) -> Iterator[Engine]:
    """The migrated database."""
    engine = connect(servers.database_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    """A session whose work is undone after the test."""
    with database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def factory(database: Engine) -> Iterator[SessionFactory]:
    """Sessions that commit; every table is emptied after the test."""
    yield sessions(database)
    with database.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in Table.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def settings(servers: Servers) -> Settings:
    """Settings for loopback: private servers, no pauses between requests."""
    flags = {
        "database_url": servers.database_url,
        "redis_url": servers.redis_url,
        "allow_private_addresses": True,
        "fetch_interval": 0.05,
        "settle": 0.0,
    }
    return load(flags, {}).settings
