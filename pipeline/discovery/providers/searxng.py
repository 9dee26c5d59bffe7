"""SearXNG: a metasearch engine of one's own, which asks the great ones.

GET /search?q=&format=json&pageno= as docs.searxng.org/dev/search_api describes it; the fields of a result are those of
searx/webutils.py. JSON is off by default there (`search.formats` in its settings.yml), and then it answers 403. Quotation marks
go through to every engine; which of them obeyed is not said, so no result is taken to hold the phrase.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Provider, Wanted
from pipeline.discovery.queries import Query
from pipeline.discovery.rows import candidates
from pipeline.discovery.web import Web, expect, read_json, rows_of
from pipeline.errors import Malformed, Refused
from pipeline.settings import Settings

NAME = "searxng"
BUDGET = 5_000


def make(settings: Settings) -> Provider:
    """SearXNG at `searxng_url`."""
    base = settings.searxng_url.rstrip("/")

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        asked = {"q": query.text, "format": "json", "categories": "general,news", "pageno": query.page, "safesearch": 0}
        if wanted.language:
            asked["language"] = wanted.language
        reply = await web.get(f"{base}/search?{urlencode(asked)}", keep=settings.discovery_keep)
        if reply.status == 403:
            raise Refused("SearXNG answers 403: add json to search.formats in its settings.yml.")
        answer = read_json(expect(reply, "SearXNG"), "SearXNG")
        rows = rows_of(answer, "results", "SearXNG", least=True)
        broken = answer.get("unresponsive_engines")
        if not rows and query.page == 1 and isinstance(broken, list) and broken:
            said = "; ".join(" ".join(map(str, engine)) if isinstance(engine, list) else str(engine) for engine in broken[:5])
            raise Malformed(f"None of SearXNG's engines answers: {said}.")
        return candidates(rows, query, snippet=("content",), published=("publishedDate",))

    off = None if base else "set searxng_url to an instance of your own with JSON switched on"
    return Provider(NAME, WORDS, ask, settings.searxng_interval, BUDGET, off, private=settings.searxng_private)
