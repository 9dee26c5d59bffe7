"""The words of a witness as placing compares them, with the names and numbers among them marked.

Folding undoes what copying does to a word without changing it: case, accents, the possessive, separators in numbers, and the
spinner's digit spelled out inside a number (two,500 and 8.Eight are 2500 and 88).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import regex

_KEPT = 64
"""Texts whose words are kept: a newcomer's for its fingerprint and every comparison, those of a busy story's members, too."""
MOST_WORDS = 8_000
"""Words that are read of one text; the rest of a longer one is left out, so that no page costs more than this."""

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELLED = {word: str(value) for value, word in enumerate((*_UNITS, *_TEENS))}
_SPELLED |= {word: str(10 * value) for value, word in enumerate(_TENS, 2)}

_SPELLED_PATTERN = "(?i:" + "|".join(sorted(_SPELLED, key=len, reverse=True)) + ")"
# Scripts written without blanks: each character with its marks is a word of its own.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(
    rf"""
      (?P<number> (?:\d++ | (?<![\p{{L}}\p{{M}}\d]){_SPELLED_PATTERN}(?=[.,]\d))
                  (?:[.,'’](?:\d++ | {_SPELLED_PATTERN}(?![\p{{L}}\p{{M}}])))*+ )
    | (?P<sign> [{_UNSPACED}]\p{{M}}*+ )
    | (?P<word> [[\p{{L}}\p{{M}}]--[{_UNSPACED}]]++ ) (?:['’ʼ]s(?![\p{{L}}\p{{M}}]))?
    """,
    regex.VERBOSE | regex.VERSION1,
)
_CHUNK = regex.compile(r"\s+|\S+")
_NUMBER_PART = regex.compile(r"\d+|\p{L}+")
_ACCENTS = regex.compile(r"[\u0300-\u036f]")
_SENTENCE_END = regex.compile(r"[.!?…:|•]|[\"“„«‹‘(\[]|\s['—–]")


@dataclass(frozen=True, slots=True)
class Words:
    """The folded words of a text, in order; the four tuples are of one length.

    A name is a capitalised word that does not merely open a sentence; in scripts without case there are none. A number is one
    printed with digits; a number spelled out is folded to its digits, but marked as neither.
    """

    keys: tuple[str, ...]
    names: tuple[bool, ...]
    numbers: tuple[bool, ...]
    paragraphs: tuple[int, ...]
    """Index of the paragraph that each word stands in."""


def read_words(paragraphs: Iterable[str]) -> Words:
    """The words of the paragraphs, the first `MOST_WORDS` of them; those of the texts that were read last are kept."""
    return _read_words(tuple(paragraphs))


@lru_cache(maxsize=_KEPT)
def _read_words(paragraphs: tuple[str, ...]) -> Words:
    keys: list[str] = []
    numbers: list[bool] = []
    homes: list[int] = []
    # Why a word is capitalised: 0 it is not, 1 it opens a sentence or stands in a heading, 2 it is a name.
    capitals: list[int] = []
    for home, paragraph in enumerate(paragraphs):
        if len(keys) >= MOST_WORDS:
            break
        _read_paragraph(paragraph, keys, numbers, capitals)
        homes.extend([home] * (len(keys) - len(homes)))
    known = {key for key, capital in zip(keys, capitals, strict=True) if capital == 2}
    names = (capital > 0 and len(key) > 1 and key in known for key, capital in zip(keys, capitals, strict=True))
    return Words(
        tuple(keys[:MOST_WORDS]),
        tuple(names)[:MOST_WORDS],
        tuple(numbers[:MOST_WORDS]),
        tuple(homes[:MOST_WORDS]),
    )


def locate_words(paragraphs: Iterable[str]) -> list[tuple[int, int]]:
    """Where the words of `read_words` stand: start and end of each, in characters of the paragraphs joined by a blank line.

    Reading normalises (NFKC), which may change the number of characters: a word of a chunk (what stands between two blanks)
    that does not come out of it as it went in has the whole chunk for its place.
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for paragraph in paragraphs:
        if len(spans) >= MOST_WORDS:
            break
        text, places = _normalise(paragraph)
        spans += [(begin + places[word.start()][0], begin + places[word.end() - 1][1]) for word in _WORD.finditer(text)]
        begin += len(paragraph) + 2
    return spans[:MOST_WORDS]


def _normalise(paragraph: str) -> tuple[str, list[tuple[int, int]]]:
    """The paragraph as it is read, and for each character of that the characters of the paragraph that it came from."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    for chunk in _CHUNK.finditer(paragraph):
        piece = unicodedata.normalize("NFKC", chunk[0])
        pieces.append(piece)
        if piece == chunk[0]:
            places.extend((at, at + 1) for at in range(chunk.start(), chunk.end()))
        else:
            places.extend([chunk.span()] * len(piece))
    return "".join(pieces), places


def _read_paragraph(paragraph: str, keys: list[str], numbers: list[bool], capitals: list[int]) -> None:
    text = unicodedata.normalize("NFKC", paragraph)
    first = len(keys)
    end = 0
    small = False
    for match in _WORD.finditer(text):
        word = match["word"]
        if word is None:
            number = match["number"]
            keys.append(match["sign"] if number is None else fold_number(number))
            numbers.append(number is not None)
            capitals.append(0)
        else:
            key = fold(word)
            keys.append(_SPELLED.get(key, key))
            numbers.append(False)
            if word[0].isupper():
                opens = len(keys) == first + 1 or _SENTENCE_END.search(text, end, match.start())
                capitals.append(1 if opens else 2)
            else:
                capitals.append(0)
                small = small or word[0].islower()
        end = match.end()
        if len(keys) >= MOST_WORDS:
            break
    if not small:
        # A heading in capitals tells names from other words no better than a sentence's first word does.
        capitals[first:] = [min(capital, 1) for capital in capitals[first:]]


def fold(word: str) -> str:
    """The word without its case and its accents; marks that are letters in their script (Devanagari, Arabic) stay."""
    if word.isascii():
        return word.lower()
    bare: str = _ACCENTS.sub("", unicodedata.normalize("NFD", word.casefold()))
    return unicodedata.normalize("NFC", bare)


def fold_number(number: str) -> str:
    """The digits of a printed number, its separators taken out and digits that were spelled out put back."""
    if number.isascii() and number.isdigit():
        return number
    # digits that this Python's tables do not know yet stay as they are
    parts = (_SPELLED.get(part.lower(), part) for part in _NUMBER_PART.findall(number))
    return "".join(char if char.isascii() else str(unicodedata.decimal(char, char)) for part in parts for char in part)
