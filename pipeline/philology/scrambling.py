"""Passages scrambled by ROT47, told by their letters and turned back.

Some paywalls print their text with every printable ASCII character turned by 47 places. Turned back it is a perfect witness.
The turning keeps length and blanks and is its own opposite, so that what was printed can always be had again.
"""

from collections.abc import Iterator, Sequence

import regex

# A passage is turned back only where it has this many words and characters, and where turning makes text of what is none: most
# characters lower-case letters afterwards and hardly any before. Capitals and figures turn into letters, too, but not into
# those from i to o, which punctuation hides (":;<=>?@"): text has a quarter of its letters there.
LEAST_WORDS = 4
LEAST_CHARACTERS = 20
MOST_BEFORE = 0.3
LEAST_AFTER = 0.6
LEAST_MIDDLE = 0.1
# Different letters, at the least: rows of marks are few letters over and over.
LEAST_LETTERS = 10
VOWELS = (0.25, 0.55)

_TURNED = {code: 33 + (code - 33 + 47) % 94 for code in range(33, 127)}
_WORD = regex.compile(r"\S+")
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
# What turns into lower-case letters: "2" to "K".
_TURNING = bytes(code for code in _TURNED if ord("a") <= _TURNED[code] <= ord("z"))


def turn(text: str) -> str:
    """The text with every printable ASCII character but the blank turned by 47 places; twice is the text again."""
    return text.translate(_TURNED)


def scrambled(paragraph: str) -> list[tuple[int, int]]:
    """Offsets of the passages of a paragraph that are scrambled, in order; whole words, and none of anything in doubt."""
    if _number_of(paragraph, _TURNING) < LEAST_AFTER * LEAST_CHARACTERS:
        return []
    words = [match.span() for match in _WORD.finditer(paragraph)]
    if words and _is_text(paragraph[words[0][0] : words[-1][1]], len(words)):
        return [(words[0][0], words[-1][1])]
    return list(_passages(paragraph, words))


def scrambled_passages(paragraphs: Sequence[str]) -> list[tuple[int, int, int]]:
    """Paragraph, start and end of what is scrambled in a text, in order.

    A short paragraph between two that are scrambled as a whole is too, unless turning would take letters from it.
    """
    found = [scrambled(paragraph) for paragraph in paragraphs]
    whole = [bool(own) and own[0] == (0, len(paragraph)) for own, paragraph in zip(found, paragraphs, strict=True)]
    for at in range(1, len(paragraphs) - 1):
        paragraph = paragraphs[at]
        between = whole[at - 1] and (whole[at + 1] or found[at + 1])
        if between and not found[at] and paragraph.strip() and _number_of(paragraph, _TURNING) >= _number_of(paragraph, _LOWER):
            found[at], whole[at] = [(0, len(paragraph))], True
    return [(place, start, end) for place, own in enumerate(found) for start, end in own]


def unscrambled(paragraph: str, passages: Sequence[tuple[int, int]]) -> str:
    """The paragraph with these passages turned back; the same again gives back what was printed."""
    parts: list[str] = []
    offset = 0
    for start, end in passages:
        parts += [paragraph[offset:start], turn(paragraph[start:end])]
        offset = end
    return "".join(parts) + paragraph[offset:]


def _passages(paragraph: str, words: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The best run of words first, then what is left on either side of it."""
    if len(words) < LEAST_WORDS:
        return
    first, last = _gaining(paragraph, words)
    if first == last or not _is_text(paragraph[words[first][0] : words[last - 1][1]], last - first):
        return
    yield from _passages(paragraph, words[:first])
    yield words[first][0], words[last - 1][1]
    yield from _passages(paragraph, words[last:])


def _gaining(paragraph: str, words: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The run of words (first, last + 1) that gains the most lower-case letters by being turned (Kadane's algorithm)."""
    best, run, begin = 0, 0, 0
    found = (0, 0)
    for at, (start, end) in enumerate(words):
        word = paragraph[start:end]
        gain = _number_of(word, _TURNING) - _number_of(word, _LOWER)
        if run <= 0:
            run, begin = 0, at
        run += gain
        if run > best:
            best, found = run, (begin, at + 1)
    return found


def _number_of(text: str, letters: bytes) -> int:
    """How many characters of the text are among the letters, which are ASCII."""
    plain = text.encode("ascii", "ignore")
    return len(plain) - len(plain.translate(None, letters))


def _is_text(printed: str, words: int) -> bool:
    """Whether turning this makes text of what is none."""
    characters = [letter for letter in printed if "!" <= letter <= "~"]
    if words < LEAST_WORDS or len(characters) < LEAST_CHARACTERS:
        return False
    turned = turn("".join(characters))
    after = _number_of(turned, _LOWER)
    if _number_of("".join(characters), _LOWER) > MOST_BEFORE * len(characters) or after < LEAST_AFTER * len(characters):
        return False
    if len({letter for letter in turned if "a" <= letter <= "z"}) < LEAST_LETTERS:
        return False
    vowels = sum(letter in "aeiou" for letter in turned)
    middle = sum("i" <= letter <= "o" for letter in turned)
    return VOWELS[0] * after <= vowels <= VOWELS[1] * after and middle >= LEAST_MIDDLE * after
