"""The fingerprint of a witness: hashes by which its story is found among millions.

Spinning replaces words and leaves names, numbers and their order; editing changes a few words and leaves long runs of them. So
there are two sorts of features, anchors and shingles, each a local thing: a text cut to a quarter keeps a quarter of them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pipeline.philology.anchors import Words, read_words
from pipeline.philology.thinness import find_thinness
from pipeline.philology.witness import Witness

MOST_ANCHORS = 250
MOST_SHINGLES = 150
_REACH = 2
"""An anchor is paired with so many of the anchors after it, so that one damaged or added breaks its own pairs alone."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Features as signed 64-bit hashes, ascending, each once; the same in every process and release."""

    anchors: tuple[int, ...]
    """Names and numbers with the ones that follow, long numbers, numbers with their unit: at most `MOST_ANCHORS`."""
    shingles: tuple[int, ...]
    """Runs of words, sampled alike in every text: at most `MOST_SHINGLES`."""
    thin: str | None = None
    """Why the text is too thin to place, or None; a thin text has no features."""

    @property
    def features(self) -> tuple[int, ...]:
        """Anchors and shingles together, ascending."""
        return tuple(sorted(self.anchors + self.shingles))


def fingerprint(witness: Witness) -> Fingerprint:
    """The fingerprint of the witness's paragraphs; their order plays no part, nor does the title."""
    words = read_words(witness.paragraphs)
    thin = find_thinness(words, witness.paragraphs)
    if thin:
        return Fingerprint((), (), thin)
    return Fingerprint(
        _sample((("anchor", *keys) for keys in _list_anchors(words)), MOST_ANCHORS),
        _sample((("shingle", *keys) for keys in _list_shingles(words)), MOST_SHINGLES),
    )


def _sample(features: Iterable[tuple[str, ...]], most: int) -> tuple[int, ...]:
    # The smallest hashes, so that two texts that share features agree on which of them to keep.
    hashes = {
        int.from_bytes(
            hashlib.blake2b("\x1f".join(feature).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
        )
        for feature in set(features)
    }
    return tuple(sorted(hashes)[:most])


def _list_anchors(words: Words) -> Iterator[tuple[str, ...]]:
    rows = zip(words.paragraphs, words.keys, words.names, words.numbers, strict=True)
    for _, paragraph in groupby(rows, key=lambda row: row[0]):
        line = list(paragraph)
        anchors = [key for _, key, name, number in line if name or (number and len(key) > 1)]
        for at, anchor in enumerate(anchors):
            for other in anchors[at + 1 : at + 1 + _REACH]:
                if other != anchor:
                    yield anchor, other
        for at, (_, key, _, number) in enumerate(line):
            if number and len(key) > 3 and not (len(key) == 4 and key[:2] in {"19", "20"}):
                yield (key,)
            if number and len(key) > 1 and at + 1 < len(line):
                yield "unit", key, line[at + 1][1]


def _list_shingles(words: Words) -> Iterator[tuple[str, ...]]:
    for _, paragraph in groupby(zip(words.paragraphs, words.keys, strict=True), key=lambda row: row[0]):
        keys = [key for _, key in paragraph]
        # Two words of five letters are a cheap stand-in for rarity that needs no corpus and so never changes.
        long = [len(key) > 4 for key in keys]
        for at in range(len(keys) - 3):
            if long[at] + long[at + 1] + long[at + 2] + long[at + 3] > 1 or not keys[at].isascii():
                yield keys[at], keys[at + 1], keys[at + 2], keys[at + 3]
