"""The words of a story are the same numbers in all of its witnesses."""

from pipeline.philology.tokens import tokenize
from pipeline.philology.vocabulary import MOST_PARAGRAPHS, Vocabulary, runs_by_paragraph


def test_words_of_one_folded_form_have_one_number() -> None:
    """In any witness; other words have other numbers."""
    vocabulary = Vocabulary()
    first = vocabulary.of(tokenize(("The bridge, the river.",))).tolist()
    second = vocabulary.of(tokenize(("THE RIVER",))).tolist()
    assert first[0] == first[3] == second[0]
    assert first[4] == second[1]
    assert len(set(first)) == len(vocabulary) == 5


def test_longer_words_share_the_numbers_of_their_first_and_last_letters() -> None:
    """From five and from six letters on, a number's last ones from three; marks have none."""
    vocabulary = Vocabulary()
    words = vocabulary.of(tokenize(("bridging Bridges nudging ports port 2,500 ; 12",)))
    heads, tails = (side.tolist() for side in vocabulary.affixes(words))
    assert heads[0] == heads[1] != -1
    assert tails[0] == tails[2] != tails[1]
    assert heads[3] != -1 == tails[3]
    assert (heads[4], tails[4]) == (heads[6], tails[6]) == (heads[7], tails[7]) == (-1, -1)
    assert tails[5] != -1 == heads[5]


def test_runs_are_those_of_a_paragraphs_words_without_its_marks() -> None:
    """Runs that rows share are the same; none goes over the end of a paragraph."""
    rows = [tokenize(("One, two three four.", "Five six.")), tokenize(("Nine.", "two: three four five"))]
    (first, short), (shorter, second) = runs_by_paragraph(rows, Vocabulary())
    assert (len(first), short, shorter, len(second), len(first & second)) == (2, set(), set(), 2, 1)


def test_a_text_of_too_many_paragraphs_has_no_runs() -> None:
    """It is aligned as it is printed."""
    row = tokenize(("one two three",) * (MOST_PARAGRAPHS + 1))
    assert runs_by_paragraph([row], Vocabulary()) == [[set()] * (MOST_PARAGRAPHS + 1)]
