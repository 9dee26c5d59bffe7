"""What URLs spell of headlines: they choose among what is printed, and are silent where they know nothing more."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.collation import collate
from pipeline.philology.explanation import explain_word
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.tokens import tokenize
from pipeline.philology.witness import Witness

BODY = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent.",
    "The board said the agreement would cost $12.3 million a year and would be paid for by a fee on every container.",
    "Exporters of fruit said losses since the walkout began had reached $58 million, with 2,300 tonnes of pears spoiled.",
)
HEADLINE = "Dockers end strike after harbour board raises wages"
SLUG = "dockers end strike harbour board raises wages"
SPUN = (
    "Dockers finish strike after harbour panel lifts pay",
    "Dockers end walkout after harbour board lifts pay",
    "Dockers finish strike after harbour panel raises wages",
)
SWAPS = (("board", "panel"), ("ended", "finished"), ("raise", "lift"), ("agreement", "accord"), ("losses", "deficits"))
HEAVY = (
    ("Dockers", "Longshoremen", "Stevedores", "Lumpers"),
    ("ended", "finished", "completed", "terminated"),
    ("strike", "stoppage", "tie-up", "sit-down"),
    ("board", "panel", "plank", "table"),
    ("raise", "lift", "elevate", "hike"),
    ("agreement", "accord", "concurrence", "pact"),
    ("cost", "price", "fetch", "charge"),
    ("paid", "remunerated", "compensated", "rewarded"),
    ("losses", "deficits", "defeats", "casualties"),
    ("reached", "attained", "touched", "arrived at"),
    ("spoiled", "indulged", "pampered", "ruined"),
    ("fruit", "produce", "organic product", "natural product"),
)


def spun(number: int, title: str, slug: str | None = None, page: str | None = None) -> Witness:
    """A page whose body is spun in another part of its words each time."""
    body = BODY
    for old, new in (*SWAPS, *SWAPS)[number : number + 3]:
        body = tuple(paragraph.replace(old, new) for paragraph in body)
    return Witness(f"page {number}", body, title=title, language="en", slug=slug, page=page)


def wrung(number: int, title: str, slug: str | None = None) -> Witness:
    """A page whose body is spun throughout, each with words of its own."""
    body = BODY
    for old, *new in HEAVY:
        body = tuple(paragraph.replace(old, new[number]) for paragraph in body)
    return Witness(f"page {number}", body, title=title, language="en", slug=slug)


def recovered(*witnesses: Witness) -> Recovery:
    return recover(collate(witnesses), Evidence())


def test_a_slug_chooses_the_word_that_one_page_alone_prints() -> None:
    """Two spun headlines against one at every place: a slug that is older than its page's print brings the agency's words."""
    bare = [spun(number, title) for number, title in enumerate(SPUN)]
    spelt = [replace(bare[0], slug=SLUG), *bare[1:]]
    assert recovered(*bare).title == "Dockers finish strike after harbour panel lifts pay"
    assert recovered(*spelt).title == HEADLINE


def test_marks_and_capitals_are_those_of_the_print() -> None:
    """A slug says nothing of them: the words that it chooses stand as a page prints them."""
    titles = (
        "U.S. dockers' strike stops at Calder's quay",
        "U.S. dockers' walkout ends at Calder's quay",
        "US dockers' walkout ends at quay",
    )
    slug = "u s dockers strike ends at calder s quay"
    found = recovered(*(spun(number, title, slug if number == 1 else None) for number, title in enumerate(titles)))
    assert found.title == "U.S. dockers' strike ends at Calder's quay"


def test_a_slug_shows_which_headline_is_the_agencys() -> None:
    """A page whose URL still spells the headline that another paper prints gives its vote to that one, not to its own."""
    own = "Calder quay quiet no more as cranes turn again"
    papers = [Witness(source, BODY, title=title, language="en") for source, title in (("a", own), ("b", own), ("c", HEADLINE))]
    assert recovered(*papers).title == own
    spelt = recovered(papers[0], replace(papers[1], slug=SLUG), papers[2])
    assert spelt.title == HEADLINE
    assert {(omission.text, omission.why) for omission in spelt.omitted} == {(own, "another headline")}


def test_two_texts_of_one_page_have_one_slug() -> None:
    """A page that gives two texts does not vote twice with its URL: what its slug says weighs the same."""
    first, second, third = (spun(number, title) for number, title in enumerate(SPUN))
    wrong = "dockers finish walkout harbour panel raises pay"
    one = recovered(replace(first, slug=wrong, page="p"), second, replace(third, slug=SLUG))
    both = recovered(
        replace(first, slug=wrong, page="p"),
        replace(first, source="page 0 again", slug=wrong, page="p"),
        second,
        replace(third, slug=SLUG),
    )
    assert both.title == one.title


def test_a_word_that_a_slug_chose_is_explained() -> None:
    """The account says that URLs decided it, of a headline taken whole and of one put together by the word."""
    witnesses = [spun(number, title, SLUG if number == 0 else None) for number, title in enumerate(SPUN)]
    (account, *_) = explain_word(collate(witnesses), Evidence(), "wages")
    assert (account.text, account.decided_by) == ("wages", "the headline of A, taken whole, as its URL spells it")
    pages = [wrung(number, title, SLUG if number == 0 else None) for number, title in enumerate(SPUN)]
    (account, *_) = explain_word(collate(pages), Evidence(), "wages")
    assert (account.text, account.decided_by) == ("wages", "the headline as URLs spell it")


@pytest.mark.parametrize(
    "slug",
    [
        "dockers finish strike harbour panel lifts pay",  # what the page prints: made after the spinner
        "dockers strike pay",  # the same, shortened
        "storm sinks barge in winter gale",  # of another story
        "harbour board",  # too few words to be a headline
    ],
)
def test_a_slug_that_is_not_older_than_its_page_is_silent(slug: str) -> None:
    """Only one that spells what another page prints, and its own does not, tells anything."""
    bare = [spun(number, title) for number, title in enumerate(SPUN)]
    assert recovered(replace(bare[0], slug=slug), *bare[1:]) == recovered(*bare)


WORDS = [
    "dockers",
    "end",
    "finish",
    "strike",
    "walkout",
    "after",
    "harbour",
    "board",
    "panel",
    "raises",
    "lifts",
    "wages",
    "pay",
    "quay",
    "again",
    "new",
]
TITLES = st.lists(st.sampled_from(WORDS), min_size=4, max_size=9).map(lambda words: " ".join(words).capitalize())
SLUGS = st.none() | st.lists(st.sampled_from([*WORDS, "barge", "u", "s", "2024"]), max_size=9).map(" ".join)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(TITLES, SLUGS), min_size=2, max_size=5))
def test_no_slug_puts_a_word_in_that_nobody_prints(pages: list[tuple[str, str | None]]) -> None:
    """Whatever URLs spell, each word of the text is printed by some page, the body is not touched, and probabilities are some."""
    bare = [spun(number, title) for number, (title, _) in enumerate(pages)]
    spelt = [replace(page, slug=slug) for page, (_, slug) in zip(bare, pages, strict=True)]
    without, having = recovered(*bare), recovered(*spelt)
    printed = {text for page in bare for text in tokenize((page.title or "", *page.paragraphs)).texts}
    assert {token.text for token in having.tokens} <= printed
    assert having.text.split("\n\n")[-3:] == without.text.split("\n\n")[-3:]
    assert all(0 < token.probability <= 1 for token in having.tokens)
    for unit in having.apparatus:
        assert sum(reading.probability for reading in unit.readings) == pytest.approx(1)
    assert recovered(*reversed(spelt)) == having


@settings(deadline=None, max_examples=25)
@given(st.lists(TITLES, min_size=2, max_size=5))
def test_slugs_made_of_what_is_printed_change_nothing(titles: list[str]) -> None:
    """Sites that spell what they print, and pages without a slug, are recovered alike."""
    bare = [spun(number, title) for number, title in enumerate(titles)]
    assert recovered(*(replace(page, slug=(page.title or "").lower()) for page in bare)) == recovered(*bare)
