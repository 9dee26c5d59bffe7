"""What a dictionary spinner makes of a text: wrong synonyms, wrong case, broken numbers, every sentence in its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from zlib import crc32

from bench.copies.case import Paragraphs
from bench.copies.dictionary import GRAMMAR, LONGEST_PHRASE, options_of

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORD = re.compile(r"\d[\d,.]*\d|\d|[^\W\d_]+(?:['’][^\W\d_]+)*|\s+|.", re.DOTALL)
QUOTED = re.compile(r"([\"“][^\"”“]*[\"”])")
SENTENCE_END = frozenset(".!?")
# Seen on real spun copies: shares of the capitalised words and of the numbers that were hit, of sentences begun small, and of
# capitals that a replacement of a capitalised word has throughout ("By Means Of").
NAMES = 0.05
NUMBERS = 0.2
SMALL_STARTS = 0.06
# The first option of a word is the favourite at every site, so that two sites with one dictionary share many errors.
FAVOURITE = 2.5
# "in" or "and" is replaced far less often than a noun, or nothing could be read any more.
GRAMMAR_SHARE = 0.2

Lookup = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Spinner:
    """The habits of one site's spinner."""

    part: str
    """Whose dictionary it has: "fit" or "report"."""
    rate: float = 0.6
    """Share of the lower-case words of its dictionary that it replaces: .6 changes about a fifth of a text's tokens."""
    spares_quotations: bool = False
    damages_numbers: bool = True
    title_case: float = 0.02
    """Share of replacements that come with a capital on every word: "By Means Of"."""


def spin(paragraphs: Paragraphs, rng: Random, spinner: Spinner, lookup: Lookup | None = None) -> Paragraphs:
    """The paragraphs with words, phrases and numbers replaced; `lookup` stands in for the dictionary of the spinner's part."""
    known = lookup or (lambda head: options_of(head, spinner.part))
    return tuple(_spin_paragraph(paragraph, rng, spinner, known) for paragraph in paragraphs)


def _spin_paragraph(text: str, rng: Random, spinner: Spinner, lookup: Lookup) -> str:
    pieces = QUOTED.split(text) if spinner.spares_quotations else [text]
    done = []
    for number, piece in enumerate(pieces):
        spared = spinner.spares_quotations and number % 2 == 1
        done.append(piece if spared else _spin_piece(piece, rng, spinner, lookup))
    return "".join(done)


def _spin_piece(text: str, rng: Random, spinner: Spinner, lookup: Lookup) -> str:
    words = WORD.findall(text)
    out: list[str] = []
    at = 0
    while at < len(words):
        length, options = _longest_head(words, at, lookup)
        word = "".join(words[at : at + length])
        out.append(_replaced(word, options, rng, spinner, starts=_starts_sentence(words, at)))
        at += length
    return "".join(out)


def _longest_head(words: list[str], at: int, lookup: Lookup) -> tuple[int, tuple[str, ...]]:
    """How many pieces from `at` on make up the longest head, and its options; one piece and none where there is no head."""
    if words[at][0].isalpha():
        for length in range(2 * LONGEST_PHRASE - 1, 0, -2):
            if any(piece != " " for piece in words[at + 1 : at + length : 2]) or at + length > len(words):
                continue
            head = "".join(words[at : at + length]).lower()
            if options := lookup(head):
                return length, options
    return 1, ()


def _replaced(word: str, options: tuple[str, ...], rng: Random, spinner: Spinner, *, starts: bool) -> str:
    draw, chosen, style = rng.random(), rng.random(), rng.random()
    if word[0].isdigit():
        return damaged(word) if spinner.damages_numbers and draw < NUMBERS else word
    name = word[0].isupper() and not starts
    # some words every site replaces readily, others hardly any: a trait of the word
    ready = 2 * (crc32(word.lower().encode()) % 997) / 997 * (GRAMMAR_SHARE if word.lower() in GRAMMAR else 1)
    if not options or draw >= (NAMES if name else spinner.rate * ready):
        return word[0].lower() + word[1:] if starts and style < SMALL_STARTS and len(word) > 1 else word
    option = options[int(chosen**FAVOURITE * len(options))]
    if name or style < spinner.title_case:
        return " ".join(part[0].upper() + part[1:] for part in option.split(" "))
    return option[0].upper() + option[1:] if word[0].isupper() and style > SMALL_STARTS else option


def _starts_sentence(words: list[str], at: int) -> bool:
    before = [word for word in words[max(0, at - 3) : at] if word.strip() and word not in "\"“'‘”’"]
    return not before or before[-1] in SENTENCE_END


def damaged(number: str) -> str:
    """`number` with the digit before its comma or behind its point spelled out (two,500; 8.Eight); others stay."""
    found = re.fullmatch(r"(\d)(,\d.*)", number)
    if found:
        return DIGITS[int(found[1])] + found[2]
    found = re.fullmatch(r"(\d+\.)(\d)", number)
    if found:
        return found[1] + DIGITS[int(found[2])].capitalize()
    return DIGITS[int(number)] if len(number) == 1 else number
