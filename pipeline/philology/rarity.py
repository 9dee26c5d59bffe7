"""How much shared features tell, by how many stories hold them: candidates in the order of what they share with a newcomer.

Frequencies count stories, not witnesses: the copies of one story hold its features by right, the pages of one site hold their
closing lines by habit. Pure: whoever keeps the counts hands them in, and old counts only blunt the order.
"""

from collections.abc import Hashable, Iterable, Mapping
from math import log2
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def weight(frequency: int, stored: int) -> float:
    """What sharing a feature tells that `frequency` of `stored` stories hold: squared bits, shared out among the stories.

    A feature that nobody was counted for has one holder: whoever shares it. Bits alone would not do, because features come in
    company: thirty of a site's closing lines are one coincidence, and must not outweigh ten features of a story's own. Of
    the weights that were tried this one put the right story first most often (docs/placing.md). 0 where every story holds it.
    """
    holders = max(1, frequency)
    bits = log2((stored + 1) / holders)
    return bits * bits / holders if bits > 0 else 0.0


def score(shared: Iterable[int], frequencies: Mapping[int, int], stored: int) -> float:
    """What sharing these features tells; features that `frequencies` lacks are taken to be held by one story."""
    return sum(weight(frequencies.get(feature, 1), stored) for feature in set(shared))


def rank(shared: Mapping[Key, Iterable[int]], frequencies: Mapping[int, int], stored: int) -> list[tuple[Key, float]]:
    """Candidates with their scores, the best first, by the features that each shares with the newcomer.

    A cut text is not punished for what it lacks: only what is shared counts. Equal scores keep the order that they came in.
    """
    scored = [(key, score(features, frequencies, stored)) for key, features in shared.items()]
    return sorted(scored, key=lambda row: -row[1])


def choose(features: Iterable[int], frequencies: Mapping[int, int], most: int) -> tuple[int, ...]:
    """The `most` rarest features, the ones to look up; of equally rare ones the smallest hashes, as every text keeps them."""
    return tuple(sorted(set(features), key=lambda feature: (frequencies.get(feature, 1), feature))[:most])
