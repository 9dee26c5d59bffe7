"""How far a story's prior can be followed: it knows machine spinners, and people who transcribe or edit err otherwise.

A spinner puts a real word in place of another one; whoever types what he hears or reads slips: words that are alike in letters,
words left out. Against slips what speaks for a reading by itself says little, so that the prior is mixed with a flat one, by
the odds that the disputes of the story are slips.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from pipeline.philology.prior import spoken

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Against slips the prior counts by this coefficient.
TEMPER = 0.03
# Readings of a place are alike in this share of their letters as often among slips as among a spinner's substitutions; more is
# evidence for slips, so much in log-odds a place.
USUAL = 0.36
ALIKE = 3.0
# Witnesses from which on the prior can give way to votes.
FEWEST = 3
# Log-odds of slips before anything is seen, and the most that can be said for them by the witnesses' voting against the prior:
# copies of one spun copy do so too.
SLIPS_AT_FIRST = 3.0
MOST_AGAINST = 2.0


def likeness(readings: Sequence[Sequence[str]]) -> float:
    """Share of letters that the readings of a place have in common, the mean over pairs; USUAL where there is no pair.

    Case and punctuation are left aside: software changes them, and spinners do.
    """
    spelt = (" ".join(word for text in texts for word in spoken(text)) for texts in readings)
    words = list(dict.fromkeys(filter(None, spelt)))
    if len(words) < 2:
        return USUAL
    table = cdist(words, words, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
    return float((table.sum() - len(words)) / (len(words) * (len(words) - 1)))


def slip_odds(prior: Floats, choice: Ints, alike: Sequence[float], worn: Flags) -> float:
    """Log-odds that the witnesses' differences are slips.

    `prior[u, r]` and `choice[u, w]` are those of `reliability.Disputes`, `alike` the likeness of the readings of every place.
    Places with `worn` readings (`wear.worn`) are software's doing and say nothing of people; without others the odds are -inf.
    Two witnesses outvote nobody: there the prior is all there is, and the odds are -inf.
    """
    if choice.shape[0] == 0 or choice.shape[1] < FEWEST:
        return -math.inf
    if worn.all():
        return -math.inf
    prior, choice = prior[~worn], choice[~worn]
    counts = np.zeros_like(prior)
    place, witness = np.nonzero(choice >= 0)
    np.add.at(counts, (place, choice[place, witness]), 1.0)
    votes = np.where(np.isfinite(prior), counts + 0.5, 0.0)
    votes /= votes.sum(axis=1, keepdims=True)
    agreement = np.log((_shares(prior) * votes).sum(axis=1)) - np.log((_shares(_tempered(prior)) * votes).sum(axis=1))
    kind = ALIKE * sum(value - USUAL for value, left in zip(alike, worn.tolist(), strict=True) if not left)
    return SLIPS_AT_FIRST + kind - max(-MOST_AGAINST, float(agreement.sum()))


def mixed(prior: Floats, odds: float, worn: Flags) -> Floats:
    """The log prior, mixed with one that hardly tells readings apart, by the log-odds of slips; as it is at `worn` places."""
    if not len(prior):
        return prior
    share = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
    shares = share * _shares(_tempered(prior)) + (1 - share) * _shares(prior)
    found: Floats = np.full_like(prior, -np.inf)
    np.log(shares, out=found, where=shares > 0)
    return np.where(worn[:, None], prior, found)


def _tempered(prior: Floats) -> Floats:
    return TEMPER * prior


def _shares(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
