"""How likely a word is after two others: a strategy that recovery takes as an argument."""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Fluency = Callable[[Sequence[str]], float]
"""Natural log of the probability of the last word after the (up to two) words before it; words are in lower case."""

# Words in running text that no list knows; what is rarer than this tells nothing about who wrote it.
UNKNOWN = -20.0
# Price of a word outside the trigram model's 20,000 words, beside its frequency alone: fitted on bench/recovery.py's cases.
OUTSIDE = -1.0
# Languages in which wordfreq cuts what it is asked for by a package of its own; what it is asked for here is cut already.
NEEDS_A_TOKENIZER = frozenset({"ja", "ko", "zh"})
# Words that wordfreq looks up as they are; to cut and normalise a word takes it longer than anything else that is asked of one.
_PLAIN = re.compile("[a-z]+")
_SCALE = 1e-4  # pocketsphinx counts in logarithms to the base 1.0001


def flat(words: Sequence[str]) -> float:
    """The same for every word: what is known of a language without data."""
    return UNKNOWN / 2 if words else 0.0


@cache
def fluency_of(language: str | None) -> Fluency:
    """The best model at hand: for English the trigrams that pocketsphinx carries, elsewhere the frequency of words.

    An unknown language counts as English. Loading takes about 0.2 s, once a process.
    """
    code = _code(language)
    frequency = frequency_of(code)
    return _trigrams(frequency) if code == "en" else frequency


def is_english(language: str | None) -> bool:
    """Whether the language counts as English, as an unknown one does."""
    return _code(language) == "en"


def _code(language: str | None) -> str:
    return (language or "en").lower().partition("-")[0]


@cache
def frequency_of(language: str | None) -> Fluency:
    """The frequency of words by themselves, whatever stands before them; flat for languages without a list."""
    code = _code(language)
    import wordfreq  # noqa: PLC0415  (its lists are read when a story needs them)

    if code not in wordfreq.available_languages():
        return flat

    listed: dict[str, float] = wordfreq.get_frequency_dict(code)
    if code in NEEDS_A_TOKENIZER:

        @cache
        def known(word: str) -> float:
            return math.log(listed[word]) if word in listed else UNKNOWN
    else:

        @cache
        def known(word: str) -> float:
            if _PLAIN.fullmatch(word):
                return math.log(_rounded(listed[word])) if word in listed else UNKNOWN
            found: float = wordfreq.word_frequency(word, code)
            return math.log(found) if found > 0 else UNKNOWN

    return lambda words: known(words[-1])


def _rounded(frequency: float) -> float:
    """The frequency to the three digits that wordfreq gives."""
    return round(frequency, math.floor(-math.log10(frequency)) + 3)


def _trigrams(frequency: Fluency) -> Fluency:
    try:
        import pocketsphinx  # noqa: PLC0415  (27 MB, read when a story needs them)
    except ImportError:
        return frequency
    path = Path(pocketsphinx.__file__).parent / "model" / "en-us" / "en-us.lm.bin"
    if not path.is_file():
        return frequency
    model: Any = pocketsphinx.NGramModel.readfile(str(path))
    nowhere = model.prob(["\x00"])

    @cache
    def known(word: str) -> bool:
        return bool(model.prob([word]) != nowhere)

    def fluency(words: Sequence[str]) -> float:
        word = words[-1]
        if not known(word):
            return OUTSIDE + frequency([word])
        history: list[str] = []
        for earlier in reversed(words[-3:-1]):
            if not known(earlier):
                break
            history.append(earlier)
        return float(model.prob([word, *history])) * _SCALE

    return fluency
