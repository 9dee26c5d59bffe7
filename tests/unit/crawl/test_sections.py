"""Section pages: which links lead to articles, of good pages and bad ones."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.feeds import FeedPage
from pipeline.crawl.sections import MOST_LINKS, read_section
from pipeline.crawl.urls import parse
from pipeline.errors import Malformed

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HERE = parse("https://news.example/world/")
PAGE = """<!DOCTYPE html><html><head><title>World</title></head><body>
<nav><a href="/">Home</a><a href="/sport">Sport</a><a href="/world/">World</a><a href="javascript:void(0)">More</a></nav>
<a href="harbour-strike-ends-after-nine-days"><b>Harbour</b> strike
 ends</a><a href="/2026/03/02/dam-holds-through-the-night.html?utm_source=front#top">Dam holds</a>
<a href="//other.example/world/partner-story-of-the-day">Partner</a><a name="x">anchor</a><a href="">empty</a>
<a href="/world/harbour-strike-ends-after-nine-days">again</a><a href="mailto:desk@news.example">write to the desk today</a>
</body></html>"""


def read(
    page: str | bytes, pattern: str | None = None, *, other_hosts: bool = False, media: str = "text/html; charset=utf-8"
) -> FeedPage:
    body = page if isinstance(page, bytes) else page.encode()
    return read_section(body, HERE, media, pattern=pattern, other_hosts=other_hosts, now=NOW)


def urls(page: FeedPage) -> list[str]:
    return [item.url.text.removeprefix("https://") for item in page.items]


STRIKE, DAM = (
    "news.example/world/harbour-strike-ends-after-nine-days",
    "news.example/2026/03/02/dam-holds-through-the-night.html",
)


def test_links_that_spell_a_headline_are_articles() -> None:
    """On the page's own host, each once, with what the link says; navigation and what is no web address are passed over."""
    page = read(PAGE)
    assert urls(page) == [STRIKE, DAM + "?utm_source=front"]
    assert [item.title for item in page.items] == ["Harbour strike ends", "Dam holds"]


def test_a_pattern_decides_where_there_is_one() -> None:
    """It is looked for in the whole URL; other hosts count where they are let in."""
    assert urls(read(PAGE, r"/sport$")) == ["news.example/sport"]
    assert urls(read(PAGE, r"/world/[a-z-]+", other_hosts=True)) == [STRIKE, "other.example/world/partner-story-of-the-day"]


def test_a_base_is_obeyed() -> None:
    """Relative links are the base's, where it is one."""
    page = "<html><head><base href='{}'></head><body><a href='two-ferries-meet-at-sea'>x</a></body></html>"
    assert urls(read(page.format("/news/"))) == ["news.example/news/two-ferries-meet-at-sea"]
    assert urls(read(page.format("javascript:x"))) == ["news.example/world/two-ferries-meet-at-sea"]


def test_no_more_than_the_limit_is_taken() -> None:
    """The first ones of a page that lists thousands."""
    page = "<html>" + "".join(f"<a href='/the-story-number-{number}-of-many'>x</a>" for number in range(5_000))
    assert urls(read(page)) == [f"news.example/the-story-number-{number}-of-many" for number in range(MOST_LINKS)]


def test_any_charset_is_read() -> None:
    """As pages are: by mark, header, meta or detection."""
    page = "<html><body><a href='/caf\xe9-closes-after-forty-years'>Caf\xe9 closes</a></body></html>"
    for charset in ("utf-8", "utf-16", "iso-8859-1"):
        found = read(page.encode(charset), media=f"text/html; charset={charset}")
        assert [item.title for item in found.items] == ["Café closes"]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("", "no HTML"),
        ("%PDF-1.4", "no HTML"),
        ('{"a": 1}', "no HTML"),
        ("<rss><channel></channel></rss>", "no HTML"),
        ("<html><meta name=ROBOTS content='noindex, NOFOLLOW'><a href=/a-b-c-d>x</a>", "not be followed"),
    ],
)
def test_what_is_no_section_is_malformed(page: str, complaint: str) -> None:
    """No HTML, or a page that asks that its links not be followed."""
    with pytest.raises(Malformed, match=complaint):
        read(page)


def test_a_page_without_end_and_bottom_is_read() -> None:
    """Ten megabytes of one level in the other, and of one tag's attributes, cost no more than their length."""
    link = "<a href='/the-only-story-of-the-day'>x</a>"
    for filling in ("<div>" * 2_000_000, f"<p {' '.join(f'a{number}=1' for number in range(500_000))}>"):
        assert urls(read(f"<html><body>{link}{filling}")) == ["news.example/the-only-story-of-the-day"]


@given(st.binary(max_size=30), st.integers(0, 800), st.integers(0, 80))
def test_a_damaged_page_gives_links_or_malformed(junk: bytes, start: int, length: int) -> None:
    """Whatever is overwritten, cut or put in, nothing but Malformed is raised, and every link has a web address."""
    body = PAGE.encode()
    try:
        page = read(body[:start] + junk + body[start + length :], other_hosts=True)
    except Malformed:
        return
    assert all(item.url.scheme in {"http", "https"} for item in page.items)
