"""Usage: how much of a text is a story's, and where."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.philology.anchors import locate_words, read_words
from pipeline.philology.usage import find_usage
from pipeline.philology.witness import Witness
from tests.unit.philology.test_relation import FERRY, MARKET, spin

OWN = Witness("own", MARKET.paragraphs)


def test_a_story_is_its_own_usage() -> None:
    """All of a text is in itself, in one passage from its first word to its last."""
    usage = find_usage(FERRY, [FERRY])
    assert (usage.text_share, usage.story_share) == (1.0, 1.0)
    assert FERRY.text[usage.passages[0].start : usage.passages[-1].end] == FERRY.text[:-1]


def test_a_text_of_its_own_uses_nothing() -> None:
    """Where nothing is in common, both shares are 0 and there is no passage."""
    usage = find_usage(OWN, [FERRY])
    assert (usage.text_share, usage.story_share, usage.passages) == (0.0, 0.0, ())


def test_a_quoted_passage_is_found_in_both_texts() -> None:
    """Two paragraphs inside another text are named by their characters in both."""
    page = replace(OWN, paragraphs=(*OWN.paragraphs[:2], *FERRY.paragraphs[1:3], *OWN.paragraphs[2:]))
    usage = find_usage(page, [FERRY])
    quoted = "\n\n".join(FERRY.paragraphs[1:3])
    found = usage.passages
    assert page.text[found[0].start : found[-1].end] == quoted[:-1]
    assert FERRY.text[found[0].source_start : found[-1].source_end] == quoted[:-1]
    assert usage.text_share == pytest.approx(len(quoted.split()) / len(page.text.split()), abs=0.02)
    assert usage.story_share == pytest.approx(len(quoted.split()) / len(FERRY.text.split()), abs=0.02)


def test_a_single_quoted_sentence_is_found() -> None:
    """One sentence of ten words and more, too little to relate two texts, is a passage."""
    sentence = "the ship was towed into harbour at dawn on Wednesday"
    page = replace(OWN, paragraphs=(OWN.paragraphs[0] + f" It is not as if {sentence} by anyone.", *OWN.paragraphs[1:]))
    (passage,) = find_usage(page, [FERRY]).passages
    assert page.text[passage.start : passage.end] == FERRY.text[passage.source_start : passage.source_end] == sentence
    assert (passage.words, passage.same, passage.source) == (10, 1.0, "ferry")


def test_replaced_words_are_in_the_passage_and_lower_what_is_the_same() -> None:
    """A spun copy is used as a whole, and `same` says what share of it was left."""
    usage = find_usage(spin(FERRY, 0.3, seed=5), [FERRY])
    words = sum(passage.words for passage in usage.passages)
    same = sum(passage.words * passage.same for passage in usage.passages) / words
    assert usage.text_share > 0.9
    assert 0.5 < same < 0.9


def test_what_the_first_text_lacks_is_found_in_the_next() -> None:
    """A cut copy that stands for the story is helped out by a fuller one."""
    half = replace(FERRY, source="half", paragraphs=FERRY.paragraphs[:2])
    usage = find_usage(FERRY, [half, FERRY])
    assert {passage.source for passage in usage.passages} == {"half", "ferry"}
    assert (usage.text_share, usage.story_share) == (1.0, 1.0)


ODD = st.lists(st.text(max_size=200) | st.sampled_from(FERRY.paragraphs), max_size=5)


@given(ODD, st.lists(ODD, max_size=3))
@settings(max_examples=100, deadline=None)
@example(["ﬁve ½ ﷺ"], [["ﬁve ½ ﷺ"]])
@example(["0A0´", "0A0丽", "1B00+0A000C:b00:0A00Aa0a"], [["0A0´", "0A0丽", "1B00+0A000C:b00:0A00Aa0a"]])
def test_passages_lie_in_their_texts(text: list[str], story: list[list[str]]) -> None:
    """For any Unicode passages are in order, do not overlap, and lie within both texts; shares are between 0 and 1."""
    witness = Witness("text", tuple(text))
    members = [Witness(str(number), tuple(paragraphs)) for number, paragraphs in enumerate(story)]
    usage = find_usage(witness, members)
    assert 0 <= usage.text_share <= 1
    assert 0 <= usage.story_share <= 1
    end = 0
    for passage in usage.passages:
        assert end <= passage.start < passage.end <= len(witness.text)
        assert 0 <= passage.source_start < passage.source_end <= len(members[int(passage.source)].text)
        assert 0 < passage.same <= 1
        end = passage.end


@given(st.lists(st.text(max_size=120), max_size=4))
@settings(max_examples=200, deadline=None)
@example(["ﬁn ①② ½ﬀ e\u0301", "２,500 가 ﷺ"])
def test_every_word_that_is_read_has_its_place(paragraphs: list[str]) -> None:
    """There is a place for each word, in order, and none reaches out of the text."""
    spans = locate_words(paragraphs)
    length = len("\n\n".join(paragraphs))
    assert len(spans) == len(read_words(paragraphs).keys)
    assert all(0 <= start < end <= length for start, end in spans)
    assert spans == sorted(spans)
