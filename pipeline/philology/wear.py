"""What extraction wears off a text: blanks between words, commas in numbers. Nothing puts them in."""

from collections.abc import Sequence

import regex

# Thousands as English has them, and the lakhs of Indian papers.
_THOUSANDS = regex.compile(r"\p{Nd}{1,3}(?:,\p{Nd}{2,3})+(?:\.\p{Nd}+)?")


def worn(readings: Sequence[Sequence[str]]) -> list[bool]:
    """For every reading of a place whether it is another one without a blank, or with numbers that lost their commas."""
    known = [tuple(reading) for reading in readings]
    longest: dict[str, int] = {}
    for one in known:
        whole = "".join(one)
        longest[whole] = max(longest.get(whole, 0), len(one))
    with_commas = [other for other in known if any(_bare(text) != text for text in other)]
    return [
        0 < len(one) < longest["".join(one)] or any(_lost_commas(one, other) for other in with_commas if other != one)
        for one in known
    ]


def _lost_commas(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) == len(other) and all(a in (b, _bare(b)) for a, b in zip(one, other, strict=True))


def _bare(text: str) -> str:
    return text.replace(",", "") if "," in text and _THOUSANDS.fullmatch(text) else text
