"""A recovered text with its doubt shown: by style on a terminal, by brackets in plain text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from pipeline.cli import printable

SURE = 0.9
LIKELY = 0.6
# Underlined, so that doubt shows without colours, too.
STYLES = {"sure": "", "likely": "yellow underline", "unsure": "red bold underline"}
LEGEND = f"Underlined: probability under {SURE:.0%}; bold: under {LIKELY:.0%}."


def styled(text: str, tokens: Sequence[Mapping[str, Any]]) -> Text:
    """The text for a terminal; `tokens` as in `recover --format json`, in order: start, end, probability."""
    shown = Text()
    for piece, probability in _pieces(text, tokens):
        shown.append(printable.lines(piece), style=STYLES[_grade(probability)])
    return shown


def bracketed(text: str, tokens: Sequence[Mapping[str, Any]]) -> str:
    """The text with [ ] around every stretch of doubtful tokens."""
    parts: list[str] = []
    inside = False
    blank = ""
    for piece, probability in _pieces(text, tokens):
        if probability is None and inside:
            blank += piece  # the bracket is closed before the blank, unless the next token is doubtful as well
            continue
        doubtful = probability is not None and probability < SURE
        if inside and not doubtful:
            parts.append("]")
        parts += [blank, "[" if doubtful and not inside else "", piece]
        inside, blank = doubtful, ""
    return "".join(parts) + ("]" if inside else "") + blank


def with_conjectures(text: str, offered: Sequence[Mapping[str, Any]]) -> str:
    """The text with every conjecture in brackets behind the words that it would replace; `offered` as in the JSON, in order."""
    parts: list[str] = []
    end = 0
    for one in offered:
        parts += [text[end : one["end"]], f" [{one['text']}? {one['probability']:.0%}]"]
        end = one["end"]
    return "".join(parts) + text[end:]


def _pieces(text: str, tokens: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float | None]]:
    """The text in pieces: tokens with their probability, and what lies between them with None."""
    end = 0
    for token in tokens:
        if token["start"] > end:
            yield text[end : token["start"]], None
        if token["end"] > token["start"]:
            yield text[token["start"] : token["end"]], token["probability"]
        end = token["end"]
    if text[end:]:
        yield text[end:], None


def _grade(probability: float | None) -> str:
    if probability is None or probability >= SURE:
        return "sure"
    return "likely" if probability >= LIKELY else "unsure"
