"""Tokens keep what was printed and compare by a folded form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.philology import tokens as cutting
from pipeline.philology.tokens import Role, Shape, fold, shape_of, tokenize, tokens_of
from pipeline.philology.witness import Witness


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("He said: “Don't.”", ["He", "said", ":", "“", "Don't", ".", "”"]),
        ("2,500 of U.S. troops, 8.8%", ["2,500", "of", "U.S", ".", "troops", ",", "8.8", "%"]),
        ("high-profile – shoot-to-kill", ["high-profile", "–", "shoot-to-kill"]),
        ("he left...", ["he", "left", "..."]),
        ("the end.The next", ["the", "end", ".", "The", "next"]),
        ("新華社北京", ["新", "華", "社", "北", "京"]),
        ("$1.5bn (AP)", ["$", "1.5bn", "(", "AP", ")"]),
    ],
)
def test_a_line_is_cut_into_words_numbers_and_marks(line: str, tokens: list[str]) -> None:
    """Words keep their apostrophes and hyphens, numbers their commas; every other mark stands alone."""
    assert list(tokenize((line,)).texts) == tokens


def test_quotation_marks_dashes_and_case_do_not_count_in_comparison() -> None:
    """Two prints of one word fold to one form."""
    assert fold("DON’T") == fold("don't")
    assert fold("–") == fold("-") == "-"
    assert fold("“") == fold("”") == '"'


def test_shapes() -> None:
    """A number begins with a digit; a word holds a letter."""
    assert [shape_of(text) for text in ("word", "2,500", "two,500", "…", "'")] == [
        Shape.WORD,
        Shape.NUMBER,
        Shape.WORD,
        Shape.PUNCTUATION,
        Shape.PUNCTUATION,
    ]


LATIN = [chr(code) for code in (*range(0x250), *range(0x2010, 0x205F), 0x20AC)]


def test_latin_letters_are_the_same_to_both_ways_of_cutting() -> None:
    """Every character that the short way takes, between two letters, behind a blank and doubled."""
    line = " ".join(f"a{letter}b {letter} {letter}{letter}c" for letter in LATIN)
    assert cutting._LATIN.fullmatch(line)
    assert [match.span() for match in cutting._cut(line)] == [match.span() for match in cutting._TOKEN.finditer(line)]


@given(st.text(st.sampled_from(LATIN)))
def test_latin_text_is_cut_the_same_both_ways(line: str) -> None:
    """The short way and the one for every script."""
    assert [match.span() for match in cutting._cut(line)] == [match.span() for match in cutting._TOKEN.finditer(line)]


@given(st.lists(st.text(), max_size=6))
def test_paragraphs_come_back_from_their_tokens(paragraphs: list[str]) -> None:
    """Tokens with what stands between them are the paragraph, character for character after NFC; between them is only blank."""
    tokens = tokenize(tuple(paragraphs))
    rebuilt = []
    for place, paragraph in enumerate(tokens.paragraphs):
        own = [at for at in range(len(tokens)) if tokens.places[at] == place]
        line, offset = "", 0
        for at in own:
            assert not paragraph[offset : tokens.starts[at]].strip()
            line += paragraph[offset : tokens.starts[at]] + tokens.texts[at]
            offset = tokens.ends[at]
        assert not paragraph[offset:].strip()
        rebuilt.append(line + paragraph[offset:])
    assert rebuilt == [unicodedata.normalize("NFC", paragraph) for paragraph in paragraphs]


def test_the_headline_stands_first_unless_the_body_opens_with_it() -> None:
    """The page's title is a paragraph of the witness, not doubled where the body repeats it; a byline field is not."""
    fields = {"title": "Ship found", "byline": "By Ann Lee"}
    apart = tokens_of(Witness(source="a", paragraphs=("A ship was found.",), **fields))
    inside = tokens_of(Witness(source="a", paragraphs=("SHIP FOUND", "By Ann Lee", "A ship was found."), **fields))
    assert apart.roles == (Role.TITLE, Role.BODY)
    assert inside.roles == (Role.BODY,) * 3


def test_a_dateline_field_stands_in_front_of_the_first_paragraph() -> None:
    """A dateline that the page keeps apart is printed where wire copy has it."""
    witness = Witness(source="a", paragraphs=("Rain fell.",), dateline="PARIS (Reuters) -")
    assert tokens_of(witness).paragraphs == ("PARIS (Reuters) - Rain fell.",)
