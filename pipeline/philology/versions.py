"""The versions of a story that an agency sent out, told by the figures and passages that witnesses hold or lack together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Block, Collation, State
from pipeline.philology.furniture import furniture_of
from pipeline.philology.tabulation import Numbering, tabulated
from pipeline.philology.tokens import Shape, fold, shape_of

# What fewer witnesses than these have together tells nothing of versions: one paper's cut, one page's slip.
LEAST_TOGETHER = 2
# Versions differ in a figure at least, and in so many marks (figures and passages) altogether.
LEAST_FIGURES = 1
LEAST_MARKS = 2
# Witnesses that differ at less than this share of the marks that both show follow one version.
SAME = 0.34
# A passage has this many words.
LEAST_PASSAGE = 8

_SPELLED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# "One" is a pronoun more often than a figure.
_FIGURES = {word: str(value) for value, word in enumerate(_SPELLED) if value != 1}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place at which versions differ: for every witness what it has there, or None where it has no say."""

    figure: bool
    shows: tuple[str | None, ...]


def versions_of(collation: Collation) -> list[list[int]]:
    """The witnesses of every version, the earliest version first; empty where all follow one.

    A version is earlier where its earliest witness was published earlier; undated ones go by their length.
    """
    marks = [mark for mark in (*figures_of(collation), *passages_of(collation)) if _divides(mark)]
    count = len(collation.sigla)
    if count < 2 * LEAST_TOGETHER or sum(mark.figure for mark in marks) < LEAST_FIGURES or len(marks) < LEAST_MARKS:
        return []
    groups = _kept(_grouped(marks, count), marks)
    if len(groups) < 2:
        return []
    for w in sorted(set(range(count)).difference(*groups)):
        best = min(range(len(groups)), key=lambda at: (_distance(marks, [w], groups[at]), -len(groups[at]), at))
        groups[best] = sorted([*groups[best], w])
    return sorted(groups, key=lambda group: (_first_published(collation, group), _length(collation, group), group))


def most_followed(groups: Sequence[Sequence[int]]) -> int:
    """The index of the version that most witnesses follow, the later one on a tie."""
    return max(range(len(groups)), key=lambda at: (len(groups[at]), at))


def figures_of(collation: Collation) -> list[Mark]:
    """The columns in which witnesses have a figure, by its value: how it is written does not matter."""
    values = Numbering()

    def number(text: str) -> int:
        value = _value(fold(text), shape_of(text))
        return -1 if value is None else values.of(value)

    table = tabulated(collation, number)
    names = values.names
    least = np.where(table < 0, len(names), table).min(axis=0, initial=len(names))
    differing = np.flatnonzero(table.max(axis=0, initial=-1) > least)
    return [
        Mark(True, tuple(names[value] if value >= 0 else None for value in table[:, column].tolist()))
        for column in differing.tolist()
    ]


def passages_of(collation: Collation) -> list[Mark]:
    """The passages that some hold and others, who go on behind them, lack; those worded like site furniture left out."""
    found: list[Mark] = []
    before: tuple[str | None, ...] = ()
    spoken = tabulated(collation, lambda text: -1 if shape_of(text) is Shape.PUNCTUATION else 0) >= 0
    words = np.pad(spoken.cumsum(axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    for block in collation.blocks:
        if State.MISSING not in block.states or not _telling(collation, block, words[:, block.last] - words[:, block.first]):
            continue
        shows = tuple(
            "lacks" if state == State.MISSING else "holds" if state in (State.PRESENT, State.MOVED) else None
            for state in block.states
        )
        if shows != before:
            found.append(Mark(False, shows))
        before = shows
    return found


def _telling(collation: Collation, block: Block, words: NDArray[np.int32]) -> bool:
    """Whether the block is a passage of the story's; `words` is the number of words that each witness has in it."""
    long = np.flatnonzero(words >= LEAST_PASSAGE).tolist()
    for w in long:
        tokens = collation.tokens[w]
        held = [index for index in collation.columns[w][block.first : block.last] if index >= 0]
        if any(furniture_of(tokens.paragraphs[tokens.places[index]]) for index in (held[0], held[-1])):
            return False
    return bool(long)


def _value(folded: str, shape: Shape) -> str | None:
    if shape is Shape.NUMBER:
        return folded.replace(",", "") if all(letter.isdigit() or letter in ",." for letter in folded) else None
    return _FIGURES.get(folded)


def _divides(mark: Mark) -> bool:
    counts = Counter(value for value in mark.shows if value is not None)
    return sum(count >= LEAST_TOGETHER for count in counts.values()) > 1


def _distance(marks: Sequence[Mark], one: Sequence[int], two: Sequence[int]) -> float:
    """Share of the marks at which the witnesses of two groups differ, pair by pair; a half where none can be compared."""
    differing = compared = 0
    for mark in marks:
        for a in one:
            for b in two:
                if mark.shows[a] is not None and mark.shows[b] is not None:
                    compared += 1
                    differing += mark.shows[a] != mark.shows[b]
    return differing / compared if compared else 0.5


def _grouped(marks: Sequence[Mark], count: int) -> list[list[int]]:
    """The witnesses joined, the nearest groups first, as long as they show the same marks."""
    groups = [[w] for w in range(count) if any(mark.shows[w] is not None for mark in marks)]
    while len(groups) > 1:
        pairs = [(_distance(marks, groups[a], groups[b]), a, b) for a in range(len(groups)) for b in range(a + 1, len(groups))]
        nearest, a, b = min(pairs)
        if nearest >= SAME:
            break
        groups[a] = sorted([*groups[a], *groups.pop(b)])
    return groups


def _kept(groups: Sequence[Sequence[int]], marks: Sequence[Mark]) -> list[list[int]]:
    """The groups that are versions: large enough, and told from every larger one by figures and enough marks."""
    found: list[list[int]] = []
    for group in sorted(groups, key=lambda one: (-len(one), one)):
        if len(group) < LEAST_TOGETHER:
            continue
        if all(_told_apart(marks, group, other) for other in found):
            found.append(list(group))
    return found


def _told_apart(marks: Sequence[Mark], one: Sequence[int], two: Sequence[int]) -> bool:
    figures = total = 0
    for mark in marks:
        sides = [Counter(mark.shows[w] for w in group if mark.shows[w] is not None) for group in (one, two)]
        if all(sides):
            (first, votes), (second, others) = (side.most_common(1)[0] for side in sides)
            if first != second and 2 * votes > sides[0].total() and 2 * others > sides[1].total():
                total += 1
                figures += mark.figure
    return figures >= LEAST_FIGURES and total >= LEAST_MARKS


_UNDATED = datetime.max.replace(tzinfo=UTC)


def _first_published(collation: Collation, group: Sequence[int]) -> datetime:
    return min(collation.witnesses[w].published or _UNDATED for w in group)


def _length(collation: Collation, group: Sequence[int]) -> int:
    return max(len(collation.tokens[w]) for w in group)
