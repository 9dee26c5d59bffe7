"""What a collation has in its columns, as numbers; and what is counted in such tables."""

import numpy as np

from pipeline.philology.cohesion import standing_together
from pipeline.philology.collation import collate
from pipeline.philology.printing import Chosen, blanks_before
from pipeline.philology.tabulation import Numbering, tabulated
from pipeline.philology.witness import Witness


def test_a_table_has_the_number_of_each_token_and_minus_one_for_gaps() -> None:
    """Each printed form is asked for once; a witness without a word has gaps alone."""
    collation = collate([Witness("a", ("One two, two.",)), Witness("b", ("One two.",)), Witness("c", ())])
    asked: list[str] = []

    def number(text: str) -> int:
        asked.append(text)
        return len(text)

    table = tabulated(collation, number)
    assert sorted(asked) == [",", ".", "One", "two"]
    for line, row, tokens in zip(table, collation.columns, collation.tokens, strict=True):
        assert line.tolist() == [len(tokens.texts[index]) if index >= 0 else -1 for index in row]
    assert collation.table.indices.tolist() == [list(row) for row in collation.columns]


def test_names_are_numbered_in_the_order_in_which_they_come() -> None:
    """A name keeps its number; one that did not come has none."""
    names = Numbering()
    assert [names.of(name) for name in ("b", "a", "b")] == [0, 1, 0]
    assert names.names == ["b", "a"]
    assert (names.known("a"), names.known("c")) == (1, -1)


def test_cells_are_counted_by_column_and_number() -> None:
    """The same number in another column is another cell; gaps stand with nothing."""
    table = np.array([[3, 7, -1], [3, 3, -1], [-1, 7, 7]], dtype=np.int32)
    assert standing_together(table).tolist() == [[2, 2, 0], [2, 1, 0], [0, 2, 1]]


def test_a_blank_is_what_most_print_between_two_tokens() -> None:
    """Witnesses that have both tokens side by side decide, the others do not; a paragraph's opening is a blank line."""
    texts = (("Rain  fell.", "It stopped."), ("Rain fell.", "It stopped."), ("Rain fell. It stopped.",), ("Rain never fell.",))
    collation = collate([Witness(str(at), paragraphs) for at, paragraphs in enumerate(texts)])
    at = {text: collation.columns[0].index(index) for index, text in enumerate(collation.tokens[0].texts) if text != "."}
    stop = collation.columns[0].index(2)
    chosen = [Chosen("Rain", at["Rain"]), Chosen("fell", at["fell"]), Chosen(".", stop), Chosen("It", at["It"])]
    assert blanks_before(collation, chosen) == ["", " ", "", "\n\n"]
