"""Locks between processes."""

import subprocess
import sys

from pipeline.embedded import lock

HOLD = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


def test_shares_exclude_a_sole_lock_until_the_last_is_given_up(tmp_path):
    """Any number may share; one alone may hold the sole lock."""
    path = tmp_path / "lock"
    first, second, third = (lock.open_lock(path) for _ in range(3))
    assert lock.take(first, lock.SHARED)
    assert lock.take(second, lock.SHARED)
    assert not lock.take(third, lock.SOLE)
    lock.release(first)
    assert not lock.take_within(third, lock.SOLE, 0.05)
    lock.release(second)
    assert lock.take_within(third, lock.SOLE, 0.05)
    assert not lock.is_free(path)
    lock.release(third)
    assert lock.is_free(path)


def test_a_lock_goes_with_its_process(tmp_path):
    """After kill -9 nothing has to be cleaned up."""
    path = tmp_path / "lock"
    path.touch()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        holder.stdout.readline()
        assert not lock.is_free(path)
        holder.kill()
    assert lock.is_free(path)
