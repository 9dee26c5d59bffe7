"""Headline, byline and dateline of a text, where it has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.philology.furniture import dateline_of, looks_like_byline
from pipeline.philology.tokens import Role

# A headline is one short line without a full stop in front of longer paragraphs.
MOST_WORDS = 25
_STOPS = (".", "!", '."', ".”", ":", ";", ",", "...", "…")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Title, byline and dateline as they stand in the text, or None."""

    title: str | None
    byline: str | None
    dateline: str | None


def front_matter(paragraphs: Sequence[str], roles: Sequence[Role] | None = None) -> FrontMatter:
    """What the first paragraphs are: by their role where the page named it, else by their shape."""
    title = byline = dateline = None
    for at, paragraph in enumerate(paragraphs[:5]):
        line = paragraph.strip()
        role = roles[at] if roles else Role.BODY
        if role is Role.TITLE or (at == 0 and headline_shaped(paragraphs)):
            title = title or line
        elif byline is None and at < 3 and looks_like_byline(line):
            byline = line
        elif dateline is None and (found := dateline_of(paragraph)):
            dateline = found
            break
    return FrontMatter(title, byline, dateline)


def headline_shaped(paragraphs: Sequence[str]) -> bool:
    """Whether the first paragraph is worded like a headline: one short line, no full stop, a longer paragraph behind it."""
    line = paragraphs[0].strip() if paragraphs else ""
    if not line or line.endswith(_STOPS) or dateline_of(line) or looks_like_byline(line) or len(paragraphs) < 2:
        return False
    return len(line.split()) <= MOST_WORDS and any(len(other.split()) > len(line.split()) for other in paragraphs[1:4])
