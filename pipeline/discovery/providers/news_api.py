"""NewsAPI.org: headlines and beginnings of articles, with a key.

GET …/v2/everything?q=&from=&to=&language=&sortBy=&pageSize=&page=, header X-Api-Key, as newsapi.org/docs/endpoints/everything
and /docs/errors describe it: a query has 500 characters at the most; an error is {"status": "error", "code", "message"}, also
with 200. What lies beyond the plan's last page is `maximumResultsReached`, and no failure.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Provider, Wanted
from pipeline.discovery.queries import Query
from pipeline.discovery.rows import candidates
from pipeline.discovery.web import Web, expect, mapping_of, read_json, rows_of, text_of
from pipeline.errors import Malformed, Refused, Unavailable
from pipeline.settings import Settings

NAME = "news-api"
WHAT = "NewsAPI"
INTERVAL, BUDGET = 1.0, 100
PAGE_SIZE = 50
MOST_CHARACTERS = 500
BEFORE, AFTER = timedelta(days=2), timedelta(days=21)
NO_MORE = frozenset({"maximumResultsReached"})
BUSY = frozenset({"rateLimited", "apiKeyExhausted"})
BUSY_PAUSE = 3_600.0
"""Seconds: its limits are those of half a day."""


def make(settings: Settings) -> Provider:
    """NewsAPI at `news_api_url`, with `news_api_key`."""

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        asked = {"q": query.text[:MOST_CHARACTERS], "sortBy": "relevancy", "pageSize": PAGE_SIZE, "page": query.page}
        if wanted.language:
            asked["language"] = wanted.language
        if wanted.published is not None:
            asked["from"] = (wanted.published - BEFORE).date().isoformat()
            asked["to"] = min(wanted.published + AFTER, wanted.now).date().isoformat()
        headers = {"X-Api-Key": settings.news_api_key}
        reply = await web.get(f"{settings.news_api_url}?{urlencode(asked)}", headers, keep=settings.discovery_keep)
        if not reply.body.lstrip().startswith(b"{"):
            expect(reply, WHAT)
        answer = mapping_of(read_json(reply, WHAT), WHAT)
        code = text_of(answer, "code")
        if answer.get("status") != "ok" and code in NO_MORE:
            return ()
        if answer.get("status") != "ok":
            said = f"{WHAT} says {code}: {text_of(answer, 'message') or 'nothing more'}"
            if code in BUSY or reply.status == 429:
                raise Unavailable(said, reply.retry_after or BUSY_PAUSE)
            if code is not None and code.startswith("apiKey"):
                raise Refused(said)
            expect(reply, said)
            raise Malformed(said)
        return candidates(
            rows_of(answer, "articles", WHAT, least=True), query, snippet=("description", "content"), published=("publishedAt",)
        )

    off = None if settings.news_api_key else "set news_api_key (newsapi.org)"
    return Provider(NAME, WORDS, ask, INTERVAL, BUDGET, off)
