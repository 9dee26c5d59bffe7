"""The prior is followed against spinners, and hardly where people have slipped."""

import math

import numpy as np
import pytest

from pipeline.philology.analysis import analyse
from pipeline.philology.collation import collate
from pipeline.philology.composition import compose
from pipeline.philology.language import flat, fluency_of, frequency_of
from pipeline.philology.prior import NAMES
from pipeline.philology.recovered import Evidence
from pipeline.philology.slips import ECHO, USUAL, Likeness, echoes, likeness, mixed, slip_odds
from pipeline.philology.witness import Witness

NONE = np.zeros(20, dtype=np.bool_)


def alike(mean: float) -> list[Likeness]:
    """Twenty places of two readings that are so alike."""
    return [Likeness(np.array([[0.0, mean], [mean, 0.0]]), mean)] * 20


def test_likeness_leaves_case_and_marks_aside() -> None:
    """Facts/facts and a lost full stop are no slips of spelling; chapels/chapells nearly is one word."""
    assert likeness([("Facts",), ("facts",)]).mean == USUAL
    assert likeness([("",), (".",)]).mean == USUAL
    found = likeness([("chapels",), (), ("Chapells", ".")])
    assert found.mean == pytest.approx(7 / 8)
    assert found.table == pytest.approx(np.array([[0, 0, 7 / 8], [0, 0, 0], [7 / 8, 0, 0]]))
    assert likeness([("talks",), ("negotiations",)]).mean < USUAL


def test_a_reading_has_an_echo_of_each_vote_for_one_that_is_like_it() -> None:
    """Three for spring, one each for sprain and nothing; a witness without a vote says nothing, worn places have no echo."""
    place = likeness([("spring",), ("sprain",), ()])
    choice = np.array([[0, 0, 0, 1, 2, -1]])
    found = echoes(choice, [place], 30.0, NONE[:1], (1, 4))
    assert found[0] == pytest.approx(ECHO * np.array([1, 3, 0, 0]) * place.table[0, 1])
    assert echoes(choice, [place], 0.0, NONE[:1], (1, 4)) == pytest.approx(found / 2)
    assert echoes(choice, [place], -math.inf, NONE[:1], (1, 4)) == pytest.approx(np.zeros((1, 4)))
    assert not echoes(choice, [place], 30.0, ~NONE[:1], (1, 4)).any()


def test_the_reading_that_the_others_are_slips_of_is_taken() -> None:
    """Six transcripts, two for each reading: spring lies between sprint and sprig, which have less in common."""
    texts = [
        f"now when he got as far as the {word} of life he drank of it and then went up the hill"
        for word in ("sprint", "sprint", "spring", "spring", "sprig", "sprig")
    ]
    witnesses = [Witness(source=str(number), paragraphs=(text,), language="en") for number, text in enumerate(texts)]
    collation = collate(witnesses)
    no_prior = (0.0,) * len(NAMES)
    analysis = analyse(collation, Evidence(), flat, flat, no_prior)
    assert "the spring of life" in compose(collation, analysis, "en").text


def test_slips_are_told_from_substitutions_by_the_letters() -> None:
    """The prior and the votes are the same: only the kind of the disputes differs."""
    prior = np.log(np.tile([0.7, 0.3], (20, 1)))
    choice = np.array([[0, 1, -1]] * 20)
    assert slip_odds(prior, choice, alike(0.8), NONE) > 0 > slip_odds(prior, choice, alike(0.1), NONE)


def test_two_witnesses_outvote_nobody() -> None:
    """However alike their readings, the prior is followed as it is."""
    prior = np.log(np.tile([0.7, 0.3], (20, 1)))
    odds = slip_odds(prior, np.array([[0, 1]] * 20), alike(0.9), NONE)
    assert odds == -math.inf
    assert np.exp(mixed(prior, odds, NONE[: len(prior)])) == pytest.approx(np.exp(prior))


def test_what_software_wore_off_is_no_slip() -> None:
    """Worn places keep their prior whatever the odds, and alone say nothing of people."""
    prior = np.log(np.tile([0.7, 0.3], (20, 1)))
    choice = np.array([[0, 1, 1]] * 20)
    assert slip_odds(prior, choice, alike(0.9), ~NONE) == -math.inf
    one = np.arange(20) == 3
    found = np.exp(mixed(prior, 30.0, one))[:, 0]
    assert found[3] == pytest.approx(0.7)
    assert np.delete(found, 3) == pytest.approx(np.full(19, 0.5), abs=0.02)


def test_the_mixed_prior_stays_a_prior() -> None:
    """Shares sum to one, readings that are not there stay out, and sure slips leave readings nearly equal."""
    prior = np.array([[0.0, -6.0, -np.inf], [-3.0, 0.0, -1.0]])
    for odds in (-20.0, 0.0, 20.0):
        assert np.exp(mixed(prior, odds, NONE[: len(prior)])).sum(axis=1) == pytest.approx([1, 1])
    assert np.exp(mixed(prior, 20.0, NONE[:2]))[0] == pytest.approx([0.5, 0.5, 0.0], abs=0.05)
    assert np.exp(mixed(prior, -30.0, NONE[:2]))[0, 0] > 0.99


def test_a_word_that_most_transcripts_have_stays() -> None:
    """Five transcripts of one sentence; two leave a word out, others misspell: each slip is outvoted."""
    said = "shortly after passing one of these chapels we came suddenly upon a village in the mist"
    texts = [
        said,
        said.replace("chapels", "chapells"),
        said.replace("suddenly ", ""),
        said.replace("village", "vilage"),
        said.replace("upon a", "upon"),
    ]
    witnesses = [Witness(source=str(number), paragraphs=(text,), language="en") for number, text in enumerate(texts)]
    collation = collate(witnesses)
    analysis = analyse(collation, Evidence(), fluency_of("en"), frequency_of("en"))
    assert compose(collation, analysis, "en").text == said
