"""Text from the web made safe to print: what would drive a terminal is shown, not obeyed."""

# Controls as their pictures (U+2400 …); those of C1, and what turns the writing direction around, as escapes.
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_ESCAPED = [*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)]
_SHOWN: dict[int, int | str] = {**_PICTURES, **{code: f"\\u{code:04x}" for code in _ESCAPED}}
_ON_ONE_LINE = _SHOWN | dict.fromkeys((0x09, 0x0A, 0x0D, 0x2028, 0x2029), " ")
_ON_LINES = _SHOWN | {0x09: "    ", 0x0A: "\n", 0x2028: "\n", 0x2029: "\n"}


def line(text: str) -> str:
    """The text on one line, without anything that a terminal would act upon."""
    return text.translate(_ON_ONE_LINE)


def lines(text: str) -> str:
    """The text with its lines kept, without anything else that a terminal would act upon."""
    return text.translate(_ON_LINES)


def escape_json(document: str) -> str:
    """A JSON document that says the same without the characters that JSON allows and terminals act upon."""
    return document.translate(_JSON)


_JSON = {code: f"\\u{code:04x}" for code in (0x7F, *_ESCAPED)}
