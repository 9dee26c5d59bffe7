"""The headlines that the witnesses of a story print: where they stand and what they say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from pipeline.philology.collation import Collation
from pipeline.philology.frontmatter import headline_shaped
from pipeline.philology.furniture import furniture_of
from pipeline.philology.tokens import Role, Shape, Tokens

# Headlines that have this share of their words in common are one headline, edited or spun; papers that write their own
# share the names at most.
ALIKE = 0.55


@dataclass(frozen=True, slots=True)
class Titles:
    """The headlines by witness; a witness that prints none is not among them."""

    spans: Mapping[int, range]
    """Indices of the headline's tokens."""
    words: Mapping[int, tuple[str, ...]]
    """Its folded words, without punctuation."""
    columns: frozenset[int]
    """Columns in which most of those that have anything have a word of their headline."""


def titles_of(collation: Collation) -> Titles:
    """The headlines that are printed: a page's title, or a first paragraph that looks like one."""
    spans = {w: span for w, tokens in enumerate(collation.tokens) if (span := _span(tokens)) is not None}
    words = {w: _words(collation.tokens[w], span) for w, span in spans.items()}
    return Titles(spans, words, _columns(collation, spans))


def groups_of(words: Mapping[int, tuple[str, ...]]) -> list[list[int]]:
    """The witnesses whose headlines are alike, or like a third one's that both are like; in order."""
    found: list[list[int]] = []
    for w, own in words.items():
        near = [group for group in found if any(_alike(own, words[other]) for other in group)]
        found = [group for group in found if group not in near]
        found.append(sorted([w, *(other for group in near for other in group)]))
    return sorted(found)


def _span(tokens: Tokens) -> range | None:
    if not len(tokens):
        return None
    if tokens.roles[0] is not Role.TITLE and (furniture_of(tokens.paragraphs[0]) or not headline_shaped(tokens.paragraphs)):
        return None
    end = 1
    while end < len(tokens) and not tokens.opens(end):
        end += 1
    return range(end) if tokens.places[0] == 0 else None


def _words(tokens: Tokens, span: range) -> tuple[str, ...]:
    return tuple(tokens.folds[index] for index in span if tokens.shapes[index] is not Shape.PUNCTUATION)


def _columns(collation: Collation, spans: Mapping[int, range]) -> frozenset[int]:
    named: Counter[int] = Counter()
    for w, span in spans.items():
        named.update(column for column, index in enumerate(collation.columns[w]) if index in span)
    return frozenset(
        column for column, count in named.items() if 2 * count > sum(row[column] >= 0 for row in collation.columns)
    )


def _alike(one: Sequence[str], two: Sequence[str]) -> bool:
    return LCSseq.similarity(one, two) >= ALIKE * max(len(one), len(two), 1)
