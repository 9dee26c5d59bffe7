"""The Wayback Machine: the earliest capture of a known URL, what the page said before it was edited or taken down.

GET …/cdx/search/cdx?url=&output=json&filter=statuscode:200&limit=1 after wayback-cdx-server/README.md of the repository
internetarchive/wayback: a list of lists, the first the names of the columns; without a capture an empty list or nothing at
all. The page itself is …/web/<timestamp>id_/<url>, as it came, and is fetched like any other, by that host's robots.txt and
interval. The service's maintainers ask for 30 requests a minute at the most; who goes on after a 429 is shut out for an hour.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind
from pipeline.discovery.web import Web, expect, read_date, read_json
from pipeline.errors import Malformed
from pipeline.settings import Settings

NAME = "wayback"
WHAT = "The Wayback Machine"
INTERVAL, BUDGET = 2.5, 2_000


def make(settings: Settings) -> Provider:
    """The Wayback Machine at `wayback_url`."""
    base = settings.wayback_url.rstrip("/")

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:  # noqa: ARG001 - an Ask
        url = query.words[0]
        asked = {"url": url, "output": "json", "filter": "statuscode:200", "limit": "1", "fl": "timestamp,original"}
        reply = expect(await web.get(f"{base}/cdx/search/cdx?{urlencode(asked)}", keep=settings.discovery_keep), WHAT)
        rows = read_json(reply, WHAT) if reply.body.strip() else []
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise Malformed(f"{WHAT}: a list of lists was expected; the service may have changed.")
        if len(rows) < 2:
            return ()
        names, first = rows[0], rows[1]
        row = dict(zip(map(str, names), map(str, first), strict=False))
        when = read_date(row.get("timestamp", ""))
        if when is None:
            raise Malformed(f"{WHAT}: a capture without a time: {first!r:.200}.")
        replay = f"{base}/web/{row['timestamp']}id_/{row.get('original', url)}"
        return [Candidate(replay, f"what {url} said on {when:%Y-%m-%d %H:%M}", published=when)]

    off = None if base else "wayback_url is empty"
    return Provider(NAME, frozenset({QueryKind.ADDRESS, QueryKind.LOST}), ask, INTERVAL, BUDGET, off)
