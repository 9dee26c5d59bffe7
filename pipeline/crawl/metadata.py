"""What a page says about itself: headline, authors, date, language, canonical address, and whether it may be kept."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from htmldate import find_date
from lxml.etree import _Element

from pipeline.crawl.fields import Fields, squeeze
from pipeline.crawl.urls import Url, join, parse
from pipeline.errors import Malformed

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "datepublished", "pubdate", "publishdate", "publish-date",
    "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "citation_publication_date",
    "article.published", "date",
)  # fmt: skip
_AUTHOR_NAMES = ("author", "article:author", "byl", "parsely-author", "sailthru.author", "dc.creator", "citation_author")
_TITLE_ENDS = re.compile(r"\s+(?:[|\-–—·:»]|::|\|\|)\s+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """A page's own fields, each None where the page does not say."""

    title: str | None
    byline: str | None
    dateline: str | None
    published: datetime | None
    """Aware, UTC; midnight where the page gives a day alone."""
    language: str | None
    """ISO 639-1, as declared."""
    canonical: str | None
    """The absolute URL that the page declares as its own."""


def read_metadata(fields: Fields, tree: _Element, base: Url | None, now: datetime | None = None) -> Metadata:
    """What a parsed page says; `now` bounds its date where it is known. The tree may be changed by the reading."""
    by_id = {node["@id"]: node for node in fields.nodes if isinstance(node.get("@id"), str) and "name" in node}
    article = fields.article
    dateline = article.get("dateline")
    return Metadata(
        title=_find_title(fields, article),
        byline=_find_byline(fields, article, by_id),
        dateline=squeeze(dateline) if isinstance(dateline, str) else None,
        published=_find_date(fields, article, tree, base, now),
        language=_find_language(tree, fields, article),
        canonical=_find_canonical(fields, base),
    )


def forbids_archive(tree: _Element, headers: Iterable[tuple[str, str]], agent: str) -> bool:
    """True where meta robots or X-Robots-Tag say noarchive or none, to all or to `agent`."""
    ours = {"robots", agent.lower()}
    for element in tree.iter("meta"):
        if (element.get("name") or "").strip().lower() in ours and _says_noarchive(element.get("content") or ""):
            return True
    return any(name.lower() == "x-robots-tag" and _tag_forbids(value, agent.lower()) for name, value in headers)


def _says_noarchive(directives: str) -> bool:
    return not {"noarchive", "none"}.isdisjoint(re.split(r"[\s,;]+", directives.lower()))


def _tag_forbids(value: str, agent: str) -> bool:
    """One X-Robots-Tag: `directive, directive` for all, or `agent: directive, …` up to the next agent."""
    speaks_to = "robots"
    for part in value.lower().split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}:
            speaks_to, part = name.strip(), rest  # noqa: PLW2901 - the rest of the part is what is said
        if speaks_to in {"robots", "*", agent} and _says_noarchive(part.strip()):
            return True
    return False


def _find_title(fields: Fields, article: dict[str, Any]) -> str | None:
    headline = article.get("headline")
    stated = squeeze(headline) if isinstance(headline, str) else None
    shared = fields.first("og:title", "twitter:title", "parsely-title", "dc.title", "citation_title")
    heading = next((text for text in fields.headings if _agrees(text, stated or shared or fields.title)), None)
    site = fields.first("og:site_name", "application-name")
    if stated and not stated.endswith(("…", "...")):
        return _drop_site(stated, site)
    if heading:
        return heading
    written = shared or stated or fields.title
    if written is None:
        return fields.headings[0] if fields.headings else None
    return _drop_site(written, site)


def _agrees(heading: str, other: str | None) -> bool:
    """True where a heading says what another title of the page says, or its beginning."""
    if other is None or len(heading) < 4:
        return False
    one, two = (re.sub(r"\W+", "", text.lower()) for text in (heading, other))
    return bool(one) and bool(two) and (two.startswith(one) or one.startswith(two))


def _drop_site(title: str, site: str | None) -> str:
    """The title without the site's name at its end or its beginning."""
    parts = _TITLE_ENDS.split(title)
    if len(parts) < 2:
        return title
    separators = _TITLE_ENDS.findall(title)
    head = title[: len(title) - len(parts[-1]) - len(separators[-1])]
    if site and parts[0].lower() == site.lower():
        return title[len(parts[0]) + len(separators[0]) :]
    is_site = site is not None and (site.lower() in parts[-1].lower() or parts[-1].lower() in site.lower())
    return head if is_site or ("|" in separators[-1] and len(parts[-1]) < len(head)) else title


def _find_byline(fields: Fields, article: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str | None:
    names = list(_names(article.get("author"), by_id)) or list(_names(article.get("creator"), by_id))
    if not names:
        name = next((name for name in _AUTHOR_NAMES if name in fields.metas), None)
        names = [text for text in fields.metas.get(name or "", []) if not text.lower().startswith(("http:", "https:"))]
    kept = dict.fromkeys(re.sub(r"^(?:by|von|par|por|di)\s+", "", name, flags=re.IGNORECASE) for name in names)
    return ", ".join(filter(_is_name, list(kept)[:20])) or None


def _is_name(text: str) -> bool:
    """True unless it is a number, an address or a picture's credit, which sites put where authors belong."""
    return 1 < len(text) <= 120 and "@" not in text and text[0] != "(" and any(map(str.isalpha, text))


def _names(value: Any, by_id: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The names in a schema.org author: a string, a person, a reference to one, or a list of these."""
    if isinstance(value, list):
        for item in value[:20]:
            if not isinstance(item, list):
                yield from _names(item, by_id)
    elif isinstance(value, dict):
        name = value.get("name")
        if name is None and isinstance(value.get("@id"), str):
            name = by_id.get(value["@id"], {}).get("name")
        for each in name if isinstance(name, list) else [name]:
            if isinstance(each, str):
                yield from _names(each, by_id)
    elif isinstance(value, str):
        text = squeeze(value)
        if text and not text.lower().startswith(("http:", "https:")):
            yield text


def _find_date(
    fields: Fields, article: dict[str, Any], tree: _Element, base: Url | None, now: datetime | None
) -> datetime | None:
    latest = now + timedelta(days=2) if now else _LATEST
    stated = [article.get("datePublished"), article.get("dateCreated"), *map(fields.first, _DATE_NAMES), *fields.times]
    stated += [node.get("datePublished") for node in fields.nodes]
    for text in stated:
        found = read_date(text) if isinstance(text, str) else None
        if found and EARLIEST <= found <= latest:
            return found
    try:
        guessed = find_date(
            tree,
            original_date=True,
            extensive_search=False,
            url=base.text if base else None,
            min_date=EARLIEST.replace(tzinfo=None),
            max_date=latest.replace(tzinfo=None),
        )
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return None  # a page that breaks the guessing has no date
    return read_date(guessed) if guessed else None


def read_date(text: str) -> datetime | None:
    """An ISO 8601 or RFC 5322 date as aware UTC, or None; without a zone it is taken as UTC."""
    bare = re.sub(r"\s+(?=[+-]\d\d:?\d\d$|Z$)", "", text.strip()[:60])
    try:
        found = datetime.fromisoformat(bare)
    except ValueError:
        try:
            found = parsedate_to_datetime(bare)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _find_language(tree: _Element, fields: Fields, article: dict[str, Any]) -> str | None:
    xml_lang = "{http://www.w3.org/XML/1998/namespace}lang"
    stated = article.get("inLanguage")
    candidates = [tree.get("lang"), tree.get("xml:lang"), tree.get(xml_lang), stated if isinstance(stated, str) else None]
    candidates += [fields.first("og:locale", "content-language", "language")]
    for text in candidates:
        match = re.match(r"\s*([A-Za-z]{2})(?![A-Za-z])", text or "")
        if match:
            return match[1].lower()
    return None


def _find_canonical(fields: Fields, base: Url | None) -> str | None:
    for text in (fields.canonical, fields.first("og:url")):
        if text:
            try:
                return (join(base, text) if base else parse(text)).text
            except Malformed:
                continue
    return None
