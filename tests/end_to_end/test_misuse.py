"""What a newcomer gets wrong, and what becomes of it: one message, the right exit code, nothing lost, nothing left running."""

import subprocess
import sys
from pathlib import Path

from loopback import serving
from running import environment, processes_on, run

TEXT = "Ferry stranded, all safe\n\nA ferry ran aground on Friday, the coastguard said. Nobody was hurt.\n"


def test_recover_goes_on_without_a_bad_copy_and_spares_the_copies(tmp_path: Path) -> None:
    """A copy that holds nothing is left out (exit 4); -o never writes over a copy; ASCII output breaks nothing."""
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text(TEXT.replace("Friday", "Friday–Zoë"), "utf-8")
    bad.write_bytes(b"%PDF-1.7")
    result = run(tmp_path, "recover", "good.txt", "bad.txt", PYTHONIOENCODING="ascii")
    assert result.returncode == 4
    assert "Left out: bad.txt: it is a PDF" in result.stderr
    assert "Friday\\u2013Zo\\xeb" in result.stdout
    before = good.read_bytes()
    over = run(tmp_path, "recover", "good.txt", "-o", str(good))
    assert (over.returncode, over.stdout, good.read_bytes()) == (2, "", before)
    assert "one of the copies" in over.stderr


def test_a_full_disk_behind_stdout_is_told(tmp_path: Path) -> None:
    """Output that cannot be written ends with a message and exit 1, not with a traceback."""
    (tmp_path / "copy.txt").write_text(TEXT, "utf-8")
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "workers.console", "recover", "copy.txt"]
        result = subprocess.run(
            words,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(tmp_path),
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == "Error: Cannot write the output: No space left on device."


def test_up_without_its_redis_is_no_up(tmp_path: Path) -> None:
    """Where the Redis that is named does not answer, `up` says so instead of being up with workers that hear nothing."""
    result = run(tmp_path, "up", WIRECOPY_REDIS_URL="redis://:secret@127.0.0.1:1/0")
    assert (result.returncode, result.stdout) == (5, "")
    assert "redis://:***@127.0.0.1:1/0: Connection refused" in result.stderr
    assert "is up" not in result.stderr
    assert processes_on(tmp_path) == []


def test_waiting_for_pages_that_are_gone_is_no_success(tmp_path: Path) -> None:
    """`add --wait` ends as `jobs watch` does: 1 where no URL gave a text, and it says where to read why."""
    with serving() as (site,):
        result = run(tmp_path, "add", "--wait", site.url("/gone"))
    assert result.returncode == 1
    assert "1 of 1 URLs gave no text: `wirecopy jobs show 1` says why." in result.stderr
