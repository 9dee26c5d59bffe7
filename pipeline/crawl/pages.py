"""A page as it was read: the value that extraction gives and a stage makes a witness of."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

OriginKind = Literal[
    "canonical",
    "og_url",
    "amp",
    "syndication_source",
    "original_source",
    "based_on",
    "citation",
    "dateline",
    "byline",
    "credit",
    "metadata",
]
"""Where an origin is declared; the last four name an agency."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that a page says its text comes from, or is to be found at."""

    kind: OriginKind
    value: str
    """An absolute URL, or the words that name the origin."""
    agency: str | None = None
    """The agency that it is, by its name in config/agencies.toml."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was read out of a page."""

    paragraphs: tuple[str, ...]
    """The article's body as printed, NFC; empty where there is none."""
    title: str | None = None
    byline: str | None = None
    """The authors' names, separated by a comma and a blank."""
    dateline: str | None = None
    """As printed; where it stands in the first paragraph it stays there too."""
    published: datetime | None = None
    """Aware, UTC."""
    language: str | None = None
    """ISO 639-1: what the text is in, or what the page says where the text is short."""
    canonical: str | None = None
    """The absolute URL that the page declares as its own: a claim, not a fact."""
    noarchive: bool = False
    """True where the page or its headers ask not to be kept."""
    why: str | None = None
    """Why there is no article, or None."""
    refused: bool = False
    """True where `why` is no judgement of the text: it is of a type that is not read, too large, or a wall."""
    partial: str | None = None
    """Why the article may go on past its last paragraph, or None."""
    origins: tuple[Origin, ...] = ()
    """Where the page says that its text comes from."""
    second: tuple[str, ...] = ()
    """The paragraphs that the page's JSON-LD gives, where they differ from `paragraphs`."""

    @property
    def text(self) -> str:
        """The body, its paragraphs separated by a blank line."""
        return "\n\n".join(self.paragraphs)

    def to_json(self) -> dict[str, Any]:
        """The page as JSON's own types."""
        return {
            "paragraphs": list(self.paragraphs),
            "title": self.title,
            "byline": self.byline,
            "dateline": self.dateline,
            "published": self.published.isoformat() if self.published else None,
            "language": self.language,
            "canonical": self.canonical,
            "noarchive": self.noarchive,
            "why": self.why,
            "refused": self.refused,
            "partial": self.partial,
            "second": list(self.second),
            "origins": [asdict(origin) for origin in self.origins],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The page that `to_json` gave `data` for."""
        published = datetime.fromisoformat(data["published"]) if data["published"] else None
        origins = tuple(Origin(**origin) for origin in data["origins"])
        texts = {"paragraphs": tuple(data["paragraphs"]), "second": tuple(data["second"])}
        return cls(**{**data, **texts, "published": published, "origins": origins})


@dataclass(frozen=True, slots=True)
class ExtractionFailure:
    """Why a page could not be read: it took too long or too much, or broke what reads it. The page is put aside."""

    kind: Literal["timeout", "memory", "crash"]
    message: str
