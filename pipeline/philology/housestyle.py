"""One house style through a text: the habits of the copies that were not spun, each lineage with one voice."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.philology.styles import TYPOGRAPHY, Habit, habits_of, plain
from pipeline.philology.tokens import typed
from pipeline.philology.units import ABSENT, Place

# A spun copy's marks are its machine's: at this share of wrong words, which newsrooms seldom reach, half its voice is gone, and
# nearly all of it at the usual fifth.
HALF_VOICE = 0.03
# Log-odds that one copy's habit gives it to the agency, beyond that of a copy with another habit.
VOICE = 1.5


def wordings(place: Place) -> tuple[int, ...]:
    """For every candidate of the place the number of its wording: readings of one number differ in typography alone.

    Quotation marks and dashes are set by a paper's software and say nothing about its care; spelling and percentages are what
    spinners change too, so that they count as words until a style is chosen.
    """
    names: dict[tuple[str, ...], int] = {}
    return tuple(names.setdefault(tuple(map(typed, candidate.texts)), len(names)) for candidate in place.candidates)


def styled(places: Sequence[Place], likely: Sequence[Sequence[float]], voices: Sequence[float]) -> list[tuple[float, ...]]:
    """The probabilities `likely` of the candidates of each place, dealt out anew among those that differ in style alone.

    Each habit goes the way of most copies through the whole text: of typography by the `voices` of the witnesses, of words by
    `likely`.
    """
    heard: dict[Habit, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    styles = [_styles(place) for place in places]
    for place, own, (_, ways) in zip(places, likely, styles, strict=True):
        if not any(ways):
            continue
        for w, choice in enumerate(place.choice):
            if choice != ABSENT:
                for habit, way in ways[choice].items():
                    heard[habit][way] += voices[w] if habit in TYPOGRAPHY else 0.0
        for probability, shown in zip(own, ways, strict=True):
            for habit, way in shown.items():
                heard[habit][way] += 0.0 if habit in TYPOGRAPHY else probability
    odds = {habit: _log_odds(ways, sum(voices)) for habit, ways in heard.items()}
    return [_dealt(own, form, ways, odds) for own, (form, ways) in zip(likely, styles, strict=True)]


def voices_of(rates: Sequence[float], lineages: Sequence[int]) -> list[float]:
    """The weight of every witness where taste decides: little for spun copies, and one copy's for a whole lineage."""
    weights = [1 / (1 + (rate / HALF_VOICE) ** 2) for rate in rates]
    sizes = [sum(weight for weight, lineage in zip(weights, lineages, strict=True) if lineage == own) for own in lineages]
    tops = [max(weight for weight, lineage in zip(weights, lineages, strict=True) if lineage == own) for own in lineages]
    return [weight * top / size for weight, top, size in zip(weights, tops, sizes, strict=True)]


def _styles(place: Place) -> tuple[tuple[int, ...], list[Mapping[Habit, str]]]:
    """For every candidate the number of what is left without style, and the habits in which it differs from a twin in that."""
    names: dict[tuple[str, ...], int] = {}
    form = tuple(names.setdefault(plain(candidate.texts), len(names)) for candidate in place.candidates)
    if len(names) == len(form):
        return form, [{}] * len(form)
    shown = [habits_of(candidate.texts) for candidate in place.candidates]
    found: list[Mapping[Habit, str]] = []
    for at, own in enumerate(shown):
        twins = [shown[other] for other in range(len(shown)) if other != at and form[other] == form[at]]
        found.append({habit: way for habit, way in own.items() if any(twin.get(habit, way) != way for twin in twins)})
    return form, found


def _log_odds(ways: Mapping[str, float], most: float) -> dict[str, float]:
    """Support of each way, in copies' voices: the share of what was heard, times all the voices there are."""
    total = sum(ways.values())
    return {way: VOICE * most * heard / total if total else 0.0 for way, heard in ways.items()}


def _dealt(
    likely: Sequence[float],
    form: Sequence[int],
    ways: Sequence[Mapping[Habit, str]],
    odds: Mapping[Habit, Mapping[str, float]],
) -> tuple[float, ...]:
    if not any(ways) and len(set(form)) == len(form):
        return tuple(likely)
    found = [0.0] * len(form)
    for number in set(form):
        group = [at for at, own in enumerate(form) if own == number]
        scores = [sum(odds[habit].get(way, 0.0) for habit, way in ways[at].items()) for at in group]
        weights = [math.exp(score - max(scores)) for score in scores]
        whole = sum(likely[at] for at in group)
        for at, weight in zip(group, weights, strict=True):
            found[at] = whole * weight / sum(weights)
    return tuple(found)
