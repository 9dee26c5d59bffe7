"""A witness: one copy of an article as it was published somewhere."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Witness:
    """One copy, as extraction or a reader of files gives it.

    `paragraphs` is the body alone; `title`, `byline` and `dateline` are the page's own fields where it has them (a dateline
    that stands in the first paragraph stays there). Nothing is folded: every string is as printed, after NFC.
    """

    source: str
    """The file, URL or name that the copy came from; unique within a story."""
    paragraphs: tuple[str, ...]
    title: str | None = None
    byline: str | None = None
    dateline: str | None = None
    language: str | None = None
    """ISO 639-1 code, or None where unknown."""
    site: str | None = None
    """The host that published it: what an error rate is kept for."""
    published: datetime | None = None
    """Aware, UTC."""
    page: str | None = None
    """What it has in common with other texts of the same page: together they have one vote. None where it is the only one."""
    slug: str | None = None
    """The headline that its URL spells: words in lower case without marks, separated by blanks; some may be left out."""

    @property
    def text(self) -> str:
        """The body, its paragraphs separated by a blank line."""
        return "\n\n".join(self.paragraphs)
