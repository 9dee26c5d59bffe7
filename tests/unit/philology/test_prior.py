"""Readings are judged by their context, their shape and the article's own words."""

import math

import pytest
import wordfreq

from pipeline.philology.calibration import calibrated
from pipeline.philology.language import UNKNOWN, flat, fluency_of, frequency_of
from pipeline.philology.prior import WEIGHTS, Surroundings, features, learned_directions, spoken
from pipeline.philology.recovered import Reason
from pipeline.philology.units import Candidate

BEFORE = ["the", "president", "of", "the"]


def score(*texts: str, before: list[str] = BEFORE, after: tuple[str, ...] = (), **known: object) -> float:
    around = Surroundings(fluency_of("en"), frequency_of("en"), {}, {}, **({"learned": {}} | known))  # type: ignore[arg-type]
    row = features(Candidate(texts, tuple(range(len(texts)))), before, after, around, len(texts))
    return sum(weight * value for weight, value in zip(WEIGHTS, row, strict=True))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(("United", "States"), ("united", "states")), (("2,500",), ("two,500",)), (("Sweden's",), ("Swedens",))],
)
def test_machine_damage_is_less_likely(right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    """Lower case in a name, a half-spelt number and a lost apostrophe speak against a reading."""
    assert score(*right) > score(*wrong)


@pytest.mark.parametrize("word", ["the", "president", "goed", "qqzx", "don't", "2,500", "naïve", "high"])
def test_a_words_frequency_is_that_of_wordfreq(word: str) -> None:
    """To the last digit, however it is looked up; the least there is where no list has the word."""
    found = wordfreq.word_frequency(word, "en")
    assert frequency_of("en")([word]) == (math.log(found) if found else UNKNOWN)


def test_the_fitting_word_beats_the_frequent_one() -> None:
    """What counts is what the context adds to a word's frequency."""
    assert score("Minister", before=["said", "Prime"]) > score("place", before=["said", "Prime"])


def test_learned_pairs_speak_for_the_original() -> None:
    """A reading that was the original's in other stories gains, the spun one loses."""
    learned = learned_directions([("talks", "negotiations", 9)])
    assert score("talks", learned=learned) - score("talks") == pytest.approx(0.9)
    assert score("negotiations", learned=learned) - score("negotiations") == pytest.approx(-0.9)


def test_words_are_spoken_without_punctuation_and_hyphens() -> None:
    """What a language model is asked for."""
    assert [spoken(text) for text in ("High-Profile", "Don’t", "–", "2,500")] == [
        ("high", "profile"),
        ("don't",),
        (),
        ("2,500",),
    ]


def test_languages_without_data_tell_nothing() -> None:
    """Every word is as likely as any other."""
    assert fluency_of("xx") is flat
    assert flat(["one"]) == flat(["two", "three"])


@pytest.mark.parametrize("reason", list(Reason))
def test_calibration_rises_with_the_odds_and_stays_a_probability(reason: Reason) -> None:
    """More evidence never means less confidence."""
    values = [calibrated(raw / 4, reason) for raw in range(-160, 161)]
    assert values == sorted(values)
    assert 0 < values[0] <= values[-1] < 1
