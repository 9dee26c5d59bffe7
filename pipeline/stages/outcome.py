"""What a stage gives back."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.store.tables import Stage


@dataclass(frozen=True, slots=True)
class Bell:
    """A piece of work that is due. FETCH has no subject: whichever hosts are due are visited."""

    stage: Stage
    subject_id: int = 0


Ring = Callable[[Bell], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: a word or two, the ids concerned, and the bells to ring after the commit."""

    state: str
    ids: tuple[int, ...] = ()
    next: tuple[Bell, ...] = ()
