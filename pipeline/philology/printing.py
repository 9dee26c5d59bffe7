"""The recovered text put together from its tokens, with the blanks and paragraphs of the witnesses that attest them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.philology.collation import Collation
from pipeline.philology.tabulation import Ints, Numbering, tabulated
from pipeline.philology.tokens import Shape, Tokens, shape_of, unspaced

PARAGRAPH = "\n\n"
_CLOSING = frozenset(".,;:!?)]}%’”…")
_OPENING = frozenset("([{$£€“‘#@")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One token of the recovered text and the column that it stands in."""

    text: str
    column: int


def blanks_before(collation: Collation, chosen: Sequence[Chosen]) -> list[str]:
    """What is printed before each token: a blank line where most of those that attest it open a paragraph there.

    Witnesses that have the same two tokens side by side decide; where none has, those that attest the second.
    """
    if not chosen:
        return []
    taken = [token.column for token in chosen]
    numbers = Numbering()
    wanted = np.array([numbers.of(token.text) for token in chosen], dtype=np.int32)
    attesting = tabulated(collation, numbers.known)[:, taken] == wanted
    indices = collation.table.indices[:, taken]
    blanks = Numbering()
    paragraph = blanks.of(PARAGRAPH)
    printed = np.full(indices.shape, paragraph, dtype=np.int32)
    for line, own, tokens in zip(printed, indices, collation.tokens, strict=True):
        if len(tokens):
            line[:] = _blanks(tokens, blanks)[own]
    near = attesting.copy()
    near[:, 0] = False
    near[:, 1:] &= (indices[:, :-1] == indices[:, 1:] - 1) & (indices[:, 1:] > 0)
    witness, at = np.nonzero(near)
    names = blanks.names
    count = len(names)
    votes = np.bincount(at * count + printed[witness, at], minlength=len(chosen) * count).reshape(-1, count)
    # of two that as many print the first in the order of their characters
    order = sorted(range(count), key=names.__getitem__)
    most = [names[order[best]] for best in votes[:, order].argmax(axis=1).tolist()]
    decided: list[bool] = (votes.max(axis=1) > 0).tolist()
    breaks: list[int] = np.count_nonzero(attesting & (printed == paragraph), axis=0).tolist()
    there: list[int] = np.count_nonzero(attesting, axis=0).tolist()
    found = [""]
    for number, (before, token) in enumerate(pairwise(chosen), 1):
        if decided[number]:
            found.append(most[number])
        elif 2 * breaks[number] > there[number] or (breaks[number] and before.text[-1] in '.!?"”'):
            found.append(PARAGRAPH)
        else:
            found.append(usual_blank(before.text, token.text))
    return found


def _blanks(tokens: Tokens, blanks: Numbering) -> Ints:
    """For every token the number of what is printed before it, that of the blank line where it opens a paragraph."""
    printed = [PARAGRAPH] * len(tokens)
    rows = zip(pairwise(tokens.places), tokens.ends, tokens.starts[1:], strict=False)
    for at, ((before, place), end, start) in enumerate(rows, 1):
        if place == before:
            printed[at] = tokens.paragraphs[place][end:start]
    return blanks.of_all(printed)


def usual_blank(before: str, after: str) -> str:
    """What is printed between two tokens that no witness has side by side."""
    if after[0] in _CLOSING or before[-1] in _OPENING or unspaced(after) or unspaced(before):
        return ""
    if shape_of(before) is Shape.PUNCTUATION and before[-1] == "/":
        return ""
    return " "


def assembled(collation: Collation, chosen: Sequence[Chosen]) -> str:
    """The chosen tokens as one text."""
    return "".join(blank + token.text for blank, token in zip(blanks_before(collation, chosen), chosen, strict=True))
