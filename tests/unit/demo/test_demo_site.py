import re
from collections import Counter
from urllib.parse import urlsplit

import feedparser
import httpx
import pytest
import trafilatura
from lxml import etree

from pipeline.demo.copies import Finding
from pipeline.demo.site import DemoSite, serve

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def site():
    with serve() as served:
        yield served


@pytest.fixture
def client():
    with httpx.Client(trust_env=False, timeout=20) as opened:
        yield opened


def copies(site: DemoSite):
    return [copy for story in site.stories for copy in story.copies]


def the(site: DemoSite, story: str, made: str):
    return next(copy for each in site.stories if each.name == story for copy in each.copies if copy.made.startswith(made))


def tokens(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+|[^\w\s]", text))


def fetch(client: httpx.Client, url: str) -> httpx.Response:
    """The answer behind redirects and behind an error that heals."""
    answer = client.get(url, follow_redirects=True)
    return client.get(url) if answer.status_code == 503 else answer


def test_every_copy_reads_as_declared(site, client):
    """Where a copy is listed its page answers; plain extraction gives back 95 % or more of what the copy is declared to say."""
    for copy in copies(site):
        answer = fetch(client, copy.listed)
        assert (answer.status_code, str(answer.url)) == (200, copy.url)
        declared = tokens("\n".join(copy.article.body))
        lost = declared - tokens(trafilatura.extract(answer.content) or "")
        assert lost.total() <= 0.05 * declared.total(), copy.url


def test_pages_wear_their_sites_furniture(site, client):
    """Menus, cookie lines, promotion lines and footers stand around the text of most copies."""
    pages = [fetch(client, copy.url).text for copy in copies(site)]
    assert sum("cookie" in page.lower() for page in pages) >= 10
    assert sum('class="promo"' in page for page in pages) >= 10
    assert sum("comment" in page for page in pages) >= 4
    assert sum("application/ld+json" in page for page in pages) >= 6
    assert sum(not re.search(r"<meta|<time|ld\+json", page, re.IGNORECASE) for page in pages) == 2


def test_strangers_answer_as_declared(site, client):
    """Every stranger answers 200 but for the one that says 404; the video page has next to no text."""
    statuses = {page.why: client.get(page.url).status_code for page in site.strangers}
    assert {why for why, status in statuses.items() if status != 200} == {"answers 404"}
    assert statuses["answers 404"] == 404
    thin = next(page for page in site.strangers if "almost no text" in page.why)
    assert len(trafilatura.extract(client.get(thin.url).content) or "") < 200


def test_everything_is_found_in_one_way(site, client):
    """By hand, by the feed or by the sitemap: each copy and stranger once, and every story by more than one of them."""
    feed = feedparser.parse(client.get(site.feed_url).content)
    assert not feed.bozo
    fed = [entry.link for entry in feed.entries]
    tree = etree.fromstring(client.get(site.sitemap_url).content)
    mapped = [place.text for place in tree.iter(f"{SITEMAP}loc")]
    assert {urlsplit(url).netloc for url in mapped} == {urlsplit(site.sitemap_url).netloc}
    found = [*site.urls, *fed, *mapped]
    assert len(set(found)) == len(found)
    pages = [*(copy.listed for copy in copies(site)), *(page.url for page in (*site.strangers, *site.withheld))]
    assert sorted(found) == sorted(pages)
    by_way = {Finding.HAND: site.urls, Finding.FEED: fed, Finding.SITEMAP: mapped}
    assert all(copy.listed in by_way[copy.found] for copy in copies(site))
    assert all({copy.found for copy in story.copies} == set(Finding) for story in site.stories)


def test_the_home_page_of_every_host_lists_its_own_pages(site, client):
    """A host is there without a path, and its links are its own."""
    for host in {urlsplit(copy.url).netloc for copy in copies(site)}:
        page = client.get(f"http://{host}/")
        assert page.status_code == 200
        assert {urlsplit(url).netloc for url in re.findall(r'href="([^"]+)"', page.text)} == {host}


def test_robots_files_have_their_say(site, client):
    """Every host answers for robots.txt: one 500, one disallows a copy, one asks for a delay, one names the sitemap."""
    hosts = {urlsplit(url).netloc for url in (*site.urls, site.feed_url, site.sitemap_url)}
    hosts |= {urlsplit(copy.url).netloc for copy in copies(site)}
    robots = {host: client.get(f"http://{host}/robots.txt") for host in hosts}
    refusing = [host for host, answer in robots.items() if answer.status_code == 500]
    assert sorted(answer.status_code for answer in robots.values()) == [200] * (len(hosts) - 1) + [500]
    withheld = {page.why: urlsplit(page.url) for page in site.withheld}
    assert [withheld["robots.txt answers 500, so nothing may be fetched"].netloc] == refusing
    disallowed = withheld["robots.txt disallows /print/"]
    assert "Disallow: /print/" in robots[disallowed.netloc].text
    assert disallowed.path.startswith("/print/")
    assert sum("Crawl-delay: 0.5" in answer.text for answer in robots.values()) == 1
    assert f"Sitemap: {site.sitemap_url}\n" in robots[urlsplit(site.sitemap_url).netloc].text


def test_withheld_copies_stand_where_nobody_may_take_them(site, client):
    """They do answer, with the agency's wording: what keeps them out is the rule, and one page says noarchive."""
    pages = {page.why: client.get(page.url) for page in site.withheld}
    assert {answer.status_code for answer in pages.values()} == {200}
    marked = [why for why, answer in pages.items() if '<meta name="robots" content="noarchive">' in answer.text]
    assert marked == ["the page is marked noarchive"]


def test_old_addresses_redirect(site, client):
    """One redirect leads to another path of its host, one to another host."""
    moved = [copy for copy in copies(site) if copy.listed != copy.url]
    locations = {copy.url: client.get(copy.listed) for copy in moved}
    assert {answer.status_code for answer in locations.values()} == {301}
    assert sorted(urlsplit(copy.listed).netloc == urlsplit(copy.url).netloc for copy in moved) == [False, True]
    for url, answer in locations.items():
        assert str(answer.url.join(answer.headers["Location"])) == url


def test_an_error_heals(client):
    """The page of one copy answers 503 with Retry-After: 1 once, and 200 from then on."""
    with serve() as site:
        copy = the(site, "dam", "spun, quotations left alone")
        first, second, third = (client.get(copy.url) for _ in range(3))
        assert (first.status_code, first.headers["Retry-After"]) == (503, "1")
        assert (second.status_code, third.status_code) == (200, 200)
        assert site.asked() == (copy.url,) * 3


def test_a_zipped_page_says_so(site, client):
    """It goes out gzipped to who accepts that and plain to who does not, with the same text."""
    url = the(site, "dam", "the last third is missing").url
    zipped = client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert (zipped.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert zipped.content == plain.content


def test_an_old_charset_is_named_in_the_page_alone(site, client):
    """The windows-1252 page is no UTF-8, its header names no charset, and it reads back."""
    answer = client.get(the(site, "strike", "typographic quotation marks, dash").url)
    assert answer.headers["Content-Type"] == "text/html"
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    assert "charset=windows-1252" in answer.text
    assert "“Nobody wins a strike like this one" in answer.content.decode("windows-1252")


def test_an_unknown_path_is_404(site, client):
    """What was never there says so, in HTML."""
    answer = client.get(site.feed_url.replace("feed.xml", "nothing-here"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")


def test_what_is_true_of_a_story_is_told(site):
    """The text to recover is headline and paragraphs; the copy of a spun copy names its exemplar's address."""
    assert [story.name for story in site.stories] == ["strike", "dam"]
    for story in site.stories:
        headline, first, *rest = story.text.split("\n\n")
        assert headline == story.original.headline
        assert first.startswith(f"{story.original.dateline}{story.original.paragraphs[0][:20]}")
        assert tuple(rest) == story.original.paragraphs[1:]
        urls = [copy.url for copy in story.copies]
        assert [copy.exemplar in urls for copy in story.copies if copy.exemplar] == [True]


def test_the_same_web_stands_on_ports_of_one_address(client):
    """Where loopback is 127.0.0.1 alone, hosts differ by port and every copy is there."""
    # 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    with serve(network="192.0.2") as site:
        places = {urlsplit(copy.url).netloc for copy in copies(site)}
        assert {place.partition(":")[0] for place in places} == {"127.0.0.1"}
        assert len(places) == 11
        moved = next(copy for copy in copies(site) if urlsplit(copy.listed).netloc != urlsplit(copy.url).netloc)
        assert str(client.get(moved.listed, follow_redirects=True).url) == moved.url
