"""The private servers in ordinary use: real PostgreSQL and Valkey out of the wheels."""

import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
import redis
import sqlalchemy
from embedded_command import command, find_left_over, query
from kombu import Connection

from pipeline.embedded import Servers, attach_or_start, exclusive, running
from pipeline.embedded.holding import find_processes
from pipeline.errors import Misuse, Unavailable

NO_URLS = {"database_url": None, "redis_url": None}


def socket_folder(servers: Servers) -> Path:
    return Path(servers.database_url.partition("?host=")[2])


def test_both_servers_answer_and_end_with_the_context(tmp_path, monkeypatch):
    """SQLAlchemy, redis-py and Celery's transport take the addresses, whatever PG* says; nothing is left at the end."""
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.delenv("HOME", raising=False)
    data_dir = tmp_path / "a folder with blanks" / ("long " * 40).strip() / "data"
    said: list[str] = []
    with attach_or_start(data_dir, **NO_URLS, say=said.append) as servers:
        assert servers.owned
        engine = sqlalchemy.create_engine(servers.database_url)
        with engine.connect() as connection:
            rows = connection.execute(
                sqlalchemy.text(
                    "SELECT current_database(), current_setting('server_encoding'), lower('ÄÖÜ'), 'a' < 'B',"
                    " current_setting('fsync'), current_setting('synchronous_commit'), current_setting('listen_addresses')"
                )
            )
            assert rows.one() == ("wirecopy", "UTF8", "äöü", False, "on", "on", "")
        engine.dispose()
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("append*sync") == {"appendfsync": "everysec"}
        with Connection(servers.redis_url) as broker:
            assert broker.default_channel.client.ping()
        assert [line.split(":")[0] for line in said] == ["starting PostgreSQL", "starting Valkey"]
        assert socket_folder(servers).stat().st_mode & 0o777 == 0o700
        assert data_dir.stat().st_mode & 0o777 == 0o700
    assert find_left_over(data_dir) == []
    assert not socket_folder(servers).exists()


def test_no_server_listens_to_other_machines(tmp_path):
    """PostgreSQL has no network address, and Valkey only the loopback's, with a password."""
    with attach_or_start(tmp_path, **NO_URLS) as servers:
        listening = []
        for process in find_processes(tmp_path):
            with suppress(psutil.NoSuchProcess):  # PostgreSQL's short-lived helpers come and go
                listening += [each.laddr.ip for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1"]
        password = servers.redis_url.split("@")[0].rpartition(":")[2]
        with (
            redis.Redis.from_url(servers.redis_url.replace(password, "x" * 32)) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()


def test_a_clean_restart_keeps_rows_and_keys(tmp_path):
    """What was stored is there at the next start, which makes no new database."""
    with attach_or_start(tmp_path, **NO_URLS) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS number")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("key", "value")
    said: list[str] = []
    with attach_or_start(tmp_path, **NO_URLS, say=said.append) as servers:
        assert query(servers.database_url, "SELECT number FROM kept") == [(42,)]
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("key") == b"value"
    assert said == ["starting PostgreSQL", "starting Valkey"]


def test_a_private_server_is_started_only_for_the_url_that_is_missing(tmp_path):
    """Each URL may be given alone, and is handed on untouched."""
    with attach_or_start(tmp_path, database_url="postgresql+psycopg://db.invalid/x", redis_url=None) as servers:
        assert servers.database_url == "postgresql+psycopg://db.invalid/x"
        assert [process.name() for process in find_processes(tmp_path)] == ["valkey-server"]
    elsewhere = tmp_path / "untouched"
    with attach_or_start(elsewhere, database_url="postgresql+psycopg://a/b", redis_url="redis://c/0") as servers:
        assert servers == Servers("postgresql+psycopg://a/b", "redis://c/0", owned=False)
    assert not elsewhere.exists()


def test_commands_started_together_share_the_servers(tmp_path):
    """Of two commands one starts the servers and both use them; they live until the last has ended, whichever it is."""
    with command(tmp_path) as first, command(tmp_path) as second:
        found = {id(each): each.read() for each in (first, second)}
        assert found[id(first)]["database_url"] == found[id(second)]["database_url"]
        assert found[id(first)]["redis_url"] == found[id(second)]["redis_url"]
        starter, other = sorted((first, second), key=lambda each: not found[id(each)]["owned"])
        assert found[id(starter)]["owned"]
        starter.end()
        assert query(found[id(other)]["database_url"], "SELECT 1") == [(1,)]
        assert len({process.name() for process in find_processes(tmp_path)}) == 2
        other.end()
        assert find_left_over(tmp_path) == []


def test_commands_attach_to_a_running_up(tmp_path):
    """running() tells the servers of `up` and nothing else; a command on the same folder uses them."""
    assert running(tmp_path / "never made") is None
    with command(tmp_path, up=True) as up:
        facts = up.read()
        expected = Servers(facts["database_url"], facts["redis_url"], owned=False)
        assert running(tmp_path) == expected
        with attach_or_start(tmp_path, **NO_URLS) as servers:
            assert servers == expected
        assert query(facts["database_url"], "SELECT 1") == [(1,)]
        up.end()
    assert running(tmp_path) is None
    with attach_or_start(tmp_path, **NO_URLS):
        assert running(tmp_path) is None


def test_commands_take_over_the_urls_that_up_was_given(tmp_path):
    """An `up` on servers of its own choice and the commands beside it look at one database."""
    given = Servers("postgresql+psycopg://a/b", "redis://c/0", owned=False)
    with exclusive(tmp_path, database_url=given.database_url, redis_url=given.redis_url):
        assert running(tmp_path) == given
        with attach_or_start(tmp_path, **NO_URLS) as servers:
            assert servers == given
        with attach_or_start(tmp_path, database_url="postgresql+psycopg://mine/x", redis_url=None) as servers:
            assert servers.database_url == "postgresql+psycopg://mine/x"
    assert running(tmp_path) is None


def test_a_second_up_is_refused_with_the_process_of_the_first(tmp_path):
    """The lock of `up` goes with its process, even after kill -9."""
    with command(tmp_path, up=True, database_url="postgresql+psycopg://a/b", redis_url="redis://c/0") as up:
        up.read()
        with pytest.raises(Misuse, match=rf"process {up.process.pid}\).*--data-dir"), exclusive(tmp_path):
            pass
        up.signal(9)
    with exclusive(tmp_path):
        assert running(tmp_path) is None


def test_programs_on_the_path_serve_where_the_wheel_is_not_used(tmp_path):
    """PostgreSQL from the PATH works as the wheel's does."""
    if not shutil.which("initdb"):
        pytest.skip("no PostgreSQL on the PATH")
    with attach_or_start(tmp_path, database_url=None, redis_url="redis://c/0", wheels=False) as servers:
        assert query(servers.database_url, "SELECT lower('Ä'), current_database()") == [("ä", "wirecopy")]


@pytest.mark.parametrize("given", ["database_url", "redis_url"])
def test_missing_programs_are_named_with_what_to_install(tmp_path, monkeypatch, given):
    """Without wheels and PATH the error says which server is missing and the three ways to have it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    name, setting = {"database_url": ("Valkey", "WIRECOPY_REDIS_URL"), "redis_url": ("PostgreSQL", "WIRECOPY_DATABASE_URL")}[
        given
    ]
    urls = {**NO_URLS, given: "given://"}
    with (
        pytest.raises(Unavailable, match=rf"{name} was not found.*wirecopy\[embedded\].*PATH.*{setting}"),
        attach_or_start(tmp_path, **urls, wheels=False),
    ):
        pass


def test_a_forked_child_leaves_the_servers_to_its_parent(tmp_path):
    """A child that ends its copy of the context stops nothing; the parent, ending its own, stops all."""
    with ExitStack() as stack:
        servers = stack.enter_context(attach_or_start(tmp_path, database_url="given://", redis_url=None))
        child = os.fork()
        if child == 0:
            stack.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with attach_or_start(tmp_path, database_url="given://", redis_url=None) as joined:
            assert joined == Servers("given://", servers.redis_url, owned=False)
    assert find_left_over(tmp_path) == []
