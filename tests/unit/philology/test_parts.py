"""Parts: a page of several stories is cut between them, and a copy is never cut."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.parts import Part, cut_out, split
from pipeline.philology.relation import relate
from pipeline.philology.witness import Witness
from tests.unit.philology.test_relation import FERRY, MARKET, spin

STORIES = {"ferry": FERRY, "market": MARKET}


def split_page(page: Witness) -> list[tuple[str | None, tuple[int, ...]]]:
    """Story and paragraphs of each part, found by relating the page to both stories."""
    return [(part.story, part.paragraphs) for part in split(page, [(key, relate(page, s)) for key, s in STORIES.items()])]


def make_page(*paragraphs: str) -> Witness:
    return Witness("page", paragraphs, title="News in brief")


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_a_digest_is_cut_between_its_stories(rate: float) -> None:
    """Two stories one after the other, spun or not, are two parts; a heading goes with what it stands above."""
    page = make_page(*spin(FERRY, rate, seed=1).paragraphs[:4], "Prices at Dunmore", *spin(MARKET, rate, seed=2).paragraphs)
    assert split_page(page) == [("ferry", (0, 1, 2, 3)), ("market", (4, 5, 6, 7))]


def test_a_story_that_another_interrupts_is_one_part() -> None:
    """A whole story set into another one leaves that one with a gap."""
    page = make_page(*FERRY.paragraphs[:2], *MARKET.paragraphs, *FERRY.paragraphs[2:])
    assert split_page(page) == [("ferry", (0, 1, 5, 6, 7)), ("market", (2, 3, 4))]


def test_a_stretch_of_no_known_story_is_a_part_of_its_own() -> None:
    """Between two known stories a third one that nobody knows is placed by itself; a short line goes with its neighbour."""
    third = "The council of Orrin voted by nine to four to keep the swimming hall open through the winter. " * 5
    page = make_page(*FERRY.paragraphs, "Share this.", third, *MARKET.paragraphs)
    assert split_page(page) == [("ferry", (0, 1, 2, 3, 4)), (None, (5, 6)), ("market", (7, 8, 9))]


COMMENTS = ("I took that boat for years and it was always late.", "Same here. They should refund everyone at once.")


@pytest.mark.parametrize(
    "paragraphs",
    [
        FERRY.paragraphs,
        (*FERRY.paragraphs, *COMMENTS * 4),
        (*FERRY.paragraphs[:2], "Read also: a winter at sea", *FERRY.paragraphs[2:]),
        (*FERRY.paragraphs[:3], MARKET.paragraphs[1], *FERRY.paragraphs[3:]),
        (*FERRY.paragraphs, MARKET.paragraphs[1]),
        FERRY.paragraphs[::-1],
        COMMENTS * 8,
        (),
    ],
    ids=["a copy", "comments", "promotion", "quotation inside", "quotation behind", "moved paragraphs", "strangers", "nothing"],
)  # fmt: skip
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_what_is_one_text_stays_one(paragraphs: Sequence[str], rate: float) -> None:
    """A copy with what pages add to it, with a quotation of another story, or no copy at all, is one part."""
    page = spin(make_page(*paragraphs), rate, seed=4)
    assert [part for _, part in split_page(page)] == [tuple(range(len(page.paragraphs)))]


def test_an_article_that_quotes_two_stories_is_one_text() -> None:
    """Quotations are less than half of it."""
    own = [
        f"Reader number {n} wrote in to say that the paper of the {n * 7}th had been thrown into a hedge again."
        for n in range(20)
    ]
    page = make_page(*own[:8], FERRY.paragraphs[0], *own[8:14], MARKET.paragraphs[0], *own[14:])
    assert len(split_page(page)) == 1


def test_a_part_is_a_witness_of_its_page() -> None:
    """It has its paragraphs alone, and neither the page's headline nor a vote of its own beside the page's other parts."""
    page = make_page("one", "two", "three")
    found = cut_out(page, Part((0, 2), "story"))
    assert found == replace(page, paragraphs=("one", "three"), title=None, page="page")


def test_relations_of_another_text_are_refused() -> None:
    """A relation whose newcomer has another number of paragraphs is no relation of this page."""
    with pytest.raises(ValueError, match="other paragraphs"):
        split(MARKET, [("ferry", relate(FERRY, FERRY))])


PARAGRAPHS = st.text(max_size=120) | st.sampled_from((*FERRY.paragraphs, *MARKET.paragraphs))


@given(st.lists(PARAGRAPHS, max_size=10))
@settings(max_examples=100, deadline=None)
def test_every_paragraph_is_in_one_part(paragraphs: list[str]) -> None:
    """Whatever the page, its parts hold each paragraph once, in order, and begin one after the other."""
    found = [part for _, part in split_page(make_page(*paragraphs))]
    assert sorted(at for part in found for at in part) == list(range(len(paragraphs)))
    assert all(list(part) == sorted(part) for part in found)
    assert [part[:1] for part in found] == sorted(part[:1] for part in found)
