"""An article of the demo as one paper prints it, and the reader of the text files that it starts from."""

import re
from dataclasses import dataclass
from importlib.resources import files

DATELINE = re.compile(r"[A-Z][A-Z ]+, [^()]{1,60}\([^)]{1,40}\) - ")


@dataclass(frozen=True, slots=True)
class Article:
    """Headline, byline, dateline and paragraphs as one paper prints them."""

    headline: str
    byline: str | None
    dateline: str
    """What stands before the first sentence, with its dash and blank; empty where nothing does."""
    paragraphs: tuple[str, ...]
    """The body, the first paragraph without its dateline."""

    @property
    def body(self) -> tuple[str, ...]:
        """The paragraphs as printed, the first one behind the dateline."""
        return (self.dateline + self.paragraphs[0], *self.paragraphs[1:])

    @property
    def text(self) -> str:
        """Headline and printed paragraphs, separated by blank lines; the byline is left out."""
        return "\n\n".join((self.headline, *self.body))


def read_article(folder: str, name: str) -> Article:
    """The article in `folder`/`name`.txt: headline, perhaps a byline, a blank line, paragraphs separated by blank lines."""
    text = files(__package__).joinpath(folder, f"{name}.txt").read_text(encoding="utf-8")
    head, *paragraphs = text.strip().split("\n\n")
    headline, _, byline = head.partition("\n")
    found = DATELINE.match(paragraphs[0])
    dateline = found.group() if found else ""
    paragraphs[0] = paragraphs[0].removeprefix(dateline)
    return Article(headline, byline or None, dateline, tuple(paragraphs))
