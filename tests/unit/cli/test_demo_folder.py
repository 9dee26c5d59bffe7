"""Where the demo keeps its data, and what it says to type next."""

import shlex
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.cli.demo import _fresh_folder, program
from pipeline.embedded import exclusive


@pytest.fixture(autouse=True)
def _temporary_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))


def test_the_last_demos_data_is_emptied(tmp_path: Path) -> None:
    """A folder with what servers made is emptied and used again."""
    (tmp_path / "demo" / "postgres" / "data").mkdir(parents=True)
    with _fresh_folder(tmp_path / "demo") as folder:
        assert folder == tmp_path / "demo"
        assert {path.name for path in folder.iterdir()} == {"up.lock"}


def test_nothing_that_no_demo_made_is_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder named demo that holds somebody's files is left as it is, and a temporary one is taken."""
    (tmp_path / "demo" / "postgres").mkdir(parents=True)
    (tmp_path / "demo" / "thesis.txt").write_text("mine")
    with _fresh_folder(tmp_path / "demo") as folder:
        assert folder != tmp_path / "demo"
        assert {path.name for path in (tmp_path / "demo").iterdir()} == {"postgres", "thesis.txt"}
    assert "thesis.txt" in capsys.readouterr().err


def test_two_demos_at_once_keep_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second demo takes a folder of its own and spares the first one's data, as it does those of an `up` there."""
    with _fresh_folder(tmp_path / "demo") as first:
        (first / "postgres").mkdir()
        with _fresh_folder(tmp_path / "demo") as second:
            assert second != first
            assert (first / "postgres").is_dir()
    with exclusive(tmp_path / "demo"), _fresh_folder(tmp_path / "demo") as third:
        assert third != first
        assert (first / "postgres").is_dir()
    assert capsys.readouterr().err.count("keeps its data in") == 2


def test_the_program_is_named_as_it_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wirecopy` where PATH finds this very one; else the way to it, shortest from where the user stands, quoted."""
    (tmp_path / "wire copy" / "bin").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for folder in ("wire copy/bin", "elsewhere"):
        (tmp_path / folder / "wirecopy").write_text("#!/bin/sh\n")
        (tmp_path / folder / "wirecopy").chmod(0o700)
    own = tmp_path / "wire copy" / "bin" / "wirecopy"
    monkeypatch.setattr(sys, "executable", str(own.with_name("python")))
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert shlex.split(program()) == [str(own)]
    monkeypatch.chdir(tmp_path / "wire copy")
    assert program() == "bin/wirecopy"
    monkeypatch.setenv("PATH", str(own.parent))
    assert program() == "wirecopy"
