"""Text scrambled by ROT47 is a witness like any other once it is turned back, and nothing else is turned."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.philology.collation import collate, from_data, to_data
from pipeline.philology.recovered import Evidence, Unscrambled
from pipeline.philology.recovery import recover
from pipeline.philology.scrambling import scrambled, scrambled_passages, turn, unscrambled
from pipeline.philology.tokens import tokens_of
from pipeline.philology.witness import Witness

PAGES = Path(__file__).resolve().parents[4] / "shared" / "data" / "pages" / "truth.jsonl"
CLEAR = (
    "The council met on Monday and voted to close the old bridge over the river for two years.",
    "“Engineers had warned in March,” she said, “that the northern pier was cracked below the waterline.”",
    "Dated 27 August 2024",
    "Traffic will be sent over the motorway until the new bridge opens, the mayor said.",
)


def test_known_letters() -> None:
    """The cipher as everybody has it: twice is once back."""
    assert turn("The Quick Brown Fox 47!") == '%96 "F:4< qC@H? u@I cfP'
    assert turn(turn("A–Z é\t~!")) == "A–Z é\t~!"


@pytest.mark.parametrize("clear", CLEAR)
def test_a_paragraph_is_turned_back_as_a_whole(clear: str) -> None:
    """Quotation marks beyond ASCII stay as they are in both."""
    printed = turn(clear)
    if len(clear.split()) > 4:
        assert scrambled(printed) == [(0, len(printed))]
        assert unscrambled(printed, scrambled(printed)) == clear
    assert scrambled(clear) == []


def test_a_passage_within_a_paragraph_is_turned_back() -> None:
    """A paywall that begins after the first sentence; the first words stay."""
    paragraph = f"{CLEAR[0]} {turn(CLEAR[3])}"
    ((start, end),) = scrambled(paragraph)
    assert unscrambled(paragraph, [(start, end)]) == f"{CLEAR[0]} {CLEAR[3]}"


def test_a_short_paragraph_between_scrambled_ones_is_scrambled() -> None:
    """Alone it says too little."""
    assert scrambled(turn(CLEAR[2])) == []
    printed = tuple(map(turn, CLEAR))
    assert [place for place, _, _ in scrambled_passages(printed)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "EARNINGS: Q3 EPS 2.45; REVENUE $1,472.19 (UP 3.5 PCT) VS FCST 2.40; SHARES -2% AT 10:45 GMT.",
        "6 2 4 5 9 7 3 8 2 6 4 5 9 7 3 8 2 6 4 5 9 7 3 8 22 66 44 55",
        "https://example.org/a?b=c&d=e https://example.org/a?b=1;2;3 <p> x=1; y=2; z=3;",
        "<<< === >>> ??? @@@ ::: ;;; <<< === >>> ??? @@@ ::: ;;;",
        "Быстрая коричневая лиса прыгает через ленивую собаку, сообщили 5 мая.",
    ],
)
def test_figures_capitals_addresses_and_marks_stay(text: str) -> None:
    """What turns into letters is not text for that."""
    assert scrambled(text) == []


@pytest.mark.skipif(not PAGES.is_file(), reason="the shared pages are not on this machine")
def test_no_paragraph_of_real_pages_is_turned() -> None:
    """311 articles in many languages hold nothing scrambled; scrambled from a third on, no clear paragraph is touched."""
    for line in PAGES.read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        text = page.get("text") or "\n".join(page.get("paragraphs") or [])
        paragraphs = [paragraph for paragraph in text.split("\n") if paragraph.strip()]
        assert scrambled_passages(paragraphs) == []
        cut = len(paragraphs) // 3
        found = scrambled_passages(paragraphs[:cut] + [turn(paragraph) for paragraph in paragraphs[cut:]])
        assert all(place >= cut for place, _, _ in found)


@given(st.lists(st.text(max_size=60), max_size=5), st.lists(st.sampled_from([*CLEAR, *map(turn, CLEAR)]), max_size=4))
def test_what_was_printed_comes_back(odd: list[str], known: list[str]) -> None:
    """Whatever is turned, the paragraphs can be had as they were printed."""
    witness = Witness("a", (*known, *odd))
    tokens = tokens_of(witness)
    assert [tokens.as_printed(place) for place in range(len(tokens.paragraphs))] == [
        unicodedata.normalize("NFC", paragraph) for paragraph in witness.paragraphs
    ]


def test_a_scrambled_copy_is_a_witness_and_that_is_recorded() -> None:
    """It lines up with the others, corrects them, and the recovery says what was turned back."""
    spun = tuple(paragraph.replace("voted", "casted a ballot").replace("cracked", "crackled") for paragraph in CLEAR)
    paywalled = (CLEAR[0], *map(turn, CLEAR[1:]))
    witnesses = [Witness("1", spun, language="en"), Witness("2", paywalled, language="en"), Witness("3", CLEAR, language="en")]
    collation = collate(witnesses)
    recovery = recover(collation, Evidence())
    assert recovery.text == "\n\n".join(CLEAR)
    assert recovery.strangers == ()
    assert recovery.unscrambled == tuple(Unscrambled("B", turn(text), text, "ROT47") for text in CLEAR[1:])
    assert recovery.witnesses[1].error_rate == 0
    assert from_data(to_data(collation), witnesses) == collation


def test_a_scrambled_copy_alone_comes_back_clear() -> None:
    """The only witness's text is read, too."""
    recovery = recover(collate([Witness("1", tuple(map(turn, CLEAR)), language="en")]), Evidence())
    assert recovery.text == "\n\n".join(CLEAR)
    assert len(recovery.unscrambled) == 4
