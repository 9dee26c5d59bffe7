"""The headline and the byline of a story: each one paper's whole, never a mixture of several."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.philology.blocks import Verdict, holders
from pipeline.philology.collation import Collation
from pipeline.philology.slugs import Slug, votes_of
from pipeline.philology.titles import Titles, groups_of
from pipeline.philology.tokens import fold
from pipeline.philology.units import ABSENT, Place

# Least support of a reading in the comparison of whole headlines, so that one odd word does not decide alone.
LEAST = 0.02

# A witness with a smaller voice than this is spun.
SPUN = 0.3

WHY = "another headline"


@dataclass(frozen=True, slots=True)
class Headline:
    """The columns that hold headlines, the witness whose headline is taken, and the share of the voices that speak for it.

    `spelt[at]` is the candidate that its page's URL spells at a place where the page prints another one.
    """

    columns: frozenset[int]
    witness: int
    share: float
    spelt: Mapping[int, int]

    def choice(self, at: int, place: Place) -> int:
        """The reading of the headline at a place, by the number of the place."""
        return self.spelt.get(at, place.choice[self.witness])


def headline_of(
    collation: Collation,
    titles: Titles,
    slugs: Mapping[int, Slug],
    places: Sequence[Place],
    posteriors: Mapping[int, Sequence[float]],
    voices: Sequence[float],
    lineages: Sequence[int],
) -> Headline | None:
    """The headline to take, or None where fewer than two witnesses have one, or all agree, or all were spun from one.

    The group of like headlines with the most voices is taken; in it the one whose readings are the likeliest. Spun copies of
    one headline are put together by the word like the rest of the text: no whole one is right. A page whose slug speaks gives
    its vote to the headline that the slug spells.
    """
    written = sum(len(tokens) > 0 for tokens in collation.tokens)
    if 2 * len(titles.words) <= written or len(set(titles.words.values())) < 2:
        return None
    groups = groups_of(titles.words)
    votes = votes_of(slugs, voices, lineages)
    backs = {w: slugs[w].nearest if w in slugs else w for w in titles.words}
    weights = [sum(votes[w] for w, backed in backs.items() if backed in group) for group in groups]
    inside = [(at, place) for at, place in enumerate(places) if titles.columns.issuperset(range(place.first, place.last))]
    # where URLs speak, their votes are in the probabilities; the prints are not counted again
    spoken = {at for slug in slugs.values() for at in slug.says}
    counted = titles.columns.difference(*(range(places[at].first, places[at].last) for at in spoken))
    spelt = {
        w: _corrections(slugs[w], w, places, posteriors) if w in slugs and slugs[w].nearest in group else {}
        for group in groups
        for w in group
    }
    scores = {w: _score(collation, w, group, inside, posteriors, counted, voices, spelt[w]) for group in groups for w in group}
    best = max(range(len(groups)), key=lambda at: (weights[at], len(groups[at]), max(scores[w] for w in groups[at])))
    if len(groups) == 1 and max(voices[w] for w in groups[0]) < SPUN:
        return None
    taken = max(groups[best], key=lambda w: (scores[w], -w))
    return Headline(titles.columns, taken, weights[best] / sum(weights), spelt[taken])


def _corrections(slug: Slug, w: int, places: Sequence[Place], posteriors: Mapping[int, Sequence[float]]) -> dict[int, int]:
    """Where the page prints another reading than its slug spells, the likeliest of those that have the slug's words."""
    return {
        at: max(said, key=lambda candidate: (posteriors[at][candidate], -candidate))
        for at, said in slug.says.items()
        if at in posteriors and places[at].choice[w] not in {ABSENT, *said}
    }


def _score(
    collation: Collation,
    w: int,
    group: Sequence[int],
    inside: Sequence[tuple[int, Place]],
    posteriors: Mapping[int, Sequence[float]],
    columns: frozenset[int],
    voices: Sequence[float],
    spelt: Mapping[int, int],
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
        if at in posteriors and (choice := spelt.get(at, place.choice[w])) != ABSENT:
            score += math.log(max(LEAST, posteriors[at][choice]))
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
        choice = headline.choice(at, place)
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
