"""What a stage gives back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.store.tables import Stage


@dataclass(frozen=True, slots=True)
class Bell:
    """A piece of work that is due. FETCH has no subject: whichever hosts are due are visited."""

    stage: Stage
    subject_id: int = 0
    more: tuple[int, ...] = ()
    """Other pieces of work at the same stage, rung for in one message."""

    @property
    def subjects(self) -> tuple[int, ...]:
        """Every piece of work that it rings for."""
        return (self.subject_id, *self.more)


def gather(bells: Sequence[Bell], most: int) -> list[Bell]:
    """The same work in fewer bells: of one stage up to `most` pieces in one, in their order."""
    subjects: dict[Stage, list[int]] = {}
    for bell in bells:
        subjects.setdefault(bell.stage, []).extend(bell.subjects)
    return [
        Bell(stage, ids[start], tuple(ids[start + 1 : start + most]))
        for stage, ids in subjects.items()
        for start in range(0, len(ids), most)
    ]


Ring = Callable[[Bell], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: a word or two, the ids concerned, and the bells to ring after the commit."""

    state: str
    ids: tuple[int, ...] = ()
    next: tuple[Bell, ...] = ()
