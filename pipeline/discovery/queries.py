"""The queries that find an article's other copies, and which to ask next: pure.

A query has to be in the other copies as it is in this one, though a machine may have rewritten either: so it is built of
names, numbers, quotations and the small words between them. It has to be rare, or the copies drown in other pages. Which one
comes next is decided by what those before have brought (greedy cover): passages that a found copy explains are not asked for
again while there are others. After Suchomel and Brandejs (PAN 2014), who remember the position of every query, and Hagen and
Stein (Candidate document retrieval for web-scale text reuse detection).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import exp, log

import regex

from pipeline.discovery.passages import Doubt, Rarity, Sentence, Sort, Word, find_quotations, read_sentences

SHORTEST, LONGEST = 4, 8
"""Words of a quoted span."""
ENOUGH_BITS = 34.0
"""A phrase that tells so much stands on no page by accident: ten thousand million pages make 33 bits."""
NET_WORDS = 7
NETS = 3
SPANS_A_SENTENCE = 1
MOST_OPTIONS = 60
PATIENCE = 3
"""Queries in a row that bring nothing new before no further one is asked."""
A_PAGE = 10
DEEPER = 0.5
"""Share of a full page that has to look like copies for its next page to be worth asking."""
_OUTLET = regex.compile(r"\s+[|•·»]\s+|\s+[-–—]\s+(?=[^-–—]{2,40}$)")


class QueryKind(StrEnum):
    """What a query is made of."""

    HEADLINE = "headline"
    QUOTATION = "quotation"
    PHRASE = "phrase"
    NET = "net"
    """Names and numbers together, in any order."""
    TEXT = "text"
    """The whole article, for providers that join on its n-grams or compare its headline with lists."""
    ADDRESS = "address"
    """The URL of a copy, for archives: what the page said before."""
    LOST = "lost"
    """A URL that gave no text, for archives that still have it."""


QUOTED = (QueryKind.QUOTATION, QueryKind.PHRASE)


@dataclass(frozen=True, slots=True)
class Query:
    """Something to ask a provider."""

    kind: QueryKind
    words: tuple[str, ...]
    """As printed, in order."""
    why: str
    """What it is, for a person."""
    passages: frozenset[int] = frozenset()
    """The sentences that it stands for."""
    expects: float = 0.0
    """How much it promises, from 0 to 1."""
    page: int = 1
    """Which ten of its answers, from 1."""

    @property
    def text(self) -> str:
        """The query as search engines take it: a phrase in quotation marks, else words."""
        joined = " ".join(self.words)
        return f'"{joined}"' if self.kind in QUOTED else joined

    def longest(self, most: int) -> tuple[str, ...]:
        """The longest of its words in their order: for services that want every word of a query in the text."""
        chosen = sorted(self.words, key=len, reverse=True)[:most]
        return tuple(word for word in self.words if word in chosen)


@dataclass(frozen=True, slots=True)
class Seed:
    """The text that copies are looked for."""

    paragraphs: tuple[str, ...]
    headlines: tuple[str, ...] = ()
    """What the page calls itself, then what its URL spells; those that are there."""
    doubts: tuple[tuple[Doubt, ...], ...] | None = None
    """Of a recovery: where each paragraph's wording is not certain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was asked, and what it brought."""

    query: Query
    hits: int
    """Answers on this page."""
    copies: int
    """Of these, how many look like copies."""
    new: int
    """Of these, how many no query before had brought."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of words in a sentence and what it is worth as a phrase."""

    sentence: int
    words: tuple[Word, ...]
    worth: float = field(compare=False)


def list_queries(seed: Seed, rarity: Rarity) -> tuple[Query, ...]:
    """Every query worth asking, the most promising first; none for a text without words."""
    sentences = read_sentences(seed.paragraphs, rarity, seed.doubts)
    found = [*_headlines(seed, rarity), *_nets(sentences), *_quotations(sentences), *_phrases(sentences)]
    unique: dict[str, Query] = {}
    for query in found:
        unique.setdefault(query.text.casefold(), query)
    return tuple(sorted(unique.values(), key=lambda query: -query.expects)[:MOST_OPTIONS])


def choose(options: Sequence[Query], asked: Sequence[Asked]) -> Query | None:
    """The query to ask next, or None: the last ones brought nothing new, or there is none left."""
    if len(asked) >= PATIENCE and not any(one.new for one in asked[-PATIENCE:]):
        return None
    done = {(one.query.text, one.query.page) for one in asked}
    deeper = [_next_page(one) for one in asked]
    left = [(query, _gain(query, asked)) for query in options if (query.text, query.page) not in done]
    left += [(query, query.expects) for query in deeper if query is not None and (query.text, query.page) not in done]
    if not left:
        return None
    # Of two that promise the same the earlier option, so that the choice is the same in every run.
    best = max(range(len(left)), key=lambda at: (left[at][1], -at))
    return left[best][0]


def _next_page(one: Asked) -> Query | None:
    """The next ten answers of a query, where these ten were copies for a good part."""
    if one.hits < A_PAGE or one.copies < DEEPER * A_PAGE:
        return None
    share = one.copies / one.hits
    promise = 0.9 * share * (0.5 + 0.5 * one.new / max(one.copies, 1))
    return replace(one.query, page=one.query.page + 1, expects=promise)


def _gain(query: Query, asked: Sequence[Asked]) -> float:
    """What a query promises, less what those before explain of its passages."""
    gain = query.expects
    for one in asked:
        if one.query.kind is query.kind is QueryKind.HEADLINE:
            gain *= 0.7
        shared = len(query.passages & one.query.passages)
        if shared and one.copies:
            gain *= 1 - 0.6 * shared / len(query.passages)
        elif one.query.kind is query.kind:
            gain *= 0.95
    return gain


def _headlines(seed: Seed, rarity: Rarity) -> list[Query]:
    found: list[Query] = []
    for number, headline in enumerate(seed.headlines):
        bare = strip_outlet(headline)
        words = tuple(word.text for sentence in read_sentences((bare,), rarity) for word in sentence.words)
        if len(words) >= 3:
            why = "the headline that its URL spells" if number else "the headline"
            found.append(Query(QueryKind.HEADLINE, words[:24], why, expects=0.9))
    return found


def strip_outlet(headline: str) -> str:
    """A headline without the name of the paper behind its last bar or dash."""
    parts = _OUTLET.split(headline.strip())
    head = parts[0].strip()
    return head if len(head.split()) >= 4 else headline.strip()


def _nets(sentences: Sequence[Sentence]) -> list[Query]:
    """Names and numbers of the whole text, then of its parts: the lead first, which every cut copy still has."""
    if not sentences:
        return []
    third = max(1, -(-len(sentences) // NETS))
    parts: list[Sequence[Sentence]] = [sentences[: max(3, third)], sentences]
    parts += [sentences[at : at + third] for at in range(third, len(sentences), third)]
    found: list[Query] = []
    for number, part in enumerate(parts):
        anchors = _anchors(part)
        if len(anchors) >= 3:
            passages = frozenset(sentence for _, sentence in anchors)
            why = "names and numbers of the " + ("beginning" if number == 0 else "whole text" if number == 1 else "rest")
            promise = 0.85 if number == 0 else 0.75 if number == 1 else 0.55
            words = tuple(word.text for word, _ in anchors)
            found.append(Query(QueryKind.NET, words, why, passages, promise))
    return found


def _anchors(sentences: Sequence[Sentence]) -> list[tuple[Word, int]]:
    """The names and numbers that tell the most, each once, in the order of the text; rare words where there are too few."""
    first: dict[str, tuple[Word, int]] = {}
    times: dict[str, int] = {}
    for sentence in sentences:
        for word in sentence.words:
            if word.sort is not Sort.DAMAGED:
                first.setdefault(word.key, (word, sentence.number))
                times[word.key] = times.get(word.key, 0) + 1

    def worth(item: tuple[Word, int]) -> float:
        word = item[0]
        firm = 1.0 if word.sort in (Sort.NAME, Sort.NUMBER) and len(word.key) > 1 else 0.3
        return firm * word.survival * word.bits * (1 + log(times[word.key]))

    best = sorted(first.values(), key=worth, reverse=True)[:NET_WORDS]
    return sorted(best, key=lambda item: item[1])


def _quotations(sentences: Sequence[Sentence]) -> list[Query]:
    """The longest quotation, or the best span of it where it is longer than a phrase may be."""
    runs = sorted(find_quotations(sentences), key=lambda run: run[1] - run[2])
    for sentence, start, end in runs[:1]:
        if end - start >= SHORTEST:
            quoted = replace(sentence, words=sentence.words[start:end])
            best = max(_spans(quoted, LONGEST), key=lambda span: span.worth)
            return [_phrase(best, QueryKind.QUOTATION, "the longest quotation")]
    return []


def _phrases(sentences: Sequence[Sentence]) -> list[Query]:
    """The best spans of every sentence."""
    found: list[Query] = []
    for sentence in sentences:
        spans = sorted(_spans(sentence), key=lambda span: -span.worth)[:SPANS_A_SENTENCE]
        found += [_phrase(span, QueryKind.PHRASE, "a phrase of names and numbers") for span in spans]
    return found


def _phrase(span: Span, kind: QueryKind, why: str) -> Query:
    return Query(kind, tuple(word.text for word in span.words), why, frozenset({span.sentence}), min(1.0, span.worth))


def _spans(sentence: Sentence, shortest: int = SHORTEST) -> list[Span]:
    words = sentence.words
    least = min(shortest, len(words))
    if least < SHORTEST:
        return []
    return [
        Span(sentence.number, words[at : at + length], weigh(words[at : at + length]))
        for length in range(least, LONGEST + 1)
        for at in range(len(words) - length + 1)
    ]


def weigh(words: Sequence[Word]) -> float:
    """What a span is worth as a phrase, from 0 to 1: how likely other copies have it, times how little else does."""
    survival = exp(sum(log(max(word.survival, 1e-6)) for word in words))
    return survival * min(1.0, count_bits(words) / ENOUGH_BITS)


def count_bits(words: Sequence[Word]) -> float:
    """Bits that a span tells; of names that follow each other (a full name, a title) the later tell half."""
    bits = 0.0
    for at, word in enumerate(words):
        follows = at > 0 and word.sort is Sort.NAME and words[at - 1].sort is Sort.NAME
        bits += word.bits / 2 if follows else word.bits
    return bits
