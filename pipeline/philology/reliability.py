"""How far each witness can be believed, and what follows for every disputed place: expectation-maximisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Chance that a wrong witness has just this wrong reading: spinners draw from a shared dictionary of a few options a word.
SAME_ERROR = 0.25
ROUNDS = 25
# Pseudo-counts (wrong, all) of an error rate.
PRIOR_RATE = (1.0, 10.0)
# Words on which all agree count as right, by this share: the rest are such as no spinner touches and say nothing about one.
AGREED_SHARE = 0.6
# Witnesses that agree on more than this share of the disputed places are one lineage from the start; others become one where
# more than SHARED_ERRORS of the fewer errors are held in common (chance explains about .3 among spinners with one dictionary).
NEAR_DUPLICATES = 0.9
SHARED_ERRORS = 0.6
LEAST_ERRORS = 6.0
LEAST_PLACES = 12
# By the prior alone even a clean witness seems wrong at one place in six: lineages are joined by it only beyond this share.
DOUBTFUL = 0.35


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
    """Mean prior of the readings chosen, by which solutions are compared."""


def solve(disputes: Disputes) -> tuple[Solution, ...]:
    """The solutions worth comparing, the best first: independent witnesses, and lineages found by shared errors."""
    witnesses = disputes.choice.shape[1]
    if disputes.choice.shape[0] == 0:
        nothing = Solution(
            posterior=np.zeros((0, 0)), lineages=tuple(range(witnesses)), lineage_rates=_rates_known(disputes),
            own_rates=np.zeros(witnesses), fluency=0.0,
        )  # fmt: skip
        return (nothing,)
    alone = tuple(range(witnesses))
    prior = _softmax(disputes.prior)
    found = [_settle(disputes, alone, _votes(disputes))]
    for lineages in dict.fromkeys((_near_duplicates(disputes.choice), _join(disputes, alone, prior, DOUBTFUL))):
        solution = _settle(disputes, lineages, prior)
        for _ in range(3):
            joined = _join(disputes, solution.lineages, solution.posterior, 0.0)
            if joined == solution.lineages:
                break
            solution = _settle(disputes, joined, solution.posterior)
        if solution.lineages != alone:
            found.append(solution)
    return tuple(sorted(found, key=lambda one: -one.fluency))


def _rates_known(disputes: Disputes) -> Floats:
    wrong, compared = disputes.known_errors[:, 0], disputes.known_errors[:, 1]
    rates: Floats = (wrong + PRIOR_RATE[0]) / (compared + PRIOR_RATE[1])
    return rates


def _softmax(scores: Floats) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - top)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _votes(disputes: Disputes) -> Floats:
    counts = np.zeros_like(disputes.prior)
    for w in range(disputes.choice.shape[1]):
        held = disputes.choice[:, w] >= 0
        counts[held, disputes.choice[held, w]] += 1
    return _softmax(np.where(np.isfinite(disputes.prior), 2 * counts + disputes.prior, -np.inf))


def _settle(disputes: Disputes, lineages: tuple[int, ...], posterior: Floats) -> Solution:
    """Expectation-maximisation from a posterior to start with.

    A lineage of several witnesses has a hidden head: the copy that they descend from differs from the original at the lineage's
    rate, each witness from the head at its own.
    """
    choice, prior = disputes.choice, disputes.prior
    places, readings = prior.shape
    exists: NDArray[np.bool_] = np.isfinite(prior)
    count = max(lineages) + 1
    members = [[w for w, own in enumerate(lineages) if own == lineage] for lineage in range(count)]
    families = [lineage for lineage in range(count) if len(members[lineage]) > 1]
    singles = [group[0] for group in members if len(group) == 1]
    single_lineages = [lineage for lineage in range(count) if len(members[lineage]) == 1]
    voted = np.greater_equal(choice, 0)
    index = np.where(voted, choice, 0)
    chosen = (np.arange(readings)[None, None, :] == choice[:, :, None]).astype(np.float64)
    row = np.arange(places)[:, None]
    known = np.array([disputes.known_errors[group].mean(axis=0) for group in members])
    same = _agreements(disputes, lineages)
    own = np.full(len(lineages), 0.05)
    rates = np.full(count, 0.1)
    for turn in range(ROUNDS):
        before, own_before = rates.copy(), own.copy()
        below = {lineage: _below(chosen, voted, own, members[lineage], exists) for lineage in families}
        if turn:
            total = prior + np.tensordot(chosen[:, singles, :], gain(rates)[single_lineages], axes=([1], [0]))
            for lineage in families:
                likelihood = _of_family(below[lineage], float(rates[lineage]))
                total += np.where(exists & np.any(voted[:, members[lineage]], axis=1, keepdims=True), likelihood, 0.0)
            posterior = _softmax(np.where(exists, total, -np.inf))
        errors = ((1 - posterior[row, index]) * voted).sum(axis=0)
        compared = voted.sum(axis=0)
        for lineage, w in zip(single_lineages, singles, strict=True):
            rates[lineage] = _rate(float(errors[w]), float(compared[w]) + same[lineage], known[lineage])
        for lineage in families:
            group = members[lineage]
            present = voted[:, group].any(axis=1)
            wrong = rates[lineage] * SAME_ERROR
            head = np.where(exists, np.exp(below[lineage]) * ((1 - rates[lineage] - wrong) * posterior + wrong), 0.0)
            head /= np.maximum(head.sum(axis=1, keepdims=True), 1e-300)
            differing = float((1 - (head * posterior).sum(axis=1))[present].sum())
            rates[lineage] = _rate(differing, float(present.sum()) + same[lineage], known[lineage])
            for w in group:
                kept = float((head[np.arange(places), index[:, w]] * voted[:, w]).sum())
                own[w] = _rate(float(compared[w]) - kept, float(compared[w]) + same[lineage], np.zeros(2))
        if turn > 2 and np.abs(rates - before).max() < 1e-4:
            break
    best = posterior.argmax(axis=1)
    return Solution(
        posterior=posterior,
        lineages=lineages,
        lineage_rates=before,
        own_rates=np.array([own_before[w] if len(members[lineage]) > 1 else 0.0 for w, lineage in enumerate(lineages)]),
        fluency=float(_softmax(prior)[np.arange(places), best].mean()),
    )


def gain(rates: Floats) -> Floats:
    """The log-odds that a witness with each of these error rates adds to its reading against any other."""
    gained: Floats = np.log1p(-rates) - np.log(rates * SAME_ERROR)
    return gained


def contributions(disputes: Disputes, solution: Solution) -> Floats:
    """What every lineage adds to the log prior of each reading, shape (lineages, places, readings), 0 where it has no vote.

    The posterior of the solution is the softmax of the prior and these: nothing else went into it.
    """
    choice = disputes.choice
    exists: NDArray[np.bool_] = np.isfinite(disputes.prior)
    voted = np.greater_equal(choice, 0)
    chosen = (np.arange(exists.shape[1])[None, None, :] == choice[:, :, None]).astype(np.float64)
    found = np.zeros((max(solution.lineages) + 1, *exists.shape))
    for lineage in range(len(found)):
        group = [w for w, number in enumerate(solution.lineages) if number == lineage]
        rate = solution.lineage_rates[lineage]
        if len(group) == 1:
            found[lineage] = chosen[:, group[0], :] * gain(np.array([rate]))
        else:
            likelihood = _of_family(_below(chosen, voted, solution.own_rates, group, exists), float(rate))
            found[lineage] = np.where(exists & np.any(voted[:, group], axis=1, keepdims=True), likelihood, 0.0)
    return found


def _of_family(below: Floats, rate: float) -> Floats:
    """Log likelihood of what a lineage's witnesses have, for every reading of the original."""
    weight = np.exp(below)
    wrong = rate * SAME_ERROR
    likelihood: Floats = np.log((1 - rate - wrong) * weight + wrong * weight.sum(axis=1, keepdims=True))
    return likelihood


def _below(chosen: Floats, voted: NDArray[np.bool_], own: Floats, group: Sequence[int], exists: NDArray[np.bool_]) -> Floats:
    """Log likelihood of the group's readings given what their common exemplar had, its best at 0; -inf where no reading is."""
    right = np.log1p(-own[group]) - np.log(own[group] * SAME_ERROR)
    total = np.tensordot(chosen[:, group, :], right, axes=([1], [0]))
    total = np.where(exists, total, -np.inf)
    shifted: Floats = np.where(np.any(voted[:, group], axis=1, keepdims=True), total - total.max(axis=1, keepdims=True), 0.0)
    return np.where(exists, shifted, -np.inf)


def _agreements(disputes: Disputes, lineages: Sequence[int]) -> list[float]:
    """For every lineage the words, by AGREED_SHARE, at which it agrees with another one: its own copies vouch for nothing."""
    members = np.zeros((len(lineages), max(lineages) + 1))
    members[np.arange(len(lineages)), list(lineages)] = 1
    there = disputes.present @ members > 0
    counted = np.where(there.sum(axis=1) > 1, disputes.agreed, 0.0)
    return [float(value) for value in AGREED_SHARE * (there * counted[:, None]).sum(axis=0)]


def _rate(wrong: float, compared: float, known: Floats) -> float:
    rate = (wrong + known[0] + PRIOR_RATE[0]) / (compared + known[1] + PRIOR_RATE[1])
    return min(0.95, max(0.002, float(rate)))


def _near_duplicates(choice: Ints) -> tuple[int, ...]:
    groups = list(range(choice.shape[1]))
    for one in range(choice.shape[1]):
        both = (choice[:, one, None] >= 0) & (choice >= 0)
        same = (both & (choice[:, one, None] == choice)).sum(axis=0)
        compared = both.sum(axis=0)
        for two in np.flatnonzero((compared >= LEAST_PLACES) & (same > NEAR_DUPLICATES * compared)).tolist():
            _unite(groups, one, two)
    return _numbered(groups)


def _join(disputes: Disputes, lineages: Sequence[int], posterior: Floats, doubtful: float) -> tuple[int, ...]:
    """The lineages, those joined that share their errors and are wrong at more than a share `doubtful` of the places."""
    shared, fewer = shared_errors(disputes.choice, posterior)
    both = (disputes.choice >= 0).astype(float)
    compared = both.T @ both
    kin = (fewer >= np.maximum(LEAST_ERRORS, doubtful * compared)) & (shared > SHARED_ERRORS * fewer)
    groups = list(lineages)
    for one, two in np.argwhere(np.triu(kin, 1)).tolist():
        _unite(groups, one, two)
    return _numbered(groups)


def shared_errors(choice: Ints, posterior: Floats) -> tuple[Floats, Floats]:
    """For every pair of witnesses the errors that they have in common, and the errors of the one that has fewer."""
    places, witnesses = choice.shape
    wrong = np.zeros((witnesses, places))
    for w in range(witnesses):
        held = choice[:, w] >= 0
        wrong[w, held] = 1 - posterior[held, choice[held, w]]
    shared = np.zeros((witnesses, witnesses))
    fewer = np.zeros((witnesses, witnesses))
    for one in range(witnesses):
        both = (choice[:, one, None] >= 0) & (choice >= 0)
        same = both & (choice[:, one, None] == choice)
        shared[one] = (same * wrong[one][:, None]).sum(axis=0)
        mine = (both * wrong[one][:, None]).sum(axis=0)
        theirs = (both * wrong.T).sum(axis=0)
        fewer[one] = np.minimum(mine, theirs)
    return shared, fewer


def _unite(groups: list[int], one: int, two: int) -> None:
    keep, gone = sorted((groups[one], groups[two]))
    if keep != gone:
        for at, group in enumerate(groups):
            if group == gone:
                groups[at] = keep


def _numbered(groups: Sequence[int]) -> tuple[int, ...]:
    names: dict[int, int] = {}
    return tuple(names.setdefault(group, len(names)) for group in groups)
