"""Collations line up what belongs together, whatever the order of the witnesses."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.collation import State, collate, from_data, siglum, to_data
from pipeline.philology.witness import Witness

ONE = "The council met on Monday and voted to close the old bridge over the river for two years."
TWO = "Engineers had warned in March that the northern pier was cracked below the waterline."
THREE = "Traffic will be sent over the motorway until the new bridge opens, the mayor said."


def witness(source: str, *paragraphs: str, **fields: object) -> Witness:
    return Witness(source=source, paragraphs=paragraphs, **fields)  # type: ignore[arg-type]


def column_of(collation, w: int, word: str) -> int:
    return list(collation.columns[w]).index(collation.tokens[w].texts.index(word))


words = st.sampled_from(
    ["the", "bridge", "was", "closed", ",", ".", "on", "Monday", "by", "2,500", "two,500", "voters", "“", "é"]
)
paragraphs = st.lists(st.lists(words, max_size=25).map(" ".join), max_size=5).map(tuple)
texts = st.lists(st.text(max_size=40), max_size=4).map(tuple)


@settings(max_examples=60, deadline=None)
@given(st.lists(paragraphs | texts, max_size=5))
def test_every_token_stands_in_one_column(bodies: list[tuple[str, ...]]) -> None:
    """Read down the columns, every witness has each of its tokens exactly once, and the blocks cover the columns in order."""
    collation = collate([witness(str(number), *body) for number, body in enumerate(bodies)])
    for row, tokens in zip(collation.columns, collation.tokens, strict=True):
        assert sorted(index for index in row if index >= 0) == list(range(len(tokens)))
    for column in range(collation.width):
        assert any(row[column] >= 0 for row in collation.columns)
    edges = [edge for block in collation.blocks for edge in (block.first, block.last)]
    assert edges == sorted(edges)
    assert sum(block.last - block.first for block in collation.blocks) == collation.width


@settings(max_examples=40, deadline=None)
@given(st.lists(paragraphs, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(bodies: list[tuple[str, ...]], random) -> None:
    """The same witnesses in another order give the same collation."""
    witnesses = [witness(str(number), *body) for number, body in enumerate(bodies)]
    shuffled = list(witnesses)
    random.shuffle(shuffled)
    assert collate(shuffled) == collate(witnesses)


@settings(max_examples=30, deadline=None)
@given(st.lists(paragraphs | texts, max_size=4))
def test_a_collation_comes_back_from_its_data(bodies: list[tuple[str, ...]]) -> None:
    """to_data is JSON-able, and from_data gives the collation back."""
    witnesses = [witness(str(number), *body) for number, body in enumerate(bodies)]
    collation = collate(witnesses)
    data = json.loads(json.dumps(to_data(collation)))
    back = from_data(data, witnesses[::-1])
    assert back == collation
    assert back.tokens == collation.tokens


def test_data_of_another_text_is_refused() -> None:
    """Columns whose witness has changed since are not read."""
    data = to_data(collate([witness("a", ONE), witness("b", ONE)]))
    with pytest.raises(ValueError, match="collate them again"):
        from_data(data, [witness("a", ONE), witness("b", TWO)])


def test_substitutions_of_several_words_stay_in_place() -> None:
    """A reading of three words for one moves nothing behind it."""
    collation = collate([witness("a", ONE), witness("b", ONE.replace("close", "bring to a close"))])
    assert column_of(collation, 0, "bridge") == column_of(collation, 1, "bridge")


def test_a_damaged_number_stands_against_the_number() -> None:
    """two,500 is aligned to 2,500."""
    collation = collate([witness("a", "Some 2,500 of them left."), witness("b", "Some two,500 of them left.")])
    assert column_of(collation, 0, "2,500") == column_of(collation, 1, "two,500")


def test_a_passage_left_out_is_missing_and_a_cut_end_is_outside() -> None:
    """The states tell a hole from an end."""
    collation = collate([witness("a", ONE, TWO, THREE), witness("b", ONE, THREE), witness("c", ONE, TWO)])
    states = {collation.tokens[0].texts[collation.columns[0][b.first]]: b.states for b in collation.blocks}
    assert states["Engineers"] == State.PRESENT + State.MISSING + State.PRESENT
    assert states["Traffic"] == State.PRESENT + State.PRESENT + State.OUTSIDE


def test_a_moved_paragraph_is_lined_up_and_marked() -> None:
    """A paragraph at another place of one witness stands in the columns of the others."""
    collation = collate([witness("a", ONE, TWO, THREE), witness("b", ONE, TWO, THREE), witness("c", TWO, ONE, THREE)])
    assert column_of(collation, 0, "council") == column_of(collation, 2, "council")
    assert any(State.MOVED in block.states for block in collation.blocks)
    assert collation.width == len(collation.tokens[0])


def test_sigla_go_by_publication_then_by_source() -> None:
    """The earliest copy is A; undated copies come last."""
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    collation = collate([witness("z", ONE), witness("y", ONE, published=late), witness("x", ONE, published=early)])
    assert [w.source for w in collation.witnesses] == ["x", "y", "z"]
    assert collation.sigla == ("A", "B", "C")


def test_sigla_go_on_after_z() -> None:
    """Letters are counted like the columns of a spreadsheet."""
    assert [siglum(number) for number in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_parts_that_do_not_overlap_are_not_laid_over_each_other() -> None:
    """The names and common words of two halves of one article line up by chance; no column holds both."""
    first = "Vehicle sales in the Houston area fell 10 percent last month, according to a report by a provider of data."
    second = "Dealers sold 17.3 million cars in the country, and sales of trucks were up 5 percent, a report of the union said."
    collation = collate([Witness("1", (first,)), Witness("2", (second,))])
    assert not any(one >= 0 and two >= 0 for one, two in zip(*collation.columns, strict=True))
