"""The demo's web, served: what `wirecopy demo` crawls, and what is true of it, so that the result can be measured.

`serve` answers on loopback addresses, one a paper, with the manners and mishaps of real sites: robots.txt files (one
disallows a path, one answers 500, one asks for a delay), a slow answer, two redirects, an error that heals, a page that is
gone, a page that may not be kept, gzip and an old charset. A host holds few pages, so that a polite crawl stays short.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.demo.article import Article, read_article
from pipeline.demo.copies import COPIES, Copy, Finding, make
from pipeline.demo.server import listening, serving
from pipeline.demo.sites import SITES
from pipeline.demo.strangers import STRANGERS
from pipeline.demo.web import FEED, SITEMAP, Web
from pipeline.philology.recovery import Kind


@dataclass(frozen=True, slots=True)
class DemoCopy:
    """One copy of a story, as its page prints it."""

    url: str
    """Where it stands."""
    listed: str
    """The address that is queued or listed for it: `url`, or one that redirects to it."""
    found: Finding
    kind: Kind
    """What it was made as."""
    made: str
    """What was done to the agency's text, in a line."""
    exemplar: str | None
    """URL of the copy that it was taken from; None for the agency's text."""
    article: Article
    """Its headline, byline, dateline and paragraphs."""


@dataclass(frozen=True, slots=True)
class DemoPage:
    """A page that ends up in no story, and why."""

    url: str
    why: str


@dataclass(frozen=True, slots=True)
class DemoStory:
    """One agency article and the copies that a polite crawl ends up with."""

    name: str
    original: Article
    copies: tuple[DemoCopy, ...]

    @property
    def text(self) -> str:
        """What a recovery of the story should read: headline and paragraphs, blank lines between, without the byline."""
        return self.original.text


@dataclass(frozen=True, slots=True)
class DemoSite:
    """What is served, where to begin, and what ought to come out."""

    urls: tuple[str, ...]
    """To be queued by hand: the copies and strangers that no source lists, and every withheld page."""
    feed_url: str
    """RSS on one host that lists copies on others, and a stranger."""
    sitemap_url: str
    """One paper's sitemap: its own two copies and its own report."""
    stories: tuple[DemoStory, ...]
    strangers: tuple[DemoPage, ...]
    """Pages that are no copies."""
    withheld: tuple[DemoPage, ...]
    """Copies that a polite crawl ends up without."""
    asked: Callable[[], tuple[str, ...]]
    """The URLs asked for so far, in order, repetitions included."""


@contextmanager
def serve(network: str = "127.0.0") -> Iterator[DemoSite]:
    """The demo's web, answering while the block runs: on `network`.2 and up, or on ports of 127.0.0.1 where that fails.

    Raises Unavailable where no loopback address can be listened on.
    """
    with listening(len(SITES), network) as sockets:
        web = Web(tuple(socket.getsockname()[:2] for socket in sockets))
        with serving(sockets, web.answer):
            yield _describe(web)


def _describe(web: Web) -> DemoSite:
    kept = [copy for copy in COPIES if copy.withheld is None]
    withheld = tuple(DemoPage(web.url(copy.site, copy.path), copy.withheld) for copy in COPIES if copy.withheld)
    strangers = {page: DemoPage(web.url(page.site, page.path), page.why) for page in STRANGERS}
    names = dict.fromkeys(copy.article for copy in COPIES)
    stories = tuple(
        DemoStory(name, read_article("articles", name), tuple(_copy(copy, web) for copy in kept if copy.article == name))
        for name in names
    )
    return DemoSite(
        urls=(
            *(copy.listed for story in stories for copy in story.copies if copy.found == Finding.HAND),
            *(described.url for page, described in strangers.items() if page.found == Finding.HAND),
            *(page.url for page in withheld),
        ),
        feed_url=web.url(*FEED),
        sitemap_url=web.url(*SITEMAP),
        stories=stories,
        strangers=tuple(strangers.values()),
        withheld=withheld,
        asked=web.asked,
    )


def _copy(copy: Copy, web: Web) -> DemoCopy:
    url = web.url(copy.site, copy.path)
    exemplar = next((other for other in COPIES if (other.article, other.site) == (copy.article, copy.exemplar)), None)
    return DemoCopy(
        url=url,
        listed=web.url(*copy.listed) if copy.listed else url,
        found=copy.found,
        kind=copy.kind,
        made=copy.made,
        exemplar=web.url(exemplar.site, exemplar.path) if exemplar else None,
        article=make(copy),
    )
