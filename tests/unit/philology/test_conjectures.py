"""Conjectures are offered where other stories are nearly sure, marked, and never part of the text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cli.doubt import with_conjectures
from pipeline.philology.collation import collate
from pipeline.philology.conjectures import LEAST, LEAST_STORIES, cased, conjectures, learned, repaired
from pipeline.philology.recovered import Conjecture, Evidence, LearnedPair, Recovery
from pipeline.philology.recovery import recover
from pipeline.philology.witness import Witness

SPUN = (
    "The bridge used to be closed on Monday after 2,500 people crossed it, the mayor aforementioned.",
    "It used to be built whilst the river was low, and the council aforementioned it would be mended subsequent year.",
)
PAIRS = (
    LearnedPair("was", "used to be", 44),
    LearnedPair("said", "aforementioned", 30),
    LearnedPair("when", "whilst", 30),
    LearnedPair("next", "subsequent", 25),
)


def recovered(*bodies: tuple[str, ...], pairs: tuple[LearnedPair, ...] = PAIRS) -> Recovery:
    witnesses = [Witness(str(number), body, language="en") for number, body in enumerate(bodies)]
    return recover(collate(witnesses), Evidence(pairs=pairs))


def test_what_many_stories_settled_is_offered_for_a_single_copy() -> None:
    """The text stays the witness's; each conjecture has its place and a probability of .9 and more."""
    recovery = recovered(SPUN)
    assert recovery.text == "\n\n".join(SPUN)
    found = {(recovery.text[one.start : one.end], one.text) for one in recovery.conjectures}
    assert ("used to be", "was") in found
    assert found <= {(pair.spun, pair.original) for pair in PAIRS}
    assert all(LEAST <= one.probability < 1 for one in recovery.conjectures)


def test_copies_that_share_a_spun_reading_have_their_conjectures() -> None:
    """Copies of one spun copy, one lineage, say no more than it does; what a witness attests is no conjecture."""
    kin = recovered(SPUN, SPUN)
    clean = tuple(paragraph.replace("used to be", "was").replace("aforementioned", "said") for paragraph in SPUN)
    attested = recovered(SPUN, clean)
    assert not {one.text for one in attested.conjectures} & {"was", "said"}
    assert {one.text for one in kin.conjectures} <= {one.text for one in recovered(SPUN).conjectures}


@pytest.mark.parametrize("stories", [1, LEAST_STORIES - 1])
def test_what_few_stories_settled_is_not(stories: int) -> None:
    """A pair of few stories is no evidence; neither is none at all."""
    assert recovered(SPUN, pairs=(LearnedPair("was", "used to be", stories),)).conjectures == ()
    assert recovered(SPUN, pairs=()).conjectures == ()


def test_half_spelt_numbers_are_repaired_without_any_story() -> None:
    """The digit that a machine spelt out; other numbers and words have none to mend."""
    recovery = recovered(("Some two,500 of them came, 8.Eight per cent more than in 2020.",), pairs=())
    assert [(recovery.text[one.start : one.end], one.text) for one in recovery.conjectures] == [
        ("two,500", "2,500"),
        ("8.Eight", "8.8"),
    ]
    assert repaired("five,14,246") == "5,14,246"
    assert [repaired(text) for text in ("2,500", "two", "two-thirds", "one,two", "8.8", "zero.5")] == [None] * 6


def test_capitals_are_those_of_the_place() -> None:
    """As printed there: none, the first, all."""
    assert [cased(spun, ("per", "cent")) for spun in (["percent"], ["Percent"], ["PERCENT"])] == [
        "per cent",
        "Per cent",
        "PER CENT",
    ]
    assert cased(["By", "Means", "Of"], ("by",)) == "By"


def test_several_stories_of_one_pair_count_together() -> None:
    """Of one spun side the originals stand in order of their stories."""
    known = learned((LearnedPair("said", "such", 3), LearnedPair("this", "such", 8), LearnedPair("said", "such", 9)))
    assert known.originals[("such",)] == ((("said",), 12), (("this",), 8))
    assert known.kept[("said",)] == 12


def test_conjectures_are_shown_in_place() -> None:
    """In brackets behind the words that they would replace; the text itself is untouched."""
    offered = [
        {"start": 4, "end": 8, "text": "new", "probability": 0.934},
        {"start": 9, "end": 12, "text": "x", "probability": 0.9},
    ]
    assert with_conjectures("the that be", offered[:1]) == "the that [new? 93%] be"
    assert with_conjectures("a", []) == "a"


sides = st.lists(st.sampled_from(["the", "used", "to", "be", "such", "of", "new", "’s", "2,500"]), min_size=1, max_size=4).map(
    " ".join
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.builds(LearnedPair, sides, sides, st.integers(1, 60)), max_size=12),
    st.lists(
        st.lists(st.sampled_from(["the", "used", "to", "be", "such", "of", "new", "two,500", ".", "“"]), max_size=25).map(
            " ".join
        ),
        max_size=3,
    ),
)
def test_conjectures_never_overlap_and_never_repeat_the_text(pairs: list[LearnedPair], body: list[str]) -> None:
    """In order, each for something that stands there and says something else, none without the probability to be offered."""
    recovery = recover(collate([Witness("1", tuple(body), language="en")]), Evidence())
    end = 0
    for one in conjectures(recovery, pairs):
        assert isinstance(one, Conjecture)
        assert end <= one.start < one.end
        assert recovery.text[one.start : one.end].casefold() != one.text.casefold()
        assert one.probability >= LEAST
        end = one.end
