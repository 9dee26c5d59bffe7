"""Where copies go on differently after their last common words, the likelier cuts decide what came first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, recover
from pipeline.philology.succession import succeeded
from pipeline.philology.tokens import tokenize
from pipeline.philology.witness import Witness

HEAD = "The council met in Harwick on Monday to settle the price of water for the coming dry season."
ONE = "Farmers from the lower valley said that their wells had fallen by two metres since the last rain in March."
TWO = "The mayor asked the company to open the northern sluice a week earlier than the contract says."
THREE = "Engineers doubt whether the old gates would hold if the river rose again before the repairs are done."
FOUR = "A vote on the new tariff is expected before the end of the month, an official of the board said."


def test_a_paragraph_left_out_is_likelier_than_three() -> None:
    """A copy that ends after one paragraph more was cut off there; the other left this paragraph out."""
    cut = Witness("cut", (HEAD, ONE))
    lacking = Witness("lacking", (HEAD, TWO, THREE, FOUR))
    for witnesses in ((cut, lacking), (lacking, cut)):
        assert recover(collate(witnesses), Evidence()).text == "\n\n".join((HEAD, ONE, TWO, THREE, FOUR))


def test_the_first_word_in_common_does_not_join_two_paragraphs() -> None:
    """The word "The" at the head of two paragraphs, with nothing like it behind, is no common wording."""
    cut = Witness("cut", (HEAD, TWO))
    lacking = Witness("lacking", (HEAD, THREE.replace("Engineers", "The engineers"), ONE, FOUR))
    text = recover(collate((cut, lacking)), Evidence()).text
    assert text.split("\n\n")[:3] == [HEAD, TWO, THREE.replace("Engineers", "The engineers")]


def test_parts_bridged_by_one_paragraph_come_in_their_order() -> None:
    """Three parts of an article, each sharing one paragraph with the next, give it back whole."""
    story = (HEAD, ONE, TWO, THREE, FOUR)
    parts = [Witness("one", story[:2]), Witness("three", story[3:]), Witness("two", story[1:4])]
    assert recover(collate(parts), Evidence()).text == "\n\n".join(story)


@given(st.lists(st.tuples(*[st.booleans()] * 3).filter(any), max_size=40))
def test_every_row_keeps_its_tokens_in_their_order(held: list[tuple[bool, ...]]) -> None:
    """Columns are rearranged so that no witness's own order changes, and none is lost."""
    rows = [[column[w] for column in held] for w in range(3)]
    columns = [[sum(row[:at]) if there else -1 for at, there in enumerate(row)] for row in rows]
    tokens = [tokenize(("word",) * sum(row)) for row in rows]
    found = succeeded(np.array(columns, dtype=np.int32).reshape(3, -1), tokens).tolist()
    assert sorted(zip(*found, strict=True)) == sorted(zip(*columns, strict=True))
    for row, own in zip(found, columns, strict=True):
        assert [index for index in row if index >= 0] == [index for index in own if index >= 0]
