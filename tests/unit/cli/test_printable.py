import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import printable

TEXT = st.text(st.characters(), max_size=50) | st.text("\0\x07\x1b\x9b\x7f\r\n\t\u2028\u202e\u2069[]m", max_size=20)


@given(TEXT)
def test_nothing_is_left_that_a_terminal_acts_upon(text: str) -> None:
    """No control, no turn of direction, no line end; and text without such is not touched."""
    for shown, kept in ((printable.line(text), ""), (printable.lines(text), "\n")):
        left = [char for char in shown if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in "\u202a\u202e\u2066\u2069"]
        assert set(left) <= set(kept)
        shown.encode()


def test_known_characters() -> None:
    """Controls show as their pictures, C1 and bidi controls as escapes, letters as they are."""
    assert printable.line("a\x1bb\x9bc\u202ed\ne\tf") == "a␛b\\u009bc\\u202ed e f"
    assert printable.lines("a\r\n\tb") == "a␍\n    b"
    assert printable.line("Łódź — “ok” 😀 \u200fעברית") == "Łódź — “ok” 😀 \u200fעברית"


@given(st.dictionaries(TEXT, TEXT))
def test_json_says_the_same(value: dict[str, str]) -> None:
    """A document that was made safe for a terminal reads as before."""
    safe = printable.escape_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(safe) == value
    assert not any(0x7F <= ord(char) < 0xA0 for char in safe)
