"""What the console script hands to the faces, so that they need not know of Celery."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.settings import Settings

if TYPE_CHECKING:  # every command is wired, and not every one needs the store's tables
    from pipeline.stages.outcome import Ring


class Fleet(Protocol):
    """Worker processes and beat, watched over while their context is open."""

    def check(self) -> None:
        """Start again what has ended by itself; raise WirecopyError where it keeps ending."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The processes that the faces can start, and the bell. The settings handed in name the servers in use."""

    ring: Callable[[Settings], Ring]
    """A bell on the settings' Redis. It never raises: a bell that is lost is found by the sweep."""
    fleet: Callable[[Settings], AbstractContextManager[Fleet]]
    """Fetch workers, dedupe workers and beat as child processes; stopped cleanly when the context ends."""
    worker: Callable[[Settings, str], None]
    """One Celery worker on the queue `fetch` or `dedupe`, in this process, until it is told to stop."""
    beat: Callable[[Settings], None]
    """The beat, in this process, until it is told to stop."""
