"""What a dictionary spinner makes of an article: wrong synonyms, broken numbers, small letters at the start of sentences.

The spinner does what such sites were seen to do. It replaces words and phrases by an option drawn anew each time, so that
two sites with one dictionary differ (though less than chance would have it: some words, and the first option of each, are
favourites everywhere), and one text uses several options for one word; it hits names through their common
nouns and gives every word of the option a capital; it spells out a digit before a comma or behind a point (two,914; 8.Five);
it never drops, merges or moves a sentence, and leaves punctuation alone. One seed gives one text, on every machine.
"""

import re
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from random import Random

from pipeline.demo.article import Article

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUMBER = r"\d[\d,.]*\d|\d"
SENTENCE_START = re.compile(r'(?:^|(?<=[.!?] )|(?<=[.!?]" ))"?([A-Z])(?=[a-z])')

# Shares of the places that a spinner could have changed and did: names less often than words, numbers less often still.
NAMES = 0.3
NUMBERS = 0.15
SENTENCE_STARTS = 0.07
# The first option of a word is the likeliest at every site, as with real spinners, which share many of their errors.
OPTION_BIAS = 3


@lru_cache(maxsize=1)
def read_dictionary() -> dict[str, tuple[str, ...]]:
    """Word or phrase in small letters → what it may be turned into."""
    rows = files(__package__).joinpath("dictionary.txt").read_text(encoding="utf-8").splitlines()
    entries = (row.split(" = ") for row in rows if not row.startswith("#"))
    return {head: tuple(options.split(" | ")) for head, options in entries}


@lru_cache(maxsize=1)
def _places() -> re.Pattern[str]:
    """Every place that may be changed, the longest phrase first."""
    heads = sorted(read_dictionary(), key=len, reverse=True)
    return re.compile(rf"\b(?:{NUMBER}|{'|'.join(map(re.escape, heads))})\b", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _weight(head: str) -> float:
    """How readily every site replaces this word: 0 (never) to 2, 1 on average; a trait of the shared dictionary."""
    return 2 * Random(head).random()


def spin(article: Article, seed: str, rate: float, *, spares_quotations: bool = False) -> Article:
    """The article with about `rate` of its dictionary words replaced; byline and dateline stay."""
    random = Random(seed)

    def spun(text: str) -> str:
        pieces = re.split(r'("[^"]*")', text) if spares_quotations else [text]
        starts = {found.start(1) for found in SENTENCE_START.finditer(text)}
        done, at = "", 0
        for piece in pieces:
            spared = spares_quotations and piece.startswith('"')
            done += piece if spared else _spin_piece(piece, {start - at for start in starts}, random, rate)
            at += len(piece)
        return done

    return replace(article, headline=spun(article.headline), paragraphs=tuple(map(spun, article.paragraphs)))


def _spin_piece(text: str, starts: set[int], random: Random, rate: float) -> str:
    """`text` with its words replaced; `starts` are the offsets at which a sentence begins."""

    def option(found: re.Match[str]) -> str:
        word = found.group()
        if word[0].isdigit():
            return _damage(word) if random.random() < NUMBERS else word
        head = word.lower()
        if random.random() >= (rate * _weight(head) if word[0].islower() or found.start() in starts else NAMES):
            return word
        options = read_dictionary()[head]
        drawn = options[int(random.random() ** OPTION_BIAS * len(options))]
        if word[0].islower():
            return drawn
        return " ".join(part[0].upper() + part[1:] for part in drawn.split(" "))

    lowered = [
        letter.lower() if at in starts and random.random() < SENTENCE_STARTS else letter for at, letter in enumerate(text)
    ]
    return _places().sub(option, "".join(lowered))


def _damage(number: str) -> str:
    """`number` with the digit before its comma or behind its point spelled out; other numbers stay."""
    if re.fullmatch(r"\d,\d+", number):
        return DIGITS[int(number[0])] + number[1:]
    if re.fullmatch(r"\d+\.\d", number):
        return number[:-1] + DIGITS[int(number[-1])].capitalize()
    return number
