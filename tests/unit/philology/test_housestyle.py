"""One house style and one headline through a text, each attested where it stands."""

import pytest

from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.styles import Habit, american, habits_of, plain
from pipeline.philology.witness import Witness

BODY = (
    'The harbour master said on Friday that 8.5 percent of the ships were late. "Nobody was hurt," he told reporters.',
    "It's the third storm of the winter, the port's operator said, and the U.S. coastguard sent two of its own boats.",
    "Crews worked through the night to clear the channel, where a barge had sunk with $2 million of timber aboard.",
)
HEADLINE = "Ships late after third storm of the winter"


def curly(paragraph: str) -> str:
    return paragraph.replace(' "', " “").replace('"', "”").replace("'", "’")


def witness(source: str, body: tuple[str, ...], title: str | None = None, byline: str | None = None) -> Witness:
    return Witness(source=source, paragraphs=body, title=title, byline=byline, language="en")


def recovered(*witnesses: Witness) -> Recovery:
    return recover(collate(witnesses), Evidence())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("per", "cent"), ("percent",)),
        (("%",), ("percent",)),
        (("U.S", "."), ("US",)),
        (("US", "$"), ("$",)),
        (("“",), ('"',)),
        (("—",), ("--",)),
        (("Harbour’s",), ("Harbor's",)),
        (("organised",), ("organized",)),
        (("travelling",), ("traveling",)),
    ],
)
def test_readings_of_one_wording_are_alike_without_style(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    """They are equal once levelled, and some habit tells them apart."""
    assert plain(one) == plain(two)
    shown = habits_of(one), habits_of(two)
    assert any(shown[0].get(habit) != shown[1].get(habit) for habit in Habit)


@pytest.mark.parametrize(
    ("one", "two"), [("four", "for"), ("prise", "prize"), ("fourth", "forth"), ("us", "US"), ("he", "The")]
)
def test_two_words_are_not_one_word_in_two_styles(one: str, two: str) -> None:
    """Pairs that differ by the same letters as spellings do stay apart."""
    assert plain((one,)) != plain((two,))


@pytest.mark.parametrize("word", ["franchise", "exercise", "promise", "source", "called", "premise", "our", "tour"])
def test_words_that_are_spelt_alike_everywhere_stay(word: str) -> None:
    """Rules of spelling leave them as they are."""
    assert american(word) == word


def test_the_marks_of_most_copies_go_through_the_whole_text() -> None:
    """Two papers with straight quotation marks outvote one with curly ones, at every place."""
    recovery = recovered(witness("1", BODY), witness("2", tuple(map(curly, BODY))), witness("3", BODY))
    assert recovery.text == "\n\n".join(BODY)
    other = recovered(*(witness(name, tuple(map(curly, BODY))) for name in "12"), witness("3", BODY))
    assert other.text == "\n\n".join(map(curly, BODY))


def test_marks_are_no_errors() -> None:
    """A verbatim copy in other marks has no error, but was edited."""
    recovery = recovered(witness("1", BODY), witness("2", tuple(map(curly, BODY))), witness("3", BODY))
    assert [row.error_rate for row in recovery.witnesses] == [0, 0, 0]
    assert [row.kind for row in recovery.witnesses] == ["verbatim", "edited", "verbatim"]


def test_style_chooses_only_among_what_stands_at_the_place() -> None:
    """A passage that one copy alone has keeps that copy's marks."""
    alone = "“Forty sailors and their families slept in the school gymnasium that night,” a teacher, Ann Lee, said."
    recovery = recovered(
        witness("1", BODY), witness("2", (*map(curly, BODY[:2]), alone, curly(BODY[2]))), witness("3", (*BODY[:2], BODY[2]))
    )
    attested = {token for text in (*BODY, *map(curly, BODY), alone) for token in text.split()}
    assert set(recovery.text.split()) <= attested
    assert BODY[0] in recovery.text


def test_the_headline_is_one_papers_whole() -> None:
    """Of two headlines the one that more lineages have is taken, word for word; the other is left out as such."""
    other = "Storm of the winter leaves barge sunk and ships late"
    recovery = recovered(
        witness("1", BODY, HEADLINE), witness("2", BODY, other), witness("3", BODY, HEADLINE), witness("4", BODY, "Coast Daily")
    )
    assert recovery.text.split("\n\n")[0] == recovery.title == HEADLINE
    assert {omission.why for omission in recovery.omitted} == {"another headline"}


def test_a_headline_between_two_papers_is_no_mixture() -> None:
    """With one voice each, one of the two comes out whole."""
    other = "Winter storm sinks barge, third of the year"
    recovery = recovered(witness("1", BODY, HEADLINE), witness("2", BODY, other))
    assert recovery.text.split("\n\n")[0] in {HEADLINE, other}


def test_a_byline_of_the_page_is_told_and_not_printed() -> None:
    """The name that most pages give is the byline; where each paper gives its own there is none."""
    names = ("By Ann Lee", "Ann Lee", "Coast Desk")
    recovery = recovered(*(witness(name, BODY, HEADLINE, name) for name in names))
    assert recovery.byline in {"By Ann Lee", "Ann Lee"}
    assert "Ann Lee" not in recovery.text
    assert recovered(witness("1", BODY, None, "Sea Desk"), witness("2", BODY, None, "Coast Desk")).byline is None


def test_a_byline_that_copies_print_stays_in_the_text() -> None:
    """In the body it is part of the text, under the headline."""
    body = (HEADLINE, "By Ann Lee", *BODY)
    recovery = recovered(*(witness(name, body) for name in "123"))
    assert recovery.text.split("\n\n")[:2] == [HEADLINE, "By Ann Lee"]
    assert recovery.byline == "By Ann Lee"


def test_a_papers_navigation_at_the_head_is_left_out() -> None:
    """A line that one copy alone has in front of the text is its own."""
    recovery = recovered(
        witness("1", ("Front page Tides Letters Write to us", "By Ann Lee, 3 March", *BODY), HEADLINE, "Ann Lee"),
        *(witness(name, BODY, HEADLINE, "Ann Lee") for name in "2345"),
    )
    assert recovery.text == "\n\n".join((HEADLINE, *BODY))
