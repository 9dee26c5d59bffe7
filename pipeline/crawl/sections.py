"""Section pages: the links of a page that lists articles, such as a newspaper's front page.

The page is read as a stream of tags, so that none of it, however deep or long, is held as a tree.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from pipeline.crawl.charset import decode
from pipeline.crawl.feeds import FeedPage, Item, collect
from pipeline.crawl.urls import Url, join, slug_headline
from pipeline.errors import Malformed

MOST_LINKS = 500
"""Links of one page that are taken, in their order: the pages of newspapers that have the most have some 400 to articles."""
_PIECE = 65_536
_HTML = re.compile(r"<\s*(?:!doctype\s+html|html|head|body|a|div|main)\b", re.IGNORECASE)


class _Links:
    """What lxml's parser tells of links: (address, its text), in order; and the page's own base and its wish."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.base: str | None = None
        self.nofollow = False
        self._open: str | None = None
        self._said: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "a" and attributes.get("href"):
            self.end("a")
            self._open, self._said = attributes["href"], []
        elif tag == "base" and self.base is None:
            self.base = attributes.get("href")
        elif tag == "meta" and attributes.get("name", "").strip().lower() in {"robots", "wirecopy"}:
            wishes = {wish.strip() for wish in attributes.get("content", "").lower().split(",")}
            self.nofollow = self.nofollow or bool(wishes & {"nofollow", "none"})

    def end(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.found.append((self._open, " ".join(self._said)))
            self._open = None

    def data(self, text: str) -> None:
        if self._open is not None and len(self._said) < 100:
            self._said.append(text)

    def close(self) -> None:
        self.end("a")


def read_section(
    body: bytes, url: Url, content_type: str | None = None, *, pattern: str | None, other_hosts: bool, now: datetime
) -> FeedPage:
    """The links of a page that lead to articles; raises Malformed where it is no HTML, or asks that no link be followed.

    With a pattern (a regular expression) those are the links whose URL it is found in; without one, the links whose address
    spells a headline. Links to other hosts than the page's count only with `other_hosts`, at most MOST_LINKS at all.
    """
    text = decode(body, content_type)
    if not _HTML.search(text[:50_000]):
        raise Malformed(f"{url.text} is no HTML page; a section is one, with links to articles.")
    links = _Links()
    parser = etree.HTMLParser(target=links, recover=True, no_network=True, huge_tree=True)  # type: ignore[arg-type]
    try:
        for start in range(0, len(text), _PIECE):
            parser.feed(text[start : start + _PIECE])
        parser.close()
    except (etree.LxmlError, ValueError) as error:
        raise Malformed(f"{url.text} is no HTML page that can be read: {error}.") from error
    if links.nofollow:
        raise Malformed(f"{url.text} asks that its links not be followed (meta robots nofollow).")
    found = collect(((link, title, None) for link, title in links.found), _base(url, links.base), now)
    wanted = re.compile(pattern) if pattern is not None else None
    items = tuple(_choose(found, url, wanted, other_hosts=other_hosts))
    return FeedPage("section", items[:MOST_LINKS])


def _base(url: Url, said: str | None) -> Url:
    try:
        return url if said is None else join(url, said)
    except Malformed:
        return url


def _choose(found: tuple[Item, ...], url: Url, wanted: re.Pattern[str] | None, *, other_hosts: bool) -> Iterator[Item]:
    for item in found:
        is_article = slug_headline(item.url) is not None if wanted is None else wanted.search(item.url.text) is not None
        if is_article and item.url.key != url.key and (other_hosts or item.url.host == url.host):
            yield item
