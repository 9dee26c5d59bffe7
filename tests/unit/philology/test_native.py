"""Compiled or not, the alignment is the same to the bit."""

import sys

import numpy as np
import pytest

from pipeline.philology import alignment
from pipeline.philology.native import MOST_CELLS, Native, native
from pipeline.philology.profile import SCORES, Row, _without_entries, band
from pipeline.philology.tokens import tokenize
from pipeline.philology.vocabulary import Vocabulary


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
    """Columns, paths in a band, and islands of a small profile."""
    columns = _without_entries(0)
    own = rows()
    for row in own[:2]:
        where = np.full(len(row), -1, dtype=np.int32)
        *columns, _ = both(alignment.extend, *columns, *row.arrays, where)
    pointer, words, heads, tails, marks, counts, opened, present = columns
    row = own[2]
    opens, held = (opened / present).astype(np.float32), (present / 2).astype(np.float32)
    low, high = band(len(row), len(present), np.array([[4, 5], [8, 9]], dtype=np.int32))
    where = both(
        alignment.best_path,
        *row.arrays,
        *(pointer, words, heads, tails, marks, counts, opens, held, low, high, SCORES),
    )
    both(alignment.increasing, np.array([3, 1, 4, 1, 5, 9, 2, 6, 5], dtype=np.int32))
    both(alignment.loosen, where, row.words, row.heads, row.marks, row.opens, pointer, words, 5)
    both(alignment.extend, *columns, *row.arrays, where)


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
