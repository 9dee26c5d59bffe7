"""The versions of a story that an agency sends one after the other: paragraphs added, figures updated, a new headline."""

import re
from random import Random

from bench.copies.case import Paragraphs

FIGURE = re.compile(r"(?<![\d.,$£€-])(\d{1,3}(?:,\d{3})*|\d+)(?![\d.,]*\d|st|nd|rd|th|-)(?! (?:January|March|a\.m|p\.m))")
SPELLED = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SPELLED_FIGURE = re.compile(rf"\b({'|'.join(SPELLED)})\b")
YEARS = range(1900, 2101)


def earlier(paragraphs: Paragraphs, rng: Random, added: float = 0.3, figures: float = 0.5) -> Paragraphs:
    """What the agency had sent before: `added` of the paragraphs not there yet, `figures` of the counts lower.

    The first paragraph stays. At least two paragraphs are missing and, where the text has a count at all, one is another.
    """
    rest = list(range(1, len(paragraphs)))
    missing = set(rng.sample(rest, min(len(rest) - 1, max(2, round(added * len(paragraphs))))))
    kept = tuple(paragraph for at, paragraph in enumerate(paragraphs) if at not in missing)
    spots = [(at, found.span(1)) for at, text in enumerate(kept) for found in FIGURE.finditer(text) if _counts(found[1])]
    spots += [(at, found.span(1)) for at, text in enumerate(kept) for found in SPELLED_FIGURE.finditer(text)]
    chosen = rng.sample(sorted(spots), max(min(1, len(spots)), round(figures * len(spots)))) if spots else []
    lines = list(kept)
    for at, (start, end) in sorted(chosen, reverse=True):
        lines[at] = lines[at][:start] + _lower(lines[at][start:end], rng) + lines[at][end:]
    return tuple(lines)


def headline_before(title: str, rng: Random) -> str:
    """The headline of the version before: shorter, without what became known later."""
    words = title.split()
    head, _, tail = title.partition(": ")
    if tail and rng.random() < 0.5:
        return tail[:1].upper() + tail[1:]
    return " ".join(words[: max(4, len(words) - 3)]) if len(words) > 6 else f"UPDATE 1-{head}"


def _counts(figure: str) -> bool:
    number = int(figure.replace(",", ""))
    return number > 1 and not ("," not in figure and number in YEARS)


def _lower(figure: str, rng: Random) -> str:
    if figure in SPELLED:
        at = SPELLED.index(figure)
        return SPELLED[at - 1] if at else "three"
    number = int(figure.replace(",", ""))
    less = max(1, round(number * rng.uniform(0.5, 0.92)))
    less = less - 1 if less == number else less
    return f"{less:,}" if "," in figure else str(less)
