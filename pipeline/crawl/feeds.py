"""Feeds and sitemaps: the articles that a site says it has.

RSS, Atom and RDF by feedparser; sitemaps, their indexes and news extensions (sitemaps.org, protocol 0.9) by lxml. Neither
sees an entity, a charset of its own choosing or the network: what they parse is UTF-8 that was looked through before.
"""

import io
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
MOST_ITEMS = 50_000
"""Items of one file that are read: the sitemap protocol's limit."""

# Possessive throughout: with plain stars, a row of comments that no element follows takes time exponential in its length.
_ROOT = re.compile(
    r"(?:\s|(?><\?.*?\?>)|(?><!--.*?-->)|(?><!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>))*+<([A-Za-z][\w:.-]*)",
    re.DOTALL | re.IGNORECASE,
)
_DECLARATION = re.compile(r"\s*+<\?xml[^>]*\?>", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_SITEMAP_ROOTS = frozenset({"urlset", "sitemapindex"})


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
    """What one feed or sitemap holds, each URL once, in its order."""

    kind: Literal["feed", "sitemap", "index"]
    items: tuple[Item, ...]
    nested: tuple[Url, ...] = ()
    """The sitemaps that an index names."""
    title: str | None = None


def read(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """The feed or the sitemap in `body`, whichever it is; raises Malformed where it is neither.

    `now` (aware) bounds its dates: 1990 to two days from now. Links that are no URL are passed over.
    """
    text, root = _open(body, url, content_type)
    return _read_sitemap(text, root, url, now) if root in _SITEMAP_ROOTS else _read_feed(text, url, now)


def read_feed(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """As `read`, for what has to be a feed."""
    text, root = _open(body, url, content_type)
    if root not in _FEED_ROOTS:
        raise Malformed(f"{url.text} is a sitemap and no feed; add it as a sitemap.")
    return _read_feed(text, url, now)


def read_sitemap(body: bytes, url: Url, content_type: str | None = None, *, now: datetime) -> FeedPage:
    """As `read`, for what has to be a sitemap or an index of sitemaps."""
    text, root = _open(body, url, content_type)
    if root not in _SITEMAP_ROOTS:
        raise Malformed(f"{url.text} is a feed and no sitemap; add it as a feed.")
    return _read_sitemap(text, root, url, now)


def _open(body: bytes, url: Url, content_type: str | None) -> tuple[str, str]:
    """The text without its XML declaration, and the name of its root element."""
    if body.startswith(b"\x1f\x8b"):
        body, cut = inflate(body, "gzip", LONGEST)
        if cut:
            raise Malformed(f"{url.text} inflates to more than {LONGEST:,} bytes, which no sitemap may have.")
    if len(body) > LONGEST:
        raise Malformed(f"{url.text} has more than {LONGEST:,} bytes, which no sitemap may have.")
    text = decode(body, content_type)
    match = _ROOT.match(text[:50_000])
    name = match[1].lower().rpartition(":")[2] if match else ""
    if name not in _FEED_ROOTS | _SITEMAP_ROOTS:
        found = "an HTML page" if name in {"html", "head", "body"} else f"no XML that is known ({name or 'no element'})"
        raise Malformed(
            f"{url.text} is {found}, and a feed (RSS, Atom) or a sitemap was expected; "
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
    return FeedPage("feed", _collect(dated, url, now), title=_squeeze(title) if isinstance(title, str) else None)


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
    entry = "sitemap" if root == "sitemapindex" else "url"
    try:
        entries = _walk(text.encode("utf-8", "replace"), entry)
        is_whole = re.search(rf"</(?:[\w.-]+:)?{root}\s*>\s*$", text[-200:], re.IGNORECASE)
        # Of a file that breaks off, the parser closes the last entry itself, in the middle of its address.
        found = _collect(entries if is_whole else _drop_last(entries), url, now)
    except etree.XMLSyntaxError as error:
        raise Malformed(f"{url.text} is no sitemap that can be read: {error}.") from error
    if entry == "sitemap":
        return FeedPage("index", (), tuple(item.url for item in found))
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


def _collect(found: Iterator[tuple[str | None, str | None, datetime | None]], base: Url, now: datetime) -> tuple[Item, ...]:
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
