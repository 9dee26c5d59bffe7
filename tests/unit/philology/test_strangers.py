"""What is of another article is left out and named, whether it is a whole witness or a passage of one."""

from pipeline.demo.article import read_article
from pipeline.philology.cohesion import foreign_passages
from pipeline.philology.collation import collate
from pipeline.philology.language import flat, frequency_of
from pipeline.philology.recovery import Evidence, Kind, Recovery, recover
from pipeline.philology.retelling import retold
from pipeline.philology.witness import Witness

DAM = read_article("articles", "dam").body
STRIKE = read_article("articles", "strike").body


def witness(source: str, *paragraphs: str) -> Witness:
    return Witness(source=source, paragraphs=paragraphs, language="en")


def recovered(*witnesses: Witness) -> Recovery:
    return recover(collate(witnesses), Evidence())


def test_a_page_that_runs_two_stories_gives_the_one_that_the_others_have() -> None:
    """The other story goes to `omitted`; the page is an edited copy and says why."""
    page = witness("page", *STRIKE[:6], *DAM)
    recovery = recovered(witness("1", *DAM), witness("2", *DAM[:9]), page)
    assert recovery.text == "\n\n".join(DAM)
    assert [(omission.sigla, omission.text, omission.why) for omission in recovery.omitted] == [
        (("C",), "\n\n".join(STRIKE[:6]), "of another article")
    ]
    row = recovery.witnesses[2]
    assert (row.kind, row.evidence, recovery.strangers) == (Kind.EDITED, f"{row.foreign:.0%} of it is of another article", ())
    assert 0.2 < row.foreign < 0.4


def test_a_page_that_quotes_a_passage_is_a_stranger_with_a_say_on_the_passage() -> None:
    """Its own matter is left out, it is named, and what it quotes is attested by it."""
    page = witness("page", *STRIKE, *DAM[3:5])
    recovery = recovered(witness("1", *DAM), witness("2", *DAM), page)
    assert recovery.text == "\n\n".join(DAM)
    assert [(stranger.source, stranger.why) for stranger in recovery.strangers] == [
        ("page", "only a passage of it belongs to this article")
    ]
    assert recovery.witnesses[2].kind is Kind.OTHER
    assert 0 < recovery.witnesses[2].coverage < 0.3


def test_the_rest_of_an_article_that_one_copy_alone_has_is_kept() -> None:
    """What two of three copies lack is about the same matter, and stays."""
    recovery = recovered(witness("1", *DAM), witness("2", *DAM[:5]), witness("3", *DAM[:6]))
    assert recovery.text == "\n\n".join(DAM)
    assert recovery.omitted == ()


def test_without_a_list_of_words_nothing_is_foreign() -> None:
    """Where no word is rarer than another, common words are common matter."""
    collation = collate([witness("1", *DAM), witness("2", *DAM), witness("page", *DAM, *STRIKE)])
    assert [passage.witness for passage in foreign_passages(collation, frequency_of("en"))] == [2]
    assert foreign_passages(collation, flat) == []


def told_anew(paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    """Another report of the matter: every other paragraph, the last first, each with its halves changed over and other words."""
    found = []
    for number, paragraph in enumerate(paragraphs[::-2]):
        words = [word if word[0].isupper() or word[0].isdigit() or len(word) < 3 else word[::-1] for word in paragraph.split()]
        cut = 7 + number % 5
        found.append(" ".join(words[cut:] + words[:cut]))
    return tuple(found)


def test_a_report_of_another_agency_is_a_stranger() -> None:
    """It shares names and figures with the story, not its wording; two pages that print it are both named."""
    spun = tuple(paragraph.replace("said", "stated").replace("power", "energy") for paragraph in DAM)
    report = told_anew(DAM)
    recovery = recovered(witness("1", *DAM), witness("2", *spun), witness("3", *report), witness("4", *report))
    assert recovery.text == "\n\n".join(DAM)
    assert [stranger.source for stranger in recovery.strangers] == ["3", "4"]
    assert [row.kind for row in recovery.witnesses][2:] == [Kind.OTHER, Kind.OTHER]


def test_of_two_texts_on_one_matter_neither_is_strange_without_more_witnesses() -> None:
    """Where one copy stands against another one, nothing says which of them is the story."""
    collation = collate([witness("1", *DAM), witness("2", *told_anew(DAM))])
    assert retold(collation) == []


def test_a_short_story_is_told_from_the_article_that_quotes_it() -> None:
    """Four paragraphs, and a page that prints two of them inside an article of its own: the text is the four."""
    story = DAM[:4]
    page = witness("page", *STRIKE[:7], *story[1:3], *STRIKE[7:])
    recovery = recovered(witness("1", *story), witness("2", *story), witness("3", *story), page)
    assert recovery.text == "\n\n".join(story)
    assert {omission.why for omission in recovery.omitted} == {"of another article"}
