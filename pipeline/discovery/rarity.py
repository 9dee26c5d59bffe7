"""How much a word tells: from the texts in the store, and from a language's own frequencies where these are few."""

from collections.abc import Mapping
from functools import cache
from math import exp, log2

from pipeline.discovery.passages import Rarity
from pipeline.philology.language import frequency_of

TEXT_WORDS = 400
"""Words of a usual article: how a word's frequency becomes the share of texts that hold it."""
PRIOR_TEXTS = 1_000.0
"""Texts that the language's frequencies count for."""
MOST_BITS = 24.0


def rarity_of(language: str | None, counts: Mapping[str, int] | None = None, texts: int = 0) -> Rarity:
    """Bits of a folded word: `counts` says how many of `texts` stored texts hold it, for the words that were counted."""
    frequency = frequency_of(language)
    held = counts or {}

    @cache
    def bits(word: str) -> float:
        share = 1.0 - exp(-TEXT_WORDS * exp(frequency([word])))
        if word in held:
            share = (held[word] + PRIOR_TEXTS * share) / (texts + PRIOR_TEXTS)
        return min(MOST_BITS, -log2(max(share, 2**-MOST_BITS)))

    return bits
