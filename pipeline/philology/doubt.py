"""Places that stay in doubt when the witnesses and the n-grams have been heard, as a question to a judge of whole contexts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.collation import Collation
from pipeline.philology.language import Fluency
from pipeline.philology.printing import PARAGRAPH, Chosen, blanks_before, usual_blank
from pipeline.philology.prior import spoken
from pipeline.philology.question import Judge, Question, Site
from pipeline.philology.units import Candidate, Place

Floats = NDArray[np.float64]

# A place is asked about where the likeliest wording is less likely than this. Asking everywhere is no better: of 3,709 places
# 41 came out wrong either way, 62 without a judge.
SURE = 0.995
# Wordings of a place that are asked about, the likeliest ones.
MOST_WORDINGS = 4
# Weights of the judge's log-probability and of the words' log frequency: as in the prior, a word speaks for itself by what its
# context adds to its frequency.
HEARD, FREQUENCY = 0.5, -0.2


@dataclass(frozen=True, slots=True)
class Weighing:
    """The weighed places, the number of the wording of every candidate of each (`forms`), and what is believed so far.

    Row r of `prior` (log) and `posterior` is place `at[r]` of all `places`, a column is a wording; `chosen` is what stands at
    every place of the text so far.
    """

    places: Sequence[Place]
    chosen: Sequence[Sequence[str]]
    at: Sequence[int]
    forms: Sequence[Sequence[int]]
    prior: Floats
    posterior: Floats


def heard(collation: Collation, weighing: Weighing, frequency: Fluency, judge: Judge) -> Floats:
    """What the judge adds to the log prior of every wording; 0 where it was not asked or did not answer.

    The wordings asked about share out among them what they had of the prior together.
    """
    added = np.zeros_like(weighing.prior)
    rows = _in_doubt(weighing)
    options = {row: _options(weighing, row) for row in rows}
    question = question_of(collation, weighing, options)
    if not question.sites:
        return added
    for row, answer in zip(rows, judge(question), strict=True):
        if answer is None:
            continue
        wordings = [weighing.forms[row][number] for number in options[row]]
        candidates = [weighing.places[weighing.at[row]].candidates[number] for number in options[row]]
        alone = np.array([sum(frequency([word]) for text in one.texts for word in spoken(text)) for one in candidates])
        before = weighing.prior[row, wordings]
        after = before + HEARD * np.array(answer) + FREQUENCY * alone
        added[row, wordings] = after - _log_sum(after) + _log_sum(before) - before
    return added


def _in_doubt(weighing: Weighing) -> list[int]:
    """The rows worth asking about, the most doubtful first: what differs is words, and none is sure."""
    top = weighing.posterior.max(axis=1, initial=0.0).tolist()
    rows = [row for row, at in enumerate(weighing.at) if top[row] < SURE and _differ_in_words(weighing.places[at])]
    return sorted(rows, key=lambda row: top[row])


def _differ_in_words(place: Place) -> bool:
    return len({tuple(word for text in candidate.texts for word in spoken(text)) for candidate in place.candidates}) > 1


def _options(weighing: Weighing, row: int) -> list[int]:
    """The candidates asked about, one a wording: what stands there now, and the likeliest others."""
    form, place = weighing.forms[row], weighing.places[weighing.at[row]]
    texts = [candidate.texts for candidate in place.candidates]
    own = texts.index(tuple(weighing.chosen[weighing.at[row]]))
    likely = sorted(set(form) - {form[own]}, key=lambda wording: (-weighing.posterior[row, wording], wording))
    return [own, *(form.index(wording) for wording in likely[: MOST_WORDINGS - 1])]


def _log_sum(values: Floats) -> float:
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum()))


def question_of(collation: Collation, weighing: Weighing, options: Mapping[int, Sequence[int]]) -> Question:
    """The question what stands in the text at the rows of `options`, in that order.

    The options are the numbers of the candidates asked about, the chosen one first.
    """
    tokens: list[Chosen] = []
    counts: list[int] = []
    for place, texts in zip(weighing.places, weighing.chosen, strict=True):
        own = next((candidate for candidate in place.candidates if candidate.texts == tuple(texts)), Candidate((), ()))
        tokens.extend(Chosen(text, column) for text, column in zip(own.texts, own.columns, strict=True))
        counts.append(len(own.texts))
    blanks = blanks_before(collation, tokens)
    parts = [blank + token.text for blank, token in zip(blanks, tokens, strict=True)]
    text = "".join(parts)
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    first = np.cumsum([0, *counts]).tolist()
    sites: list[Site] = []
    for row, numbers in options.items():
        at = weighing.at[row]
        begin, end = first[at], first[at + 1]
        opens = begin == 0 or (begin < len(blanks) and blanks[begin] == PARAGRAPH)
        start = starts[begin] + (len(blanks[begin]) if opens and begin < end else 0)
        before = "" if opens else tokens[begin - 1].text
        others = [_printed(weighing.places[at].candidates[number].texts, before) for number in numbers[1:]]
        sites.append(Site(start, starts[end], (text[start : starts[end]], *others)))
    return Question(text, tuple(sites))


def _printed(texts: Sequence[str], before: str) -> str:
    """A reading with the blanks in it, and the one in front where a token stands `before` it."""
    found: list[str] = []
    for text in texts:
        found.append((usual_blank(before, text) if before else "") + text)
        before = text
    return "".join(found)
