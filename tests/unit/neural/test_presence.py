"""The model is used where it is present, and missed nowhere."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import Malformed
from pipeline.neural import weights
from pipeline.neural.presence import Waiting, judge_of
from pipeline.philology.question import Question, Site
from pipeline.settings import Settings, load

QUESTION = Question("The ferry would stay in port.", (Site(15, 20, (" stay", " remain")),))


def settings_with(folder: Path, **more: object) -> Settings:
    return load({"model_dir": str(folder), **more}, {}).settings


def put(folder: Path, model: Path, *, size: int | None = None) -> None:
    path = weights.model_file(folder)
    path.parent.mkdir(parents=True)
    shutil.copy(model, path)
    (path.parent / weights.MANIFEST).write_text(f'{{"size": {size or path.stat().st_size}, "sha256": "-"}}')


def test_no_model_no_judge(tmp_path: Path) -> None:
    """Nothing is said about it."""
    said: list[str] = []
    assert judge_of(settings_with(tmp_path), said.append) is None
    assert said == []


def test_an_installed_model_judges(tmp_path: Path, tiny_onnx: Path) -> None:
    """It is loaded at the first question with a site, and judges with the budget of the settings; off is off."""
    put(tmp_path, tiny_onnx)
    said: list[str] = []
    judge = judge_of(settings_with(tmp_path, neural_budget=100.0), said.append)
    assert judge is not None
    (answer,) = judge(QUESTION)
    assert answer is not None
    assert len(answer) == 2
    assert judge_of(settings_with(tmp_path, neural="off"), said.append) is None
    assert said == []


def test_a_damaged_model_is_told_of_and_not_used(tmp_path: Path, tiny_onnx: Path) -> None:
    """By its size before it is loaded, by its content when it is; the second question is not tried."""
    said: list[str] = []
    put(tmp_path / "one", tiny_onnx, size=7)
    assert judge_of(settings_with(tmp_path / "one"), said.append) is None
    assert "damaged" in said.pop()
    broken = tmp_path / "broken"
    broken.write_bytes(tiny_onnx.read_bytes()[: tiny_onnx.stat().st_size // 2])
    put(tmp_path / "two", broken)
    judge = judge_of(settings_with(tmp_path / "two"), said.append)
    assert judge is not None
    assert list(judge(QUESTION)) == [None]
    assert list(judge(QUESTION)) == [None]
    assert len(said) == 1
    assert "recoveries are made without it" in said[0]


def test_a_failure_to_load_is_told_once() -> None:
    """Whatever keeps the model from loading, recoveries go on."""
    said: list[str] = []
    tries: list[int] = []

    def load_it() -> None:
        tries.append(1)
        raise Malformed("no such model")

    waiting = Waiting(load_it, said.append)  # type: ignore[arg-type]
    assert list(waiting(Question("text", ()))) == []
    assert tries == []
    assert [list(waiting(QUESTION)) for _ in range(3)] == [[None]] * 3
    assert (len(tries), len(said)) == (1, 1)


@pytest.mark.slow
def test_the_true_model_prefers_what_was_written() -> None:
    """Of the words that spinners put for others the true weights prefer the original's."""
    status = weights.look(load({}, {}).settings.model_folder)
    if status.trouble:
        pytest.skip(f"the model is not installed in the data folder: {status.trouble}")
    judge = judge_of(load({"neural_budget": 600.0}, {}).settings, pytest.fail)
    assert judge is not None
    text = "The government said on Thursday it would close the border crossing after 2,500 people arrived in a week."
    pairs = [
        (" said", " stated"),
        (" close", " shut"),
        (" people", " folks"),
        (" week", " hebdomad"),
        (" government", " regime"),
    ]
    sites = tuple(Site(text.index(one), text.index(one) + len(one), (one, two)) for one, two in pairs)
    answers = judge(Question(text, sites))
    assert all(answer is not None and answer[0] > answer[1] + 1 for answer in answers)
