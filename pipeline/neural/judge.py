"""The judge: how likely each reading is where it stands, by a model that has read the text before it."""

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.neural.bytepairs import BytePairs
from pipeline.neural.runs import WINDOW, Floats, Ints, Reading, Run, affordable, runs
from pipeline.neural.tree import tree_of
from pipeline.philology.question import Question, Site

Memory = dict[str, NDArray[np.float32]]
"""Keys and values of the tokens read, by the names that the graph has for them: (kv heads, tokens, head size)."""


Content = tuple[str, tuple[str, ...], str]
"""What is before a site, its readings, what comes after."""

# Characters before and behind a site that have to be the same for an answer to be given again: what comes earlier tips little.
KNOWN_BEFORE, KNOWN_AFTER = 300, 60
MOST_KNOWN = 20_000


class Model(Protocol):
    """A language model; `longest` is the number of tokens it can read."""

    @property
    def pairs(self) -> BytePairs:
        """How text becomes tokens."""

    @property
    def opening(self) -> int:
        """The token that opens a text."""

    @property
    def longest(self) -> int:
        """The number of tokens that can be read."""

    def empty(self) -> Memory:
        """The memory before anything is read."""

    def read(self, ids: Ints, positions: Ints, mask: Floats, rows: Ints, asked: Ints, memory: Memory) -> tuple[Floats, Memory]:
        """The log-probability of every pair asked, and what is to be remembered of the tokens; shapes as in graph.py."""


class NeuralJudge:
    """Answers the questions of philology.question in about `budget` seconds each: sites beyond it are None.

    What was judged is remembered by its content: the readings and the text around them. One call at a time.
    """

    def __init__(self, model: Model, budget: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._budget = budget
        self._clock = clock
        self._pace = 0.0
        """Seconds a token, as measured last; 0 before the first question."""
        self._known: OrderedDict[Content, tuple[float, ...]] = OrderedDict()

    def __call__(self, question: Question) -> tuple[tuple[float, ...] | None, ...]:
        """The log-probabilities of the readings of every site; None where the time was over, or no model reads it."""
        contents = [_content(question, site) for site in question.sites]
        fresh = [site for site, content in zip(question.sites, contents, strict=True) if content not in self._known]
        answers = iter(self._judged(Question(question.text, tuple(fresh))) if fresh else ())
        found: list[tuple[float, ...] | None] = []
        for content in contents:
            if content in self._known:
                self._known.move_to_end(content)
                found.append(self._known[content])
            else:
                found.append(next(answers))
        for content, answer in zip(contents, found, strict=True):
            if answer is not None:
                self._known[content] = answer
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return tuple(found)

    def _judged(self, question: Question) -> list[tuple[float, ...] | None]:
        model, end = self._model, self._clock() + self._budget
        tree = tree_of(question, model.pairs, model.opening, model.longest)
        chosen = affordable(tree, self._budget / self._pace if self._pace else float("inf"))
        found: dict[Reading, float] = defaultdict(float)
        left: dict[Reading, int] = {
            (site, number): len(hung.targets) for site in chosen for number, hung in enumerate(tree.hung[site] or ())
        }
        memory, earlier = model.empty(), np.empty(0, np.int64)
        for run in runs(tree, chosen):
            begun = self._clock()
            if begun + self._pace * len(run.ids) >= end:
                break
            logp, fresh = model.read(run.ids, run.positions, run.mask(earlier), run.rows, run.asked, memory)
            for owner, value in zip(run.owners, logp.tolist(), strict=True):
                found[owner] += value
                left[owner] -= 1
            memory, earlier = _kept(memory, earlier, fresh, run)
            self._pace = (self._clock() - begun) / len(run.ids)
        judged = {site for site in chosen if not any(left[site, number] for number in range(len(tree.hung[site] or ())))}
        return [
            tuple(found[site, number] for number in range(len(readings or ()))) if site in judged else None
            for site, readings in enumerate(tree.hung)
        ]


def _content(question: Question, site: Site) -> Content:
    before = question.text[max(0, site.start - KNOWN_BEFORE) : site.start]
    return before, site.readings, question.text[site.end : site.end + KNOWN_AFTER]


def _kept(memory: Memory, earlier: Ints, fresh: Memory, run: Run) -> tuple[Memory, Ints]:
    """What is remembered after a run: the opening and the trunk's last tokens, and which these are."""
    trunk = run.branches == -1
    memory = {name: np.concatenate([memory[name], fresh[name][:, trunk]], axis=1) for name in memory}
    earlier = np.concatenate([earlier, run.anchors[trunk]])
    if len(earlier) <= WINDOW + 1:
        return memory, earlier
    keep = np.r_[0, len(earlier) - WINDOW : len(earlier)]
    return {name: values[:, keep] for name, values in memory.items()}, earlier[keep]
