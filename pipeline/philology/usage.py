"""How much of a text is a story's and how much of the story is in the text, with the passages: what `wirecopy check` tells.

Passages are what the dot plot of the two texts counts, replaced words among them, and beside it every run of words that is the
same in both and long enough to be no accident, such as a sentence quoted in an article of somebody's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.anchors import Words, locate_words, read_words
from pipeline.philology.dotplot import list_diagonals, plot_dots
from pipeline.philology.witness import Witness

Places = list[tuple[int, int]]
"""The equal words of a passage: where they stand in the text and in the story's."""

_RUN = 10
"""Words that make a run; what is shorter is idiom, or a name with its office."""
_RUN_CONTENT = 4
"""Of these, different ones of more than four letters or with a digit; characters of a script without blanks count as such."""
_LOOSE = 3
_FEWEST_WORDS = 6
"""Equal words of what is left of a passage where another one was found before."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the text that stands in one of the story's, in characters of both, paragraphs joined by a blank line."""

    start: int
    end: int
    source: str
    """The story's text that holds it, by its `source`."""
    source_start: int
    source_end: int
    words: int
    """Words of the text in it."""
    same: float
    """Share of these that the story has in the same place, 0 to 1; the others were replaced."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a text and a story have in common."""

    text_share: float
    """Share of the text's words that stand in passages of the story, 0 to 1."""
    story_share: float
    """Share of the words of the story's first text that stand in passages of the text, 0 to 1."""
    passages: tuple[Passage, ...]
    """In the order of the text; they do not overlap there."""


def find_usage(text: Witness, story: Sequence[Witness]) -> Usage:
    """What of the story stands in the text and where.

    `story` has its texts, first the one that stands for it (its recovery, or the fullest copy): the story's share is counted in
    that one, and only passages that it lacks are looked for in the next ones. The first 8,000 words of each text are read.
    """
    words = read_words(text.paragraphs)
    spans = locate_words(text.paragraphs)
    taken = np.zeros(len(words.keys), dtype=np.bool_)
    passages: list[Passage] = []
    story_share = 0.0
    for number, member in enumerate(story):
        other = read_words(member.paragraphs)
        held = np.zeros(len(other.keys), dtype=np.bool_)
        places = locate_words(member.paragraphs)
        for diagonal in _list_common(words, other):
            held[diagonal[0][1] : diagonal[-1][1] + 1] = True
            for piece in _list_untaken(diagonal, taken):
                (first, other_first), (last, other_last) = piece[0], piece[-1]
                taken[first : last + 1] = True
                source = places[other_first][0], places[other_last][1]
                count = last + 1 - first
                passages.append(
                    Passage(spans[first][0], spans[last][1], member.source, *source, words=count, same=len(piece) / count)
                )
        if not number and len(held):
            story_share = float(held.mean())
    text_share = float(taken.mean()) if len(taken) else 0.0
    return Usage(text_share, story_share, tuple(_set_apart(passages)))


def _set_apart(passages: Sequence[Passage]) -> Iterator[Passage]:
    """The passages in the order of the text; where two share a chunk that reading changed, it is the first one's."""
    end = 0
    for passage in sorted(passages, key=lambda passage: (passage.start, passage.end)):
        if passage.end > end:
            yield replace(passage, start=max(end, passage.start))
            end = passage.end


def _list_common(words: Words, other: Words) -> Iterator[Places]:
    """Passages in common, the plotted ones and then the literal ones."""
    if words.keys and other.keys:
        for diagonal in list_diagonals(plot_dots(words.keys, other.keys)):
            yield _trim(_trim(diagonal)[::-1])[::-1]
        yield from _list_runs(words, other)


def _trim(diagonal: Places) -> Places:
    """The passage without words at its beginning that stand there by chance: one to three, and a gap behind them."""
    for at in range(min(_LOOSE, len(diagonal) - 1), 0, -1):
        if abs(diagonal[at][0] - diagonal[at - 1][0]) > _LOOSE:
            return diagonal[at:]
    return diagonal


def _list_runs(words: Words, other: Words) -> Iterator[Places]:
    """Every longest run of words that is the same in both texts, each place of the text in one of them at the most."""
    starts: dict[tuple[str, ...], int] = {}
    for at in range(len(other.keys) - _RUN, -1, -1):
        starts[other.keys[at : at + _RUN]] = at
    at = 0
    while at <= len(words.keys) - _RUN:
        begin = starts.get(words.keys[at : at + _RUN])
        if begin is None:
            at += 1
            continue
        size = _RUN
        while (
            at + size < len(words.keys) and words.keys[at + size : at + size + 1] == other.keys[begin + size : begin + size + 1]
        ):
            size += 1
        if _tells(words.keys[at : at + size]):
            yield [(at + step, begin + step) for step in range(size)]
        at += size


def _tells(run: Sequence[str]) -> bool:
    return sum(1 for key in set(run) if len(key) > 4 or not key.isascii() or key.isdecimal()) >= _RUN_CONTENT


def _list_untaken(diagonal: Places, taken: NDArray[np.bool_]) -> Iterator[Places]:
    """The pieces of a passage that no earlier passage covers; a piece of a few words is none."""
    piece: Places = []
    for place, other in diagonal:
        if piece and taken[piece[-1][0] : place + 1].any():
            yield from [piece] * (len(piece) >= _FEWEST_WORDS)
            piece = []
        if not taken[place]:
            piece.append((place, other))
    yield from [piece] * (len(piece) >= _FEWEST_WORDS)
