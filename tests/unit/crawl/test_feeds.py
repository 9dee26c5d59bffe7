"""Feeds and sitemaps, well-formed and hostile."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl import feeds
from pipeline.crawl.feeds import Item, read, read_feed, read_sitemap
from pipeline.crawl.urls import parse
from pipeline.errors import Malformed

NOW = datetime(2024, 5, 2, tzinfo=UTC)
HERE = parse("https://news.example/feeds/all")
MAY = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)

RSS = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0"><channel><title>Gazette &amp; Herald</title><link>https://news.example/</link>
<item><title>Caf\xe9 closes</title><link>/cafe</link><pubDate>Wed, 01 May 2024 14:00:00 +0200</pubDate></item>
<item><title>Script</title><link>javascript:alert(1)</link></item>
<item><title>No link</title></item>
<item><title>By guid</title><guid isPermaLink="true">https://news.example/guid</guid>
<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate></item>
<item><title>Future</title><link>https://news.example/future</link><pubDate>Mon, 01 May 2090 00:00:00 GMT</pubDate></item>
<item><title>Again</title><link>https://news.example/cafe#top</link></item>
</channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Desk</title>
<entry><title type="html">One &lt;b&gt;bold&lt;/b&gt;</title><link rel="self" href="/self"/><link rel="alternate" href="one"/>
<published>2024-05-01T12:00:00Z</published><updated>2024-05-02T00:00:00Z</updated></entry>
<entry><title>Two</title><link href="https://other.example/two"/><updated>2024-05-01T12:00:00Z</updated></entry></feed>"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>R</title></channel>
<item><title>One</title><link>https://news.example/one</link><dc:date>2024-05-01T12:00:00Z</dc:date></item></rdf:RDF>"""

SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?><!-- made by hand -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><image:image><image:loc>https://news.example/a.jpg</image:loc></image:image><loc> https://news.example/a </loc>
<lastmod>2024-05-02</lastmod><news:news><news:publication><news:name>G</news:name></news:publication>
<news:publication_date>2024-05-01T12:00:00+00:00</news:publication_date><news:title>A &amp; B</news:title></news:news></url>
<url><loc>https://news.example/b</loc><lastmod>1970-01-01</lastmod></url>
<url><loc>mailto:x@news.example</loc></url><url><lastmod>2024-05-01</lastmod></url></urlset>"""

INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://news.example/s1.xml.gz</loc></sitemap><sitemap><loc>/s2.xml</loc></sitemap></sitemapindex>"""

JSON = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/a", "external_url": "https://x.example/"}]}'


def test_rss_is_read() -> None:
    """Its own charset, relative links, links that lead nowhere dropped, absurd dates gone, each URL once."""
    page = read(RSS, HERE, "text/xml", now=NOW)
    assert (page.kind, page.title, page.nested) == ("feed", "Gazette & Herald", ())
    assert page.items == (
        Item(parse("https://news.example/cafe"), "Café closes", MAY),
        Item(parse("https://news.example/guid"), "By guid", None),
        Item(parse("https://news.example/future"), "Future", None),
    )


@pytest.mark.parametrize("body", [RDF, b"\xef\xbb\xbf" + RDF, RDF.decode().encode("utf-16")])
def test_rdf_is_read_in_any_charset(body: bytes) -> None:
    """RSS 1.0, with a byte order mark or in UTF-16."""
    assert read(body, HERE, now=NOW).items == (Item(parse("https://news.example/one"), "One", MAY),)


def test_atom_is_read() -> None:
    """The alternate link and not the feed's own; the date of publication before that of the update."""
    found = read_feed(ATOM, HERE, "application/atom+xml", now=NOW).items
    assert [(item.url.text, item.published) for item in found] == [
        ("https://news.example/feeds/one", MAY),
        ("https://other.example/two", MAY),
    ]


@pytest.mark.parametrize("body", [SITEMAP, gzip.compress(SITEMAP, mtime=0)])
def test_a_sitemap_is_read(body: bytes) -> None:
    """The page's location, not its picture's; the news extension's title and date; gzip by its first bytes."""
    page = read(body, HERE, "application/octet-stream", now=NOW)
    assert page.kind == "sitemap"
    assert page.items == (
        Item(parse("https://news.example/a"), "A & B", MAY),
        Item(parse("https://news.example/b"), None, None),
    )


def test_an_index_names_sitemaps() -> None:
    """They are nested, and no items."""
    page = read_sitemap(INDEX, HERE, now=NOW)
    assert (page.kind, page.items) == ("index", ())
    assert [item.url.text for item in page.nested] == ["https://news.example/s1.xml.gz", "https://news.example/s2.xml"]


def test_a_sitemap_that_breaks_off_gives_what_came() -> None:
    """A file that was cut still names its first pages."""
    cut = SITEMAP[: SITEMAP.index(b"/b</loc>")]
    assert [item.url.text for item in read(cut, HERE, now=NOW).items] == ["https://news.example/a"]


def test_an_empty_feed_is_a_feed() -> None:
    """A site may have nothing to say today."""
    assert read(b"<rss version='2.0'><channel><title>x</title></channel></rss>", HERE, now=NOW).items == ()


def test_no_more_than_the_protocol_s_items_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for a sitemap that has more."""
    monkeypatch.setattr(feeds, "MOST_ITEMS", 10)
    body = b"<urlset>" + b"".join(b"<url><loc>/%d</loc></url>" % n for n in range(50)) + b"</urlset>"
    assert [item.url.target for item in read(body, HERE, now=NOW).items] == [f"/{n}" for n in range(10)]


BOMB = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
) + ']><rss version="2.0"><channel><item><title>&j;</title><link>/x</link></item></channel></rss>'  # fmt: skip
EXTERNAL = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>'


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "no XML"),
        (b"<!DOCTYPE html><html><head><title>x</title></head></html>", "an HTML page"),
        (b"<!-- a --><!-- b --><HTML></HTML>", "an HTML page"),
        (b"{}", "no JSON Feed"),
        (b"%PDF-1.4", "no XML"),
        (b"\0" * 100, "no XML"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no XML that is known"),
        (BOMB.encode(), "entities"),
        (BOMB.encode("utf-16"), "entities"),
        (EXTERNAL.encode(), "entities"),
        (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-rss+AD4-", "no XML"),
        (gzip.compress(b"<urlset>" + b" " * 50_000_001, mtime=0), "inflates to more"),
        (b"<urlset>" + b" " * 50_000_001, "more than"),
        (b"<rss>" + b" " * 10_000_001, "more than"),
        (b"<!-- -->" * 5000, "no XML"),
        (b"<rss><channel><item>" + b"<a>" * 600_000, "times <"),
        (b"<rss><channel><item " + b"a=1 " * 30_000, "a tag of"),
        (b"<rss><channel><item><title>" + b"&" * 2_100_000, "times &"),
        (b"<urlset><url>" + b"<a/>" * 3_100_000, "tags"),
    ],
)
def test_what_is_no_feed_is_malformed(body: bytes, complaint: str) -> None:
    """Pages, bombs, and files without end are refused with a reason, and soon."""
    with pytest.raises(Malformed, match=complaint):
        read(body, HERE, now=NOW)


def test_a_damaged_gzip_is_malformed() -> None:
    """A sitemap that does not inflate says so."""
    with pytest.raises(Malformed):
        read(b"\x1f\x8b" + b"rubbish" * 10, HERE, now=NOW)


def test_each_reader_names_the_other_s_files() -> None:
    """A feed handed in as a sitemap, and the other way round, is told what it is."""
    with pytest.raises(Malformed, match="is a feed"):
        read_sitemap(RSS, HERE, now=NOW)
    with pytest.raises(Malformed, match="is a sitemap"):
        read_feed(INDEX, HERE, now=NOW)


@given(st.sampled_from([RSS, ATOM, RDF, SITEMAP, INDEX, JSON]), st.binary(max_size=20), st.integers(0, 900), st.integers(0, 60))
def test_a_damaged_file_gives_items_or_malformed(body: bytes, junk: bytes, start: int, length: int) -> None:
    """Whatever is overwritten, cut or put in, nothing but Malformed is raised, and every item has a web address."""
    try:
        page = read(body[:start] + junk + body[start + length :], HERE, now=NOW)
    except Malformed:
        return
    assert all(item.url.scheme in {"http", "https"} for item in page.items)


def test_what_a_feed_says_of_itself_is_read() -> None:
    """Its ttl in minutes; its period by its frequency, where both make sense."""
    body = (
        "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>x</title>{}</channel></rss>"
    )
    said = "<ttl>{}</ttl><sy:updatePeriod> {}\n</sy:updatePeriod><sy:updateFrequency>{}</sy:updateFrequency>"

    def times(ttl: str, period: str, frequency: str) -> tuple[float | None, float | None]:
        page = read(body.format(said.format(ttl, period, frequency)).encode(), HERE, now=NOW)
        return page.ttl, page.period

    assert times("60", "hourly", "2") == (3_600.0, 1_800.0)
    assert times(" 5 ", "Daily", "0") == (300.0, 86_400.0)
    assert times("-5", "minutely", "1") == (None, None)
    assert times("0", "always", "x" * 10_000) == (None, None)
    assert times("9" * 5_000, "weekly", "0.1") == (None, 6_048_000.0)


def test_a_feed_of_ten_thousand_items_is_read() -> None:
    """All of them, each once."""
    item = "<item><title>A headline of {0}</title><link>/{0}</link><pubDate>Wed, 01 May 2024 14:00:00 +0200</pubDate></item>"
    body = f"<rss version='2.0'><channel>{''.join(item.format(number) for number in range(10_000))}</channel></rss>"
    assert len({item.url.key for item in read(body.encode(), HERE, now=NOW).items}) == 10_000


def as_json(**feed: object) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Desk", **feed}).encode()


def test_a_json_feed_is_read() -> None:
    """An item's own page and the one elsewhere that it is about, its id where that is an address; dates and titles."""
    items = [
        {"id": "1", "url": "/one", "title": "One", "date_published": "2024-05-01T14:00:00+02:00"},
        {"id": "2", "url": "two", "external_url": "https://other.example/two", "title": " T\nwo "},
        {"id": "https://news.example/three", "date_modified": "2090-01-01T00:00:00Z"},
        {"id": "javascript:alert(1)", "external_url": "javascript:alert(1)"},
        {"id": 5, "url": ["/five"], "title": {"x": 1}},
        "six",
        {"id": "7", "url": "https://news.example/one#again"},
    ]
    page = read(b"\xef\xbb\xbf \n" + as_json(items=items), HERE, "application/feed+json", now=NOW)
    assert (page.kind, page.title) == ("feed", "Desk")
    assert page.items == (
        Item(parse("https://news.example/one"), "One", MAY),
        Item(parse("https://news.example/feeds/two"), "T wo", None),
        Item(parse("https://other.example/two"), "T wo", None),
        Item(parse("https://news.example/three"), None, None),
    )


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": [', "no JSON that can be read"),
        (b'{"a":' * 100_000, "no JSON that can be read"),
        (b'{"items": []}', "no JSON Feed"),
        (as_json(items={"url": "/a"}), "no JSON Feed"),
        (b'{"version": 5, "items": []}', "no JSON Feed"),
        (as_json(items=[], x="x" * 10_000_001), "more than"),
        (b'{"version": ' + b"9" * 5_000 + b"}", "JSON"),
    ],
)
def test_what_is_no_json_feed_is_malformed(body: bytes, complaint: str) -> None:
    """Other JSON, broken, deep and huge, is refused with a reason."""
    with pytest.raises(Malformed, match=complaint):
        read(body, HERE, now=NOW)
