"""The private servers under kill -9, interrupts and data folders that cannot be used."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from embedded_command import as_nobody, command, find_left_over, query, wait_until

from pipeline.embedded import attach_or_start
from pipeline.embedded.holding import find_processes
from pipeline.errors import Misuse, Unavailable

NO_URLS = {"database_url": None, "redis_url": None}
ONLY_POSTGRES = {"database_url": None, "redis_url": "given://"}
ONLY_VALKEY = {"database_url": "given://", "redis_url": None}


def find_postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0]))


def find_keeper(folder: Path) -> psutil.Process:
    return psutil.Process(int(json.loads((folder / "server.json").read_text())["keeper"]))


def has_rows(url: str, rows: list[tuple[int]]) -> bool:
    try:
        return query(url, "SELECT number FROM kept") == rows
    except psycopg.OperationalError:
        return False


def test_a_postgres_that_is_killed_comes_back_at_the_same_address(tmp_path):
    """Its users find every committed row again and need only connect, though one was in the middle of a long query."""
    with (
        attach_or_start(tmp_path, **ONLY_POSTGRES) as servers,
        contextlib.closing(psycopg.connect(servers.database_url.replace("+psycopg", ""))) as busy,
    ):
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS number")
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
        killed = find_postmaster(tmp_path)
        killed.kill()
        wait_until(lambda: not killed.is_running())
        wait_until(lambda: has_rows(servers.database_url, [(42,)]))
        assert find_postmaster(tmp_path) != killed
    assert find_left_over(tmp_path) == []


def test_a_valkey_that_is_killed_comes_back_at_the_same_address(tmp_path):
    """Its users need not look the address up again."""
    with attach_or_start(tmp_path, **ONLY_VALKEY) as servers:
        [killed] = find_processes(tmp_path)
        killed.kill()
        wait_until(lambda: find_processes(tmp_path) not in ([], [killed]))
        with attach_or_start(tmp_path, **ONLY_VALKEY) as joined, redis.Redis.from_url(servers.redis_url) as client:
            assert joined.redis_url == servers.redis_url
            assert client.ping()


def test_the_death_of_the_only_command_ends_the_servers(tmp_path):
    """After kill -9 of the command that started them they stop in order; the next start has the committed row."""
    with command(tmp_path) as started:
        url = started.read()["database_url"]
        query(url, "CREATE TABLE kept AS SELECT 42 AS number")
        started.signal(signal.SIGKILL)
    wait_until(lambda: find_left_over(tmp_path) == [])
    assert "database system is shut down" in (tmp_path / "logs/postgres.log").read_text()
    with attach_or_start(tmp_path, **ONLY_POSTGRES) as servers:
        assert query(servers.database_url, "SELECT number FROM kept") == [(42,)]


def test_a_command_started_at_once_after_kill_of_everything_finds_every_row(tmp_path):
    """Command, keeper and server killed together: stale pid file, socket and shared memory do not hinder the next start."""
    with command(tmp_path) as started:
        url = started.read()["database_url"]
        query(url, "CREATE TABLE kept AS SELECT 42 AS number")
        victims = [find_keeper(tmp_path / "postgres"), find_keeper(tmp_path / "valkey"), *find_processes(tmp_path)]
        for victim in (started.process, *victims):
            with contextlib.suppress(psutil.NoSuchProcess):  # PostgreSQL's helpers go by themselves when it is dead
                victim.kill()
        with attach_or_start(tmp_path, **NO_URLS) as servers:
            assert query(servers.database_url, "SELECT number FROM kept") == [(42,)]
            assert not Path(url.partition("?host=")[2]).exists()
    assert find_left_over(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_server_ends_with_its_keeper_and_the_next_command_starts_another(tmp_path):
    """A killed keeper takes its server along, in order; a command that comes then is served."""
    with attach_or_start(tmp_path, **ONLY_VALKEY) as servers:
        [server] = find_processes(tmp_path)
        keeper = find_keeper(tmp_path / "valkey")
        keeper.kill()
        wait_until(lambda: not keeper.is_running())
        with attach_or_start(tmp_path, **ONLY_VALKEY) as joined:
            assert joined.owned
            assert joined.redis_url != servers.redis_url
            assert server not in find_processes(tmp_path)
    assert find_left_over(tmp_path) == []


def test_a_pid_file_whose_number_belongs_to_another_program_is_no_hindrance(tmp_path):
    """After a reboot the number in postmaster.pid may be anybody's; PostgreSQL alone would refuse to start."""
    with attach_or_start(tmp_path, **ONLY_POSTGRES) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS number")
        facts = (tmp_path / "postgres/data/postmaster.pid").read_text().split("\n")
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "postgres/data/postmaster.pid").write_text("\n".join([str(bystander.pid), *facts[1:]]))
    with attach_or_start(tmp_path, **ONLY_POSTGRES) as servers:
        assert query(servers.database_url, "SELECT number FROM kept") == [(42,)]
        assert bystander.poll() is None
    bystander.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupt_during_initdb_leaves_nothing(tmp_path, number):
    """No process, no half made database, no socket folder; the next start is a first start."""
    sockets = tmp_path / "s"
    sockets.mkdir()
    data_dir = tmp_path / "data"
    env = {**os.environ, "TMPDIR": str(sockets)}
    with command(data_dir, env=env) as started:
        wait_until((data_dir / "postgres/making/PG_VERSION").exists)
        started.signal(number)
    wait_until(lambda: find_left_over(data_dir) == [])
    assert list(sockets.iterdir()) == []
    assert not (data_dir / "postgres/data").exists()
    said: list[str] = []
    with attach_or_start(data_dir, **ONLY_POSTGRES, say=said.append) as servers:
        assert query(servers.database_url, "SELECT 1") == [(1,)]
        assert "making the database" in said[0]
        assert not (data_dir / "postgres/making").exists()


def test_a_folder_of_another_postgres_is_left_as_it_is(tmp_path):
    """The message names both versions and the way out; the other server and the folder are untouched."""
    data = tmp_path / "postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    with (
        pytest.raises(Misuse, match=r"made by PostgreSQL 15, and this is PostgreSQL \d\d\..*pg_dump.*--data-dir"),
        attach_or_start(tmp_path, **NO_URLS),
    ):
        pass
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]
    assert find_left_over(tmp_path) == []


def test_a_folder_with_something_else_in_it_is_left_as_it_is(tmp_path):
    """What is no PostgreSQL data is neither overwritten nor removed."""
    (tmp_path / "postgres/data").mkdir(parents=True)
    (tmp_path / "postgres/data/thesis.txt").write_text("years of work")
    with pytest.raises(Misuse, match=r"PG_VERSION is missing.*move it away"), attach_or_start(tmp_path, **ONLY_POSTGRES):
        pass
    assert (tmp_path / "postgres/data/thesis.txt").read_text() == "years of work"


def test_a_file_for_a_data_folder_is_misuse(tmp_path):
    """A path that is or passes through a file is named, with what to do."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(Misuse, match=r"cannot be a data folder.*--data-dir"), attach_or_start(path, **NO_URLS):
            pass


def test_a_read_only_data_folder_is_misuse(tmp_path):
    """The message says that it cannot be written and what to do; exit code 2."""
    prefix = as_nobody()
    if os.geteuid() == 0 and not prefix:
        pytest.skip("root writes everywhere, and setpriv does not work here")
    tmp_path.chmod(0o555)
    for options in ({}, {"up": True}):
        with command(tmp_path, prefix=prefix, **options) as refused:
            answer = refused.read()
            assert answer["error"] == "Misuse"
            assert "cannot be written" in answer["message"]
            assert "--data-dir" in answer["message"]
            assert refused.process.wait(30) == 2
    tmp_path.chmod(0o755)


def test_a_server_that_does_not_start_is_explained_with_its_log(tmp_path):
    """Damaged files of Valkey: the error quotes its last words, and PostgreSQL started beside it is stopped."""
    with attach_or_start(tmp_path, **ONLY_VALKEY):
        pass
    for path in (tmp_path / "valkey/appendonlydir").glob("*.manifest"):
        path.write_text("nonsense\n")
    with pytest.raises(Unavailable, match=r"Valkey did not start: .*valkey\.log"), attach_or_start(tmp_path, **NO_URLS):
        pass
    assert find_left_over(tmp_path) == []


def test_a_postgres_started_by_hand_on_the_folder_is_not_disturbed(tmp_path):
    """Two servers on one folder would destroy it: the other is named, and goes on."""
    with attach_or_start(tmp_path, **ONLY_POSTGRES):
        pass
    # a program that is called postgres and works in the folder, as a server there does
    copy = tmp_path / "postgres-by-hand"
    shutil.copy(shutil.which("sleep"), copy)
    by_hand = subprocess.Popen([copy, "60"], cwd=tmp_path / "postgres/data")
    (tmp_path / "postgres/data/postmaster.pid").write_text(f"{by_hand.pid}\n")
    with (
        pytest.raises(Misuse, match=rf"process {by_hand.pid}\).*by other means"),
        attach_or_start(tmp_path, **ONLY_POSTGRES),
    ):
        pass
    assert by_hand.poll() is None
    by_hand.kill()
    by_hand.wait()
