"""What one fetch learns of its connection on the way, told by whoever is at it: httpcore passes nothing through."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Visit:
    """One fetch, from its call on."""

    connected: bool = False
    """True where a connection was opened for it, rather than one reused."""
    heard: bool = False
    """True once a byte of an answer has come."""
    address: str | None = None


current_visit: ContextVar[Visit] = ContextVar("current_visit")
"""The visit of the task that runs: httpcore has no other way to tell which request a connection is opened for."""
