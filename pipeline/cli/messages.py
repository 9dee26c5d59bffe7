"""Messages for the person at the terminal; stderr, for stdout carries data only."""

import sys

from rich.console import Console

ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """One plain line to stderr."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - this is where lines to stderr are written
