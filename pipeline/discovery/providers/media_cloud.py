"""Media Cloud: the news that its researchers collect, with a key.

GET …/api/search/story-list?q=&start=&end=&platform=&page_size=&pagination_token=, header `Authorization: Token …`, after the
client mediacloud/api-client (api.py): two requests a minute, an error is {"status", "note"}, a 429 may have no body. Queries
are in Lucene's grammar. The next page is asked for by the token of the one before.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Provider, Wanted
from pipeline.discovery.queries import QUOTED, Query
from pipeline.discovery.rows import candidates
from pipeline.discovery.web import Web, expect, mapping_of, read_json, rows_of
from pipeline.settings import Settings

NAME = "media-cloud"
WHAT = "Media Cloud"
INTERVAL, BUDGET = 31.0, 400
PAGE_SIZE = 100
MOST_WORDS = 5
BEFORE, AFTER = timedelta(days=3), timedelta(days=30)


def make(settings: Settings) -> Provider:
    """Media Cloud at `media_cloud_url`, with `media_cloud_key`."""
    base = settings.media_cloud_url.rstrip("/")
    headers = {"Authorization": f"Token {settings.media_cloud_key}"}

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        published = wanted.published or wanted.now
        asked = {
            "q": _phrased(query),
            "start": (published - BEFORE).date().isoformat(),
            "end": min(published + AFTER, wanted.now).date().isoformat(),
            "platform": "onlinenews-mediacloud",
            "page_size": str(PAGE_SIZE),
        }
        rows = []
        for _ in range(query.page):
            # The pages before this one were asked for before it, and are kept.
            reply = await web.get(f"{base}/search/story-list?{urlencode(asked)}", headers, keep=settings.discovery_keep)
            answer = mapping_of(read_json(expect(reply, WHAT), WHAT), WHAT)
            rows = rows_of(answer, "stories", WHAT, least=True)
            token = answer.get("pagination_token")
            if not isinstance(token, str) or not token:
                rows = rows if query.page == 1 or asked.get("pagination_token") else []
                break
            asked["pagination_token"] = token
        return candidates(rows, query, published=("publish_date",), obeys_quotes=True)

    off = None if settings.media_cloud_key else "set media_cloud_key (search.mediacloud.org/account)"
    return Provider(NAME, WORDS, ask, INTERVAL, BUDGET, off)


def _phrased(query: Query) -> str:
    """The query in Lucene's grammar: a phrase, or the longest words, each of which has to be there."""
    return query.text if query.kind in QUOTED else " AND ".join(f'"{word}"' for word in query.longest(MOST_WORDS))
