"""Extraction that can be killed: pages are read in a process of its own, within limits of time and memory.

A subprocess and not multiprocessing, because a Celery prefork child may not start the latter's children. It lives on between
pages, so that its libraries are loaded once, and is started again after it had to be killed.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import IO, Any, Self, cast

from pipeline.crawl.pages import ExtractionFailure, Page
from pipeline.errors import Unavailable

_PIECE = 1 << 16


class Extractor:
    """Reads pages, one at a time: `with Extractor() as extractor: extractor.extract(body, url, headers)`.

    `seconds` and `memory` (bytes of address space) bound a page; `start_seconds` bounds the start of the process;
    `pages` is how many it reads before a fresh one takes over, so that no library's cache grows for ever.
    """

    def __init__(
        self,
        *,
        seconds: float = 10.0,
        memory: int = 1_500_000_000,
        start_seconds: float = 60.0,
        pages: int = 5_000,
        agent: str = "wirecopy",
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._start_seconds = start_seconds
        self._pages = pages
        self._agent = agent
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._served = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """The extractor; its process starts with the first page."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the process."""
        self.close()

    @property
    def pid(self) -> int | None:
        """The process's id, or None where none runs."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Ends the process, if one runs; the next page would start another."""
        with self._lock:
            self._stop()

    def extract(self, body: bytes, url: str = "", headers: Iterable[tuple[str, str]] = ()) -> Page | ExtractionFailure:
        """The page in `body`, or why it could not be read.

        Raises Unavailable where the process cannot be started at all: that is no page's fault.
        """
        request = json.dumps({"url": url, "headers": list(headers), "agent": self._agent}).encode()
        with self._lock:
            process = self._start()
            try:
                answer = _exchange(process, _frame(request) + _frame(body), time.monotonic() + self._seconds)
            except TimeoutError:
                self._stop()
                return ExtractionFailure("timeout", f"it takes longer than {self._seconds:g} s to read")
            except EOFError:
                return self._bury(process)
            except BaseException:
                self._stop()  # an interrupt in the middle of a page: the next answer would be this one's
                raise
            self._served += 1
            if "failure" in answer or self._served >= self._pages:
                self._stop()
        if "failure" in answer:
            return ExtractionFailure(answer["failure"], answer["message"])
        return Page.from_json(answer["page"])

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        # Threads of the linear algebra behind the language guess would each reserve memory that counts against the limit.
        quiet = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = process = subprocess.Popen(  # noqa: S603 - our own interpreter and numbers of ours
            # The alarm inside the process is for a parent that has died; a living one is quicker.
            [sys.executable, "-m", "pipeline.crawl.extraction_process", str(self._memory), str(self._seconds + 5)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **quiet},
        )
        self._served = 0
        try:
            _exchange(process, b"", time.monotonic() + self._start_seconds)
        except (TimeoutError, EOFError) as error:
            said = self._last_words()
            self._stop()
            raise Unavailable(
                f"The process that reads pages did not start: {said or 'it took too long'}. Try it by hand: "
                f"{sys.executable} -m pipeline.crawl.extraction_process {self._memory} 10 </dev/null"
            ) from error
        except BaseException:
            self._stop()
            raise
        return process

    def _bury(self, process: subprocess.Popen[bytes]) -> ExtractionFailure:
        """What a process that ended over a page died of."""
        try:
            status = process.wait(5)
        except subprocess.TimeoutExpired:
            status = 0
        said = self._last_words()
        self._stop()
        if status == -9 or "memory" in said.lower():
            return ExtractionFailure("memory", "its process was killed, most likely for want of memory")
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return ExtractionFailure("crash", f"its process ended {how}{': ' if said else ''}{said}")

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 300))
        return " ".join(self._errors.read().decode("utf-8", "replace").split())

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)
        if self._errors is not None:
            self._errors.close()
            self._errors = None


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


def _exchange(process: subprocess.Popen[bytes], request: bytes, deadline: float) -> dict[str, Any]:
    """The answer to a request; raises TimeoutError at the deadline and EOFError where the process ends."""
    inlet, outlet = cast("IO[bytes]", process.stdin).fileno(), cast("IO[bytes]", process.stdout).fileno()
    os.set_blocking(inlet, False)
    # poll and not select, which knows no file descriptor above 1,023: a fetch worker has more.
    poller = select.poll()
    poller.register(outlet, select.POLLIN)
    if request:
        poller.register(inlet, select.POLLOUT)
    waiting, came = memoryview(request), bytearray()
    while len(came) < 4 or len(came) < 4 + int.from_bytes(came[:4]):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        ready = {descriptor for descriptor, _ in poller.poll(left * 1000)}
        if outlet in ready:
            piece = os.read(outlet, _PIECE)
            if not piece:
                raise EOFError
            came += piece
        if inlet in ready:
            try:
                waiting = waiting[os.write(inlet, waiting[:_PIECE]) :]
            except BrokenPipeError as error:
                raise EOFError from error
            if not waiting:
                poller.unregister(inlet)
    answer: dict[str, Any] = json.loads(bytes(came[4:]))
    return answer
