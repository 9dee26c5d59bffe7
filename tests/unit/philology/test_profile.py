"""A row is aligned in a band around its anchors as it would be in the whole table."""

from itertools import compress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology import profile as profiles
from pipeline.philology.alignment import increasing
from pipeline.philology.profile import BAND, MOST_CELLS, Profile, Row, band
from pipeline.philology.tokens import tokenize
from pipeline.philology.vocabulary import Vocabulary

# no two share their first or their last four letters
WORDS = [
    f"{chr(97 + number % 20)}{chr(97 + number // 20)}{chr(97 + number % 19)}{chr(97 + number % 17)}" for number in range(400)
]


def row(words: list[str], vocabulary: Vocabulary) -> Row:
    """A row of one paragraph."""
    return Row(tokenize((" ".join(words),)), range(1), vocabulary)


def aligned(texts: list[list[str]]) -> np.ndarray:
    vocabulary = Vocabulary()
    profile = Profile()
    for words in texts:
        profile.add(row(words, vocabulary))
    return profile.table


def copies(seed: int) -> list[list[str]]:
    """Copies of 250 words with one word in ten replaced, a passage left out and one put in."""
    rng = np.random.default_rng(seed)
    story = [WORDS[at] for at in rng.permutation(250)]
    found = []
    for number in range(4):
        words = [WORDS[int(rng.integers(250, 300))] if rng.random() < 0.1 else word for word in story]
        cut = int(rng.integers(0, 170))
        put = int(rng.integers(0, len(words)))
        words[put:put] = [WORDS[at] for at in 300 + 25 * number + rng.integers(0, 25, 50)]
        del words[cut : cut + 70]
        found.append(words)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_band_holds_the_best_alignment(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of copies with cuts and insertions longer than the band is wide."""
    texts = copies(seed)
    narrow = aligned(texts)
    monkeypatch.setattr(profiles, "BAND", 10_000)
    assert narrow.tobytes() == aligned(texts).tobytes()


def test_a_crossing_passage_opens_the_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two passages changed places, both ways to align them are looked at."""
    story = WORDS[:300]
    moved = [*story[:100], *story[180:240], *story[100:180], *story[240:]]
    narrow = aligned([story, moved])
    monkeypatch.setattr(profiles, "BAND", 10_000)
    assert narrow.tobytes() == aligned([story, moved]).tobytes()


@given(st.lists(st.integers(0, 9), max_size=9))
def test_the_longest_chain_increases_and_none_is_longer(values: list[int]) -> None:
    """Beside all choices of a few values."""
    chain = increasing(np.array(values, dtype=np.int32)).tolist()
    picked = [values[at] for at in chain]
    assert chain == sorted(chain)
    assert picked == sorted(set(picked))
    choices = (list(compress(values, map(int, f"{number:09b}"[9 - len(values) :]))) for number in range(2 ** len(values)))
    assert len(picked) == max(len(own) for own in choices if own == sorted(set(own)))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.lists(st.tuples(st.integers(0, 299), st.integers(0, 299)), max_size=40),
)
def test_a_band_leads_from_the_first_cell_to_the_last(tokens: int, columns: int, pairs: list[tuple[int, int]]) -> None:
    """Through every anchor and BAND columns beside it, without a row that cannot be reached from the one before."""
    inside = sorted(pair for pair in dict(pairs).items() if pair[0] < tokens and pair[1] < columns)
    anchors = np.array(inside, dtype=np.int32).reshape(-1, 2)
    anchors = anchors[increasing(anchors[:, 1].copy())]
    low, high = band(tokens, columns, anchors.T)
    assert len(low) == len(high) == tokens + 1
    assert (low[0], high[-1]) == (0, columns)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    assert (low[1:] <= high[:-1]).all()
    assert (low <= high).all()
    for position, column in anchors.tolist():
        assert low[position] <= max(0, column - BAND)
        assert high[position + 1] >= min(columns, column + BAND)


def test_long_texts_without_anchors_are_searched_near_the_diagonal() -> None:
    """The cells of the band stay near their bound, however the lengths differ."""
    for tokens, columns in ((400_000, 400_000), (1_000, 400_000), (400_000, 1_000), (20_000, 30_000)):
        low, high = band(tokens, columns, np.zeros((2, 0), dtype=np.int32))
        assert (low[0], high[-1]) == (0, columns)
        assert (np.diff(low) >= 0).all()
        assert (np.diff(high) >= 0).all()
        assert (low[1:] <= high[:-1]).all()
        assert (high - low + 1).sum() < 1.2 * MOST_CELLS + 4 * (tokens + columns)


def test_a_table_gives_the_columns_that_adding_gave() -> None:
    """What stands in the columns is the same, in which order it came to stand there does not matter."""
    vocabulary = Vocabulary()
    rows = [row(words, vocabulary) for words in copies(1)]
    profile = Profile()
    for one in rows[:3]:
        profile.add(one)
    again = Profile.of_table(rows[:3], profile.table)
    assert again.table.tobytes() == profile.table.tobytes()
    profile.add(rows[3])
    again.add(rows[3])
    assert again.table.tobytes() == profile.table.tobytes()


def test_columns_stand_in_the_order_of_the_rows() -> None:
    """Every row read along the table gives its tokens in order, each once; a token of its own stands behind the one before."""
    table = aligned([["one", "two", "three"], ["one", "and", "half", "two", "three"], ["two", "three", "four"]])
    assert table.tolist() == [[0, -1, -1, 1, 2, -1], [0, 1, 2, 3, 4, -1], [-1, -1, -1, 0, 1, 2]]
