"""Locks on files that vanish with the process that holds them, however it ends (flock).

A lock belongs to the open file, so a child that inherits the descriptor holds it too. Lock files are never removed: two
processes could otherwise hold locks on two files of one name.
"""

import fcntl
import os
import time
from pathlib import Path

SHARED = fcntl.LOCK_SH
SOLE = fcntl.LOCK_EX
PAUSE = 0.01  # seconds between two tries


def open_lock(path: Path) -> int:
    """The descriptor of the lock file at `path`, made if need be; nothing is locked yet. Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take(descriptor: int, mode: int) -> bool:
    """Whether the lock could be taken at once. A lock held before may be lost when it could not."""
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take_within(descriptor: int, mode: int, seconds: float) -> bool:
    """Whether the lock could be taken within so many seconds."""
    deadline = time.monotonic() + seconds
    while not take(descriptor, mode):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def release(descriptor: int) -> None:
    """Give the lock up for every process that shares this open file, and close it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_free(path: Path) -> bool:
    """Whether nobody holds the sole lock on `path`."""
    descriptor = open_lock(path)
    try:
        return take(descriptor, SHARED)
    finally:
        os.close(descriptor)
