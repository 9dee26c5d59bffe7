"""Who is at work: the names under which processes claim work, and whether the process of a name is still there.

A name tells machine and process apart from every other one: containers may share a host name, and each counts its
processes from 1; machines may share a name, too. Only about its own machine can a process say who is gone.
"""

import hashlib
import os
import socket
import uuid
from functools import cache
from pathlib import Path


def name(pid: int) -> str:
    """The name under which a process of this machine claims work."""
    return f"{_machine()}:{pid}"


def is_gone(worker: str) -> bool:
    """Whether the process of this name was one of this machine and has ended. A process id in use again says nothing."""
    machine, _, pid = worker.rpartition(":")
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _machine() -> str:
    """The host name with a mark of this boot of this machine (or its network card) and this space of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot, space = str(uuid.getnode()), ""
    return f"{socket.gethostname()}/{hashlib.sha256((boot + space).encode()).hexdigest()[:8]}"
