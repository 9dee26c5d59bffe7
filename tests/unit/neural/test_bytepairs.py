"""Text becomes the tokens that the model was made with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import PAIRS, VOCABULARY

from pipeline.errors import Malformed
from pipeline.neural.bytepairs import BytePairs, printable_bytes


def shown(text: str) -> list[str]:
    return [VOCABULARY[number] for number in PAIRS.encode(text)]


def test_pairs_are_merged_in_their_order() -> None:
    """The earliest merge goes first wherever it applies; a blank belongs to the word behind it; digits stand alone."""
    assert shown("in the other 12") == ["in", "Ġthe", "Ġ", "o", "the", "r", "Ġ", "1", "2"]
    assert shown("thither") == ["th", "i", "the", "r"]
    assert shown("don't") == ["d", "o", "n", "'", "t"]
    assert shown("a\n\ns  the") == ["a", "Ċ", "Ċ", "s", "Ġ", "Ġthe"]


def test_what_reads_like_a_control_token_is_text() -> None:
    """No copy can end the text for the model."""
    assert PAIRS.encode("<|endoftext|>") == [PAIRS.encode(sign)[0] for sign in "<|endoftext|>"]
    assert 0 not in PAIRS.encode("<|endoftext|>")


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    """Any text is encoded, and its tokens' bytes are the text's; a lone surrogate counts as a replacement character."""
    byte = {sign: number for number, sign in enumerate(printable_bytes())}
    whole = bytes(byte[sign] for token in shown(text) for sign in token)
    assert whole.decode() == text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def test_merges_without_their_token_are_refused() -> None:
    """A vocabulary that was cut short is said to be so."""
    with pytest.raises(Malformed, match="lacks 1 tokens"):
        BytePairs({sign: number for number, sign in enumerate(printable_bytes())}, ["t h"])
