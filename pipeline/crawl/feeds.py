"""Feeds and sitemaps: the articles that a site says it has.

RSS, Atom and RDF by feedparser; JSON Feed by a reader of our own; sitemaps, their indexes and news extensions
(sitemaps.org, protocol 0.9) by lxml. None of them sees an entity, a charset of its own choosing or the network: what they
parse is UTF-8 that was looked through before.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import feedparser
from lxml import etree

from pipeline.crawl.charset import decode
from pipeline.crawl.inflation import inflate
from pipeline.crawl.metadata import EARLIEST, read_date
from pipeline.crawl.urls import Url, join
from pipeline.errors import Malformed

LONGEST = 50_000_000
"""Bytes of the longest file, inflated: the sitemap protocol's limit."""
LONGEST_FEED = 10_000_000
"""Bytes of the longest feed; a usual one has 100,000."""
MOST_MARKS = {"<": 500_000, "&": 2_000_000}
"""Of these marks in one feed: feedparser takes some 20 microseconds for a tag, and knows no limit itself."""
MOST_SITEMAP_TAGS = 3_000_000
"""Marks of tags in one sitemap: the parser takes some hundred bytes for each that it holds, and one entry may hold all."""
MOST_ITEMS = 50_000
"""Items of one file that are read: the sitemap protocol's limit."""

# Possessive throughout: with plain stars, a row of comments that no element follows takes time exponential in its length.
_ROOT = re.compile(
    r"(?:\s|(?><\?.*?\?>)|(?><!--.*?-->)|(?><!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>))*+<([A-Za-z][\w:.-]*)",
    re.DOTALL | re.IGNORECASE,
)
_DECLARATION = re.compile(r"\s*+<\?xml[^>]*\?>", re.IGNORECASE)
# A million attributes, each of which feedparser copies some times over, take two gigabytes.
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{100000}")
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_SITEMAP_ROOTS = frozenset({"urlset", "sitemapindex"})
_JSON = "{"
_JSON_VERSION = "https://jsonfeed.org/version/1"
_PERIODS = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 7 * 86_400.0, "monthly": 30 * 86_400.0, "yearly": 365 * 86_400.0}


_Entry = tuple[str | None, str | None, datetime | None]
"""Link, title and date, as a file has them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One article that a feed or a sitemap names."""

    url: Url
    title: str | None
    published: datetime | None
    """Aware, UTC; a sitemap's last change where it has no date of publication; None where it is absurd."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What one feed, sitemap or section page holds, each URL once, in its order."""

    kind: Literal["feed", "sitemap", "index", "section"]
    items: tuple[Item, ...]
    nested: tuple[Item, ...] = ()
    """The sitemaps that an index names, with their last change."""
    title: str | None = None
    ttl: float | None = None
    """Seconds that a feed says it is valid for (RSS 2.0, ttl)."""
    period: float | None = None
    """Seconds between two updates, as a feed says (RSS 1.0's module syndication)."""


def read(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """The feed or the sitemap in `body`, whichever it is; raises Malformed where it is neither.

    `now` (aware) bounds its dates: 1990 to two days from now. Links that are no URL are passed over.
    """
    text, root = _open(body, url, content_type)
    if root == _JSON:
        return _read_json(text, url, now)
    return _read_sitemap(text, root, url, now) if root in _SITEMAP_ROOTS else _read_feed(text, url, now)


def read_feed(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """As `read`, for what has to be a feed."""
    page = read(body, url, content_type, now=now)
    if page.kind != "feed":
        raise Malformed(f"{url.text} is a sitemap and no feed; add it as a sitemap.")
    return page


def read_sitemap(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """As `read`, for what has to be a sitemap or an index of sitemaps."""
    page = read(body, url, content_type, now=now)
    if page.kind == "feed":
        raise Malformed(f"{url.text} is a feed and no sitemap; add it as a feed.")
    return page


def _open(body: bytes, url: Url, content_type: str | None) -> tuple[str, str]:
    """The text without its XML declaration, and the name of its root element."""
    if body.startswith(b"\x1f\x8b"):
        body, cut = inflate(body, "gzip", LONGEST)
        if cut:
            raise Malformed(f"{url.text} inflates to more than {LONGEST:,} bytes, which no sitemap may have.")
    if len(body) > LONGEST:
        raise Malformed(f"{url.text} has more than {LONGEST:,} bytes, which no sitemap may have.")
    text = decode(body, content_type)
    if text[:1_000].lstrip().startswith("{"):
        return text, _JSON
    match = _ROOT.match(text[:50_000])
    name = match[1].lower().rpartition(":")[2] if match else ""
    if name not in _FEED_ROOTS | _SITEMAP_ROOTS:
        found = "an HTML page" if name in {"html", "head", "body"} else f"no XML that is known ({name or 'no element'})"
        raise Malformed(
            f"{url.text} is {found}, and a feed (RSS, Atom, JSON) or a sitemap was expected; "
            'a site names its feeds in its pages, as <link rel="alternate">, and its sitemaps in robots.txt.'
        )
    if _ENTITY.search(text):
        raise Malformed(f"{url.text} declares entities, which no feed needs and bombs are made of; it is not read.")
    declaration = _DECLARATION.match(text)
    return text[declaration.end() :] if declaration else text, name


def _read_feed(text: str, url: Url, now: datetime) -> FeedPage:
    raw = text.encode("utf-8", "replace")
    if len(raw) > LONGEST_FEED:
        raise Malformed(f"{url.text} has more than {LONGEST_FEED:,} bytes, which no feed needs.")
    for mark, most in MOST_MARKS.items():
        if text.count(mark) > most:
            raise Malformed(f"{url.text} has more than {most:,} times {mark}, which no feed needs.")
    if _LONG_TAG.search(text):
        raise Malformed(f"{url.text} has a tag of more than 100,000 characters, which no feed needs.")
    try:
        # As a stream: a string could be taken for an address or the name of a file, and opened.
        parsed: Any = feedparser.parse(
            io.BytesIO(raw),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError) as error:
        raise Malformed(f"{url.text} is no feed that can be read: {error}.") from error
    if not parsed.entries and (parsed.bozo or not parsed.version):
        raise Malformed(f"{url.text} is no feed that can be read: {parsed.get('bozo_exception', 'it has no version')}.")
    found = ((entry.get("link"), entry.get("title"), _find_when(entry)) for entry in parsed.entries)
    dated = ((link, title, _read_struct(when)) for link, title, when in found)
    title = parsed.feed.get("title")
    return FeedPage(
        "feed",
        collect(dated, url, now),
        title=_squeeze(title) if isinstance(title, str) else None,
        ttl=_read_number(parsed.feed.get("ttl"), 60.0),
        period=_read_period(parsed.feed),
    )


def _read_number(said: object, unit: float) -> float | None:
    """Seconds in a number of units; None for what is none, or none above 0."""
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*", said) if isinstance(said, str) else None
    return float(match[1]) * unit or None if match else None


def _read_period(feed: dict[str, Any]) -> float | None:
    """Seconds of sy:updatePeriod by sy:updateFrequency, which is once where it is not said."""
    period = dict.get(feed, "sy_updateperiod")
    seconds = _PERIODS.get(period.strip().lower()) if isinstance(period, str) else None
    frequency = _read_number(dict.get(feed, "sy_updatefrequency"), 1.0) or 1.0
    return None if seconds is None else seconds / frequency


def _read_json(text: str, url: Url, now: datetime) -> FeedPage:
    """A JSON Feed (jsonfeed.org, version 1.1): its items, and the pages elsewhere that they are about (external_url)."""
    if len(text) > LONGEST_FEED:
        raise Malformed(f"{url.text} has more than {LONGEST_FEED:,} characters, which no feed needs.")
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{url.text} is no JSON that can be read: {error}.") from error
    if not str(feed.get("version", "")).startswith(_JSON_VERSION) or not isinstance(feed.get("items"), list):
        raise Malformed(f"{url.text} is JSON and no JSON Feed: version and items are missing.")
    title = feed.get("title")
    items = (item for item in feed["items"] if isinstance(item, dict))
    entries = (entry for item in items for entry in _json_entries(item))
    return FeedPage("feed", collect(entries, url, now), title=_squeeze(title) if isinstance(title, str) else None)


def _json_entries(item: dict[str, Any]) -> Iterator[_Entry]:
    title, said = item.get("title"), item.get("date_published") or item.get("date_modified")
    own, external = item.get("url"), item.get("external_url")
    if not isinstance(own, str) and not isinstance(external, str):
        own = item.get("id")  # which is the item's address where it looks like one
        own = own if isinstance(own, str) and own.startswith(("http://", "https://")) else None
    for link in (own, external):
        if isinstance(link, str):
            yield link, title if isinstance(title, str) else None, read_date(said) if isinstance(said, str) else None


def _find_when(entry: dict[str, Any]) -> Any:
    # Past feedparser's own get, which warns of a mapping between the two that it will give up.
    return dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")


def _read_struct(when: Any) -> datetime | None:
    """A date as feedparser gives it: nine numbers, in UTC, or None."""
    if when is None:
        return None
    try:
        year, month, day, hour, minute, second = when[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _read_sitemap(text: str, root: str, url: Url, now: datetime) -> FeedPage:
    if text.count("<") > MOST_SITEMAP_TAGS:
        raise Malformed(f"{url.text} has more than {MOST_SITEMAP_TAGS:,} tags, which no sitemap needs.")
    entry = "sitemap" if root == "sitemapindex" else "url"
    try:
        entries = _walk(text.encode("utf-8", "replace"), entry)
        is_whole = re.search(rf"</(?:[\w.-]+:)?{root}\s*>\s*$", text[-200:], re.IGNORECASE)
        # Of a file that breaks off, the parser closes the last entry itself, in the middle of its address.
        found = collect(entries if is_whole else _drop_last(entries), url, now)
    except etree.XMLSyntaxError as error:
        raise Malformed(f"{url.text} is no sitemap that can be read: {error}.") from error
    if entry == "sitemap":
        return FeedPage("index", (), found)
    return FeedPage("sitemap", found)


def _walk(raw: bytes, entry: str) -> Iterator[_Entry]:
    """Location, title and date of each entry, without ever holding the whole tree."""
    steps = etree.iterparse(
        io.BytesIO(raw),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    for _, element in steps:
        if _split_tag(element.tag)[1] != entry:
            continue
        said: dict[str, str] = {}
        for child in element.iter():
            space, name = _split_tag(child.tag)
            # <image:loc> and <video:title> are of pictures; <news:title> is the article's.
            if child.text and "image" not in space and "video" not in space:
                said.setdefault(name, child.text)
        when = said.get("publication_date") or said.get("lastmod")
        yield said.get("loc"), said.get("title"), read_date(when) if when else None
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def _split_tag(tag: Any) -> tuple[str, str]:
    """Namespace (or a prefix that nobody declared) and name of an element; empty for what is none."""
    if not isinstance(tag, str):
        return "", ""
    space, _, name = tag.rpartition("}") if "}" in tag else tag.rpartition(":")
    return space, name


def _drop_last(entries: Iterator[_Entry]) -> Iterator[_Entry]:
    held = next(entries, None)
    for entry in entries:
        if held is not None:
            yield held
        held = entry


def collect(found: Iterator[_Entry], base: Url, now: datetime) -> tuple[Item, ...]:
    """The items among links, titles and dates, each URL once, at most MOST_ITEMS; what is no URL or no sane date is dropped."""
    items: dict[str, Item] = {}
    for link, title, when in found:
        if len(items) >= MOST_ITEMS:
            break
        try:
            url = join(base, link) if isinstance(link, str) and link.strip() else None
        except Malformed:
            continue
        if url is not None and url.text not in items:
            kept = when if when and EARLIEST <= when <= now + timedelta(days=2) else None
            items[url.text] = Item(url, _squeeze(title) if isinstance(title, str) else None, kept)
    return tuple(items.values())


def _squeeze(text: str) -> str | None:
    return " ".join(text.split())[:1000] or None
