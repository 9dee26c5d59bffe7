"""Tokens that keep the text exactly as printed and are compared by a folded form."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import regex

from pipeline.philology.scrambling import scrambled_passages, unscrambled
from pipeline.philology.witness import Witness


class Shape(IntEnum):
    """What a token looks like; words and numbers hardly ever stand against punctuation."""

    WORD = 0
    NUMBER = 1
    PUNCTUATION = 2


class Role(IntEnum):
    """What a paragraph of a witness is: the page's own title, or the body."""

    TITLE = 0
    BODY = 1


# Scripts written without blanks give one token a grapheme; a word elsewhere may hold apostrophes, hyphens, dots and commas
# between its letters and digits (don't, high-profile, U.S, 2,500, 8.8). What is left is punctuation, one grapheme a token.
_TOKEN = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
    r"|(?:(?![\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{M}\p{N}_])+"
    r"(?:['’.,\-‑·](?:(?![\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{M}\p{N}_])+)*"
    r"|\.{2,}|-{2,}|\S\p{M}*"
)
# The same for paragraphs of Latin letters and the usual marks, of which none is combining: three times as fast.
_LATIN = re.compile(r"[\x00-\u024f\u2010-\u205e€]*")
_LATIN_TOKEN = re.compile(r"\w+(?:['’.,\-‑·]\w+)*|\.{2,}|-{2,}|[\S\x1c-\x1f]")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_SENTENCE_JOIN = regex.compile(r"(?<=\p{Ll}{2})[.,](?=\p{Lu}\p{Ll})|(?<=\p{N}),(?=\p{L})|(?<=\p{Ll}{2}),(?=\p{L})")
_NUMBER = regex.compile(r"\p{N}")
_WORD = regex.compile(r"[\p{L}\p{N}]")
_TYPOGRAPHY = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | dict.fromkeys("–—‒―‐‑−", "-")
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a sequence of paragraphs, as parallel tuples.

    `paragraphs[p][starts[i] : ends[i]] == texts[i]` with p = `places[i]`: what stands between two tokens is blank, so the
    paragraphs come back character for character.
    """

    paragraphs: tuple[str, ...]
    roles: tuple[Role, ...]
    texts: tuple[str, ...]
    folds: tuple[str, ...]
    shapes: tuple[Shape, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    places: tuple[int, ...]
    """Index of the paragraph that each token stands in."""
    turned: tuple[tuple[int, int, int], ...] = ()
    """Passages that were printed scrambled by ROT47 and stand turned back: paragraph, start and end."""

    def as_printed(self, place: int) -> str:
        """The paragraph as the witness printed it, after NFC."""
        return unscrambled(self.paragraphs[place], [(start, end) for at, start, end in self.turned if at == place])

    def __len__(self) -> int:
        return len(self.texts)

    def opens(self, index: int) -> bool:
        """Whether the token is the first of its paragraph."""
        return index == 0 or self.places[index] != self.places[index - 1]

    def closes(self, index: int) -> bool:
        """Whether the token is the last of its paragraph."""
        return index + 1 == len(self.texts) or self.places[index] != self.places[index + 1]

    def blank_before(self, index: int) -> str:
        """What is printed between the token and the one before it in its paragraph; empty at a paragraph's start."""
        if self.opens(index):
            return ""
        return self.paragraphs[self.places[index]][self.ends[index - 1] : self.starts[index]]

    def printed(self, first: int, last: int) -> str:
        """The tokens first … last, both included, with their own blanks; a blank line between paragraphs."""
        parts: list[str] = []
        for index in range(first, last + 1):
            if parts:
                parts.append("\n\n" if self.opens(index) else self.blank_before(index))
            parts.append(self.texts[index])
        return "".join(parts)


# Double quotation marks, and none of the single ones, which are apostrophes too.
QUOTES = frozenset('"“”„«»')


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """The form by which tokens are compared: case, compatibility forms, quotation marks and dashes levelled."""
    return unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_TYPOGRAPHY).casefold()


def typed(text: str) -> str:
    """The token as a typewriter has it: straight marks, and one kind of dash."""
    plain = text.translate(_TYPOGRAPHY)
    return "-" if plain == "--" else plain


@lru_cache(maxsize=65_536)
def shape_of(text: str) -> Shape:
    """NUMBER where a digit stands first, WORD where any letter or digit stands, else PUNCTUATION."""
    if not _WORD.search(text):
        return Shape.PUNCTUATION
    return Shape.NUMBER if _NUMBER.match(text) else Shape.WORD


@lru_cache(maxsize=65_536)
def unspaced(text: str) -> bool:
    """Whether the token is of a script written without blanks, where a word is several tokens."""
    return _UNSPACED.match(text) is not None


def spans(paragraph: str) -> list[tuple[int, int]]:
    """Offsets of the tokens of a paragraph, in order; nothing but blanks stands outside them."""
    if _SENTENCE_JOIN.search(paragraph) is None:
        return [match.span() for match in _cut(paragraph)]
    found: list[tuple[int, int]] = []
    for match in _cut(paragraph):
        first, last = match.span()
        if last - first > 3 and ("." in match[0] or "," in match[0]):
            # "said.The": a lost blank; a full stop or comma inside a lower-case word is punctuation, not spelling
            for joint in _SENTENCE_JOIN.finditer(paragraph, first, last):
                found.append((first, joint.start()))
                found.append((joint.start(), joint.end()))
                first = joint.end()
        found.append((first, last))
    return [span for span in found if span[0] < span[1]]


def _cut(paragraph: str) -> Iterator[re.Match[str]] | Iterator[regex.Match[str]]:
    """The tokens of a paragraph, those that lack a blank between sentences still in one."""
    return _LATIN_TOKEN.finditer(paragraph) if _LATIN.fullmatch(paragraph) else _TOKEN.finditer(paragraph)


def tokenize(
    paragraphs: tuple[str, ...],
    roles: tuple[Role, ...] | None = None,
    turned: tuple[tuple[int, int, int], ...] = (),
) -> Tokens:
    """The tokens of the paragraphs, which are brought to NFC first; `turned` are passages that were turned back in them."""
    printed = paragraphs if turned else tuple(unicodedata.normalize("NFC", paragraph) for paragraph in paragraphs)
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    places: list[int] = []
    for place, paragraph in enumerate(printed):
        found = spans(paragraph)
        texts.extend([paragraph[first:last] for first, last in found])
        starts.extend([first for first, _ in found])
        ends.extend([last for _, last in found])
        places.extend([place] * len(found))
    # a token that stands often is kept once
    own = {text: text for text in texts}
    folds = {text: fold(text) for text in own}
    shapes = {text: shape_of(text) for text in own}
    return Tokens(
        paragraphs=printed,
        roles=roles or (Role.BODY,) * len(printed),
        texts=tuple(map(own.__getitem__, texts)),
        folds=tuple(map(folds.__getitem__, texts)),
        shapes=tuple(map(shapes.__getitem__, texts)),
        starts=tuple(starts),
        ends=tuple(ends),
        places=tuple(places),
        turned=turned,
    )


def without_paragraphs(tokens: Tokens, gone: Collection[int]) -> Tokens:
    """The tokens of the other paragraphs; `gone` are indices of paragraphs."""
    kept = [place for place in range(len(tokens.paragraphs)) if place not in gone]
    number = {place: at for at, place in enumerate(kept)}
    left = [index for index, place in enumerate(tokens.places) if place in number]
    return Tokens(
        paragraphs=tuple(tokens.paragraphs[place] for place in kept),
        roles=tuple(tokens.roles[place] for place in kept),
        texts=tuple(tokens.texts[index] for index in left),
        folds=tuple(tokens.folds[index] for index in left),
        shapes=tuple(tokens.shapes[index] for index in left),
        starts=tuple(tokens.starts[index] for index in left),
        ends=tuple(tokens.ends[index] for index in left),
        places=tuple(number[tokens.places[index]] for index in left),
        turned=tuple((number[place], start, end) for place, start, end in tokens.turned if place in number),
    )


def tokens_of(witness: Witness) -> Tokens:
    """The tokens of the whole witness: title and dateline first, unless its body already opens with them.

    A dateline that is a field of its own stands in front of the first paragraph of the body. A byline that is a field alone
    is not part of the text: pages put it into their own words and places. Passages scrambled by ROT47 stand turned back.
    """
    body = list(witness.paragraphs)
    opening = [fold(paragraph.strip()) for paragraph in body[:4]]
    paragraphs: list[str] = []
    roles: list[Role] = []
    if witness.title and witness.title.strip() and not any(fold(witness.title.strip()) in known for known in opening):
        paragraphs.append(witness.title)
        roles.append(Role.TITLE)
    if witness.dateline and witness.dateline.strip() and body:
        dateline = witness.dateline.strip()
        if not any(fold(dateline) in known for known in opening):
            body[0] = f"{dateline} {body[0]}"
    return _turned_back((*paragraphs, *body), (*roles, *(Role.BODY,) * len(body)))


def _turned_back(paragraphs: tuple[str, ...], roles: tuple[Role, ...]) -> Tokens:
    """The tokens of the paragraphs, passages scrambled by ROT47 turned back."""
    printed = [unicodedata.normalize("NFC", paragraph) for paragraph in paragraphs]
    turned = tuple(scrambled_passages(printed))
    for place in {place for place, _, _ in turned}:
        printed[place] = unscrambled(printed[place], [(start, end) for at, start, end in turned if at == place])
    return tokenize(tuple(printed), roles, turned)
