"""Every answer of the demo's web: what stands at which address, and what has been asked for."""

import gzip
from collections import Counter
from string import Template

from pipeline.demo.article import read_article
from pipeline.demo.copies import COPIES, Copy, Finding, make
from pipeline.demo.pages import NOARCHIVE, Link, set_article, set_feed, set_list, set_sitemap, set_video
from pipeline.demo.server import Address, Answer, Request
from pipeline.demo.sites import SITES
from pipeline.demo.strangers import STRANGERS, Form, Stranger

FEED = ("watch", "/feed.xml")
SITEMAP = ("herald", "/sitemap.xml")
PAGES: tuple[Copy | Stranger, ...] = (*COPIES, *STRANGERS)


class Web:
    """The pages of all sites, each site on the address of the same number; lives in the server's thread."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self._bases = {site: f"http://{host}:{port}" for site, (host, port) in zip(SITES, addresses, strict=True)}
        self._sites = dict(zip(addresses, SITES, strict=True))
        self._answers: dict[str, tuple[Answer, ...]] = {}
        self._times: Counter[str] = Counter()
        self._asked: list[str] = []
        for site in SITES:
            self._put_robots(site)
            self._put_page(site, "/", set_list(SITES[site].title, SITES[site], self._bases[site], self._links_of(site)))
        for copy in COPIES:
            self._put_copy(copy)
        for stranger in STRANGERS:
            self._put_stranger(stranger)
        feed = set_feed(SITES[FEED[0]], self._bases[FEED[0]], self._listed_by(Finding.FEED))
        self._put(*FEED, _answer(feed, "application/rss+xml; charset=utf-8"))
        self._put(*SITEMAP, _answer(set_sitemap(self._listed_by(Finding.SITEMAP)), "application/xml"))

    def url(self, site: str, path: str) -> str:
        """The address of a path of a site."""
        return self._bases[site] + path

    def asked(self) -> tuple[str, ...]:
        """The URLs asked for so far, in order, repetitions included; may be called from any thread."""
        return tuple(self._asked)

    def answer(self, request: Request) -> Answer:
        """What the site at the request's address answers now; an unknown path is 404."""
        site = self._sites[request.address]
        url = self.url(site, request.target)
        self._asked.append(url)
        answers = self._answers.get(url)
        if answers is None:
            return _answer(set_list("Page not found", SITES[site], self._bases[site], ()), "text/html", 404)
        answer = answers[min(self._times[url], len(answers) - 1)]
        self._times[url] += 1
        if SITES[site].zipped and answer.status == 200 and "gzip" in request.headers.get("accept-encoding", ""):
            headers = (*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
            return Answer(200, gzip.compress(answer.body, mtime=0), headers, answer.delay)
        return answer

    def _put(self, site: str, path: str, *answers: Answer) -> None:
        """The path answers so the first time, the second …; the last answer holds from then on."""
        self._answers[self.url(site, path)] = answers

    def _put_page(self, site: str, path: str, page: bytes, *, delay: float = 0.0, before: tuple[Answer, ...] = ()) -> None:
        # The old charset is named in the page alone, as on the sites that still use one.
        charset = SITES[site].charset
        kind = f"text/html; charset={charset}" if charset == "utf-8" else "text/html"
        self._put(site, path, *before, _answer(page, kind, delay=delay))

    def _put_robots(self, site: str) -> None:
        robots = SITES[site].robots
        if robots is None:
            self._put(site, "/robots.txt", Answer(500))
        else:
            text = Template(robots).substitute(base=self._bases[site])
            self._put(site, "/robots.txt", _answer(text.encode(), "text/plain; charset=utf-8"))

    def _put_copy(self, copy: Copy) -> None:
        site, base = SITES[copy.site], self._bases[copy.site]
        page = set_article(make(copy), site, base, copy.path, copy.published, NOARCHIVE if copy.noarchive else "")
        before = (Answer(503, headers=(("Retry-After", "1"),)),) if copy.fails_first else ()
        self._put_page(copy.site, copy.path, page, delay=copy.delay, before=before)
        if copy.listed:
            # Within one host the new place is given as a path, from host to host in full.
            target = copy.path if copy.listed[0] == copy.site else self.url(copy.site, copy.path)
            self._put(*copy.listed, Answer(301, headers=(("Location", target),)))

    def _put_stranger(self, stranger: Stranger) -> None:
        site, base = SITES[stranger.site], self._bases[stranger.site]
        match stranger.form:
            case Form.ARTICLE:
                article = read_article("strangers", stranger.text)
                page = set_article(article, site, base, stranger.path, stranger.published)
            case Form.LIST:
                page = set_list(stranger.headline, site, base, self._links_of(stranger.site))
            case Form.VIDEO:
                page = set_video(stranger.headline, site, base)
            case Form.GONE:
                return
        self._put_page(stranger.site, stranger.path, page)

    def _links_of(self, site: str) -> list[Link]:
        """A site's own pages, as its lists name them."""
        return [(self.url(site, page.path), _headline(page), page.published) for page in PAGES if page.site == site]

    def _listed_by(self, source: Finding) -> list[Link]:
        """What a feed or sitemap lists."""
        return [(self.url(page.site, page.path), _headline(page), page.published) for page in PAGES if page.found == source]


def _headline(page: Copy | Stranger) -> str:
    if isinstance(page, Copy):
        return make(page).headline
    return read_article("strangers", page.text).headline if page.form is Form.ARTICLE else page.headline


def _answer(body: bytes, kind: str, status: int = 200, delay: float = 0.0) -> Answer:
    return Answer(status, body, (("Content-Type", kind),), delay)
