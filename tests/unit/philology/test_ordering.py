"""Paragraphs stand in the order of the majority."""

from pipeline.philology.ordering import Runs, arrange, majority_order, paragraph_clusters, turns_of
from pipeline.philology.tokens import tokenize
from pipeline.philology.vocabulary import Vocabulary, runs_by_paragraph

A = "one two three four five six seven"
B = "red green blue white black brown grey"
C = "north south east west up down left right"


def runs(*rows: tuple[str, ...]) -> list[list[Runs]]:
    """What is compared of rows of paragraphs."""
    return runs_by_paragraph([tokenize(row) for row in rows], Vocabulary())


def test_copies_of_a_paragraph_have_one_number() -> None:
    """A changed word does not hide a copy, and a paragraph of its own gets a number of its own."""
    rows = runs((A, B), (B.replace("grey", "pale"), C, A))
    first, second = paragraph_clusters(rows)
    assert second == [first[1], max(first) + 1, first[0]]


def test_the_majority_order_is_kept() -> None:
    """Two rows in one order outvote the third."""
    assert majority_order([[0, 1, 2], [1, 0, 2], [0, 1, 2]]) == [0, 1, 2]


def test_a_moved_paragraph_goes_back_though_its_row_came_first() -> None:
    """The order that the fewest pairs contradict need not be that of the first row."""
    assert majority_order([[2, 0, 1], [0, 1, 2], [0, 2], [1, 2]]) == [0, 1, 2]


def test_rows_that_agree_are_left_as_printed() -> None:
    """Without a contradiction there is nothing to arrange."""
    assert majority_order([[0, 1], [0, 2], [1, 2]]) == []
    assert arrange([0, -1, 2], []) == [0, 1, 2]


def test_a_paragraph_of_its_own_follows_its_predecessor() -> None:
    """What nobody else has moves with the paragraph before it."""
    assert arrange([1, -1, 0], [0, 1]) == [2, 0, 1]


def test_parts_that_do_not_overlap_wait_for_the_row_that_holds_some_of_both() -> None:
    """The likest row comes first, then one that it meets, though another is liker to the rest."""
    rows = runs((A,), (C,), (A, B), (B, C))
    assert turns_of(rows, [0.9, 0.8, 0.3, 0.3]) == [0, 2, 3, 1]


def test_of_rows_that_meet_what_is_there_the_likest_comes_first() -> None:
    """How much of a row is there counts up to a quarter of it."""
    rows = runs((A, B, C), (A, B), (A, C, "forty fifty sixty seventy"))
    assert turns_of(rows, [0.9, 0.5, 0.6]) == [0, 2, 1]


def test_a_name_that_several_paragraphs_have_makes_none_a_copy_of_another() -> None:
    """Runs of words that stand in several paragraphs, and marks, say little."""
    first = (
        '"Growth," said John James Mayer.',
        "The plan, said John James Mayer, pays.",
        "Nobody asked the farmers of the valley.",
    )
    other = ('"Later," said John James Mayer.',)
    assert paragraph_clusters(runs(first, other))[1] == [3]
