"""Text as the numbers that the model reads: byte pairs, merged in the order in which the model's makers merged them.

Sennrich, Haddow, Birch (2016) on bytes as GPT-2 does it, with every digit a token of its own (SmolLM2). The package
`tokenizers` does the same and brings ten others along, a client of a model hub among them; fifty lines do not.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import regex

from pipeline.errors import Malformed

_PRETOKENS = regex.compile(r"\p{N}|'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+")
_KEPT = 50_000
"""Words whose pairs are remembered."""


def printable_bytes() -> tuple[str, ...]:
    """The character that stands for each byte in a vocabulary: itself where it prints, one from 256 on elsewhere."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    found = {byte: chr(byte) for byte in shown}
    for byte in range(256):
        found.setdefault(byte, chr(256 + len(found) - len(shown)))
    return tuple(found[byte] for byte in range(256))


class BytePairs:
    """`encode(text)` gives the numbers of its tokens. Control tokens of the vocabulary are never made out of text."""

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str]) -> None:
        """Raises Malformed where the vocabulary does not hold what the merges make."""
        self._bytes = printable_bytes()
        self._numbers = vocabulary
        self._ranks: dict[tuple[str, str], int] = {}
        missing: list[str] = []
        for rank, merge in enumerate(merges):
            left, blank, right = merge.partition(" ")
            if not blank or left + right not in vocabulary:
                missing.append(merge)
            self._ranks[left, right] = rank
        if missing:
            raise Malformed(f"The model's vocabulary lacks {len(missing)} tokens that its merges make: {missing[0]!r}, …")
        self._of_pretoken = lru_cache(maxsize=_KEPT)(self._merged)

    def encode(self, text: str) -> list[int]:
        """The numbers of the text's tokens; a lone surrogate counts as U+FFFD, bytes that the model never saw not at all."""
        found: list[int] = []
        for pretoken in _PRETOKENS.findall(text):
            found.extend(self._of_pretoken(pretoken))
        return found

    def _merged(self, pretoken: str) -> tuple[int, ...]:
        known = pretoken.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        parts = [self._bytes[byte] for byte in known.encode("utf-8")]
        while len(parts) > 1:
            ranked = [(self._ranks.get(pair, len(self._ranks)), pair) for pair in pairwise(parts)]
            rank, pair = min(ranked)
            if rank == len(self._ranks):
                break
            parts = _joined(parts, pair)
        return tuple(self._numbers[part] for part in parts if part in self._numbers)


def _joined(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(parts):
        both = tuple(parts[at : at + 2]) == pair
        found.append("".join(pair) if both else parts[at])
        at += 2 if both else 1
    return found
