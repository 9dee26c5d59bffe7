"""The process that starts one server, keeps it going, and stops it when nobody uses it any more.

Run as a script, in a session of its own, with one argument: a Plan as JSON. Standard library only, so that
`python -I -S` has it going in some 30 ms. What it prints goes to the server's log. It ends when its server has
ended for good, and with it the lock descriptor that both inherited.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn, TypedDict

NOBODY_LEFT = signal.SIGUSR1  # the waiting thread's message to the main thread
WATCHED = (signal.SIGCHLD, signal.SIGALRM, NOBODY_LEFT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SETTLED = 5.0  # seconds: a server that lived longer had started
AGAIN_AFTER = 0.3  # seconds before a server is started again
KILLED_AT_MOST = 5  # times that a server may be killed within SETTLED of its start

# linux/sched.h, linux/prctl.h, linux/capability.h
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 36, 47, 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


class Plan(TypedDict):
    """What to run and how to end it; all paths absolute."""

    folder: str  # the server's own folder, where the server runs
    holders: str  # the lock file of which every user of the server holds a share
    runtime: str | None  # a folder for sockets, removed at the end
    make: list[str] | None  # a program that makes the data in the folder `making` …
    making: str  # … which is renamed …
    made: str  # … to this one when the program has succeeded, so that nothing half made has its name
    serve: list[str]
    stop: list[int]  # signals that end the server, the gentlest first; SIGKILL comes after them
    patience: int  # seconds that each of them is given
    tries: int  # starts that may fail before the keeper gives up
    refuses_root: bool  # whether the server will not run as root
    run_as: list[int] | None  # uid and gid of the data folder's owner, where root works on the folder of another user
    namespaces: bool  # whether a user namespace may be used


def account() -> pwd.struct_passwd | None:
    """An account that exists and is not root's: nobody, else the first. PostgreSQL wants its user to have a name."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)


def is_named(uid: int) -> bool:
    """Whether the user has an account; in containers it may have none."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def enter_namespace(inside: pwd.struct_passwd) -> bool:
    """Whether this process now is `inside` in its own eyes, and itself still to files (user_namespaces(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if sys.platform != "linux" or libc.unshare(CLONE_NEWUSER) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {gid} 1")
    except OSError:
        return False
    return os.geteuid() == inside.pw_uid


def may_enter_namespace(inside: pwd.struct_passwd) -> bool:
    """Whether the system allows enter_namespace, tried in a child because there is no way back."""
    child = os.fork()
    if child == 0:
        os._exit(0 if enter_namespace(inside) else 1)
    return os.waitpid(child, 0)[1] == 0


def become(uid: int, gid: int, needed: list[str]) -> None:
    """Turn this process of root's into another user's that can still reach the paths `needed`.

    Where the way to them is closed to that user (a home of mode 700), it keeps root's right to search folders
    (capabilities(7), as an ambient capability), so that no permission is changed and no program copied.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if sys.platform != "linux" or all(os.access(path, os.X_OK) for path in needed):
        return
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):  # a container may have kept the stronger one alone
        bit = 1 << capability
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then the upper halves
        if libc.capset(header, sets) == 0:
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_children() -> None:
    """Kill this process's children (Linux only).

    Called when the server is dead, so these are its orphans: a session of PostgreSQL in the middle of a long query does
    not notice, and keeps the old shared memory from the next server.
    """
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    for child in path.read_text().split() if path.exists() else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


class Identity:
    """Who the server runs as: this user, an account's name inside a namespace, or (from root) another user."""

    def __init__(self, plan: Plan) -> None:
        self.namespace: pwd.struct_passwd | None = None
        self.user: tuple[int, int] | None = None
        uid, other = os.geteuid(), account()
        if uid == 0 and plan["run_as"]:
            self.user = (plan["run_as"][0], plan["run_as"][1])
        elif plan["refuses_root"] and other and (uid == 0 or not is_named(uid)):
            if plan["namespaces"] and may_enter_namespace(other):
                self.namespace = other
            elif uid == 0:
                self.user = (other.pw_uid, other.pw_gid)

    def hand_over(self, paths: list[Path]) -> None:
        """Give the files under `paths` to the identity's user; only root has more than one user to choose from."""
        if os.geteuid() != 0:
            return
        uid, gid = self.user or (0, 0)
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                self.hand_over(list(path.iterdir()))
            if path.lstat().st_uid != uid:
                os.chown(path, uid, gid, follow_symlinks=False)

    def assume(self, needed: list[str]) -> None:
        """Make the calling process that identity, for good."""
        if self.namespace and not enter_namespace(self.namespace):
            raise PermissionError("the user namespace was refused")
        if self.user:
            become(*self.user, needed)


class Keeper:
    """One server from its first start to its end."""

    def __init__(self, plan: Plan, identity: Identity) -> None:
        self.plan = plan
        self.identity = identity
        self.child = 0  # process id; 0 while there is none
        self.started = 0.0
        self.failures = 0  # starts in a row that failed
        self.killed = 0  # times in a row that the server was killed soon after its start
        self.making = plan["make"] is not None
        self.ending: list[int] | None = None  # the signals still to be tried, once the end has begun

    def run(self) -> NoReturn:
        """Start the server and answer every signal until leave()."""
        self._start()
        threading.Thread(target=self._await_last_user, daemon=True).start()
        while True:
            # Blocked and waited for, not handled: no signal can fall between a look and a wait.
            number = signal.sigwait(WATCHED)
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGALRM:
                self._stop() if self.ending is not None else self._start()
            elif self.ending is None:
                self._end()

    def _await_last_user(self) -> None:
        descriptor = os.open(self.plan["holders"], os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # kept until the keeper ends: a new command waits for that
        os.kill(os.getpid(), NOBODY_LEFT)

    def _start(self) -> None:
        command = self.plan["make"] if self.making and self.plan["make"] else self.plan["serve"]
        parent = os.getpid()
        self.started = time.monotonic()
        self.child = os.fork()
        if self.child == 0:
            self._become_server(command, parent)

    def _become_server(self, command: list[str], parent: int) -> NoReturn:
        try:
            os.setpgid(0, 0)
            os.chdir(self.plan["folder"])
            self.identity.assume([command[0], self.plan["folder"]])
            if sys.platform == "linux":
                gentlest = signal.SIGTERM if self.making else self.plan["stop"][0]
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(gentlest), 0, 0, 0)
            # Python ignores the last two. With a handler in place, a signal just before exec would be lost.
            for number in (*WATCHED, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            if os.getppid() == parent:
                os.execv(command[0], command)  # noqa: S606 - a program by its path, no shell
        except BaseException as error:  # noqa: BLE001 - nothing of the keeper may go on in the child
            self._say(f"{command[0]} could not be started: {error}")
        os._exit(127)

    def _reap(self) -> None:
        ended: dict[int, int] = {}
        with contextlib.suppress(ChildProcessError):
            while (waited := os.waitpid(-1, os.WNOHANG))[0]:
                ended[waited[0]] = waited[1]
        if self.child not in ended:
            return
        code = os.waitstatus_to_exitcode(ended[self.child])
        self.child = 0
        kill_children()
        if self.ending is not None:
            self._leave(0)
        elif self.making:
            self._made(code)
        elif code == 0:
            self._leave(0)  # somebody else has stopped it
        else:
            self._again(code)

    def _made(self, code: int) -> None:
        if code != 0:
            self._leave(1)
        Path(self.plan["making"]).rename(self.plan["made"])
        self.making = False
        self._start()

    def _again(self, code: int) -> None:
        self._say(f"the server ended with {code}")
        if time.monotonic() - self.started > SETTLED:
            self.failures = self.killed = 0
        elif code > 0:
            self.failures += 1
        else:
            self.killed += 1
        if self.failures >= self.plan["tries"] or self.killed >= KILLED_AT_MOST:
            self._leave(1)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_AFTER)

    def _end(self) -> None:
        if not self.child:
            self._leave(0)
        # Each is sent every second, since a server that is only just starting may forget the first.
        signals = [int(signal.SIGTERM)] if self.making else self.plan["stop"]
        self.ending = [number for number in signals for _ in range(self.plan["patience"])]
        self._stop()

    def _stop(self) -> None:
        number = self.ending.pop(0) if self.ending else int(signal.SIGKILL)
        # What makes the data has children of its own; a server ends its own by itself, and in order.
        (os.killpg if self.making or number == signal.SIGKILL else os.kill)(self.child, number)
        signal.setitimer(signal.ITIMER_REAL, 1.0)

    def _leave(self, code: int) -> NoReturn:
        runtime = self.plan["runtime"]
        if runtime and Path(runtime).is_dir():
            for path in Path(runtime).iterdir():
                path.unlink()
            Path(runtime).rmdir()
        os._exit(code)  # the thread may still be waiting for the lock

    def _say(self, line: str) -> None:
        os.write(1, f"keeper {os.getpid()}: {line}\n".encode(errors="replace"))


def main(argument: str) -> NoReturn:
    """Keep the server that the plan in `argument` describes."""
    plan: Plan = json.loads(argument)
    for number in WATCHED:
        # Some systems drop a blocked signal that is ignored by default (SIGCHLD): give each a handler.
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    adopt_orphans()
    identity = Identity(plan)
    paths = [Path(path) for path in (plan["made"], plan["folder"], plan["runtime"]) if path and Path(path).exists()]
    if identity.user or any(path.stat().st_uid != os.geteuid() for path in paths):
        identity.hand_over(paths)
    Keeper(plan, identity).run()


if __name__ == "__main__":
    main(sys.argv[1])
