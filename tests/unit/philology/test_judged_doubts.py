"""What stays in doubt is put to a judge in its place in the text, and what the judge says is weighed."""

import math
from collections.abc import Sequence

import pytest

from pipeline.philology.collation import Collation, collate
from pipeline.philology.explanation import JUDGE, explain_word
from pipeline.philology.question import Judge, Opinion, Question, noted, remembering
from pipeline.philology.recovered import Evidence
from pipeline.philology.recovery import recover
from pipeline.philology.witness import Witness

ONE = (
    "The harbour board said on Monday that the old ferry would stay in port until a new crew was found.",
    "Passengers were told to take the bus along the coast, and dockers went home early.",
)
TWO = (
    "The harbour board stated on Monday that the old ferry would remain in port until a new crew was found.",
    "Passengers were told to take the coach along the coast, and dockers went home.",
)


def story(*texts: tuple[str, ...], language: str | None = "en") -> Collation:
    return collate([Witness(str(number), text, language=language) for number, text in enumerate(texts)])


class Partisan:
    """A judge that takes the side of one text: its readings are certain, others next to impossible. It keeps the questions."""

    def __init__(self, text: tuple[str, ...], strength: float = 60.0) -> None:
        self.text = "\n\n".join(text)
        self.strength = strength
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Sequence[tuple[float, ...] | None]:
        self.asked.append(question)
        return [
            tuple(
                0.0
                if (question.text[max(0, site.start - 12) : site.start] + reading + question.text[site.end : site.end + 4])
                in self.text
                else -self.strength
                for reading in site.readings
            )
            for site in question.sites
        ]


@pytest.mark.parametrize(("text", "other"), [(ONE, TWO), (TWO, ONE)])
def test_a_judge_settles_what_two_copies_leave_open(text: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Of two copies that differ by words the one comes back whose readings the judge prefers, whichever it is."""
    judge = Partisan(text)
    assert recover(story(text, other), Evidence(), judge=judge).text == "\n\n".join(text)
    assert judge.asked


def test_a_site_stands_in_its_text() -> None:
    """The first reading is what the text has; each reading in its place gives a text that some copy has there."""
    judge = Partisan(ONE)
    recover(story(ONE, TWO), Evidence(), judge=judge)
    texts = ["\n\n".join(text) for text in (ONE, TWO)]
    for question in judge.asked:
        assert question.sites
        for site in question.sites:
            assert site.readings[0] == question.text[site.start : site.end]
            for reading in site.readings:
                around = question.text[max(0, site.start - 10) : site.start] + reading + question.text[site.end : site.end + 1]
                assert any(around in text for text in texts), around


def test_what_is_settled_is_not_asked() -> None:
    """Four copies that agree against one leave nothing to ask, and marks alone are no matter for a judge."""
    judge = Partisan(TWO)
    marks = (ONE[0].replace(" on Monday", ", on Monday,"), ONE[1])
    assert recover(story(ONE, ONE, ONE, ONE, TWO), Evidence(), judge=judge).text == "\n\n".join(ONE)
    recover(story(ONE, marks), Evidence(), judge=judge)
    assert [question for question in judge.asked if question.sites] == []


def test_a_story_in_another_language_is_not_asked_about() -> None:
    """The judge reads English."""
    judge = Partisan(TWO)
    recover(story(ONE, TWO, language="de"), Evidence(), judge=judge)
    assert judge.asked == []


def test_a_judge_that_does_not_answer_changes_nothing() -> None:
    """Out of time, it leaves the recovery as it would be without it."""
    silent: Judge = lambda question: [None] * len(question.sites)  # noqa: E731
    assert recover(story(ONE, TWO), Evidence(), judge=silent) == recover(story(ONE, TWO), Evidence())


def test_a_reading_is_never_made_up() -> None:
    """Whatever a judge prefers, every word of the text stands in a copy, and probabilities remain such."""
    wild: Judge = lambda question: [tuple(-1e6 * n for n in range(len(s.readings))) for s in question.sites]  # noqa: E731
    recovery = recover(story(ONE, TWO), Evidence(), judge=wild)
    words = {word for text in (*ONE, *TWO) for word in text.split()}
    assert set(recovery.text.split()) <= words
    for unit in recovery.apparatus:
        assert math.fsum(reading.probability for reading in unit.readings) == pytest.approx(1)


def test_what_a_judge_said_can_be_said_again() -> None:
    """Noted opinions give the same recovery without the judge, and other sites get no answer."""
    notes: list[Opinion] = []
    first = recover(story(ONE, TWO), Evidence(), judge=noted(Partisan(TWO), notes))
    assert notes
    assert recover(story(ONE, TWO), Evidence(), judge=remembering(notes)) == first
    assert recover(story(ONE, TWO), Evidence(), judge=remembering([])) == recover(story(ONE, TWO), Evidence())


def test_an_explanation_names_the_judge() -> None:
    """What the judge added is one of the features, and the features still make the prior, to a constant of the place."""
    judge = Partisan(TWO)
    (found,) = explain_word(story(ONE, TWO), Evidence(), "coach", judge=judge)
    added = {reading.text: [f.log_odds for f in reading.features if f.name == JUDGE] for reading in found.readings}
    assert set(added) == {"bus", "coach"}
    assert added["coach"][0] > 0 > added["bus"][0]
    constants = [reading.prior - math.fsum(f.log_odds for f in reading.features) for reading in found.readings]
    assert constants[0] == pytest.approx(constants[1])
    (plain,) = explain_word(story(ONE, TWO), Evidence(), "bus")
    assert JUDGE not in {feature.name for reading in plain.readings for feature in reading.features}
