"""Compiled or not, the alignment is the same to the bit."""

import sys

import numpy as np
import pytest

from pipeline.philology import alignment
from pipeline.philology.native import MOST_CELLS, Native, native
from pipeline.philology.profile import SCORES, Profile, Row, Vocabulary
from pipeline.philology.tokens import tokenize


def rows() -> list[Row]:
    vocabulary = Vocabulary()
    texts = (
        ("A ferry ran aground near the port, officials said.", "Nobody was hurt; 214 passengers left."),
        (
            "A boat ran aground close to the port, the officials stated.",
            "No one was hurt; two,14 travellers left.",
            "Read more",
        ),
        ("Nobody was hurt.", "A ferry ran aground in fog near the port, officials told reporters on Friday."),
    )
    return [Row(tokenize(text), range(len(text)), vocabulary) for text in texts]


def test_plain_and_compiled_functions_agree_on_every_bit() -> None:
    """Scores, paths, islands, tables and summaries of a small profile."""
    own = rows()
    profile = Profile(own[0])
    profile.add(own[1])
    names = ("words", "heads", "tails", "marks", "opens")
    stacked = [np.concatenate([getattr(row, name) for row in own[:2]]) for name in names]
    summary = (profile.table, np.array([0, len(own[0])], dtype=np.int64), *stacked)
    entries = both(alignment.summarize, *summary)
    pointer, words, heads, tails, marks, counts, opens, held = entries
    row = own[2]
    scores = both(
        alignment.match_scores,
        *(getattr(row, name) for name in names),
        *(pointer, words, heads, tails, marks, counts, opens, SCORES),
    )
    where = both(alignment.best_path, scores, row.opens, opens, held, SCORES)
    both(alignment.loosen, where, row.words, row.heads, row.marks, pointer, words, 5)
    both(alignment.widen, profile.table, where)


def both(function: Native, *args):  # type: ignore[type-arg]
    plain, compiled = function.plain(*args), function.compiled()(*args)
    for one, two in zip(*((value if isinstance(value, tuple) else (value,)) for value in (plain, compiled)), strict=True):
        assert one.dtype == two.dtype
        assert one.tobytes() == two.tobytes()
    return plain


def test_what_is_larger_than_the_limit_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted over calls; beyond the limit the compiled function takes over."""
    taken: list[str] = []
    counted = native(lambda size: size)(lambda size: taken.append("plain"))
    monkeypatch.setattr(Native, "worked", 0)
    monkeypatch.setattr(Native, "compiled", lambda self: lambda size: taken.append("compiled"))
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    for size in (MOST_CELLS, 1, 1):
        counted(size)
    assert taken == ["plain", "compiled", "compiled"]
