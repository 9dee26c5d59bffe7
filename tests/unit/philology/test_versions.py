"""Two versions of a story are told apart, each recovered from its own copies; cuts and edits make no version."""

from datetime import UTC, datetime

from pipeline.demo.article import read_article
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.versions import versions_of
from pipeline.philology.witness import Witness

LATER = read_article("articles", "dam").body
EARLIER = tuple(
    paragraph.replace("740,000", "520,000").replace("212 millimetres", "190 millimetres")
    for number, paragraph in enumerate(LATER)
    if number not in (4, 7)
)
assert "520,000" in EARLIER[0] + EARLIER[1]


def witness(source: str, paragraphs: tuple[str, ...], day: int | None = None) -> Witness:
    published = None if day is None else datetime(2026, 3, day, tzinfo=UTC)
    return Witness(source=source, paragraphs=paragraphs, language="en", published=published)


def recovered(*witnesses: Witness) -> Recovery:
    return recover(collate(witnesses), Evidence())


def text(paragraphs: tuple[str, ...]) -> str:
    return "\n\n".join(paragraphs)


def test_each_version_is_recovered_from_its_own_copies() -> None:
    """The text is that of the version most followed; both stand in `versions`, the earlier first, and every row names one."""
    spun = tuple(paragraph.replace("said", "stated").replace("power", "energy") for paragraph in LATER)
    recovery = recovered(
        witness("a", EARLIER), witness("b", LATER), witness("c", EARLIER[:-1]), witness("d", LATER), witness("e", spun)
    )
    assert recovery.text == text(LATER)
    assert [(version.sigla, version.text) for version in recovery.versions] == [
        (("A", "C"), text(EARLIER)),
        (("B", "D", "E"), text(LATER)),
    ]
    assert {row.source: row.version for row in recovery.witnesses} == {"a": 1, "c": 1, "b": 2, "d": 2, "e": 2}
    assert {row.lineage for row in recovery.witnesses if row.version == 1}.isdisjoint(
        row.lineage for row in recovery.witnesses if row.version == 2
    )
    for version in recovery.versions:
        assert all(version.text[token.start : token.end] == token.text for token in version.tokens)


def test_of_two_versions_followed_alike_the_later_is_the_text() -> None:
    """Dates decide which is later, whatever the length."""
    copies = [witness("a", EARLIER, 5), witness("b", EARLIER, 6), witness("c", LATER, 2), witness("d", LATER, 3)]
    recovery = recovered(*copies)
    assert recovery.text == text(EARLIER)
    assert [version.text for version in recovery.versions] == [text(LATER), text(EARLIER)]


def test_copies_of_a_cut_copy_are_no_version() -> None:
    """Passages that two copies lack, without a figure that differs, were cut on the way."""
    cut = tuple(paragraph for number, paragraph in enumerate(LATER) if number not in (4, 7))
    collation = collate([witness("a", LATER), witness("b", LATER), witness("c", cut), witness("d", cut)])
    assert versions_of(collation) == []
    assert recover(collation, Evidence()).text == text(LATER)


def test_a_figure_written_in_letters_is_the_same_figure() -> None:
    """House style and the spinners' damage to numbers make no version."""
    spelled = tuple(paragraph.replace("two ", "2 ").replace("four ", "4 ") for paragraph in LATER[:4] + LATER[5:])
    assert spelled != LATER[:4] + LATER[5:]
    collation = collate([witness("a", LATER), witness("b", LATER), witness("c", spelled), witness("d", spelled)])
    assert versions_of(collation) == []


def test_one_paper_with_figures_of_its_own_is_no_version() -> None:
    """It takes two copies to make a version: a slip of one paper stays its own."""
    collation = collate([witness("a", LATER), witness("b", LATER), witness("c", LATER), witness("d", EARLIER)])
    assert versions_of(collation) == []
