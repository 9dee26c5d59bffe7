"""Pages: their article, what they say about themselves, and what is no article."""

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.charset import decode
from pipeline.crawl.extraction import LONGEST, MOST_ELEMENTS, read_page
from pipeline.crawl.metadata import read_date
from pipeline.crawl.pages import Origin, Page

SENTENCES = tuple(
    f"The minister said on Monday that {thing} would be sent to the coast before the winter storms began, and that no "
    f"village there would have to wait for {thing} any longer than a week." for thing in ("food", "fuel", "tents", "doctors")
)  # fmt: skip
BODY = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
URL = "https://news.example/2024/05/01/minister-sends-food"


def page(body: str = BODY, head: str = "<title>Minister sends food to the coast</title>") -> bytes:
    return f"<!DOCTYPE html><html lang=en><head>{head}</head><body><nav><a href=/>Home</a></nav><article>{body}</article></body></html>".encode()  # fmt: skip


def test_an_article_is_read() -> None:
    """Paragraphs as printed, without the menu, and the fields that JSON-LD gives."""
    head = """<title>Minister sends food | The Gazette</title><link rel=canonical href="/food?x=1#top">
    <script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"Person","@id":"#jd",
    "name":"Jane Doe"},{"@type":"NewsArticle","headline":"Minister sends food &amp; fuel","dateline":"PORT ELLIS",
    "author":[{"@id":"#jd"},{"name":"By John Roe"},"desk@news.example"],"datePublished":"2024-05-01T14:00:00+02:00"}]};
    </script>"""
    found = read_page(page(head=head), URL)
    assert found == Page(
        SENTENCES,
        title="Minister sends food & fuel",
        byline="Jane Doe, John Roe",
        dateline="PORT ELLIS",
        published=datetime(2024, 5, 1, 12, 0, tzinfo=UTC),
        language="en",
        canonical="https://news.example/food?x=1",
        origins=(Origin("canonical", "https://news.example/food?x=1"),),
    )


def test_meta_tags_stand_in_for_json_ld() -> None:
    """A script that cannot be parsed costs nothing: title, author and date come from the tags."""
    head = """<script type="application/ld+json">{"headline": broken</script><meta property="og:title"
    content="Minister sends food | The Gazette"><meta property="og:site_name" content="The Gazette">
    <meta name=author content="Jane Doe"><meta property="article:published_time" content="2024-05-01T12:00:00Z">"""
    found = read_page(page(head=head), URL)
    assert (found.title, found.byline) == ("Minister sends food", "Jane Doe")
    assert found.published == datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def test_a_date_past_the_answer_s_own_is_not_believed() -> None:
    """The Date header bounds what the page says; the next statement is tried."""
    head = """<title>x</title><meta property="article:published_time" content="2090-01-01T00:00:00Z">
    <meta name=pubdate content="2024-05-01T12:00:00Z">"""
    found = read_page(page(head=head), URL, [("Date", "Thu, 02 May 2024 00:00:00 GMT")])
    assert found.published == datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opening", "dateline"),
    [
        ("PORT ELLIS (Reuters) - ", "PORT ELLIS (Reuters)"),
        ("PORT ELLIS, May 1 (AFP) — ", "PORT ELLIS, May 1 (AFP)"),
        ("Port Ellis (AP) – ", "Port Ellis (AP)"),
        ("The minister – who is new – said: ", None),
        ("", None),
    ],
)
def test_a_dateline_is_found_and_stays(opening: str, dateline: str | None) -> None:
    """It is named, and not taken out of the paragraph that it opens."""
    found = read_page(page(f"<p>{opening}{SENTENCES[0]}</p>" + BODY))
    assert found.dateline == dateline
    assert found.paragraphs[0] == opening + SENTENCES[0]


def test_the_headline_is_not_the_body() -> None:
    """A heading that repeats the title is no paragraph."""
    assert read_page(page(f"<h1>Minister sends food to the coast</h1>{BODY}")).paragraphs == SENTENCES


@pytest.mark.parametrize(
    ("head", "headers", "asked"),
    [
        ("", [], False),
        ("<meta name=robots content='index, follow'>", [], False),
        ("<meta name=robots content='index, NoArchive'>", [], True),
        ("<meta name=ROBOTS content=none>", [], True),
        ("<meta name=wirecopy content=noarchive>", [], True),
        ("<meta name=otherbot content=noarchive>", [], False),
        ("", [("X-Robots-Tag", "noindex, noarchive")], True),
        ("", [("x-robots-tag", "none")], True),
        ("", [("X-Robots-Tag", "wirecopy: nofollow, noarchive")], True),
        ("", [("X-Robots-Tag", "otherbot: noarchive")], False),
        ("", [("X-Robots-Tag", "otherbot: nofollow, noarchive")], False),
        ("", [("X-Robots-Tag", "otherbot: noindex"), ("X-Robots-Tag", "noarchive")], True),
        ("", [("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST, noarchive")], True),
        ("", [("X-Robots-Tag", "noarchiveless")], False),
    ],
)
def test_noarchive_is_heard(head: str, headers: list[tuple[str, str]], asked: bool) -> None:
    """In the page and in the headers, to all and to us, and not where it speaks to somebody else."""
    assert read_page(page(head=head), URL, headers).noarchive is asked


def test_noarchive_is_heard_where_there_is_no_article() -> None:
    """A document that is not read may still ask not to be kept."""
    assert read_page(b"%PDF-1.7", URL, [("X-Robots-Tag", "noarchive")]).noarchive is True


@pytest.mark.parametrize(
    ("body", "media", "why"),
    [
        (b"", None, "empty"),
        (b" \n", None, "empty"),
        (b"%PDF-1.7 ...", "text/html", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "text/html", "PNG"),
        (b"\xff\xd8\xff\xe0", "text/html", "JPEG"),
        (b"PK\x03\x04", "text/html", "ZIP"),
        (b"\x00\x01\x02\x03" * 50, "video/mp4", "video/mp4"),
        (b'{"a": 1}', "application/json", "JSON"),
        (b"<?xml version='1.0'?><!-- x --><rss version='2.0'><channel/></rss>", "text/xml", "feed"),
        (b"\x00" * 500, "text/html", "no "),
        (b"<html><body><script>x()</script></body></html>", "text/html", "no text"),
        (b"<html><body><p>Not found.</p></body></html>", "text/html", "too few"),
        (b"<p>" + b"word " * (LONGEST // 5 + 1) + b"</p>", "text/html", "characters of text"),
        (b"<p>" + b"<i></i>" * MOST_ELEMENTS + BODY.encode(), "text/html", "elements"),
        (b"<table><tr><td>" * 50_000 + BODY.encode(), "text/html", "levels deep"),
    ],
)
def test_what_is_no_article_says_so(body: bytes, media: str | None, why: str) -> None:
    """A reason, and no paragraphs."""
    found = read_page(body, URL, [("Content-Type", media)] if media else [])
    assert found.paragraphs == ()
    assert why in str(found.why)
    assert str(found.why).startswith(("type: ", "size: ") if found.refused else "not an article: ")
    assert found.refused is (
        why in {"PDF", "PNG", "JPEG", "ZIP", "video/mp4", "JSON", "characters of text", "elements", "levels deep"}
    )


@pytest.mark.parametrize(
    "body",
    [
        page("<div>" * 300 + BODY + "</div>" * 300),
        page("<div>" * 1000 + BODY + "</div>" * 1000),
        page("<span>" * 1000 + BODY),
        page(f"<div {' '.join(f'a{n}=x' for n in range(100_000))}>{BODY}</div>"),
        page(head='<script type="application/ld+json">{' + '"author":1,' * 19_500 + "</script>"),
        page(head='<script type="application/ld+json">' + "[" * 100_000 + "</script>"),
        page(head='<script type="application/ld+json">' + " " * 900_000 + "{</script>"),
        page(head="<title>" + "x - " * 20_000 + "</title>"),
        page().decode().encode("utf-16"),
        page().decode().encode("utf-16-le"),
        page().replace(b"minister", b"min\0ister"),
        b"<!DOCTYPE html [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>" + page().removeprefix(b"<!DOCTYPE html>"),
        page("<table><tr><td>" * 100 + BODY),
    ],
)  # fmt: skip
def test_a_page_made_to_harm_still_gives_its_text(body: bytes) -> None:
    """Depth, attributes, JSON-LD that cannot be parsed, NULs and UTF-16 cost neither the text nor the time."""
    text = " ".join(read_page(body, URL).paragraphs)
    assert all(sentence in text for sentence in SENTENCES[1:])


def test_comments_without_end_and_tags_without_end_are_read_through() -> None:
    """What pattern matching could take for ever on is over soon."""
    assert read_page(b"<!-- -->" * 20_000).paragraphs == ()
    assert read_page(b"<" + b"a" * 300_000).paragraphs == ()


@pytest.mark.parametrize(
    ("encoded", "media"),
    [
        ("Café déjà vu".encode(), None),
        ("Café déjà vu".encode(), "text/html; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + "Café déjà vu".encode(), "text/html; charset=iso-8859-1"),
        ("Café déjà vu".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (b"<meta charset=latin1>" + "Café déjà vu".encode("latin-1"), "text/html"),
        (b"<meta charset=utf-8>" + "Café déjà vu".encode("latin-1"), "text/html; charset=windows-1252"),
        ("Café déjà vu".encode("utf-16"), "text/html"),
        ("<p>Café déjà vu</p>".encode("utf-16-be"), None),
        ("Café déjà vu".encode("latin-1"), "text/html; charset=punycode"),
        ("Café déjà vu".encode("latin-1"), "text/html; charset=no-such"),
    ],
)
def test_a_charset_is_found(encoded: bytes, media: str | None) -> None:
    """By mark, by proof, by header, by declaration, by detection, whatever the server claims."""
    assert "Caf\u00e9" in decode(encoded, media)


CZECH = "Příliš žluťoučký kůň"
RUSSIAN = "Агентство сообщает, что переговоры продолжатся на следующей неделе. " * 5


@pytest.mark.parametrize(
    ("encoded", "media", "text"),
    [
        pytest.param(codecs.BOM_UTF16_LE + CZECH.encode("utf-16-le"), "text/html; charset=utf-8", CZECH, id="mark, header"),
        pytest.param(codecs.BOM_UTF8 + CZECH.encode(), "text/html; charset=windows-1250", CZECH, id="mark of UTF-8, header"),
        pytest.param(CZECH.encode(), "text/html; charset=windows-1250", CZECH, id="proof, header"),
        pytest.param(
            b"<meta charset=windows-1252>" + CZECH.encode("cp1250"), "text/html; charset=windows-1250", CZECH, id="header, meta"
        ),
        pytest.param(b"<meta charset=windows-1250>" + CZECH.encode("cp1250"), "text/html", CZECH, id="meta, detection"),
        pytest.param(RUSSIAN.encode("cp1251"), "text/html", RUSSIAN, id="detection"),
    ],
)
def test_each_sign_of_a_charset_goes_before_the_next(encoded: bytes, media: str, text: str) -> None:
    """Where two signs tell different charsets, the text is that of the first in the order."""
    assert decode(encoded, media).endswith(text)


def test_a_page_cut_inside_a_character_is_still_utf_8() -> None:
    """The half character at its end is dropped."""
    assert decode("Café déjà".encode()[:-1]) == "Café déj"


def test_japanese_is_read_by_its_declaration() -> None:
    """Shift JIS, EUC and the seven-bit ISO-2022-JP, which looks like ASCII."""
    text = "東京の天気は晴れです。"
    for charset in ("shift_jis", "euc-jp", "iso-2022-jp"):
        assert decode(text.encode(charset), f"text/html; charset={charset}") == text


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T12:00:00+0200", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 12:00:00 +02:00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("Wed, 01 May 2024 12:00:00 GMT", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_read(text: str, when: datetime | None) -> None:
    """ISO 8601 and RFC 5322, as UTC."""
    assert read_date(text) == when


def test_plain_text_is_split_at_blank_lines() -> None:
    """A text file has no markup to read."""
    body = "\r\n\r\n".join(SENTENCES).encode()
    assert read_page(body, URL, [("Content-Type", "text/plain; charset=utf-8")]).paragraphs == SENTENCES


@given(st.binary(max_size=300), st.integers(0, 900), st.integers(0, 300), st.text(max_size=20))
def test_any_bytes_give_a_page(junk: bytes, start: int, length: int, header: str) -> None:
    """Nothing raises, a page without paragraphs says why, and it survives being sent as JSON."""
    whole = page()
    found = read_page(whole[:start] + junk + whole[start + length :], URL, [("content-type", header), ("date", header)])
    assert bool(found.paragraphs) is (found.why is None)
    assert Page.from_json(found.to_json()) == found
