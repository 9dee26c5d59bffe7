"""The judge says of every reading what the model says of the whole text with that reading in it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import PAIRS

from pipeline.neural import runs
from pipeline.neural.judge import NeuralJudge
from pipeline.neural.model import OnnxModel
from pipeline.neural.tree import AFTER
from pipeline.philology.question import Question, Site

TEXT = (
    "The harbour board said on Monday that the old ferry would stay in port. Passengers take the bus.\n\n"
    "Dockers went home early, a spokesman said, and 2,500 tonnes of grain sat there in the rain at the quay."
)
READINGS = ("", " the", " remained", ", as ever,", " in there at 1,200")


def plainly(model: OnnxModel, text: str) -> tuple[list[int], np.ndarray]:
    """The tokens of a text, and the log-probability of each, read one after the other in one go."""
    ids = np.array([model.opening, *PAIRS.encode(text)])
    size = len(ids) - 1
    mask = np.where(np.tri(size), 0, -1e9).astype(np.float32)
    asked = np.stack([np.arange(size), ids[1:]], axis=1)
    found, _ = model.read(ids[:-1], np.arange(size), mask, np.arange(size), asked, model.empty())
    return ids[1:].tolist(), found


def site(text: str, word: str, *others: str) -> Site:
    start = text.index(word)
    return Site(start, start + len(word), (word, *others))


def differences(model: OnnxModel, text: str, one: Site) -> list[float]:
    """For every reading how much likelier the whole text is with it than with the first, up to the words that have a say."""
    totals = []
    words = text[one.end :].split("\n", maxsplit=1)[0].split()
    behind = text[one.end :]
    if words[:AFTER]:
        last = words[:AFTER][-1]
        at = 0
        for word in words[:AFTER]:
            at = behind.index(word, at) + len(word)
        behind = behind[:at]
        assert behind.endswith(last)
    else:
        behind = ""
    for reading in one.readings:
        _, values = plainly(model, text[: one.start] + reading + behind)
        totals.append(float(values.sum()))
    return [total - totals[0] for total in totals]


def check(model: OnnxModel, text: str, sites: Sequence[Site], answers: Sequence[tuple[float, ...] | None]) -> None:
    for one, answer in zip(sites, answers, strict=True):
        assert answer is not None
        assert [value - answer[0] for value in answer] == pytest.approx(differences(model, text, one), abs=2e-3)


SITES = (
    site(TEXT, " grain", " wheat", "", " the grain"),
    site(TEXT, " said", " stated", ", said"),
    site(TEXT, " stay", " remain", " not stay"),
    site(TEXT, "Dockers", "The dockers", "Men"),
    site(TEXT, " the bus", " a bus"),
    site(TEXT, " 2,500", " two,500"),
    site(TEXT, " quay", " quays"),
)


def test_a_branch_is_judged_as_the_whole_text(model: OnnxModel) -> None:
    """Under the tree's mask every reading gets what it gets in a text of its own, in one run or in many."""
    check(model, TEXT, SITES, NeuralJudge(model, 1e9)(Question(TEXT, SITES)))


@pytest.mark.parametrize("size", [1, 7, 40])
def test_the_size_of_a_run_changes_nothing(model: OnnxModel, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """However few tokens are read at once: the trunk is remembered from run to run."""
    monkeypatch.setattr(runs, "RUN", size)
    check(model, TEXT, SITES, NeuralJudge(model, 1e9)(Question(TEXT, SITES)))


def test_what_lies_far_behind_is_not_seen(model: OnnxModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading at the end is judged as it would be after another beginning of as many tokens, and so that it matters."""
    other = TEXT.replace("harbour", "humdrum")
    assert len(PAIRS.encode(other)) == len(PAIRS.encode(TEXT))
    near, all_of_it = [], []
    monkeypatch.setattr(runs, "BEFORE", 500)
    for text in (TEXT, other):
        all_of_it += NeuralJudge(model, 1e9)(Question(text, (site(text, " quay", " quays"),)))
    monkeypatch.setattr(runs, "BEFORE", 12)
    for text in (TEXT, other):
        near += NeuralJudge(model, 1e9)(Question(text, (site(text, " quay", " quays"),)))
    assert None not in near
    assert near[0] == near[1]
    assert all_of_it[0] != all_of_it[1]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_text_is_judged_or_left(model: OnnxModel, data: st.DataObject) -> None:
    """Whatever the text and the readings: an answer for every reading, none above certainty, or None."""
    text = data.draw(st.text(max_size=120))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6)))
    sites = tuple(
        Site(start, end, (text[start:end], *data.draw(st.lists(st.text(max_size=12), min_size=1, max_size=3))))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    )
    answers = NeuralJudge(model, 1e9)(Question(text, sites))
    assert [len(answer) for answer in answers if answer is not None] == [
        len(one.readings) for one, answer in zip(sites, answers, strict=True) if answer is not None
    ]
    assert all(np.isfinite(value) and value <= 1e-4 for answer in answers if answer for value in answer)


class Slow:
    """The model on a machine that takes a second for ten tokens, by the clock that it keeps."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self.now = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def read(self, ids: np.ndarray, *rest: Any) -> Any:
        self.now += len(ids) / 10
        return self._model.read(ids, *rest)


def test_a_budget_of_nothing_judges_nothing(model: OnnxModel) -> None:
    """No time, no answer."""
    assert NeuralJudge(model, 0.0)(Question(TEXT, SITES)) == (None,) * len(SITES)


def test_what_there_is_no_time_for_is_left(model: OnnxModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the pace is known the first sites of the question are judged, as many as the budget holds, wherever they stand."""
    monkeypatch.setattr(runs, "RUN", 20)
    monkeypatch.setattr(runs, "BEFORE", 4)
    slow = Slow(model)
    judge = NeuralJudge(slow, 20.0, lambda: slow.now)  # type: ignore[arg-type]
    judge(Question(TEXT, SITES[-1:]))
    begun = slow.now
    answers = judge(Question(TEXT, SITES[:-1]))
    judged = [answer is not None for answer in answers]
    assert judged == [True, True, False, False, False, False]
    assert slow.now - begun <= 20


def test_a_machine_that_slows_down_is_stopped(model: OnnxModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading takes longer than was foreseen, what was finished in time is answered, and no run begins after it."""
    monkeypatch.setattr(runs, "RUN", 20)
    slow = Slow(model)
    answers = NeuralJudge(slow, 20.0, lambda: slow.now)(Question(TEXT, SITES))  # type: ignore[arg-type]
    assert {answer is None for answer in answers} == {True, False}
    assert slow.now <= 20


def test_the_same_content_is_judged_once(model: OnnxModel) -> None:
    """A question asked again is answered without the model, and a site that is new beside it is read."""
    judge = NeuralJudge(model, 1e9)
    first = judge(Question(TEXT, SITES[:3]))
    broken = NeuralJudge.__new__(NeuralJudge)
    broken.__dict__.update(judge.__dict__ | {"_model": None})
    assert broken(Question(TEXT, SITES[:3][::-1])) == first[::-1]
    again = judge(Question(TEXT, SITES[:4]))
    assert again[:3] == first
    assert again[3] is not None


def test_a_text_longer_than_the_model_reads_is_judged_as_far(model: OnnxModel) -> None:
    """Sites beyond the last position are None, and those before it are judged."""
    long = TEXT + " there" * 600 + " the end"
    near, far = site(long, " stay", " remain"), Site(len(long) - 4, len(long), (" end", " start"))
    answers = NeuralJudge(model, 1e9)(Question(long, (far, near)))
    assert answers[0] is None
    check(model, long, [near], answers[1:])


def test_a_word_without_end_is_not_judged(model: OnnxModel) -> None:
    """What has no blank near it is no word."""
    text = "the " + "x" * 5000
    assert NeuralJudge(model, 1e9)(Question(text, (Site(2000, 2001, ("x", "y")),))) == (None,)
