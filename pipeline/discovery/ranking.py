"""How much a candidate looks like a copy, by its title and snippet alone: pure.

A snippet is laid against the seed where the two share a rare word, and the words that both have in one order are weighed by
what they tell. A copy keeps most of the passage though a spinner replaced a quarter of it; another page has the words that were
asked for, and others around them. Names and numbers that the seed lacks speak against it: another day's report has the
sentences, and other names.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

import regex
from rapidfuzz.distance import LCSseq

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.passages import Rarity, Sort, Word, read_sentences
from pipeline.discovery.queries import Query, Seed, strip_outlet

# Fitted by `python bench/finding.py --fit` on part "fit"; docs/discovery.md has the figures.
WEIGHTS: Mapping[str, float] = {
    "bias": -4.75,
    "passage": 2.87,
    "beyond": 2.28,
    "foreign": -2.78,
    "title": 3.54,
    "phrase": 1.2,
    "unseen": 2.9,
}
"""Log odds of each feature of `compare`."""
DROPPED = 0.37
"""Candidates under this are not fetched."""
LIKELY = 0.5
"""Candidates from this on count as copies while queries are chosen."""
MOST_PLACES = 12
_FRAGMENT_END = regex.compile(r"\s*(?:…|\.\.\.)\s*")
_MARKUP = regex.compile(r"<[^>]{0,200}>")
_SLACK = 1.4


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a candidate looks like a copy, and why."""

    score: float
    """From 0 to 1."""
    evidence: Mapping[str, float]


class Yardstick:
    """The seed, made ready to lay candidates against."""

    def __init__(self, seed: Seed, rarity: Rarity) -> None:
        self._rarity = rarity
        self._words = [word for sentence in read_sentences(seed.paragraphs, rarity) for word in sentence.words]
        self._keys = [word.key for word in self._words]
        self._places: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(self._keys):
            self._places[key].append(at)
        self._titles = [self._read(strip_outlet(headline)) for headline in seed.headlines]

    def judge(self, candidate: Candidate, asked: Query | None = None) -> Likeness:
        """How much it looks like a copy; `asked` is the query that it answers."""
        return weigh([self.compare(candidate, asked)])

    def compare(self, candidate: Candidate, asked: Query | None = None) -> dict[str, float]:
        """The features, each from 0 to 1, all but the last two as shares of bits.

        passage   of the snippet, what one stretch of the seed has in the same order
        beyond    the same of those words alone that were not asked for: what was, any answer has
        foreign   of the snippet's names and numbers, those that the seed lacks
        title     of both headlines, what they share; where none is shown, as much as of the passage
        phrase    1 where the provider says that the page has the quoted words
        unseen    1 where there is no snippet
        """
        fragments = [self._read(part) for part in _FRAGMENT_END.split(_MARKUP.sub("", candidate.snippet or ""))]
        words = [word for fragment in fragments for word in fragment]
        said = {word.key for word in self._read(" ".join(asked.words))} if asked else set()
        held = [word for fragment in fragments for word in self._in_order(fragment)]
        firm = [word for word in words if word.sort in (Sort.NAME, Sort.NUMBER)]
        passage = _share(held, words)
        return {
            "passage": passage,
            "beyond": _share([word for word in held if word.key not in said], [word for word in words if word.key not in said]),
            "foreign": _share([word for word in firm if word.key not in self._places], firm),
            "title": passage if candidate.title is None else self.compare_titles(candidate.title),
            "phrase": float(candidate.holds_phrase),
            "unseen": float(not words),
        }

    def _read(self, text: str) -> list[Word]:
        return [word for sentence in read_sentences((text,), self._rarity) for word in sentence.words]

    def _in_order(self, fragment: Sequence[Word]) -> list[Word]:
        """The fragment's words that one stretch of the seed has in the same order."""
        keys = [word.key for word in fragment]
        shared = [at for at, key in enumerate(keys) if key in self._places]
        rare = sorted(shared, key=lambda at: (len(self._places[keys[at]]), -fragment[at].bits))
        starts = dict.fromkeys(place - at for at in rare[:MOST_PLACES] for place in self._places[keys[at]][:3])
        best: list[Word] = []
        room = int(len(keys) * (_SLACK - 1)) + 2
        for start in list(starts)[:MOST_PLACES]:
            first = max(0, start - room)
            window = self._keys[first : max(0, start) + len(keys) + room]
            lost = {edit.src_pos for edit in LCSseq.editops(keys, window) if edit.tag == "delete"}
            best = max(best, [word for at, word in enumerate(fragment) if at not in lost], key=_bits)
        return best

    def compare_titles(self, title: str) -> float:
        """How much a headline shares with the seed's, the likest of them, from 0 to 1."""
        own = self._read(strip_outlet(title))
        return max((_likeness(own, other) for other in self._titles), default=0.0)


def weigh(shown: Sequence[Mapping[str, float]]) -> Likeness:
    """How much a page looks like a copy by all that was shown of it, query by query.

    What speaks for it counts where it does so most, what speaks against it on average: every paper's copy has a caption or a
    promotion line of its own.
    """
    evidence = {name: max(features[name] for features in shown) for name in shown[0]}
    evidence["foreign"] = sum(features["foreign"] for features in shown) / len(shown)
    evidence["unseen"] = min(features["unseen"] for features in shown)
    odds = WEIGHTS["bias"] + sum(WEIGHTS[name] * value for name, value in evidence.items())
    return Likeness(1 / (1 + exp(-odds)), evidence)


def _likeness(one: Sequence[Word], two: Sequence[Word]) -> float:
    """Share of the bits of two headlines that stand in both, in any order."""
    first, second = {word.key: word for word in one}, {word.key: word for word in two}
    shared = [word for key, word in first.items() if key in second]
    return _share([*shared, *shared], [*first.values(), *second.values()])


def _share(part: Sequence[Word], whole: Sequence[Word]) -> float:
    of = _bits(whole)
    return _bits(part) / of if of else 0.0


def _bits(words: Sequence[Word]) -> float:
    return sum(word.bits for word in words)
