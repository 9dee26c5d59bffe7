"""The evidence of a collation weighed: places, priors, reliabilities, and a verdict on every block."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.blocks import Verdict
from pipeline.philology.blocks import judge as judge_blocks
from pipeline.philology.collation import Collation
from pipeline.philology.doubt import Weighing, heard
from pipeline.philology.headline import Headline, headline_of, settled
from pipeline.philology.housestyle import styled, voices_of, wordings
from pipeline.philology.language import Fluency
from pipeline.philology.prior import WEIGHTS, Context, Surroundings, context_of, features_in, learned_directions, spoken
from pipeline.philology.question import Judge
from pipeline.philology.recovered import Evidence
from pipeline.philology.reliability import Disputes, Solution, solve
from pipeline.philology.slips import echoes, likeness, mixed, slip_odds
from pipeline.philology.slugs import slugs_of, with_slugs
from pipeline.philology.titles import titles_of
from pipeline.philology.units import ABSENT, Place, places_of
from pipeline.philology.wear import worn

Floats = NDArray[np.float64]

# Tokens on either side of a place that its readings are judged in.
CONTEXT = 4
# Passes over the text: the second judges each reading among the neighbours that the first chose.
PASSES = 2
# What other stories say of a site counts like this many words of this one at most.
MOST_KNOWN = 150.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a story before its text is put together.

    Readings that differ in typography alone are one wording. `weighed[u]` is the index in `places` of row u of `wording` and
    of the solutions, whose columns are wordings: `wording[u, w]` is that of witness w, or -1. `rates[w]` is the share of these
    places at which witness w is wrong. `posteriors[at]` holds the probabilities of the readings of a disputed place `at`.
    """

    places: tuple[Place, ...]
    weighed: tuple[int, ...]
    wording: NDArray[np.int64]
    posteriors: Mapping[int, tuple[float, ...]]
    solution: Solution
    alternative: Solution | None
    rates: tuple[float, ...]
    verdicts: tuple[Verdict, ...]
    voices: tuple[float, ...]
    """Weight of every witness where taste decides."""
    disputes: Disputes
    """What the solutions were reached from: row u is place `weighed[u]`."""
    context: tuple[tuple[str, ...], ...]
    """For every place what was taken to stand there when the readings of the others were judged."""
    headline: Headline | None
    """The headline that was taken whole, where papers had several."""
    spelt: frozenset[int]
    """The places at which a URL had its page's vote."""
    heard: NDArray[np.float64]
    """What of the disputes' log prior a judge added; zeros where there was none."""


def analyse(
    collation: Collation,
    evidence: Evidence,
    fluency: Fluency,
    frequency: Fluency,
    weights: Sequence[float] = WEIGHTS,
    judge: Judge | None = None,
) -> Analysis:
    """The analysis of a collation of two witnesses or more; a `judge` is asked where they and the prior leave doubt."""
    places = places_of(collation)
    disputed = [at for at, place in enumerate(places) if place.disputed]
    forms = {at: wordings(places[at]) for at in disputed}
    weighed = [at for at in disputed if len(set(forms[at])) > 1]
    around = surroundings(places, fluency, frequency, evidence)
    texts = [_plural(place) for place in places]
    witnesses = len(collation.sigla)
    wording = np.array([_worded(places[at], forms[at]) for at in weighed], dtype=np.int64).reshape(-1, witnesses)
    known = _known_errors(collation, evidence)
    present, agreed = _agreements(places, witnesses)
    alike = [likeness(_distinct(places[at], forms[at])) for at in weighed]
    wear = np.array([any(worn(_distinct(places[at], forms[at]))) for at in weighed], dtype=np.bool_)
    judged: Judged = {}
    for _ in range(PASSES):
        context = tuple(texts)
        fitted = _of_wordings(log_priors(places, weighed, texts, around, weights, judged), [forms[at] for at in weighed])
        odds = slip_odds(fitted, wording, alike, wear)
        prior = mixed(fitted, odds, wear)
        disputes = Disputes(
            choice=wording,
            prior=prior,
            present=present,
            agreed=agreed,
            known_errors=known,
            echoes=echoes(wording, alike, odds, wear, prior.shape),
            pages=_pages(collation),
        )
        solutions = solve(disputes)
        for at, row in zip(weighed, solutions[0].posterior, strict=True):
            texts[at] = places[at].candidates[forms[at].index(int(row.argmax()))].texts
    added = np.zeros_like(prior)
    if judge is not None:
        weighing = Weighing(places, texts, weighed, [forms[at] for at in weighed], prior, solutions[0].posterior)
        added = heard(collation, weighing, frequency, judge)
        disputes = replace(disputes, prior=prior + added)
        solutions = solve(disputes)
    best = solutions[0]
    rates = tuple(_rate(wording[:, w], best.posterior) for w in range(witnesses))
    errors = _errors(places, wording, weighed, best.posterior)
    row_of = dict(zip(weighed, best.posterior, strict=True))
    likely = [_of_readings(places[at], forms[at], row_of.get(at)) for at in disputed]
    voices = voices_of(errors, best.lineages)
    posteriors = dict(zip(disputed, styled([places[at] for at in disputed], likely, voices), strict=True))
    verdicts = tuple(judge_blocks(collation, best.lineages, rates))
    titles = titles_of(collation)
    slugs = slugs_of(collation, titles, places)
    posteriors = with_slugs(slugs, places, posteriors, weighed, disputes, best)
    headline = headline_of(collation, titles, slugs, places, posteriors, voices, best.lineages)
    if headline is not None:
        posteriors, verdicts = settled(headline, collation, places, posteriors, verdicts)
    return Analysis(
        places=tuple(places),
        weighed=tuple(weighed),
        wording=wording,
        posteriors=posteriors,
        solution=best,
        alternative=solutions[1] if len(solutions) > 1 else None,
        rates=rates,
        verdicts=verdicts,
        voices=tuple(voices),
        disputes=disputes,
        context=context,
        headline=headline,
        spelt=frozenset(at for slug in slugs.values() for at in slug.says if at in weighed),
        heard=added,
    )


def _pages(collation: Collation) -> tuple[int, ...]:
    """For every witness the number of its page."""
    numbers: dict[str | int, int] = {}
    pages = [w if witness.page is None else witness.page for w, witness in enumerate(collation.witnesses)]
    return tuple(numbers.setdefault(page, len(numbers)) for page in pages)


def _worded(place: Place, form: Sequence[int]) -> list[int]:
    return [ABSENT if choice == ABSENT else form[choice] for choice in place.choice]


def _distinct(place: Place, form: Sequence[int]) -> list[tuple[str, ...]]:
    """One reading of every wording."""
    return list(dict(zip(form, (candidate.texts for candidate in place.candidates), strict=True)).values())


def _of_readings(place: Place, form: Sequence[int], posterior: Floats | None) -> list[float]:
    """The probability of every reading: that of its wording by the share of the witnesses that have it so."""
    votes = Counter(place.choice)
    whole = Counter(form[choice] for choice in place.choice if choice != ABSENT)
    return [
        votes[at] / whole[number] * (1.0 if posterior is None else float(posterior[number])) for at, number in enumerate(form)
    ]


def _of_wordings(prior: Floats, forms: Sequence[Sequence[int]]) -> Floats:
    """The log prior of every wording: that of its best reading."""
    found = np.full((len(forms), max((max(form) + 1 for form in forms), default=0)), -np.inf)
    for row, form in enumerate(forms):
        for candidate, number in enumerate(form):
            found[row, number] = max(found[row, number], prior[row, candidate])
    return found


def _errors(places: Sequence[Place], wording: NDArray[np.int64], weighed: Sequence[int], posterior: Floats) -> list[float]:
    """For every witness the share of all the places it has a say on at which it is wrong."""
    held = np.array([place.choice for place in places], dtype=np.int64).reshape(-1, wording.shape[1])
    counts = (held != ABSENT).sum(axis=0)
    right = np.where(wording >= 0, posterior[np.arange(len(weighed))[:, None], np.maximum(wording, 0)], 1.0)
    return [float(wrong / max(1, count)) for wrong, count in zip((1 - right).sum(axis=0), counts, strict=True)]


def surroundings(places: Sequence[Place], fluency: Fluency, frequency: Fluency, evidence: Evidence) -> Surroundings:
    """What the readings of the story are judged with: the words on which several witnesses stand and all agree, counted."""
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    last = ""
    for place in places:
        if place.disputed or not place.candidates or len(place.choice) - place.choice.count(ABSENT) < 2:
            last = ""
            continue
        for text in place.candidates[0].texts:
            for word in spoken(text):
                words[word] += 1
                if last:
                    pairs[last, word] += 1
                last = word
    learned = learned_directions([(pair.original, pair.spun, pair.stories) for pair in evidence.pairs])
    return Surroundings(fluency=fluency, frequency=frequency, words=words, pairs=pairs, learned=learned)


Judged = dict[tuple[int, Context], list[list[float]]]
"""The features of the readings of a place, by its number, in a context: few contexts change from one pass to the next."""


def log_priors(
    places: Sequence[Place],
    disputed: Sequence[int],
    texts: Sequence[Sequence[str]],
    around: Surroundings,
    weights: Sequence[float] = WEIGHTS,
    judged: Judged | None = None,
) -> Floats:
    """Log prior of every reading of the disputed places, shape (places, most readings), -inf where there is none.

    What `judged` has is taken from there, the rest is put there.
    """
    rows = feature_rows(places, disputed, texts, around, judged)
    width = max((len(row) for row in rows), default=0)
    prior = np.full((len(rows), width), -np.inf)
    if rows:
        scores = np.array([reading for row in rows for reading in row]) @ np.array(weights)
        prior[np.arange(width) < np.array([len(row) for row in rows])[:, None]] = scores
        prior -= prior.max(axis=1, keepdims=True)
        prior -= np.log(np.exp(prior).sum(axis=1, keepdims=True))
    return prior


def feature_rows(
    places: Sequence[Place],
    disputed: Sequence[int],
    texts: Sequence[Sequence[str]],
    around: Surroundings,
    judged: Judged | None = None,
) -> list[list[list[float]]]:
    """For every disputed place the features of each of its readings, in the context that `texts` gives."""
    judged = {} if judged is None else judged
    found: list[list[list[float]]] = []
    for at in disputed:
        context = context_of(neighbours(texts, at, -1), neighbours(texts, at, 1))
        row = judged.get((at, context))
        if row is None:
            candidates = places[at].candidates
            longest = max(len(candidate.texts) for candidate in candidates)
            lost = worn([candidate.texts for candidate in candidates])
            row = [features_in(one, context, around, longest, less) for one, less in zip(candidates, lost, strict=True)]
            judged[at, context] = row
        found.append(row)
    return found


def neighbours(texts: Sequence[Sequence[str]], at: int, step: int) -> list[str]:
    """Some tokens before the place (step -1) or behind it (1), in the order of the text."""
    found: list[str] = []
    at += step
    while 0 <= at < len(texts) and len(found) < CONTEXT:
        found.extend(texts[at] if step > 0 else reversed(texts[at]))
        at += step
    return found if step > 0 else found[::-1]


def _plural(place: Place) -> tuple[str, ...]:
    if not place.disputed:
        return place.candidates[0].texts if place.candidates else ()
    counts = Counter(choice for choice in place.choice if choice != ABSENT)
    return place.candidates[min(counts, key=lambda choice: (-counts[choice], choice))].texts


def _rate(choice: NDArray[np.int64], posterior: Floats) -> float:
    held = choice >= 0
    if not held.any():
        return 0.0
    return float(1 - posterior[held, choice[held]].mean())


def _agreements(places: Sequence[Place], witnesses: int) -> tuple[NDArray[np.int64], Floats]:
    """The sets of witnesses that stand together where all agree on a word, and how many words each set has."""
    counts: Counter[tuple[int, ...]] = Counter()
    for place in places:
        if not place.disputed and place.candidates and any(spoken(text) for text in place.candidates[0].texts):
            # where there is one reading, a choice is that or none
            counts[place.choice] += 1
    sets = (np.array(list(counts), dtype=np.int64).reshape(-1, witnesses) != ABSENT).astype(np.int64)
    return sets, np.array(list(counts.values()), dtype=np.float64)


def _known_errors(collation: Collation, evidence: Evidence) -> Floats:
    """Pseudo-counts (wrong, compared) from the rates by token that other stories showed for the witnesses' sites."""
    found = np.zeros((len(collation.witnesses), 2))
    for w, witness in enumerate(collation.witnesses):
        wrong, compared = evidence.error_rates.get(witness.site or "", (0.0, 0.0))
        if compared > 0:
            weight = min(MOST_KNOWN, compared / 20)
            found[w] = (min(0.9, wrong / compared) * weight, weight)
    return found
