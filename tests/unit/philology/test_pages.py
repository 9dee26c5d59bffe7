"""Two texts of one page have one vote."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Reason, recover
from pipeline.philology.reliability import Disputes, solve
from pipeline.philology.witness import Witness

TEXT = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent.",
    "The board said the agreement would cost $12.3 million a year and would be paid for by a fee on every container.",
    "Exporters of fruit said losses since the walkout began had reached $58 million, with 2,300 tonnes of pears spoiled.",
)


def told(source: str, *changes: tuple[str, str], page: str | None = None) -> Witness:
    paragraphs = tuple(TEXT)
    for old, new in changes:
        paragraphs = tuple(paragraph.replace(old, new) for paragraph in paragraphs)
    return Witness(source, paragraphs, language="en", page=page)


def test_two_texts_of_one_page_do_not_outvote_two_others() -> None:
    """What a page says twice counts once: two witnesses of pages of their own carry the place against three texts of one."""
    wrong = (("raise wages", "raise pay"), ("fee on every", "toll on every"), ("had reached", "had hit"))
    same = [told(f"a{n}", *wrong, page="a") for n in range(3)]
    recovery = recover(collate([*same, told("b"), told("c")]), Evidence())
    assert all(right in recovery.text for right, _ in wrong)
    assert len({one.lineage for one in recovery.witnesses if one.source.startswith("a")}) == 1


def test_what_only_one_page_says_is_single() -> None:
    """Two texts of a page that agree are no agreement."""
    extra = " The union's hall was lit all night and its members danced on the quay until the first crane moved."
    both = [replace(told(f"a{n}", page="a"), paragraphs=(TEXT[0] + extra, *TEXT[1:])) for n in range(2)]
    recovery = recover(collate([*both, told("b"), told("c")]), Evidence())
    assert {token.reason for token in recovery.tokens if token.text in {"Dockers", "Exporters"}} == {Reason.AGREED}
    danced = {token.reason for token in recovery.tokens if token.text == "danced"}
    assert danced <= {Reason.SINGLE}


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_pages_of_their_own_change_nothing(data: st.DataObject) -> None:
    """Numbering each witness's page apart is the same as naming none, to the last bit."""
    places, witnesses = data.draw(st.integers(0, 12)), data.draw(st.integers(2, 5))
    rows = st.lists(st.integers(-1, 2), min_size=witnesses, max_size=witnesses)
    choice = np.array(data.draw(st.lists(rows, min_size=places, max_size=places)), dtype=np.int64).reshape(-1, witnesses)
    disputes = Disputes(
        choice=choice,
        prior=np.log(np.full((places, 3), 1 / 3)),
        present=np.ones((1, witnesses), dtype=np.int64),
        agreed=np.array([20.0]),
        known_errors=np.zeros((witnesses, 2)),
        echoes=np.zeros((places, 3)),
    )
    plain, numbered = solve(disputes), solve(replace(disputes, pages=tuple(range(witnesses))))
    assert [one.lineages for one in plain] == [one.lineages for one in numbered]
    assert all(np.array_equal(one.posterior, other.posterior) for one, other in zip(plain, numbered, strict=True))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(-1, 2), min_size=4, max_size=4), max_size=12))
def test_texts_of_one_page_are_always_one_lineage(rows: list[list[int]]) -> None:
    """Whatever they disagree on."""
    choice = np.array(rows, dtype=np.int64).reshape(-1, 4)
    disputes = Disputes(
        choice=choice,
        prior=np.log(np.full((len(rows), 3), 1 / 3)),
        present=np.ones((1, 4), dtype=np.int64),
        agreed=np.array([20.0]),
        known_errors=np.zeros((4, 2)),
        echoes=np.zeros((len(rows), 3)),
        pages=(0, 1, 0, 2),
    )
    for solution in solve(disputes):
        assert solution.lineages[0] == solution.lineages[2]
        assert np.isfinite(solution.posterior).all()
