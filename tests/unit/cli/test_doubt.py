from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.doubt import bracketed, styled


def tokens(text: str, probabilities: list[float]) -> list[dict[str, Any]]:
    found, at = [], 0
    for word, probability in zip(text.split(), probabilities, strict=True):
        start = text.index(word, at)
        at = start + len(word)
        found.append({"start": start, "end": at, "probability": probability})
    return found


def test_brackets_hold_stretches_of_doubt() -> None:
    """Doubtful neighbours share one pair of brackets, blanks stay outside, sure words stand free."""
    text = "The old port closed.\n\nShips wait"
    assert bracketed(text, tokens(text, [1, 0.5, 0.5, 0.95, 0.2, 0.9])) == "The [old port] closed.\n\n[Ships] wait"
    assert bracketed(text, tokens(text, [0.1] * 6)) == "[The old port closed.\n\nShips wait]"
    assert bracketed(text, []) == text


WORDS = st.lists(st.tuples(st.text("ab.", min_size=1, max_size=4), st.floats(0, 1), st.sampled_from([" ", "\n\n", "  "])))


@given(WORDS)
def test_the_text_stays_the_text(words: list[tuple[str, float, str]]) -> None:
    """Without its brackets or styles the text is what it was, and brackets come in pairs around doubt alone."""
    text = "".join(word + blank for word, _, blank in words)
    marked = tokens(text, [probability for _, probability, _ in words])
    shown = bracketed(text, marked)
    assert shown.replace("[", "").replace("]", "") == text
    assert [char for char in shown if char in "[]"] == ["[", "]"] * shown.count("[")
    assert ("[" in shown) == any(probability < 0.9 for _, probability, _ in words)
    assert styled(text, marked).plain == text


def test_styles_show_without_colours() -> None:
    """Doubt is underlined, grave doubt bold as well; what drives a terminal is shown instead of obeyed."""
    text = "sure shaky wrong \x1b[2J"
    spans = [
        (span.start, span.end, str(span.style)) for span in styled(text, tokens(text, [1, 0.7, 0.3, 1])).spans if span.style
    ]
    assert [(start, end, "underline" in style, "bold" in style) for start, end, style in spans] == [
        (5, 10, True, False),
        (11, 16, True, True),
    ]
    assert styled(text, []).plain == "sure shaky wrong ␛[2J"
