"""The recovered text put together from its tokens, with the blanks and paragraphs of the witnesses that attest them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.philology.collation import Collation
from pipeline.philology.tokens import Shape, shape_of, unspaced

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
    found: list[str] = []
    for at, token in enumerate(chosen):
        if at == 0:
            found.append("")
            continue
        before = chosen[at - 1]
        near: Counter[str] = Counter()
        breaks = 0
        attesting = 0
        for w, row in enumerate(collation.columns):
            index = row[token.column]
            if index < 0:
                continue
            tokens = collation.tokens[w]
            if tokens.texts[index] != token.text:
                continue
            attesting += 1
            opens = tokens.opens(index)
            breaks += opens
            if row[before.column] == index - 1 and index > 0:
                near[PARAGRAPH if opens else tokens.blank_before(index)] += 1
        if near:
            found.append(min(near, key=lambda blank: (-near[blank], blank)))
        elif 2 * breaks > attesting or (breaks and before.text[-1] in '.!?"”'):
            found.append(PARAGRAPH)
        else:
            found.append(usual_blank(before.text, token.text))
    return found


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
