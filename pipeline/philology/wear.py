"""What extraction wears off a text: blanks between words, commas in numbers. Nothing puts them in."""

from collections.abc import Sequence

import regex

# Thousands as English has them, and the lakhs of Indian papers.
_THOUSANDS = regex.compile(r"\p{Nd}{1,3}(?:,\p{Nd}{2,3})+(?:\.\p{Nd}+)?")


def worn(readings: Sequence[Sequence[str]]) -> list[bool]:
    """For every reading of a place whether it is another one without a blank, or with numbers that lost their commas."""
    known = [tuple(reading) for reading in readings]
    return [any(_wears(one, other) for other in known if other != one) for one in known]


def _wears(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if one and len(one) < len(other) and "".join(one) == "".join(other):
        return True
    return len(one) == len(other) and all(a == b or _bare(b) == a for a, b in zip(one, other, strict=True))


def _bare(text: str) -> str:
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
