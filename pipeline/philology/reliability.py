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
SHARED_ERRORS = 0.5
LEAST_ERRORS = 4.0


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputed places.

    `choice[u, w]` is the reading of witness w at place u, or -1; `prior[u, r]` the log prior of a reading, -inf beyond.
    """

    choice: Ints
    prior: Floats
    agreed: Floats
    """For each witness the number of words at which it agrees with all others that have the passage."""
    known_errors: Floats
    """For each witness (wrong, compared) from other stories, shape (witnesses, 2), scaled to this one's places."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One solution: `posterior[u, r]`, each witness's lineage, the error rate of each lineage and of each witness in it."""

    posterior: Floats
    lineages: tuple[int, ...]
    lineage_rates: Floats
    own_rates: Floats
    fluency: float
    """Mean log prior of the readings chosen, by which solutions are compared."""


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
    found = [_settle(disputes, alone, _votes(disputes))]
    lineages = _near_duplicates(disputes.choice)
    solution = _settle(disputes, lineages, _softmax(disputes.prior))
    for _ in range(3):
        joined = _join(disputes, solution)
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
    choice, prior = disputes.choice, disputes.prior
    places, readings = prior.shape
    witnesses = choice.shape[1]
    exists = np.isfinite(prior)
    count = max(lineages) + 1
    members = [[w for w in range(witnesses) if lineages[w] == lineage] for lineage in range(count)]
    own = np.full(witnesses, 0.05)
    rates = np.full(count, 0.1)
    chosen = np.zeros((witnesses, places, readings), dtype=bool)
    for w in range(witnesses):
        held = choice[:, w] >= 0
        chosen[w, held, choice[held, w]] = True
    voted = choice >= 0
    heads = [np.zeros((places, readings)) for _ in members]
    for turn in range(ROUNDS):
        total = prior.copy()
        messages: list[Floats] = []
        for lineage, group in enumerate(members):
            present = voted[:, group].any(axis=1)
            if len(group) == 1:
                below = np.where(chosen[group[0]], 0.0, -np.inf)
            else:
                below = np.zeros((places, readings))
                for w in group:
                    right, wrong = np.log1p(-own[w]), np.log(own[w] * SAME_ERROR)
                    below += np.where(voted[:, w, None], np.where(chosen[w], right, wrong), 0.0)
            below = np.where(exists & present[:, None], below, np.where(exists, 0.0, -np.inf))
            messages.append(below)
            # P(readings below | truth r) = (1 - e) exp(below[r]) + e q sum over the others
            top = below.max(axis=1, keepdims=True)
            weight = np.exp(below - top)
            all_heads = weight.sum(axis=1, keepdims=True)
            rate = rates[lineage]
            likelihood = np.log((1 - rate) * weight + rate * SAME_ERROR * (all_heads - weight) + 1e-300)
            total += np.where(exists & present[:, None], likelihood, 0.0)
        if turn:
            posterior = _softmax(np.where(exists, total, -np.inf))
        for lineage, group in enumerate(members):
            below = messages[lineage]
            present = voted[:, group].any(axis=1)
            rate = rates[lineage]
            # head given everything: its own readings, and the truth through the edge
            from_truth = (1 - rate) * posterior + rate * SAME_ERROR * (1 - posterior)
            weight = np.where(exists, np.exp(below - below.max(axis=1, keepdims=True)) * from_truth, 0.0)
            head = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
            heads[lineage] = head
            known = disputes.known_errors[group].sum(axis=0) / len(group)
            agreed = (head * posterior).sum(axis=1)
            same = AGREED_SHARE * disputes.agreed
            rates[lineage] = _rate(
                float((1 - agreed)[present].sum()), float(present.sum()) + float(same[group].max()), known
            )
            if len(group) > 1:
                for w in group:
                    held = voted[:, w]
                    kept = float(head[held, choice[held, w]].sum())
                    own[w] = _rate(float(held.sum()) - kept, float(held.sum() + same[w]), np.zeros(2))
    best = posterior.argmax(axis=1)
    return Solution(
        posterior=posterior,
        lineages=lineages,
        lineage_rates=rates.copy(),
        own_rates=np.where(np.bincount(lineages, minlength=count)[list(lineages)] > 1, own, 0.0),
        fluency=float(_softmax(prior)[np.arange(places), best].clip(1e-9).mean()),
    )


def _rate(wrong: float, compared: float, known: Floats) -> float:
    rate = (wrong + known[0] + PRIOR_RATE[0]) / (compared + known[1] + PRIOR_RATE[1])
    return min(0.95, max(0.002, float(rate)))


def _near_duplicates(choice: Ints) -> tuple[int, ...]:
    witnesses = choice.shape[1]
    groups = list(range(witnesses))
    for one in range(witnesses):
        for two in range(one + 1, witnesses):
            both = (choice[:, one] >= 0) & (choice[:, two] >= 0)
            if both.sum() >= 8 and (choice[both, one] == choice[both, two]).mean() > NEAR_DUPLICATES:
                _unite(groups, one, two)
    return _numbered(groups)


def _join(disputes: Disputes, solution: Solution) -> tuple[int, ...]:
    shared, fewer = shared_errors(disputes.choice, solution.posterior)
    witnesses = disputes.choice.shape[1]
    groups = list(solution.lineages)
    for one in range(witnesses):
        for two in range(one + 1, witnesses):
            if fewer[one, two] >= LEAST_ERRORS and shared[one, two] > SHARED_ERRORS * fewer[one, two]:
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
