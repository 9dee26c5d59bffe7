"""The console script `wirecopy`: wires faces, stages and processes, and turns errors into messages and exit codes."""

from __future__ import annotations

import signal

# A Ctrl-C while Python still imports ends it quietly; main() takes the signals over.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
from contextlib import AbstractContextManager
from types import FrameType
from typing import TYPE_CHECKING

from pipeline.cli.app import make_app
from pipeline.cli.messages import say
from pipeline.cli.wiring import Fleet, Wiring
from pipeline.errors import WirecopyError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.stages.outcome import Ring

TERMINATED = 143


def main() -> None:
    """Run the command line and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        make_app(Wiring(ring=_ring, fleet=_fleet, worker=_worker, beat=_beat))()
    except WirecopyError as error:
        say(f"Error: {error}")
        sys.exit(error.exit_code)


def _end(number: int, _frame: FrameType | None) -> None:
    """End by an exception, so that everything that was started is stopped; a second signal must not cut that short."""
    for every in (signal.SIGINT, signal.SIGTERM):
        signal.signal(every, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(TERMINATED)


# Celery takes a third of a second to import, which `wirecopy recover` and `story show` need not pay.


def _ring(settings: Settings) -> Ring:
    from workers.processes import ringer  # noqa: PLC0415

    return ringer(settings)


def _fleet(settings: Settings) -> AbstractContextManager[Fleet]:
    from workers.processes import fleet  # noqa: PLC0415

    return fleet(settings)


def _worker(settings: Settings, queue: str) -> None:
    from workers.processes import run_worker  # noqa: PLC0415

    run_worker(settings, queue)


def _beat(settings: Settings) -> None:
    from workers.processes import run_beat  # noqa: PLC0415

    run_beat(settings)


if __name__ == "__main__":
    main()
