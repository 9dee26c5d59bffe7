"""The private servers under each kind of user."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from embedded_command import as_nobody, command, find_left_over, query

from pipeline.embedded import attach_or_start
from pipeline.embedded.holding import find_processes
from pipeline.embedded.keeper import account, may_enter_namespace
from pipeline.embedded.postgres import find_programs

NOBODY = 65534
NO_URLS = {"database_url": None, "redis_url": None}
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def nobody() -> list[str]:
    prefix = as_nobody()
    if not prefix:
        pytest.skip("setpriv does not work here")
    return prefix


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder that every user can reach, unlike tmp_path."""
    parent = Path(tempfile.mkdtemp(dir="/tmp"))
    parent.chmod(0o755)
    (parent / "data").mkdir(mode=0o700)
    yield parent / "data"
    shutil.rmtree(parent)


def is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def runners(data_dir: Path) -> set[int]:
    """The users that the processes of this folder run as; one that ends while they are counted has none."""
    found = set()
    for process in find_processes(data_dir):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.add(process.uids().effective)
    return found


@only_root
def test_an_ordinary_user_without_home_is_served(data_dir, nobody):
    """Servers and files are that user's alone."""
    os.chown(data_dir, NOBODY, NOBODY)
    with command(data_dir, prefix=nobody, env={"PATH": os.environ["PATH"]}) as started:
        answer = started.read()
        assert query(answer["database_url"], "SELECT 1") == [(1,)]
        assert runners(data_dir) == {NOBODY}
        started.end()
    assert owners(data_dir) == {NOBODY}
    assert find_left_over(data_dir) == []


@only_root
def test_a_user_without_an_account_is_served(data_dir, nobody):
    """Containers run with numbers that no account has, which initdb alone does not take."""
    if not may_enter_namespace(account()) or not is_open_to_all(find_programs(wheel=True)):
        pytest.skip("user namespaces are forbidden here, or the programs lie in a closed folder")
    os.chown(data_dir, 54321, 54321)
    prefix = [word.replace(str(NOBODY), "54321") for word in nobody]
    with command(data_dir, prefix=prefix) as started:
        assert query(started.read()["database_url"], "SELECT 1") == [(1,)]
        started.end()
    assert owners(data_dir) == {54321}


@only_root
def test_root_works_on_the_folder_of_another_user_as_that_user(data_dir, nobody):
    """Whatever root makes there is the owner's, so that the owner can go on with it."""
    os.chown(data_dir, NOBODY, NOBODY)
    with command(data_dir, up=True) as started:
        query(started.read()["database_url"], "CREATE TABLE kept AS SELECT 42 AS number")
        assert runners(data_dir) == {NOBODY}
        started.end()
    assert owners(data_dir) == {NOBODY}
    with command(data_dir, prefix=nobody, up=True) as started:
        assert query(started.read()["database_url"], "SELECT number FROM kept") == [(42,)]
        started.end()


@only_root
def test_root_is_served_where_user_namespaces_are_forbidden(tmp_path):
    """PostgreSQL runs as nobody, in a folder that nobody cannot reach by itself; the way back to a namespace is open."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"
    with attach_or_start(data_dir, database_url=None, redis_url="given://", namespaces=False) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS number")
        assert runners(data_dir) == {NOBODY}
    assert closed.stat().st_mode & 0o777 == 0o700
    with attach_or_start(data_dir, database_url=None, redis_url="given://") as servers:
        assert query(servers.database_url, "SELECT number FROM kept") == [(42,)]
    assert find_left_over(data_dir) == []
