"""How far each witness can be believed, and what follows for every disputed place: expectation-maximisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.kinship import DOUBTFUL, dissolved, joined, near_duplicates, readings_in_common

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Chance that a wrong witness has just this wrong reading: spinners draw from a shared dictionary of a few options a word.
SAME_ERROR = 0.5
# What a solution loses, in natural logarithms of likelihood, by each lineage of several witnesses for every disputed place, and
# at most: most copies were made independently, and two clean ones agree as much as two copies of one spun copy. So few places
# tell nothing of it.
UNTOLD = 10
EACH_FAMILY = 0.075
MOST_FAMILY = 30.0
ROUNDS = 25
# Pseudo-counts (wrong, all) of an error rate.
PRIOR_RATE = (1.0, 10.0)
# Words on which all agree count as right, by this share: the rest are such as no spinner touches and say nothing about one.
AGREED_SHARE = 0.6
# Where fewer places are disputed, chance makes lineages: they are believed only if the readings that they change gain so much
# fluency in all, and more than so many standard errors.
FEW_PLACES = 40
LEAST_GAIN = 1.5
BEYOND_CHANCE = 1.0


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputed places.

    `choice[u, w]` is the reading of witness w at place u, or -1; `prior[u, r]` the log prior of a reading, -inf beyond.
    """

    choice: Ints
    prior: Floats
    present: Ints
    """Sets of witnesses that stand together where all agree, one a row, 1 for each that is there."""
    agreed: Floats
    """For each such set the number of words."""
    known_errors: Floats
    """For each witness (wrong, compared) from other stories, shape (witnesses, 2), scaled to this one's places."""
    echoes: Floats
    """What every reading has from the witnesses that have another one (`slips.echoes`), shape as `prior`'s."""
    pages: tuple[int, ...] = ()
    """For each witness the number of its page, from 0 in order: texts of one page are one lineage. Empty: each has its own."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One solution: `posterior[u, r]`, each witness's lineage, the error rate of each lineage and of each witness in it.

    The rates are those that the posterior was reached with: with `contributions` it adds up.
    """

    posterior: Floats
    lineages: tuple[int, ...]
    lineage_rates: Floats
    own_rates: Floats
    fluency: float
    """Mean prior of the readings chosen, by which solutions of other lineages are compared."""
    support: float
    """What a solution and the same with a lineage less are compared by: log likelihood of all readings, less EACH_FAMILY."""


def solve(disputes: Disputes) -> tuple[Solution, ...]:
    """The solutions worth comparing, the best first: independent witnesses, and lineages found by shared errors."""
    witnesses = disputes.choice.shape[1]
    alone = disputes.pages or tuple(range(witnesses))
    if disputes.choice.shape[0] == 0:
        nothing = Solution(
            posterior=np.zeros((0, 0)), lineages=alone, lineage_rates=_rates_known(disputes, alone),
            own_rates=np.zeros(witnesses), fluency=0.0, support=0.0,
        )  # fmt: skip
        return (nothing,)
    prior = _softmax(disputes.prior)
    common = readings_in_common(disputes.choice)
    found = [_settle(disputes, alone, _votes(disputes))]
    for lineages in dict.fromkeys(
        (near_duplicates(disputes.choice, common, alone), joined(disputes.choice, alone, prior, DOUBTFUL, common))
    ):
        solution = _settle(disputes, lineages, prior)
        for _ in range(3):
            larger = joined(disputes.choice, solution.lineages, solution.posterior, 0.0, common)
            if larger == solution.lineages:
                break
            solution = _settle(disputes, larger, solution.posterior)
        if solution.lineages != alone:
            found.append(solution)
    doubted = [one is not found[0] and len(prior) < FEW_PLACES and not _gains(prior, one, found[0]) for one in found]
    best, *others = (one for _, one in sorted(zip(doubted, found, strict=True), key=lambda pair: (pair[0], -pair[1].fluency)))
    tried = {one.lineages: one for one in others}
    apart = [
        tried.pop(lineages) if lineages in tried else _settle(disputes, lineages, prior)
        for lineages in dissolved(best.lineages, alone)
    ]
    first = max((best, *apart), key=lambda one: one.support)
    return (first, *(one for one in (best, *apart, *tried.values()) if one is not first))


def _gains(prior: Floats, one: Solution, other: Solution) -> bool:
    """Whether one solution's readings are more fluent than the other's beyond chance."""
    row = np.arange(len(prior))
    gained = prior[row, one.posterior.argmax(axis=1)] - prior[row, other.posterior.argmax(axis=1)]
    return bool(gained.sum() > max(LEAST_GAIN, BEYOND_CHANCE * np.sqrt(np.square(gained).sum())))


def _rates_known(disputes: Disputes, lineages: Sequence[int]) -> Floats:
    of = np.array(lineages, dtype=np.int64)
    wrong, compared = (np.bincount(of, column) / np.bincount(of) for column in disputes.known_errors.T)
    rates: Floats = (wrong + PRIOR_RATE[0]) / (compared + PRIOR_RATE[1])
    return rates


def _softmax(scores: Floats) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - top)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _votes(disputes: Disputes) -> Floats:
    place, witness = np.nonzero(disputes.choice >= 0)
    counts = np.zeros_like(disputes.prior)
    pages = np.array(disputes.pages or range(disputes.choice.shape[1]), dtype=np.int64)
    np.add.at(counts, (place, disputes.choice[place, witness]), 1.0 / np.bincount(pages)[pages[witness]])
    return _softmax(2 * counts + disputes.prior + disputes.echoes)


def _sums(keys: Ints, weights: Floats, size: int) -> Floats:
    """Of every number below `size` the sum of the weights whose key it is."""
    return np.bincount(keys, weights, size).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class _Families:
    """The votes of lineages of several witnesses, gathered by what a lineage's members have at a place.

    A cell is a reading that members of one lineage have at one place, a spot a place that they have a vote at. What a lineage
    says of the readings that none of its members has is the same for all of them, so that only cells need be gone through.
    """

    witness: Ints
    """Of each vote, the witness; `cell` is its cell."""
    cell: Ints
    lineage: Ints
    """Of each cell; `place`, `reading` and `spot` too."""
    place: Ints
    reading: Ints
    spot: Ints
    spot_lineage: Ints
    spot_place: Ints
    others: Floats
    """Of each spot, the readings of the place that none of the lineage's members has."""


def _families(choice: Ints, lineages: Ints, exists: NDArray[np.bool_]) -> _Families:
    places, readings = exists.shape
    shared = np.flatnonzero(np.bincount(lineages)[lineages] > 1)
    place, column = np.nonzero(choice[:, shared] >= 0)
    witness = shared[column]
    spots = lineages[witness] * places + place
    keys, cell = np.unique(spots * readings + choice[place, witness], return_inverse=True)
    of_spot, spot = np.unique(keys // readings, return_inverse=True)
    return _Families(
        witness=witness,
        cell=cell,
        lineage=keys // readings // places,
        place=keys // readings % places,
        reading=keys % readings,
        spot=spot,
        spot_lineage=of_spot // places,
        spot_place=of_spot % places,
        others=exists.sum(axis=1)[of_spot % places] - _sums(spot, np.ones(len(spot)), len(of_spot)),
    )


def _settle(disputes: Disputes, lineages: tuple[int, ...], posterior: Floats) -> Solution:
    """Expectation-maximisation from a posterior to start with.

    A lineage of several witnesses has a hidden head: the copy that they descend from differs from the original at the lineage's
    rate, each witness from the head at its own.
    """
    choice, prior = disputes.choice, disputes.prior
    exists: NDArray[np.bool_] = np.isfinite(prior)
    said = prior + disputes.echoes
    of = np.array(lineages)
    count = int(of.max()) + 1
    size = np.bincount(of, minlength=count)
    families = _families(choice, of, exists)
    place, witness = np.nonzero(choice >= 0)
    reading = choice[place, witness]
    compared = _sums(witness, np.ones(len(witness)), len(of))
    alone = size[of[witness]] == 1
    place, witness, reading = place[alone], witness[alone], reading[alone]
    flat = place * prior.shape[1] + reading
    stood = _sums(families.spot_lineage, np.ones(len(families.others)), count) + _sums(
        of, np.where(size[of] == 1, compared, 0.0), count
    )
    known = np.stack([_sums(of, disputes.known_errors[:, side], count) / size for side in (0, 1)], axis=1)
    same = np.array(_agreements(disputes, lineages))
    own = np.full(len(of), 0.05)
    rates = np.full(count, 0.1)
    for turn in range(ROUNDS):
        before, own_before = rates, own
        weight, rest = _below(families, own)
        if turn:
            total = said + _sums(flat, gain(rates)[of[witness]], prior.size).reshape(prior.shape)
            _add_families(total, families, weight, rest, rates)
            posterior = _softmax(np.where(exists, total, -np.inf))
        wrong = _sums(of[witness], 1 - posterior[place, reading], count)
        head, differing = _heads(families, weight, rest, rates, posterior)
        wrong += _sums(families.spot_lineage, differing, count)
        rates = _rates(wrong, stood + same, known)
        kept = _sums(families.witness, head[families.cell], len(of))
        own = np.where(size[of] > 1, _rates(compared - kept, compared + same[of], np.zeros((len(of), 2))), own)
        if turn > 2 and np.abs(rates - before).max() < 1e-4:
            break
    best = posterior.argmax(axis=1)
    fluency = float(_softmax(prior)[np.arange(len(prior)), best].mean())
    likelihood = _sum_logarithms(np.where(exists, total, -np.inf)) + float(np.log(before[of[witness]] * SAME_ERROR).sum())
    likelihood += float((same * np.log1p(-before)).sum()) + _of_members(families, own_before)
    likelihood += float((same[of] * np.log1p(-own_before))[size[of] > 1].sum())
    return Solution(
        posterior=posterior,
        lineages=lineages,
        lineage_rates=before,
        own_rates=np.where(size[of] > 1, own_before, 0.0),
        fluency=fluency,
        support=likelihood - min(MOST_FAMILY, EACH_FAMILY * max(0, len(prior) - UNTOLD)) * int((size > 1).sum()),
    )


def _sum_logarithms(scores: Floats) -> float:
    """Logarithm of the product, over the rows, of the sums of what the scores are logarithms of."""
    top = scores.max(axis=1)
    return float((top + np.log(np.exp(scores - top[:, None]).sum(axis=1))).sum())


def _members_support(families: _Families, own: Floats) -> tuple[Floats, Floats]:
    """The log-odds that a lineage's members add to every cell, and the most of every spot; 0 for a reading that none has."""
    support = _sums(families.cell, gain(own[families.witness]), len(families.place))
    top = np.where(families.others > 0, 0.0, -np.inf)
    np.maximum.at(top, families.spot, support)
    return support, top


def _of_members(families: _Families, own: Floats) -> float:
    """What `_below` leaves out of the log likelihood: that of the likeliest head of every spot."""
    _, top = _members_support(families, own)
    return float(top.sum() + np.log(own[families.witness] * SAME_ERROR).sum())


def _below(families: _Families, own: Floats) -> tuple[Floats, Floats]:
    """Likelihood of a lineage's readings given what its head had, for every cell and, at every spot, for the other readings.

    It is 1 for the likeliest reading of a spot.
    """
    support, top = _members_support(families, own)
    return np.exp(support - top[families.spot]), np.where(families.others > 0, np.exp(-top), 0.0)


def _add_families(total: Floats, families: _Families, weight: Floats, rest: Floats, rates: Floats) -> None:
    """Adds to the log posterior of the readings what the lineages of several witnesses say."""
    said, other = _of_families(families, weight, rest, rates)
    total += _sums(families.spot_place, other, len(total))[:, None]
    at = families.place * total.shape[1] + families.reading
    total += _sums(at, said - other[families.spot], total.size).reshape(total.shape)


def _of_families(families: _Families, weight: Floats, rest: Floats, rates: Floats) -> tuple[Floats, Floats]:
    """Log likelihood of what a lineage's witnesses have, if the original had the reading of a cell, or another one there."""
    wrong = rates * SAME_ERROR
    right = 1 - rates - wrong
    floor = wrong[families.spot_lineage] * (_sums(families.spot, weight, len(rest)) + families.others * rest)
    said = np.log(right[families.lineage] * weight + floor[families.spot])
    return said, np.log(right[families.spot_lineage] * rest + floor)


def _heads(families: _Families, weight: Floats, rest: Floats, rates: Floats, posterior: Floats) -> tuple[Floats, Floats]:
    """Probability that the head had the reading of a cell, and of every spot that it had another than the original."""
    wrong = rates * SAME_ERROR
    right = 1 - rates - wrong
    spots, lineage = len(rest), families.spot_lineage
    likely = posterior[families.place, families.reading]
    head = weight * (right[families.lineage] * likely + wrong[families.lineage])
    # of the readings that no member has: their number, the sum of their probabilities and that of the squares
    left = np.maximum(1 - _sums(families.spot, likely, spots), 0.0)
    squares = np.square(posterior).sum(axis=1)[families.spot_place] - _sums(families.spot, likely**2, spots)
    beyond = rest * (right[lineage] * left + wrong[lineage] * families.others)
    matching = rest * (right[lineage] * np.maximum(squares, 0.0) + wrong[lineage] * left)
    whole = np.maximum(_sums(families.spot, head, spots) + beyond, 1e-300)
    agreeing = (_sums(families.spot, head * likely, spots) + matching) / whole
    return head / whole[families.spot], 1 - agreeing


def gain(rates: Floats) -> Floats:
    """The log-odds that a witness with each of these error rates adds to its reading against any other."""
    gained: Floats = np.log1p(-rates) - np.log(rates * SAME_ERROR)
    return gained


def contributions(disputes: Disputes, solution: Solution) -> Floats:
    """What every lineage adds to the log prior of each reading, shape (lineages, places, readings), 0 where it has no vote.

    The posterior of the solution is the softmax of the prior, the echoes and these: nothing else went into it.
    """
    exists: NDArray[np.bool_] = np.isfinite(disputes.prior)
    of = np.array(solution.lineages, dtype=np.int64)
    found = np.zeros((max(solution.lineages) + 1, *exists.shape))
    place, witness = np.nonzero(disputes.choice >= 0)
    lineage = of[witness]
    found[lineage, place, disputes.choice[place, witness]] = gain(solution.lineage_rates)[lineage]
    families = _families(disputes.choice, of, exists)
    said, other = _of_families(families, *_below(families, solution.own_rates), solution.lineage_rates)
    found[families.spot_lineage, families.spot_place] = np.where(exists[families.spot_place], other[:, None], 0.0)
    found[families.lineage, families.place, families.reading] = said
    return found


def _agreements(disputes: Disputes, lineages: Sequence[int]) -> list[float]:
    """For every lineage the words, by AGREED_SHARE, at which it agrees with another one: its own copies vouch for nothing."""
    members = np.zeros((len(lineages), max(lineages) + 1))
    members[np.arange(len(lineages)), list(lineages)] = 1
    there = disputes.present @ members > 0
    counted = np.where(there.sum(axis=1) > 1, disputes.agreed, 0.0)
    return [float(value) for value in AGREED_SHARE * (there * counted[:, None]).sum(axis=0)]


def _rates(wrong: Floats, compared: Floats, known: Floats) -> Floats:
    rates: Floats = np.clip((wrong + known[:, 0] + PRIOR_RATE[0]) / (compared + known[:, 1] + PRIOR_RATE[1]), 0.002, 0.95)
    return rates
