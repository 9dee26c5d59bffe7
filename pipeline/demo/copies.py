"""Every copy of the two articles: where it stands, what was done to it, how it is found.

The copies are made from the article at start instead of being kept as pages, so that a reader sees in one row what each paper
did to the agency's text, and so that a change to an article reaches all its copies. The steps draw nothing at random but for
the spinner, whose seed is its site: the same bytes come out every time.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pipeline.demo.article import Article, read_article
from pipeline.demo.edits import (
    Step,
    curl,
    cut,
    drop,
    lose_blanks,
    lose_commas,
    merge,
    move,
    place,
    retitle,
    sign,
    spinning,
    write,
)
from pipeline.philology.recovery import Kind


class Finding(StrEnum):
    """How the demo comes by a copy."""

    HAND = "hand"
    FEED = "feed"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of an article and the recipe it was made by."""

    article: str
    site: str
    path: str
    kind: Kind
    made: str
    """What was done to the text, in a line for people."""
    published: str
    """ISO 8601, with its offset."""
    steps: tuple[Step, ...]
    found: Finding = Finding.HAND
    exemplar: str | None = None
    """The site whose copy this one was taken from; None for the agency's article."""
    listed: tuple[str, str] | None = None
    """Site and path of an old address that redirects here and is the one that is listed."""
    withheld: str | None = None
    """Why a polite crawler ends up without this copy."""
    delay: float = 0.0
    """Seconds before its page answers."""
    fails_first: bool = False
    """Its page answers 503 with Retry-After: 1 the first time."""
    noarchive: bool = False
    """Its page asks not to be kept."""


PER_CENT = write("percent", "per cent")
US_DOLLARS = write("$", "US$")
STRIKE_SLUG = "dockers-at-port-calder-end-19-day-strike-after-pay-deal"
DAM_SLUG = "storm-damage-at-kestrel-dam-forces-astmark-to-ration-power"

COPIES: tuple[Copy, ...] = (
    # The strike.
    Copy(
        "strike",
        "ledger",
        f"/2025/03/03/{STRIKE_SLUG}",
        Kind.VERBATIM,
        "per cent, US$",
        "2025-03-03T07:10:00+00:00",
        (PER_CENT, US_DOLLARS),
    ),
    Copy(
        "strike",
        "courier",
        f"/news/{STRIKE_SLUG}-48213.html",
        Kind.VERBATIM,
        "dateline shortened, byline removed; sent gzipped",
        "2025-03-03T07:45:00+00:00",
        (place("PORT CALDER (Meridian Press) — "), sign(None)),
        Finding.FEED,
    ),
    Copy(
        "strike",
        "herald",
        f"/world/{STRIKE_SLUG}",
        Kind.VERBATIM,
        "typographic quotation marks",
        "2025-03-03T08:00:00+00:00",
        (curl,),
        Finding.SITEMAP,
    ),
    Copy(
        "strike",
        "mercury",
        "/news/2025/0303port.htm",
        Kind.VERBATIM,
        "typographic quotation marks, dash in the dateline; sent as windows-1252",
        "2025-03-03T09:30:00+00:00",
        (curl, place("PORT CALDER, March 3 (Meridian Press) – ")),
        listed=("old-mercury", "/0303port.htm"),
    ),
    Copy(
        "strike",
        "tribune",
        "/business/port-calder-strike-ends",
        Kind.TRUNCATED,
        "the last third is missing",
        "2025-03-03T10:05:00+00:00",
        (cut(10), retitle("Port Calder strike ends after 19 days")),
        listed=("tribune", "/go/7731"),
    ),
    Copy(
        "strike",
        "farmer",
        "/markets/grain-moves-again-as-port-strike-ends.html",
        Kind.EDITED,
        "own headline, an inserted “on Monday”, the farmers moved up, two paragraphs merged, two words changed",
        "2025-03-03T11:20:00+00:00",
        (
            retitle("Grain moves again as Port Calder strike ends"),
            sign(None),
            write("voted overwhelmingly to accept", "voted overwhelmingly on Monday to accept"),
            write("trucks loaded", "lorries loaded"),
            write("three-year pay agreement", "three-year wage agreement"),
            merge(8),
            move(9, 4),
        ),
        Finding.FEED,
    ),
    Copy(
        "strike",
        "quicknews",
        f"/{STRIKE_SLUG}/",
        Kind.SPUN,
        "spun, quotations too",
        "2025-03-03T13:02:00+00:00",
        (spinning("quicknews", 0.75), sign(None)),
    ),
    Copy(
        "strike",
        "buzz",
        f"/2025/03/{STRIKE_SLUG}/",
        Kind.SPUN,
        "spun, quotations left alone",
        "2025-03-03T15:40:00+00:00",
        (spinning("buzz", 0.95, spares_quotations=True), curl, sign(None)),
        Finding.FEED,
    ),
    Copy(
        "strike",
        "globe",
        "/story.php?id=4213",
        Kind.SPUN,
        "spun, dateline removed; answers slowly",
        "2025-03-04T02:15:00+00:00",
        (spinning("globe", 0.8), curl, place("– "), sign(None)),
        Finding.FEED,
        delay=1.5,
    ),
    Copy(
        "strike",
        "mirror",
        f"/a/{STRIKE_SLUG}",
        Kind.SPUN,
        "taken from QuickNews24: commas lost in numbers, blanks lost, a paragraph missing",
        "2025-03-04T06:00:00+00:00",
        (lose_commas, lose_blanks(34), drop(14)),
        exemplar="quicknews",
    ),
    Copy(
        "strike",
        "chronicle",
        f"/print/{STRIKE_SLUG}",
        Kind.VERBATIM,
        "unchanged",
        "2025-03-03T07:30:00+00:00",
        (),
        withheld="robots.txt disallows /print/",
    ),
    # The dam.
    Copy(
        "dam",
        "herald",
        f"/news/{DAM_SLUG}",
        Kind.VERBATIM,
        "local dateline, typographic quotation marks",
        "2025-11-18T16:05:00+00:00",
        (place("TARNFELL, Tuesday (Meridian Press) - "), curl),
        Finding.SITEMAP,
    ),
    Copy(
        "dam",
        "ledger",
        f"/2025/11/18/{DAM_SLUG}",
        Kind.VERBATIM,
        "per cent, US$",
        "2025-11-18T16:20:00+00:00",
        (PER_CENT, US_DOLLARS),
    ),
    Copy(
        "dam",
        "post",
        f"/news/{DAM_SLUG}.html",
        Kind.VERBATIM,
        "% for percent, byline removed",
        "2025-11-18T17:00:00+00:00",
        (write(" percent", "%"), sign(None)),
    ),
    Copy(
        "dam",
        "courier",
        f"/news/{DAM_SLUG}-51870.html",
        Kind.TRUNCATED,
        "the last third is missing; sent gzipped",
        "2025-11-18T17:30:00+00:00",
        (cut(11), place("TARNFELL (Meridian Press) — "), sign(None)),
    ),
    Copy(
        "dam",
        "tribune",
        "/world/dark-hours-for-astmark",
        Kind.EDITED,
        "own headline, an inserted “on Tuesday”, the inspection report moved up, two paragraphs merged, three words changed",
        "2025-11-18T18:45:00+00:00",
        (
            retitle("Dark hours for Astmark as storm cripples biggest dam"),
            write("officials said.", "officials said on Tuesday."),
            write("neighbouring Lausen", "neighboring Lausen"),
            write("Engineers have begun to clear", "Engineers have started to clear"),
            write("a market town of 31,000 people", "a market town of some 31,000 people"),
            merge(14),
            move(9, 7),
        ),
        Finding.FEED,
    ),
    Copy(
        "dam",
        "quicknews",
        f"/{DAM_SLUG}/",
        Kind.SPUN,
        "spun, quotations too",
        "2025-11-18T20:11:00+00:00",
        (spinning("quicknews", 0.75), sign(None)),
    ),
    Copy(
        "dam",
        "buzz",
        f"/2025/11/{DAM_SLUG}/",
        Kind.SPUN,
        "spun, quotations left alone; answers 503 the first time",
        "2025-11-18T21:00:00+00:00",
        (spinning("buzz", 0.95, spares_quotations=True), curl, sign(None)),
        Finding.FEED,
        fails_first=True,
    ),
    Copy(
        "dam",
        "globe",
        "/story.php?id=9077",
        Kind.SPUN,
        "spun, dateline removed",
        "2025-11-19T03:30:00+00:00",
        (spinning("globe", 0.8), curl, place("– "), sign(None)),
        Finding.FEED,
    ),
    Copy(
        "dam",
        "mirror",
        f"/a/{DAM_SLUG}",
        Kind.SPUN,
        "taken from Globe Updates Hub: commas lost in numbers, blanks lost, a paragraph missing",
        "2025-11-19T07:00:00+00:00",
        (lose_commas, lose_blanks(37), drop(12)),
        Finding.FEED,
        exemplar="globe",
    ),
    Copy(
        "dam",
        "sulky",
        f"/abroad/{DAM_SLUG}",
        Kind.VERBATIM,
        "unchanged",
        "2025-11-18T16:40:00+00:00",
        (),
        withheld="robots.txt answers 500, so nothing may be fetched",
    ),
    Copy(
        "dam",
        "watch",
        "/keep/kestrel-dam",
        Kind.VERBATIM,
        "unchanged",
        "2025-11-18T16:50:00+00:00",
        (),
        withheld="the page is marked noarchive",
        noarchive=True,
    ),
)


@cache
def make(copy: Copy) -> Article:
    """The article as this copy prints it."""
    made = make(_exemplar(copy)) if copy.exemplar else read_article("articles", copy.article)
    for step in copy.steps:
        made = step(made)
    return made


def _exemplar(copy: Copy) -> Copy:
    return next(other for other in COPIES if (other.article, other.site) == (copy.article, copy.exemplar))
