"""A tree of readings as runs of the model: which tokens are read together, what each of them sees, and what is asked of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.neural.tree import Hung, Tree

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Reading = tuple[int, int]
"""The numbers of a site and of a reading of it."""

# Tokens of the text before a site that are read for its sake.
BEFORE = 64
# Trunk tokens that a token sees behind it, the opening aside.
WINDOW = 256
# Tokens in one run: enough to keep the processor busy, few enough to stop in time.
RUN = 160
_UNSEEN = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens that are read at once.

    `anchors[n]` is the trunk token that token n is, or that its branch hangs on; `branches[n]` numbers its branch, -1 for the
    trunk; `depths[n]` is its place in the branch, from 1. `asked[q]` is (index into `rows`, target), for `owners[q]`.
    """

    ids: Ints
    anchors: Ints
    branches: Ints
    depths: Ints
    rows: Ints
    asked: Ints
    owners: tuple[Reading, ...]

    @property
    def positions(self) -> Ints:
        """How far behind the opening each token stands."""
        return self.anchors + self.depths

    def mask(self, earlier: Ints) -> Floats:
        """What the tokens see of the `earlier` trunk tokens, and of each other: the trunk behind them and their own branch."""
        columns = np.concatenate([earlier, self.anchors])
        branch = np.concatenate([np.full(len(earlier), -1), self.branches])
        depth = np.concatenate([np.zeros(len(earlier), np.int64), self.depths])
        behind = self.anchors[:, None] - columns
        trunk = (branch == -1) & (behind >= 0) & ((behind < WINDOW) | (columns == 0))
        own = (branch == self.branches[:, None]) & (branch >= 0) & (depth <= self.depths[:, None])
        return np.where(trunk | own, np.float32(0), _UNSEEN)


def affordable(tree: Tree, tokens: float) -> list[int]:
    """The first sites of the tree that can be judged with so many tokens read, in the order of the text."""
    read: set[int] = set()
    found: list[int] = []
    for site, readings in enumerate(tree.hung):
        if readings is None:
            continue
        wanted = read.union(_trunk_of(readings))
        tokens -= len(wanted) - len(read) + sum(len(hung.branch) for hung in readings)
        if tokens < 0:
            break
        read = wanted
        found.append(site)
    return sorted(found, key=lambda site: _trunk_of(tree.hung[site] or ())[-1])


def runs(tree: Tree, sites: Sequence[int]) -> Iterator[Run]:
    """The runs that judge these sites, which are in the order of the text."""
    asked: dict[int, list[tuple[Reading, int]]] = defaultdict(list)
    for site in sites:
        for number, hung in enumerate(tree.hung[site] or ()):
            for step, target in enumerate(hung.targets[: hung.kept + 1]):
                asked[hung.first + step].append(((site, number), target))
    draft = _Draft()
    read: set[int] = set()
    for site in sites:
        readings = tree.hung[site] or ()
        for at in _trunk_of(readings):
            if at not in read:
                read.add(at)
                draft.trunk(at, tree.trunk[at], asked[at])
                if len(draft) >= RUN:
                    yield draft.taken()
        for number, hung in enumerate(readings):
            if len(draft) + len(hung.branch) > RUN and len(draft):
                yield draft.taken()
            draft.branch(hung, (site, number))
    if len(draft):
        yield draft.taken()


def _trunk_of(readings: Sequence[Hung]) -> list[int]:
    """The trunk tokens that are read to judge these readings, the opening among them."""
    first, last = min(hung.first for hung in readings), max(hung.parent for hung in readings)
    return sorted({0, *range(max(0, first - BEFORE), last + 1)})


class _Draft:
    """A run while tokens are put to it."""

    def __init__(self) -> None:
        self._tokens: list[tuple[int, int, int, int]] = []
        self._asked: list[tuple[int, int, Reading]] = []
        self._branches = 0

    def __len__(self) -> int:
        return len(self._tokens)

    def trunk(self, at: int, token: int, asked: Sequence[tuple[Reading, int]]) -> None:
        """Put the trunk's token `at` to the run, and what is asked of it."""
        self._asked.extend((len(self._tokens), target, owner) for owner, target in asked)
        self._tokens.append((token, at, -1, 0))

    def branch(self, hung: Hung, owner: Reading) -> None:
        """Put a branch to the run; its trunk has been read."""
        for depth, (token, target) in enumerate(zip(hung.branch, hung.targets[hung.kept + 1 :], strict=True), 1):
            self._asked.append((len(self._tokens), target, owner))
            self._tokens.append((token, hung.parent, self._branches, depth))
        self._branches += 1

    def taken(self) -> Run:
        """The run; the draft is empty again."""
        ids, anchors, branches, depths = np.array(self._tokens, dtype=np.int64).T
        rows = sorted({row for row, _, _ in self._asked})
        number = {row: at for at, row in enumerate(rows)}
        asked = [(number[row], target) for row, target, _ in self._asked]
        run = Run(
            ids,
            anchors,
            branches,
            depths,
            rows=np.array(rows or [0], dtype=np.int64),
            asked=np.array(asked, dtype=np.int64).reshape(-1, 2),
            owners=tuple(owner for _, _, owner in self._asked),
        )
        self._tokens, self._asked = [], []
        return run
