"""The pages of the demo's web that are copies of neither article."""

from dataclasses import dataclass
from enum import Enum, auto

from pipeline.demo.copies import Finding


class Form(Enum):
    """What stands at the address."""

    ARTICLE = auto()
    LIST = auto()
    VIDEO = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Stranger:
    """One such page."""

    site: str
    path: str
    why: str
    published: str
    found: Finding = Finding.HAND
    form: Form = Form.ARTICLE
    text: str = ""
    """The file in strangers/ that an article is read from, its headline included."""
    headline: str = ""
    """What any other page is headed with."""


STRANGERS: tuple[Stranger, ...] = (
    Stranger(
        "post",
        "/harbour/2025-11-17.html",
        "a daily harbour report",
        "2025-11-17T18:30:00+00:00",
        text="harbour-monday",
    ),
    Stranger(
        "courier",
        "/harbour/wexholm-20251118.html",
        "the harbour report of the next day: the same sentences, other numbers",
        "2025-11-18T18:30:00+00:00",
        Finding.FEED,
        text="harbour-tuesday",
    ),
    Stranger(
        "chronicle",
        "/features/first-night-on-the-quay",
        "another paper's own report on the end of the strike",
        "2025-03-04T05:00:00+00:00",
        text="own-strike",
    ),
    Stranger(
        "herald",
        "/local/first-dark-evening",
        "the paper's own report on the power cuts",
        "2025-11-19T06:00:00+00:00",
        Finding.SITEMAP,
        text="own-dam",
    ),
    Stranger(
        "ledger", "/world", "a category page: headlines only", "2025-11-18T16:20:00+00:00", form=Form.LIST, headline="World"
    ),
    Stranger(
        "tribune",
        "/video/crane",
        "a page with almost no text",
        "2025-03-03T12:00:00+00:00",
        form=Form.VIDEO,
        headline="Watch: the first crane moves again",
    ),
    Stranger(
        "farmer", "/markets/withdrawn.html", "answers 404", "2025-03-03T12:00:00+00:00", form=Form.GONE, headline="Withdrawn"
    ),
)
