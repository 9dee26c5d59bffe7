"""Where a page says that its text comes from: links and metadata, credit lines, the agency in its dateline. Claims, not facts.

Agency marks are data, config/agencies.toml. A credit of a picture is no credit of the text.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pipeline.crawl.fields import Fields
from pipeline.crawl.pages import Origin, OriginKind
from pipeline.crawl.urls import Url, join, parse
from pipeline.errors import Malformed

MOST = 40
"""Origins of one page; one that names more means nothing by it."""

_OPENING = 220
_LAST = 3
_SHORT = 48
_LONGEST = 300
_LINE = 90
_CREDITED = re.compile(
    r"(?<!\w)(via|source|sources|courtesy|credit|reporting by|reported by|with inputs? from|inputs? from|with agency inputs|"
    r"with files from|distributed by|provided by|material from|copyright|©|\(c\)|quelle|quellen|mit material von|fonte|fuente|"
    r"con información de|bron|källa)(?!\w):?\s+[^.;|]{2,60}",
    re.IGNORECASE,
)
# These say a source wherever they stand; the others only where nothing else stands on the line.
_ALWAYS = ("via", "with", "mit", "con ")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{2,60})[)\]]")
_PICTURE = re.compile(r"photo|picture|image|foto|bild|file pic|getty|video|graphic|infografik|immagine|imagen", re.IGNORECASE)
_SOURCE_METAS = ("syndication-source", "original-source")
_CREDIT_METAS = ("source", "dc.source", "article:source", "news_source", "news-source", "copyright", "dc.rights", "provider")
_CREDIT_FIELDS = ("sourceOrganization", "provider", "creditText", "copyrightHolder", "author", "creator", "contributor")


@dataclass(frozen=True, slots=True)
class _Agency:
    name: str
    mark: re.Pattern[str]
    spelled: re.Pattern[str]
    hosts: tuple[str, ...]
    bracketed: bool
    """True where the mark is a common word or short for much else: it counts in the brackets of a dateline alone."""


def find_origins(fields: Fields, base: Url | None, byline: str | None, paragraphs: Sequence[str]) -> tuple[Origin, ...]:
    """The origins that a page declares, each once; `value` is an absolute URL, or for credits the agency's name in the data."""
    found = [*_linked(fields, base), *_credited(fields, byline, paragraphs)]
    return tuple(dict.fromkeys(found))[:MOST]


def agency_of(host: str) -> str | None:
    """The agency whose own site a host is."""
    name = host.partition(":")[0]
    return next(
        (agency.name for agency in _agencies() for own in agency.hosts if name == own or name.endswith(f".{own}")), None
    )


def _linked(fields: Fields, base: Url | None) -> Iterator[Origin]:
    """Links that name another address of the text."""
    links: list[tuple[OriginKind, str | None]] = [
        ("canonical", fields.canonical), ("og_url", fields.first("og:url")), ("amp", fields.amp),
    ]  # fmt: skip
    for meta in _SOURCE_METAS:
        links += [
            ("syndication_source" if meta.startswith("s") else "original_source", url) for url in fields.metas.get(meta, ())
        ]
    article = fields.article
    for name, kind in (("isBasedOn", "based_on"), ("isBasedOnUrl", "based_on"), ("citation", "citation")):
        links += [(kind, text) for text in _texts(article.get(name))]  # type: ignore[misc]
    for kind, text in links:
        url = _absolute(text, base)
        if url is not None:
            yield Origin(kind, url.text, agency_of(url.host))
        elif text and kind in {"citation", "based_on"}:
            yield Origin(kind, text[:_LONGEST], _named(text))


def _credited(fields: Fields, byline: str | None, paragraphs: Sequence[str]) -> Iterator[Origin]:
    """Credits of agencies: in the dateline, in the byline, behind the text, in the metadata."""
    for paragraph in paragraphs[:2]:
        yield from _opened(paragraph[:_OPENING])
    if byline:
        yield from _credits("byline", byline, byline)
    for paragraph in paragraphs[-_LAST:]:
        if len(paragraph) <= _SHORT:
            yield from _credits("credit", paragraph, paragraph)
    for paragraph in paragraphs:
        for credited in _CREDITED.finditer(paragraph):
            near = paragraph[max(0, credited.start() - 30) : credited.end() + 10]
            if len(paragraph) <= _LINE or credited[1].lower().startswith(_ALWAYS):
                yield from _credits("credit", credited[0], near)
    said = [content for name in _CREDIT_METAS for content in fields.metas.get(name, ())]
    said += [text for name in _CREDIT_FIELDS for text in _texts(fields.article.get(name))]
    for text in said:
        yield from _credits("metadata", text[:_LONGEST], text[:_LONGEST])


def _opened(opening: str) -> Iterator[Origin]:
    """The agency in a dateline: in brackets before the first dash, or alone before it."""
    bracketed = _BRACKETS.findall(opening)
    for inside in bracketed:
        yield from _credits("dateline", inside.partition("/")[0], opening, bracketed=True)
    begun = re.match(r"[^–—-]{0,40}[–—-]", opening)
    if begun and not bracketed:
        yield from _credits("dateline", begun[0], begun[0])


def _credits(kind: OriginKind, text: str, near: str, *, bracketed: bool = False) -> Iterator[Origin]:
    if _PICTURE.search(near):
        return
    for agency in _agencies():
        if agency.bracketed and not bracketed and not agency.spelled.search(text):
            continue
        if agency.mark.search(text) or agency.spelled.search(text):
            yield Origin(kind, " ".join(text.split())[:_LONGEST], agency.name)


def _named(text: str) -> str | None:
    return next((agency.name for agency in _agencies() if agency.mark.search(text) or agency.spelled.search(text)), None)


def _texts(value: Any) -> Iterator[str]:
    """The strings, names and addresses in a schema.org value."""
    for item in value[:20] if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.strip():
            yield " ".join(item.split())
        elif isinstance(item, dict):
            named = (item.get(name) for name in ("url", "@id", "name"))
            yield from (" ".join(text.split()) for text in named if isinstance(text, str) and text.strip())


def _absolute(text: str | None, base: Url | None) -> Url | None:
    if not text or (" " in text.strip()) or not re.match(r"https?:|/", text.strip(), re.IGNORECASE):
        return None
    try:
        return join(base, text) if base else parse(text)
    except Malformed:
        return None


def _any_of(words: Iterable[str], flags: int = 0) -> re.Pattern[str]:
    whole = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<![\w/])(?:{whole})(?![\w/])", flags)


@cache
def _agencies() -> tuple[_Agency, ...]:
    tables = tomllib.loads(resources.files("config").joinpath("agencies.toml").read_text("utf-8"))
    return tuple(
        _Agency(
            name,
            _any_of(table["marks"]),
            _any_of(table["names"], re.IGNORECASE),
            tuple(table["hosts"]),
            table.get("bracketed", False),
        )
        for name, table in tables.items()
    )
