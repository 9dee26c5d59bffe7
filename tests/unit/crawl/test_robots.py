"""robots.txt, by the rules and examples of RFC 9309."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.robots import LONGEST, Robots
from pipeline.crawl.urls import parse

US = "wirecopy"


def allows(rules: str, path: str, agent: str = US) -> bool:
    return Robots.parse(200, rules).allows(parse("https://example.com" + path), agent)


@pytest.mark.parametrize(
    ("status", "may"),
    [(404, True), (401, True), (403, True), (410, True), (429, True), (301, True), (500, False), (None, False)],
)  # fmt: skip
def test_a_status_decides_where_there_are_no_rules(status: int | None, may: bool) -> None:
    """Unavailable (4xx, redirects without end) allows all, unreachable (5xx, no answer) nothing (2.3.1.3, 2.3.1.4)."""
    robots = Robots.parse(status, b"User-agent: *\nDisallow: /private\nAllow: /\n")
    assert robots.allows(parse("https://example.com/private"), US) is may
    assert robots.allows(parse("https://example.com/robots.txt"), US) is True
    assert robots.text == ""


SIMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("agent", "path", "may"),
    [
        (US, "/example/page.html", False),
        (US, "/picture.gif", False),
        (US, "/picture.gif?x", True),
        (US, "/publications/", True),
        ("foobot", "/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("FooBot", "/example/page.htm", False),
        ("barbot", "/example/page.html", False),
        ("barbot", "/example/other.html", True),
        ("bazbot", "/example/page.html", False),
        ("quxbot", "/example/page.html", True),
    ],
)
def test_the_simple_example(agent: str, path: str, may: bool) -> None:
    """RFC 9309, 5.1."""
    assert allows(SIMPLE, path, agent) is may


def test_the_longest_match_wins() -> None:
    """RFC 9309, 5.2."""
    rules = "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n"
    assert allows(rules, "/example/page/allowed.gif", "foobot")
    assert not allows(rules, "/example/page/disallowed.gif", "foobot")


def test_allow_wins_a_tie() -> None:
    """Of equivalent rules the one that allows is used (2.2.2)."""
    assert allows("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a")


def test_groups_of_one_agent_are_one_group() -> None:
    """Rules of several groups that name the agent count together (2.2.1)."""
    rules = "User-agent: wirecopy\nDisallow: /a\n\nUser-agent: other\nDisallow: /b\n\nuser-agent: WireCopy\nDisallow: /c\n"
    assert [allows(rules, path) for path in ("/a", "/b", "/c")] == [False, True, False]


@pytest.mark.parametrize("name", ["wire", "copy", "wirecopy-images", "w"])
def test_another_product_s_group_is_not_ours(name: str) -> None:
    """The whole product token has to match (2.2.1); a part of it is somebody else."""
    assert allows(f"User-agent: {name}\nDisallow: /\n", "/a")
    assert not allows(f"User-agent: {name}\nAllow: /\n\nUser-agent: *\nDisallow: /\n", "/a")


def test_a_version_after_the_token_does_not_matter() -> None:
    """A line that names the product with a version still names it."""
    assert not allows("User-agent: WireCopy/1.0 # us\nDisallow: /\n", "/a")


@pytest.mark.parametrize(
    ("rule", "path", "may"),
    [
        ("/path/*/end", "/path/x/y/end/more", False),
        ("/path$", "/path", False),
        ("/path$", "/path/x", True),
        ("/*.php", "/a/b.php?x", False),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar", False),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", False),
        ("/foo/bar/%E3%83%84", "/foo/bar/ツ", False),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", False),
        ("", "/a", True),
    ],
)
def test_paths_are_compared_after_encoding(rule: str, path: str, may: bool) -> None:
    """Special characters and percent-encoding (2.2.2, 2.2.3)."""
    assert allows(f"User-agent: *\nDisallow: {rule}\n", path) is may


@pytest.mark.parametrize(
    ("rules", "path", "may"),
    [
        ("user-agent : *\r\ndisallow : /a\r\n", "/a", False),
        ("User-agent: *\rDisallow: /a\r", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a\n", "/a", False),
        ("User-agent: *\nDisallow: /a # of old\n", "/a", False),
        ("User-agent: *\n\n# a remark\n\nDisallow: /a\n", "/a", False),
        ("Disallow: /a\nUser-agent: *\nDisallow: /b\n", "/a", True),
        ("User-agent: *\nDisallow: /A\n", "/a", True),
        ("User-agent: *\nDisallow: a\n", "/a", True),
        ("User-agent: *\nDisallow /a\nDisallow: /b\n", "/b", False),
        ("User-agent: *\nCrawl-delay: 5\nDisallow: /a\n", "/a", False),
        ("User-agent: *\nSitemap: https://example.com/s.xml\nDisallow: /a\n", "/a", False),
        ("User-agent: other\nUser-agent: wirecopy\nDisallow: /a\n", "/a", False),
        ("User-agent: wirecopy\nAllow: /\nUser-agent: *\nDisallow: /a\n", "/a", True),
        ("User-agent: *\nDisallow: /a\nUser-agent: wirecopy\n", "/a", True),
        ("User-agent: other\nDisallow: /\n", "/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /a/b\n", "/a/b/c", True),
        ("User-agent: *\nDisallow: /a*\nAllow: /a/b\n", "/a/b", True),
        ("User-agent: *\nAllow: /a$\nDisallow: /\n", "/a", True),
        ("User-agent: *\nAllow: /a$\nDisallow: /\n", "/ab", False),
        ("User-agent: *\nDisallow: /a%2Fb\n", "/a/b", True),
        ("User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*?\n", "/a?b", False),
        ("<html><body>Not found</body></html>", "/a", True),
    ],
)
def test_lines_and_groups_are_read_as_the_rfc_has_them(rules: str, path: str, may: bool) -> None:
    """Line ends, marks, remarks, rules without a group, case, groups of several agents, what is unknown (2.1, 2.2)."""
    assert allows(rules, path) is may


def test_what_is_past_the_limit_is_not_read() -> None:
    """500 KiB are read (2.5), and a rule that the limit cuts in two is no rule."""
    head = "User-agent: *\nDisallow: /first\n"
    filler = "#" + "x" * 98 + "\n"
    body = head + filler * ((LONGEST - len(head)) // len(filler))
    body += "#" * (LONGEST - len(body) - len("\nDisallow: /")) + "\nDisallow: /last\n"
    robots = Robots.parse(200, body.encode())
    assert len(robots.text.encode()) <= LONGEST
    assert not robots.allows(parse("https://example.com/first"), US)
    assert robots.allows(parse("https://example.com/other"), US)
    assert robots.allows(parse("https://example.com/last"), US)


def test_delay_and_sitemaps_are_read() -> None:
    """Crawl-delay is the agent's own group's; sitemaps belong to nobody's."""
    rules = "Sitemap: https://example.com/a.xml\nUser-agent: wirecopy\nCrawl-delay: 7.5\nUser-agent: *\nCrawl-delay: 99\n"
    robots = Robots.parse(200, "\ufeff" + rules + "sitemap: https://example.com/b.xml\n")
    assert robots.crawl_delay(US) == 7.5
    assert robots.crawl_delay("other") == 99.0
    assert robots.sitemaps == ("https://example.com/a.xml", "https://example.com/b.xml")


@pytest.mark.parametrize("delay", ["-1", "nan", "inf", "soon", ""])
def test_a_delay_that_is_none_is_none(delay: str) -> None:
    """A delay is a number of seconds or it is not there."""
    assert Robots.parse(200, f"User-agent: *\nCrawl-delay: {delay}\n").crawl_delay(US) is None


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: ("User-agent: *\n" + text).encode("utf-8", "replace")))
def test_any_bytes_give_rules_that_survive_storing(body: bytes) -> None:
    """Nothing raises, and status and text, stored and read again, are the same rules; the text holds no NUL."""
    robots = Robots.parse(200, body)
    assert Robots.parse(robots.status, robots.text) == robots
    assert "\0" not in robots.text
    assert robots.allows(parse("https://example.com/a"), US) in {True, False}
