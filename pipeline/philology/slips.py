"""How far a story's prior can be followed: it knows machine spinners, and people who transcribe or edit err otherwise.

A spinner puts a real word in place of another one; whoever types what he hears or reads slips: words that are alike in letters,
words left out. What was slipped from is like the slip in its letters, so that against slips a reading has something of the
votes of those that are like it, while what speaks for it by itself says little. How much either counts is decided by the odds
that the disputes of the story are slips.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
# Log-odds that a reading has from a witness with another one, against slips, for the share of letters that the two have in
# common: on half of the odd lines of CrowdSpeech, and on the other half, .8 to 1.6 are alike (docs/recovery.md).
ECHO = 1.2
# Witnesses from which on the prior can give way to votes.
FEWEST = 3
# Log-odds of slips before anything is seen, and the most that can be said for them by the witnesses' voting against the prior:
# copies of one spun copy do so too.
SLIPS_AT_FIRST = 3.0
MOST_AGAINST = 2.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like each other the readings of a place are in their letters.

    Case and punctuation are left aside: software changes them, and spinners do.
    """

    table: Floats
    """Share of letters that two readings have in common, shape (readings, readings); 0 where they are one or have no words."""
    mean: float
    """Over the pairs of readings that differ in words; USUAL where there is none."""


def likeness(readings: Sequence[Sequence[str]]) -> Likeness:
    """The likeness of the readings of a place, each given by its tokens."""
    spelt = [" ".join(word for text in texts for word in spoken(text)) for texts in readings]
    words = list(dict.fromkeys(filter(None, spelt)))
    # one row and column more, of zeros, for readings without words
    own = np.zeros((len(words) + 1, len(words) + 1))
    own[:-1, :-1] = cdist(words, words, scorer=Levenshtein.normalized_similarity, dtype=np.float64)
    np.fill_diagonal(own, 0.0)
    pairs = len(words) * (len(words) - 1)
    number = [words.index(text) if text else len(words) for text in spelt]
    return Likeness(own[number][:, number], float(own.sum()) / pairs if pairs else USUAL)


def echoes(choice: Ints, alike: Sequence[Likeness], odds: float, worn: Flags, shape: tuple[int, int]) -> Floats:
    """What every reading has from the witnesses that have another one, log-odds of `shape` (places, readings).

    `choice`, `alike`, `worn` as for `slip_odds`, whose result `odds` is: where nobody slipped there is nothing.
    """
    found = np.zeros(shape)
    share = _share_of(odds)
    for row, held, place, left in zip(found, choice, alike, worn.tolist(), strict=True):
        if not left:
            votes = np.bincount(held[held >= 0], minlength=len(place.table))
            row[: len(votes)] = share * ECHO * (votes @ place.table)
    return found


def slip_odds(prior: Floats, choice: Ints, alike: Sequence[Likeness], worn: Flags) -> float:
    """Log-odds that the witnesses' differences are slips.

    `prior[u, r]` and `choice[u, w]` are those of `reliability.Disputes`, `alike` has the readings of every place.
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
    kind = ALIKE * sum(place.mean - USUAL for place, left in zip(alike, worn.tolist(), strict=True) if not left)
    return SLIPS_AT_FIRST + kind - max(-MOST_AGAINST, float(agreement.sum()))


def mixed(prior: Floats, odds: float, worn: Flags) -> Floats:
    """The log prior, mixed with one that hardly tells readings apart, by the log-odds of slips; as it is at `worn` places."""
    if not len(prior):
        return prior
    share = _share_of(odds)
    shares = share * _shares(_tempered(prior)) + (1 - share) * _shares(prior)
    found: Floats = np.full_like(prior, -np.inf)
    np.log(shares, out=found, where=shares > 0)
    return np.where(worn[:, None], prior, found)


def _share_of(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _tempered(prior: Floats) -> Floats:
    return TEMPER * prior


def _shares(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
