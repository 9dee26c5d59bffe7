"""The neural judge where the settings want it and the model is there; loaded when a story first has a doubt."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from pipeline.errors import WirecopyError
from pipeline.neural.weights import look
from pipeline.philology.question import Judge, Question
from pipeline.settings import Settings


class Waiting:
    """A judge that loads its model at the first question with a site in it.

    What goes wrong there is told once, and nothing is answered from then on: a recovery needs no judge.
    """

    def __init__(self, load: Callable[[], Judge], tell: Callable[[str], None]) -> None:
        self._load = load
        self._tell = tell
        self._judge: Judge | None = None
        self._failed = False

    def __call__(self, question: Question) -> Sequence[tuple[float, ...] | None]:
        """The judge's answers, or none."""
        nothing = [None] * len(question.sites)
        if self._failed or not question.sites:
            return nothing
        try:
            if self._judge is None:
                self._judge = self._load()
            return self._judge(question)
        except (WirecopyError, ImportError, MemoryError) as error:
            self._failed = True
            self._tell(f"The neural model cannot be used, and recoveries are made without it: {error}")
            return nothing


def judge_of(settings: Settings, tell: Callable[[str], None]) -> Judge | None:
    """The judge; None where the settings keep it out or no model is installed. A damaged model is told of by `tell`."""
    if settings.neural == "off":
        return None
    status = look(settings.model_folder)
    if status.trouble:
        if status.size:
            tell(f"The neural model is not used. {status.trouble}")
        return None
    return _waiting(status.path, settings.neural_budget, tell)


@cache
def _waiting(path: Path, budget: float, tell: Callable[[str], None]) -> Judge:
    def load() -> Judge:
        from pipeline.neural.judge import NeuralJudge  # noqa: PLC0415 - numpy
        from pipeline.neural.model import OnnxModel  # noqa: PLC0415 - onnxruntime, and 160 MB

        return NeuralJudge(OnnxModel(path), budget)

    return Waiting(load, tell)
