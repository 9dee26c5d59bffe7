"""What the generator gives: a case, and its copies."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pipeline.philology.recovered import Kind
from pipeline.philology.witness import Witness

Paragraphs = tuple[str, ...]
Step = Callable[[Paragraphs, Random], Paragraphs]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of an article and how it came about."""

    text: str
    """Paragraphs separated by a blank line."""
    kind: Kind
    """The heaviest thing done to the text on the whole way from the agency, its exemplars' doings included."""
    recipe: str
    """What was done last, in a word or two: "cut", "spun", "merged", "version 2"."""
    exemplar: int | None
    """Index, in the case, of the copy that this one was made from; None where it was made from the agency's text."""
    version: int | None
    """Index of the agency's version that it descends from; None where its text is somebody else's."""
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A story: what the agency sent out and what became of it."""

    name: str
    """Condition, article and number; unique over one call of `cases`."""
    condition: str
    original: str
    """The text a recovery should give: the latest version that the agency sent."""
    versions: tuple[str, ...]
    """Every text the agency sent, the earliest first; the last is `original`."""
    copies: tuple[Copy, ...]
    title: str | None = None

    def witnesses(self, *, titles: bool = False) -> list[Witness]:
        """The copies as witnesses, numbered by `source` in their order; with their headlines where asked."""
        return [
            Witness(f"{number:03d}", tuple(copy.text.split("\n\n")), title=copy.title if titles else None, language="en")
            for number, copy in enumerate(self.copies)
        ]


def joined(paragraphs: Paragraphs) -> str:
    """The paragraphs as one text."""
    return "\n\n".join(paragraphs)


def split(text: str) -> Paragraphs:
    """The paragraphs of a text."""
    return tuple(paragraph for paragraph in text.split("\n\n") if paragraph.strip())
