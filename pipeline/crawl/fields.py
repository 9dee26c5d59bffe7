"""What a page declares about itself in elements that are not shown: meta tags, links, JSON-LD; gathered in one walk."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.etree import _Element

_LONGEST_JSON = 1_000_000
_MOST_NODES = 5_000
_AROUND_JSON = " \t\r\n;/*"
_ARTICLE = re.compile(r"(?:Article|BlogPosting|LiveBlogPosting|Report)$")


class Fields:
    """The elements of a page that metadata is read from, gathered in one walk."""

    def __init__(self, tree: _Element) -> None:
        self.metas: dict[str, list[str]] = {}
        self.headings: list[str] = []
        self.times: list[str] = []
        self.title: str | None = None
        self.canonical: str | None = None
        self.amp: str | None = None
        self.nodes: list[dict[str, Any]] = []
        see = {
            "meta": self._see_meta,
            "link": self._see_link,
            "title": self._see_title,
            "h1": self._see_h1,
            "time": self._see_time,
            "script": self._see_script,
        }
        for element in tree.iter(*see):
            see[element.tag](element)

    def _see_meta(self, element: _Element) -> None:
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        content = squeeze(element.get("content"))
        if name and content:
            self.metas.setdefault(name, []).append(content)

    def _see_link(self, element: _Element) -> None:
        relations = (element.get("rel") or "").lower().split()
        if self.canonical is None and "canonical" in relations:
            self.canonical = (element.get("href") or "").strip() or None
        if self.amp is None and "amphtml" in relations:
            self.amp = (element.get("href") or "").strip() or None

    def _see_title(self, element: _Element) -> None:
        if self.title is None:
            self.title = squeeze("".join(map(str, element.itertext())))

    def _see_h1(self, element: _Element) -> None:
        text = squeeze("".join(map(str, element.itertext())))
        if text and len(self.headings) < 20:
            self.headings.append(text)

    def _see_time(self, element: _Element) -> None:
        marked = element.get("pubdate") is not None or "datepublished" in (element.get("itemprop") or "").lower()
        if marked and element.get("datetime"):
            self.times.append(element.get("datetime", ""))

    def _see_script(self, element: _Element) -> None:
        if "ld+json" in (element.get("type") or "").lower() and len(self.nodes) < _MOST_NODES:
            self.nodes.extend(_read_json(element.text or ""))

    @property
    def article(self) -> dict[str, Any]:
        """The article's own object among the JSON-LD; empty where there is none."""
        return next((node for node in self.nodes if _is_article(node)), {})

    @property
    def not_free(self) -> bool:
        """True where the page says that its article is not free to read."""
        said = [node.get("isAccessibleForFree") for node in self.nodes if _is_article(node)]
        return any(str(value).strip().lower() == "false" for value in said) or self.first("article:content_tier") == "locked"

    def first(self, *names: str) -> str | None:
        """The content of the first of these meta tags that the page has."""
        return next((self.metas[name][0] for name in names if name in self.metas), None)


def _read_json(text: str) -> Iterator[dict[str, Any]]:
    """Every object of a JSON-LD script, outermost first; nothing where it cannot be parsed."""
    if len(text) > _LONGEST_JSON:
        return
    bare = text.strip(_AROUND_JSON)
    for start, end in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        bare = bare.removeprefix(start).removesuffix(end).strip(_AROUND_JSON)
    try:
        waiting = [json.loads(bare, strict=False)]
    except (ValueError, RecursionError):
        return
    seen = 0
    while waiting and seen < _MOST_NODES:
        value = waiting.pop(0)
        seen += 1
        if isinstance(value, dict):
            yield value
            waiting.extend(child for child in value.values() if isinstance(child, dict | list))
        elif isinstance(value, list):
            waiting.extend(child for child in value if isinstance(child, dict | list))


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    named = kinds if isinstance(kinds, list) else [kinds]
    has_content = "headline" in node or "datePublished" in node or "articleBody" in node
    return has_content and any(isinstance(kind, str) and _ARTICLE.search(kind) for kind in named)


def squeeze(text: str | None) -> str | None:
    """The text on one line, entities read (they are often escaped twice), or None where nothing is left."""
    squeezed = " ".join(html.unescape(text).split()) if text else ""
    return squeezed[:1000] or None
