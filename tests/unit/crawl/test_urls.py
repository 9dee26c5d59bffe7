"""URLs: one plain reading or none, and a key that pages' addresses share."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.urls import LONGEST, join, parse, slug_headline
from pipeline.errors import Malformed


@pytest.mark.parametrize(
    ("written", "text", "host"),
    [
        ("https://example.com", "https://example.com/", "example.com"),
        ("  HTTPS://Example.COM/Path \n", "https://example.com/Path", "example.com"),
        ("http://example.com:80/", "http://example.com/", "example.com"),
        ("https://example.com:443/", "https://example.com/", "example.com"),
        ("http://example.com:443/", "http://example.com:443/", "example.com:443"),
        ("http://example.com:/x", "http://example.com/x", "example.com"),
        ("http://example.com:08080/x", "http://example.com:8080/x", "example.com:8080"),
        ("http://example.com./x", "http://example.com/x", "example.com"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a", "xn--bcher-kva.example"),
        ("https://BÜCHER.example/a", "https://xn--bcher-kva.example/a", "xn--bcher-kva.example"),
        ("http://127。0。0。1/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://[2001:DB8::0:1]:8080/", "http://[2001:db8::1]:8080/", "[2001:db8::1]:8080"),
        ("http://[::1]/", "http://[::1]/", "[::1]"),
        ("http://localhost:8000/a?b#c", "http://localhost:8000/a?b", "localhost:8000"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c", "example.com"),
        ("https://example.com/a/%2e%2E/c", "https://example.com/c", "example.com"),
        ("https://example.com/a/..", "https://example.com/", "example.com"),
        ("https://example.com/../../a", "https://example.com/a", "example.com"),
        ("https://example.com/a b", "https://example.com/a%20b", "example.com"),
        ("https://example.com/ü%c3%bc", "https://example.com/%C3%BC%C3%BC", "example.com"),
        ("https://example.com/100%", "https://example.com/100%25", "example.com"),
        ("https://example.com?q=ä&x=[1]", "https://example.com/?q=%C3%A4&x=[1]", "example.com"),
        ("https://example.com/x?", "https://example.com/x", "example.com"),
        ("https://under_score.example.com/", "https://under_score.example.com/", "under_score.example.com"),
    ],
)
def test_a_url_is_normalised(written: str, text: str, host: str) -> None:
    """The fetched form is ASCII, without fragment, default port and dot segments, and keeps the rest as written."""
    url = parse(written)
    assert (url.text, url.host) == (text, host)
    assert url.text == url.origin + url.target


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("example.com/x", "write https://example.com/x"),
        ("//example.com/x", "write https://example.com/x"),
        ("example.com:8080/x", "write https://example.com:8080/x"),
        ("localhost:8080/x", "write https://localhost:8080/x"),
        ("nonsense", "not a URL"),
        ("two words.", "not a URL"),
        ("javascript:alert(1)", "javascript: link"),
        ("mailto:desk@example.com", "mailto: link"),
        ("ftp://example.com/x", "ftp: link"),
        ("file:///etc/passwd", "file: link"),
        ("http:/example.com", "two slashes"),
        ("http:example.com", "two slashes"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://:80/", "no host"),
        ("http://user@example.com/", "user name"),
        ("http://user:secret@example.com/", "user name"),
        ("http://@example.com/", "user name"),
        ("http://example.com@127.0.0.1/", "user name"),
        ("http://example.com\\@127.0.0.1/", "backslash"),
        ("http:\\\\example.com", "backslash"),
        ("http://example.com/a\tb", "control"),
        ("http://example.com/a\nb", "control"),
        ("http://example.com/\x00", "control"),
        ("http://exam\u200bple.com/", "control"),
        ("http://example.com/\u202egnp.exe", "control"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:0/", "port"),
        ("http://example.com:99999999999999999999/", "port"),
        ("http://example.com:8a/", "port"),
        ("http://example.com:٨٠/", "port"),
        ("http://example.com:80:80/", "port"),
        ("http://example.com:25/", "another service"),
        ("http://example.com:6379/", "another service"),
        ("http://2130706433/", "host of numbers"),
        ("http://127.1/", "host of numbers"),
        ("http://0177.0.0.1/", "host of numbers"),
        ("http://0x7f.0.0.1/", "host of numbers"),
        ("http://127.0.0.0x1/", "host of numbers"),
        ("http://256.0.0.1/", "host of numbers"),
        ("http://1.2.3.4.5/", "host of numbers"),
        ("http://[::1/", "bracket"),
        ("http://[::1]x/", "bracket"),
        ("http://[fe80::1%25eth0]/", "IPv6"),
        ("http://[::g]/", "IPv6"),
        ("http://exa mple.com/", "no host name"),
        ("http://exam%70le.com/", "no host name"),
        ("http://.example.com/", "no host name"),
        ("http://a..b/", "no host name"),
        ("http://-a.example/", "no host name"),
        ("http://" + "a" * 64 + ".example/", "no host name"),
        ("http://" + "a." * 130 + "example/", "no host name"),
        ("http://<script>.example/", "no host name"),
        ("http://\u2100.example/", "domain name"),
        ("http://example.com/\ud800", "surrogate"),
        ("http://example.com/" + "a" * LONGEST, "longer than"),
    ],
)
def test_what_is_no_url_is_refused(written: str, complaint: str) -> None:
    """The message says what is wrong, in words that a person can act on."""
    with pytest.raises(Malformed, match=complaint):
        parse(written)


@given(st.text(max_size=60) | st.from_regex(r"(?i)https?://[\w.:@\[\]%/?#\\ -]{0,60}", fullmatch=True))
def test_parsing_never_raises_anything_else_and_twice_is_once(written: str) -> None:
    """Whatever is handed in gives Malformed or a URL that parses to itself, with a host that one reading has."""
    try:
        url = parse(written)
    except Malformed:
        return
    assert parse(url.text) == url
    assert url.text.isascii()
    assert url.text.startswith(url.origin + "/")
    assert len(url.text) <= LONGEST
    assert 1 <= url.port <= 65535
    if url.hostname.replace(".", "").isdigit():
        assert str(ipaddress.IPv4Address(url.hostname)) == url.hostname


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/story", "http://www.example.com/story/"),
        ("https://example.com/story", "https://m.example.com/story#comments"),
        ("https://example.com/story", "https://www.m.example.com/story"),
        ("https://example.com/story", "https://amp.example.com/story?utm_source=x&UTM_Medium=y"),
        ("https://example.com/story", "https://example.com/story/amp/"),
        ("https://example.com/story", "https://example.com/amp/story"),
        ("https://example.com/story.html", "https://example.com/story.amp.html"),
        ("https://example.com/story", "https://example.com//story?fbclid=1&gclid=2&outputType=amp"),
        ("https://example.com/story", "https://example-com.cdn.ampproject.org/c/s/example.com/story"),
        ("https://example.com/story", "https://www.google.com/amp/s/www.example.com/story/amp"),
        ("https://example.com/", "http://example.com:443/index.html"),
        ("https://example.com/?a=1&b=2", "https://example.com/?b=2&a=1"),
        ("https://example.com/%7Edesk/%c3%bc", "https://example.com/~desk/%C3%BC"),
    ],
)
def test_addresses_of_one_page_share_a_key(one: str, other: str) -> None:
    """Scheme, doors (www, m, amp), tracking, slashes, order and spelling do not tell pages apart."""
    assert parse(one).key == parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/story", "https://example.com/story?page=2"),
        ("https://example.com/?p=1", "https://example.com/?p=2"),
        ("https://example.com/?gallery=3", "https://example.com/?gallery=4"),
        ("https://example.com/?cid=1234", "https://example.com/?cid=1235"),
        ("https://example.com/Story", "https://example.com/story"),
        ("https://news.example.com/a", "https://sport.example.com/a"),
        ("http://127.0.0.1:8001/a", "http://127.0.0.1:8002/a"),
        ("https://example.com/a/b", "https://example.com/a%2Fb"),
        ("https://m.com/a", "https://www.com/a"),
        ("https://example.com/camp", "https://example.com/c"),
    ],
)
def test_other_pages_have_another_key(one: str, other: str) -> None:
    """What may be another article stays another: a wrong merge loses a page, a wrong split costs a fetch."""
    assert parse(one).key != parse(other).key


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("/b", "https://example.com/b"),
        ("c?d#e", "https://example.com/a/c?d"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example", "http://other.example/"),
        ("../up", "https://example.com/up"),
        ("", "https://example.com/a/page"),
        (" /spaced ", "https://example.com/spaced"),
    ],
)
def test_a_reference_is_resolved(reference: str, text: str) -> None:
    """A link on a page leads where a browser would go."""
    assert join(parse("https://example.com/a/page"), reference).text == text


@pytest.mark.parametrize(
    "reference", ["javascript:void(0)", "\\\\127.0.0.1\\x", "http://[", "http://user@h.example/", "data:text/html,x"]
)
def test_a_reference_that_leads_nowhere_is_malformed(reference: str) -> None:
    """No reference raises anything but Malformed."""
    with pytest.raises(Malformed):
        join(parse("https://example.com/a/page"), reference)


@pytest.mark.parametrize(
    ("url", "headline"),
    [
        ("https://a.example/articles/so-many-ways-to-play-11574168580", "so many ways to play"),
        ("https://a.example/2019/11/19/opinion/voters-elections-recount.html", "voters elections recount"),
        ("https://a.example/news/5-million-lose-power/", "5 million lose power"),
        ("https://a.example/world/bank_raises_rates_again.cms?x=1", "bank raises rates again"),
        ("https://a.example/minister-quits-over-leak/a-5012345", "minister quits over leak"),
        ("https://a.example/storm-hits-the-coast-1a2b3c4d5e", "storm hits the coast"),
        ("https://a.example/n/премьер-ушел-сам", "премьер ушел сам"),
        ("https://a.example/?p=123", None),
        ("https://a.example/news/world/", None),
        ("https://a.example/2019/11/19/", None),
    ],
)  # fmt: skip
def test_a_slug_keeps_the_headline(url: str, headline: str | None) -> None:
    """The words of the path's richest part, without serial numbers, where there are three or more."""
    assert slug_headline(parse(url)) == headline
