"""The process that pages are read in: `python -m pipeline.crawl.extraction_process MEMORY_BYTES SECONDS`.

Frames go over standard input and output, each four bytes of length (big-endian) before what it holds. In: a JSON object
(url, headers, agent), then a frame with the body. Out: `{"ready": true}` once, then for each page `{"page": …}` or
`{"failure": kind, "message": …}`. It ends where its input or its parent does, and a page that outlasts SECONDS ends it even
if nobody is left to kill it.
"""

import contextlib
import json
import os
import resource
import select
import signal
import sys
from typing import Any, BinaryIO

_CHECK = 5.0


def main(memory: int, seconds: float) -> int:
    """0 at the end of the input; reads pages until then."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer: it closes our input
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not land between the frames.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    # Here, and not above, so that the limit holds for the libraries too and their import is paid once.
    from pipeline.crawl.extraction import read_page  # noqa: PLC0415

    read_page(b"<p>A first page, so that what is loaded late is loaded.</p>" * 5)
    with contextlib.suppress(ValueError, OSError):  # where the system knows no such limit, the time limit stands alone
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _write(answers, {"ready": True})
    while (head := _read(requests, parent)) is not None:
        body = _read(requests, parent)
        if body is None:
            break
        request = json.loads(head)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            headers = [(name, value) for name, value in request["headers"]]
            answer: dict[str, Any] = {"page": read_page(body, request["url"], headers, request["agent"]).to_json()}
        except MemoryError:
            answer = {"failure": "memory", "message": f"it needs more than {memory / 1e6:,.0f} MB"}
        except Exception as error:  # noqa: BLE001 - whatever a page breaks is told, and the next one is read
            answer = {"failure": "crash", "message": f"{type(error).__name__}: {error}"[:500]}
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(answers, answer)
        if answer.get("failure") == "memory":
            return 1  # what is left of a heap that ran full is not worth keeping
    return 0


def _read(stream: BinaryIO, parent: int) -> bytes | None:
    """The next frame, or None at the end."""
    # A pipe's other end may have been inherited by somebody who lives on: a parent that has changed has died.
    while not stream.peek(0) and not select.select([stream], [], [], _CHECK)[0]:  # type: ignore[attr-defined]
        if os.getppid() != parent:
            return None
    size = stream.read(4)
    if len(size) < 4:
        return None
    frame = stream.read(int.from_bytes(size))
    return frame if len(frame) == int.from_bytes(size) else None


def _write(stream: BinaryIO, answer: dict[str, Any]) -> None:
    frame = json.dumps(answer).encode()
    stream.write(len(frame).to_bytes(4) + frame)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
