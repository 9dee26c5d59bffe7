"""A text as queries are built from it: sentences of printed words, each with what a spinner would do to it.

What survives: names and numbers nearly always, the smallest words nearly always, quotations sometimes, the rest three times in
four (docs/discovery.md has the shares that this was taken from).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import regex

from pipeline.philology.anchors import fold, fold_number, read_words

Rarity = Callable[[str], float]
"""Bits that a folded word tells: log2 of how many texts there are for one that holds it."""

MOST_WORDS = 4_000
"""Words that are read of one text; what stands behind them is in few copies anyway."""
SMALL_BITS = 1.6
"""Words that one text in three holds hold sentences together, and are rarely replaced."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]++(?:(?:[.,'’:/-]|\.(?=\p{Lu}\.))[\p{L}\p{M}\p{N}]++)*+")
_NUMBER = regex.compile(r"\d+(?:[.,'’:/-]\d+)*")
_SPELLED = regex.compile(r"(?i)\d[.,]?\p{L}{3,}|\p{L}{3,}[.,]\d")
_POSSESSIVE = regex.compile(r"['’ʼ]s$")
_SENTENCE_END = regex.compile(r"[.!?…]+[\"”’'»)\]]*\s+(?=[\"“‘'«(\[]*[\p{Lu}\p{N}])")
_OPENING, _CLOSING = "“„«", "”»"


class Sort(StrEnum):
    """What a word is to a spinner."""

    NAME = "name"
    NUMBER = "number"
    SMALL = "small"
    PLAIN = "plain"
    DAMAGED = "damaged"
    """A number with a digit spelled out: a spinner was here, and no other copy has it so."""


SURVIVAL = {Sort.NAME: 0.95, Sort.NUMBER: 0.93, Sort.SMALL: 0.96, Sort.PLAIN: 0.74, Sort.DAMAGED: 0.02}
QUOTED_SURVIVAL = 0.82
"""Of a plain word inside a quotation: some spinners spare those."""


@dataclass(frozen=True, slots=True)
class Word:
    """One printed word."""

    text: str
    key: str
    """Folded: without case, accents, possessive, separators in numbers."""
    sort: Sort
    quoted: bool
    bits: float
    survival: float
    """How likely another copy has it, from 0 to 1, its certainty in the seed included."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A passage that a query may stand for."""

    number: int
    """Counted from the text's beginning."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch of a paragraph whose wording is not certain, as character offsets."""

    start: int
    end: int
    probability: float


def read_sentences(
    paragraphs: Sequence[str], rarity: Rarity, doubts: Sequence[Sequence[Doubt]] | None = None
) -> tuple[Sentence, ...]:
    """The sentences of the paragraphs, `MOST_WORDS` words of them. `doubts` are those of each paragraph of a recovery."""
    marked = read_words(paragraphs)
    names = {key for key, is_name in zip(marked.keys, marked.names, strict=True) if is_name}
    found: list[Sentence] = []
    left = MOST_WORDS
    for at, paragraph in enumerate(paragraphs):
        of_paragraph = doubts[at] if doubts is not None else ()
        quoted = _quoted(paragraph)
        for start, end in _split(paragraph):
            matches = list(_WORD.finditer(paragraph, start, end))[:left]
            left -= len(matches)
            words = []
            for match in matches:
                inside = any(first <= match.start() < last for first, last in quoted)
                words.append(_read(match[0], names, rarity, quoted=inside, sure=_sure(of_paragraph, match)))
            if words:
                found.append(Sentence(len(found), tuple(words)))
        if left <= 0:
            break
    return tuple(found)


def find_quotations(sentences: Sequence[Sentence]) -> Iterator[tuple[Sentence, int, int]]:
    """Every run of quoted words: its sentence, the first word and the one behind the last."""
    for sentence in sentences:
        start = 0
        for at, word in enumerate((*sentence.words, None)):
            if word is None or not word.quoted:
                if at > start:
                    yield sentence, start, at
                start = at + 1


def _read(text: str, names: set[str], rarity: Rarity, *, quoted: bool, sure: float) -> Word:
    bare = _POSSESSIVE.sub("", text)
    if _SPELLED.search(bare):
        key, sort = fold(bare), Sort.DAMAGED
    elif _NUMBER.fullmatch(bare):
        key, sort = fold_number(bare), Sort.NUMBER
    else:
        key = fold(bare)
        parts = regex.split(r"[^\p{L}\p{M}\p{N}]+", key)
        sort = Sort.NAME if bare[:1].isupper() and any(part in names for part in parts) else Sort.PLAIN
    bits = rarity(key)
    if sort is Sort.PLAIN and bits < SMALL_BITS:
        sort = Sort.SMALL
    survival = QUOTED_SURVIVAL if quoted and sort is Sort.PLAIN else SURVIVAL[sort]
    return Word(text, key, sort, quoted, bits, survival * sure)


def _sure(doubts: Sequence[Doubt], match: "regex.Match[str]") -> float:
    return min((doubt.probability for doubt in doubts if doubt.start < match.end() and doubt.end > match.start()), default=1.0)


def _split(paragraph: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in _SENTENCE_END.finditer(paragraph):
        yield start, end.end()
        start = end.end()
    yield start, len(paragraph)


def _quoted(paragraph: str) -> list[tuple[int, int]]:
    """Where a paragraph quotes, as offsets. A quotation that is not closed goes on to the end."""
    found: list[tuple[int, int]] = []
    opened: int | None = None
    for at, char in enumerate(paragraph):
        if opened is None and (char in _OPENING or char == '"'):
            opened = at
        elif opened is not None and (char in _CLOSING or char == '"'):
            found.append((opened, at))
            opened = None
    if opened is not None:
        found.append((opened, len(paragraph)))
    return found
