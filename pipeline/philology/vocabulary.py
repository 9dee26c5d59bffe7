"""The words of a story as numbers, the same in all of its witnesses."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.tokens import Shape, Tokens

Ints = NDArray[np.int32]
Runs = set[int]

# Beyond this many paragraphs a text is not searched for copies of paragraphs.
MOST_PARAGRAPHS = 20_000


class Vocabulary:
    """Numbers for folded forms, for their first and last letters, and for runs of three words."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._letters: defaultdict[str, int] = defaultdict(count().__next__)
        self._affixes: list[tuple[int, int]] = []
        self._runs: defaultdict[int, int] = defaultdict(count().__next__)

    def __len__(self) -> int:
        return len(self._words)

    def of(self, tokens: Tokens) -> Ints:
        """The number of every token's folded form."""
        for word, shape in dict(zip(reversed(tokens.folds), reversed(tokens.shapes), strict=True)).items():
            if word not in self._words:
                self._words[word] = len(self._words)
                self._affixes.append(self._affixes_of(word, shape))
        return np.fromiter(map(self._words.__getitem__, tokens.folds), dtype=np.int32, count=len(tokens))

    def affixes(self, words: Ints) -> tuple[Ints, Ints]:
        """Of every word the numbers of its first and of its last letters; -1 where it is too short to have them."""
        distinct, which = np.unique(words, return_inverse=True)
        found = np.array([self._affixes[word] for word in distinct.tolist()], dtype=np.int32).reshape(-1, 2)[which]
        return np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])

    def runs(self, words: Ints) -> Ints:
        """The number of every run of three words, by its first one."""
        keys = words.astype(np.int64)
        keys = (keys[:-2] << 42) ^ (keys[1:-1] << 21) ^ keys[2:]
        return np.fromiter(map(self._runs.__getitem__, keys.tolist()), dtype=np.int32, count=len(keys))

    def _affixes_of(self, word: str, shape: Shape) -> tuple[int, int]:
        head = tail = -1
        if shape is not Shape.PUNCTUATION and len(word) <= 64:
            letters = "".join(letter for letter in word if letter.isalnum())
            if len(letters) > 4:
                head = self._letters["^" + letters[:4]]
            if len(letters) > 5 or (shape is Shape.NUMBER and len(letters) > 2):
                tail = self._letters[letters[-4:] + "$"]
        return head, tail


def runs_by_paragraph(rows: Sequence[Tokens], vocabulary: Vocabulary) -> list[list[Runs]]:
    """For every row and paragraph its runs of three words as numbers, the same in all rows; punctuation left out."""
    words = [vocabulary.of(row) for row in rows]
    return [_runs(tokens, own, len(vocabulary)) for tokens, own in zip(rows, words, strict=True)]


def _runs(tokens: Tokens, words: Ints, base: int) -> list[Runs]:
    if len(tokens.paragraphs) > MOST_PARAGRAPHS:
        return [set() for _ in tokens.paragraphs]
    spoken = np.fromiter(tokens.shapes, dtype=np.int8, count=len(tokens)) != Shape.PUNCTUATION
    line, places = words[spoken].astype(np.int64), np.array(tokens.places, dtype=np.int32)[spoken]
    keys = ((line[:-2] * base + line[1:-1]) * base + line[2:]).tolist()
    ends = np.searchsorted(places, np.arange(len(tokens.paragraphs) + 1)).tolist()
    return [set(keys[first : max(first, last - 2)]) for first, last in pairwise(ends)]
