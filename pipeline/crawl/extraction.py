"""The article of a page: bytes in, values out.

Whatever the bytes are, the answer is a Page; one without an article says why. Reading may still take long or much memory on
a page that was made for it: `extractor` runs it where it can be killed.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, cast

import py3langid
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura.core import bare_extraction

from pipeline.crawl.article_body import read_article_body, second_of
from pipeline.crawl.charset import decode
from pipeline.crawl.fields import Fields
from pipeline.crawl.metadata import forbids_archive, read_metadata
from pipeline.crawl.origins import find_origins
from pipeline.crawl.pages import Page
from pipeline.crawl.urls import Url, parse
from pipeline.crawl.walls import wall_of_page, wall_within
from pipeline.errors import Malformed

SHORTEST = 60
"""Characters of the shortest text that is taken for an article."""
LONGEST = 1_500_000
"""Characters of the longest text that one is looked for in; a novel has a million."""

NO_ARTICLE, TYPE, SIZE, WALL = "not an article: ", "type: ", "size: ", "wall: "
"""How a reason begins that a page gives no witness."""

MOST_ELEMENTS = 100_000
"""Elements of the largest page that is read; a page of news has some thousands."""

DEEPEST = 1_500
"""Levels of nesting of the deepest page that is read; the parser drops what lies under 2,048, and news has some fifty."""

_LONGEST_TAG = 20_000
_LONG_TAG = re.compile(rf"<([A-Za-z][A-Za-z0-9:-]*+)[^<>]{{{_LONGEST_TAG},}}+>")
_IS_DEEP = etree.XPath(f"boolean({'/*' * (DEEPEST + 1)})")
_COUNT_ELEMENTS = etree.XPath("count(.//*)")
_COUNT_CHARACTERS = etree.XPath("string-length()")
_LONGEST_GUESS = 2_000
_SHORTEST_GUESS = 100
_DOCUMENTS = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"RIFF", "a picture or a film (RIFF)"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x00\x00\x00\x18ftyp", "a film (MP4)"),
    (b"\x00\x00\x00\x20ftyp", "a film (MP4)"),
)
_FEEDS = re.compile(r"\s*+(?:<\?xml[^>]*>\s*+)?(?:(?><!--.*?-->)\s*+)*+<(rss|feed|rdf:RDF|urlset|sitemapindex)\b", re.DOTALL)
_PLACE = r"[A-Z][A-Z.'’\-]+(?:[ ,/]+(?:[A-Z][A-Za-z.'’\-]*|[0-9]{1,2}))*"
_DATELINE = re.compile(rf"({_PLACE}(?: ?\([A-Z][^()]{{1,30}}\))?|[A-Z][\w.'’ ,\-]{{1,40}} ?\([A-Z][^()]{{1,30}}\)) ?[-–—]+ ")

# Silent, for what it says of a page (at level error) is no event of ours: the Page says it.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


def read_page(body: bytes, url: str = "", headers: Iterable[tuple[str, str]] = (), agent: str = "wirecopy") -> Page:
    """The article in `body`, as it was fetched from `url` with `headers`.

    `agent` is the product token that robots marks may speak to. The headers' Date bounds the page's own.
    """
    headers = tuple(headers)
    told = {name.lower(): value for name, value in reversed(headers)}
    media = told.get("content-type")
    kept_away = forbids_archive(etree.Element("html"), headers, agent)
    why = _refuse_bytes(body, media)
    if why:
        return Page((), noarchive=kept_away, why=why, refused=why.startswith(TYPE))
    text = decode(body, media)
    if (media or "").strip().lower().startswith("text/plain") and "</" not in text[:5000]:
        return _finish(_split_plain(text), Page((), noarchive=kept_away))
    why = _refuse_text(text)
    if why:
        return Page((), noarchive=kept_away, why=why, refused=why.startswith(TYPE))
    tree = _parse(text)
    if tree is None:
        return Page((), noarchive=kept_away, why=f"{NO_ARTICLE}no HTML could be read")
    base = _read_base(url)
    noarchive = kept_away or forbids_archive(tree, headers, agent)
    _lighten(tree)
    why = _refuse_tree(tree)
    if why:
        return Page((), noarchive=noarchive, why=f"{SIZE}{why}", refused=True)
    paragraphs = _extract(tree, base)
    fields = Fields(tree)
    said = read_metadata(fields, tree, base, _read_now(told.get("date")))
    wall = wall_of_page(said.title, partial(_visible, tree), text, paragraphs, not_free=fields.not_free)
    if wall is not None:
        return Page((), title=said.title, canonical=said.canonical, noarchive=noarchive, why=f"{WALL}{wall}", refused=True)
    cut = wall_within(paragraphs, not_free=fields.not_free)
    page = Page(
        (),
        title=said.title,
        byline=said.byline,
        dateline=said.dateline,
        published=said.published,
        language=said.language,
        canonical=said.canonical,
        noarchive=noarchive,
        partial=None if cut is None else str(cut),
        second=second_of(paragraphs, read_article_body(fields.article), not_free=fields.not_free),
        origins=find_origins(fields, base, said.byline, paragraphs),
    )
    return _finish(paragraphs, page)


def _finish(paragraphs: tuple[str, ...], page: Page) -> Page:
    """`page` with its paragraphs, or with the reason that it has none."""
    if paragraphs and page.title and _fold(paragraphs[0]) == _fold(page.title):
        paragraphs = paragraphs[1:]
    length = sum(map(len, paragraphs))
    why = None
    if not length:
        why = f"{NO_ARTICLE}no text was found in it"
    elif length < SHORTEST:
        why = f"{NO_ARTICLE}{length} characters of text are too few"
    if why:
        paragraphs = ()
    opening = _DATELINE.match(paragraphs[0][:200]) if paragraphs else None
    return replace(
        page,
        paragraphs=paragraphs,
        dateline=page.dateline or (opening[1].strip() if opening else None),
        language=_guess_language(" ".join(paragraphs)[:_LONGEST_GUESS]) or page.language,
        why=why,
        partial=None if why else page.partial,
        second=() if why else page.second,
    )


def _refuse_bytes(body: bytes, media: str | None) -> str | None:
    """What the bytes are, where they are no text."""
    if not body.strip():
        return f"{NO_ARTICLE}the body is empty"
    for magic, name in _DOCUMENTS:
        if body.startswith(magic):
            return f"{TYPE}it is {name}"
    kind = (media or "").partition(";")[0].strip().lower()
    if kind.startswith(("audio/", "font/", "image/", "video/")) and not body.lstrip().startswith(b"<"):
        return f"{TYPE}it is {kind}"
    return None


def _refuse_text(text: str) -> str | None:
    """What the text is, where it is no page."""
    start = text[:3000].lstrip("\ufeff \t\r\n")
    feed = _FEEDS.match(start)
    if feed:
        return f"{NO_ARTICLE}it is a feed or a sitemap ({feed[1]})"
    if start[:1] in {"{", "["} and "<" not in start:
        return f"{TYPE}it is JSON"
    return None


def _refuse_tree(tree: HtmlElement) -> str | None:
    """What about a page is too large for an article: the work on it grows faster than its size."""
    elements = int(cast("float", _COUNT_ELEMENTS(tree)))
    if elements > MOST_ELEMENTS:
        return f"it holds {elements:,} elements"
    if _IS_DEEP(tree):
        return f"it is nested more than {DEEPEST:,} levels deep"
    length = int(cast("float", _COUNT_CHARACTERS(tree)))
    return f"it holds {length:,} characters of text" if length > LONGEST else None


def _parse(text: str) -> HtmlElement | None:
    # huge_tree: without it libxml2 drops what is nested deeper than 256 levels, and silently.
    parser = HTMLParser(collect_ids=False, encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # A tag of 100,000 attributes takes the parser half a minute; no tag of that size says anything about the text.
    text = _LONG_TAG.sub(r"<\1>", text)
    try:
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error  # the parser says it as if the page were wrong
        return None
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _read_base(url: str) -> Url | None:
    try:
        return parse(url)
    except Malformed:
        return None


def _read_now(date: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else None


def _lighten(tree: HtmlElement) -> None:
    """Takes out what holds no words, for the tree is copied several times from here on."""
    for script in list(tree.iter("script")):
        if "ld+json" not in (script.get("type") or "").lower():
            script.drop_tree()
    etree.strip_elements(tree, "style", "svg", "template", "canvas", with_tail=False)


def _visible(tree: HtmlElement) -> str:
    """The text of a page without its scripts."""
    return " ".join(str(piece) for piece in tree.xpath("//text()[not(parent::script or parent::style)]"))


def _extract(tree: HtmlElement, base: Url | None) -> tuple[str, ...]:
    try:
        document = bare_extraction(
            tree, url=base.text if base else None, include_comments=False, with_metadata=False, deduplicate=False
        )
    except (RecursionError, etree.LxmlError, AssertionError, AttributeError, IndexError, KeyError):
        return ()  # what breaks the library holds no article that it could give
    lines = str(cast("Any", document).text or "").split("\n") if document else []
    return tuple(filter(None, map(_clean, lines)))


def _clean(line: str) -> str:
    """One block of text without the marks that the library sets before list items and around cells."""
    if line.startswith("|"):
        line = " ".join(cell.strip() for cell in line.split("|") if cell.strip(" -"))
    line = line.removeprefix("- ")
    return " ".join(unicodedata.normalize("NFC", line).split())


def _split_plain(text: str) -> tuple[str, ...]:
    blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return tuple(unicodedata.normalize("NFC", block) for block in blocks if block)


def _guess_language(text: str) -> str | None:
    if len(text) < _SHORTEST_GUESS:
        return None
    language, _ = py3langid.classify(text)
    return str(language)


def _fold(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
