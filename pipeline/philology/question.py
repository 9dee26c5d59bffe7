"""What a judge is asked: a text, and sites in it at each of which one of several readings can stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One place to be judged: `readings` could each stand for `text[start:end]` of the question, which is the first of them."""

    start: int
    end: int
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A text, and the sites in it that are in doubt, the most doubtful first; they do not overlap."""

    text: str
    sites: tuple[Site, ...]


Judge = Callable[[Question], Sequence[tuple[float, ...] | None]]
"""For every site the log-probability of each reading with the words after it, given the text before; None: not judged."""

# Characters in front of a site by which it is known again.
REMEMBERED = 60


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge said of one site: the log-probability of each of its readings after the words `before` it."""

    before: str
    readings: tuple[str, ...]
    log_probabilities: tuple[float, ...]


def noted(judge: Judge, notes: list[Opinion]) -> Judge:
    """A judge that says what this one says, and notes it."""

    def ask(question: Question) -> Sequence[tuple[float, ...] | None]:
        answers = judge(question)
        notes.extend(
            Opinion(_before(question, site), site.readings, answer)
            for site, answer in zip(question.sites, answers, strict=True)
            if answer is not None
        )
        return answers

    return ask


def remembering(opinions: Sequence[Opinion]) -> Judge:
    """A judge that says again what was noted, and of other sites nothing: a recovery can be repeated without the model."""
    known = {(opinion.before, opinion.readings): opinion.log_probabilities for opinion in opinions}
    return lambda question: [known.get((_before(question, site), site.readings)) for site in question.sites]


def _before(question: Question, site: Site) -> str:
    return question.text[max(0, site.start - REMEMBERED) : site.start]
