"""Feeds and news sitemaps of chosen sites: their items' headlines are compared with the story's before anything is fetched.

For sites that are not polled as sources: of those every item is fetched anyway. RSS, Atom and sitemaps with the news extension
are read by the crawl's own reader, which is handed in.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind
from pipeline.discovery.ranking import Yardstick
from pipeline.discovery.web import Web, expect
from pipeline.errors import WirecopyError
from pipeline.settings import Settings

NAME = "listings"
INTERVAL, BUDGET = 1.0, 10_000
KEPT = 900.0
ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
LEAST_ALIKE = 0.45
"""Share of two headlines that they have in common, from which an item is a candidate."""
BEFORE, AFTER = timedelta(days=3), timedelta(days=30)

Listed = tuple[str, str | None, datetime | None]
"""An item's URL, headline and date."""
ReadListing = Callable[[bytes, str, str | None, datetime], Sequence[Listed]]
"""The items of a feed or sitemap: body, its URL, its content type, now. Raises Malformed for what is neither."""


def make(settings: Settings, read: ReadListing) -> Provider:
    """The feeds and sitemaps that `discovery_listings` names."""
    urls = settings.discovery_listings.split()

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:  # noqa: ARG001 - headlines are compared
        yardstick = Yardstick(wanted.seed, wanted.rarity)
        found: list[Candidate] = []
        failures: list[WirecopyError] = []
        for url in urls:
            try:
                reply = expect(await web.get(url, accept=ACCEPT, keep=KEPT), url)
                items = read(reply.body, url, reply.headers.get("content-type"), wanted.now)
            except WirecopyError as error:
                failures.append(error)  # one site that is down hides no other
                continue
            for page, title, published in items:
                if title and _in_time(published, wanted) and yardstick.compare_titles(title) >= LEAST_ALIKE:
                    found.append(Candidate(page, f"its headline, in {url}", title, published=published))
        if failures and len(failures) == len(urls):
            raise failures[0]
        return found

    off = None if urls else "set discovery_listings to feeds or news sitemaps"
    return Provider(NAME, frozenset({QueryKind.TEXT}), ask, INTERVAL, BUDGET, off)


def _in_time(published: datetime | None, wanted: Wanted) -> bool:
    if published is None or wanted.published is None:
        return True
    return wanted.published - BEFORE <= published <= wanted.published + AFTER
