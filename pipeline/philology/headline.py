"""The headline and the byline of a story: each one paper's whole, never a mixture of several."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from pipeline.philology.blocks import Verdict, holders
from pipeline.philology.collation import Collation
from pipeline.philology.frontmatter import headline_shaped
from pipeline.philology.furniture import furniture_of
from pipeline.philology.tokens import Role, Shape, Tokens, fold
from pipeline.philology.units import ABSENT, Place

# Headlines that have this share of their words in common are one headline, edited or spun; papers that write their own
# share the names at most.
ALIKE = 0.55
# Least support of a reading in the comparison of whole headlines, so that one odd word does not decide alone.
LEAST = 0.02

# A witness with a smaller voice than this is spun.
SPUN = 0.3

WHY = "another headline"


@dataclass(frozen=True, slots=True)
class Headline:
    """The columns that hold headlines, the witness whose headline is taken, and the share of the voices that speak for it."""

    columns: frozenset[int]
    witness: int
    share: float


def headline_of(
    collation: Collation,
    places: Sequence[Place],
    posteriors: Mapping[int, Sequence[float]],
    voices: Sequence[float],
) -> Headline | None:
    """The headline to take, or None where fewer than two witnesses have one, or all agree, or all were spun from one.

    The group of like headlines with the most voices is taken; in it the one whose readings are the likeliest. Spun copies of
    one headline are put together by the word like the rest of the text: no whole one is right.
    """
    titles = {w: span for w, tokens in enumerate(collation.tokens) if (span := _title(tokens)) is not None}
    written = sum(len(tokens) > 0 for tokens in collation.tokens)
    if 2 * len(titles) <= written or len({_words(collation, w, span) for w, span in titles.items()}) < 2:
        return None
    columns = _columns(collation, titles)
    groups = _groups({w: _words(collation, w, span) for w, span in titles.items()})
    weights = [sum(voices[w] for w in group) for group in groups]
    inside = [(at, place) for at, place in enumerate(places) if columns.issuperset(range(place.first, place.last))]
    scores = {w: _score(collation, w, group, inside, posteriors, columns, voices) for group in groups for w in group}
    best = max(range(len(groups)), key=lambda at: (weights[at], len(groups[at]), max(scores[w] for w in groups[at])))
    if len(groups) == 1 and max(voices[w] for w in groups[0]) < SPUN:
        return None
    taken = max(groups[best], key=lambda w: (scores[w], -w))
    return Headline(columns, taken, weights[best] / sum(weights))


def _title(tokens: Tokens) -> range | None:
    """Indices of the tokens of the witness's headline: the page's title, or a first paragraph that looks like one."""
    if not len(tokens):
        return None
    if tokens.roles[0] is not Role.TITLE and (furniture_of(tokens.paragraphs[0]) or not headline_shaped(tokens.paragraphs)):
        return None
    end = 1
    while end < len(tokens) and not tokens.opens(end):
        end += 1
    return range(end) if tokens.places[0] == 0 else None


def _words(collation: Collation, w: int, span: range) -> tuple[str, ...]:
    tokens = collation.tokens[w]
    return tuple(tokens.folds[index] for index in span if tokens.shapes[index] is not Shape.PUNCTUATION)


def _columns(collation: Collation, titles: Mapping[int, range]) -> frozenset[int]:
    """Columns in which most of those that have anything have a word of their headline."""
    named: Counter[int] = Counter()
    for w, span in titles.items():
        named.update(column for column, index in enumerate(collation.columns[w]) if index in span)
    return frozenset(
        column for column, count in named.items() if 2 * count > sum(row[column] >= 0 for row in collation.columns)
    )


def _groups(words: Mapping[int, tuple[str, ...]]) -> list[list[int]]:
    found: list[list[int]] = []
    for w, own in words.items():
        near = [group for group in found if any(_alike(own, words[other]) for other in group)]
        found = [group for group in found if group not in near]
        found.append(sorted([w, *(other for group in near for other in group)]))
    return sorted(found)


def _alike(one: Sequence[str], two: Sequence[str]) -> bool:
    return LCSseq.similarity(one, two) >= ALIKE * max(len(one), len(two), 1)


def _score(
    collation: Collation,
    w: int,
    group: Sequence[int],
    inside: Sequence[tuple[int, Place]],
    posteriors: Mapping[int, Sequence[float]],
    columns: frozenset[int],
    voices: Sequence[float],
) -> float:
    """Log of how well the witness's headline is supported: column by column in its group, place by place by probability."""

    def cell(other: int, column: int) -> str:
        index = collation.columns[other][column]
        return collation.tokens[other].texts[index] if index >= 0 else ""

    whole = sum(voices[other] for other in group)
    score = 0.0
    for column in columns:
        same = sum(voices[other] for other in group if cell(other, column) == cell(w, column))
        score += math.log(max(LEAST, same / whole if whole else 1.0))
    for at, place in inside:
        if at in posteriors and place.choice[w] != ABSENT:
            score += math.log(max(LEAST, posteriors[at][place.choice[w]]))
    return score


def settled(
    headline: Headline,
    collation: Collation,
    places: Sequence[Place],
    posteriors: Mapping[int, tuple[float, ...]],
    verdicts: Sequence[Verdict],
) -> tuple[dict[int, tuple[float, ...]], tuple[Verdict, ...]]:
    """The probabilities and verdicts with which the headline comes out as its witness has it, word for word."""
    found = dict(posteriors)
    for at, place in enumerate(places):
        choice = place.choice[headline.witness]
        if at in found and choice != ABSENT and headline.columns.issuperset(range(place.first, place.last)):
            sure = max(found[at][choice], headline.share, 0.5)
            rest = sum(found[at]) - found[at][choice]
            found[at] = tuple(
                sure if number == choice else (1 - sure) * (value / rest if rest else 0.0)
                for number, value in enumerate(found[at])
            )
    judged = list(verdicts)
    for at, verdict in enumerate(verdicts):
        if headline.columns.issuperset(range(verdict.block.first, verdict.block.last)):
            kept = headline.witness in holders(collation, verdict.block)
            judged[at] = Verdict(verdict.block, max(headline.share, 0.5) if kept else 0.0, WHY)
    return found, tuple(judged)


def byline_of(collation: Collation, voices: Sequence[float]) -> str | None:
    """The name that most voices give in the pages' byline fields, as the first of them prints it.

    None where nobody has one, or where every paper has another.
    """
    heard: dict[str, float] = {}
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for witness, voice in zip(collation.witnesses, voices, strict=True):
        if witness.byline and witness.byline.strip():
            name = fold(witness.byline.strip()).removeprefix("by ").strip()
            heard[name] = heard.get(name, 0.0) + voice
            counts[name] += 1
            first.setdefault(name, witness.byline.strip())
    if not heard:
        return None
    best = min(heard, key=lambda name: (-heard[name], name))
    return first[best] if counts[best] > 1 or len(heard) == 1 else None
