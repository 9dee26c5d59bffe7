"""Brave Search: an index of its own, with a key.

GET …/res/v1/web/search?q=&count=&offset=&search_lang=, header X-Subscription-Token, as
api-dashboard.search.brave.com/api-reference/web/search/get describes it. A query has 400 characters and 50 words at the most,
`offset` counts pages from 0 to 9. Its limits come with every answer (X-RateLimit-Remaining and -Reset, one number a window).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Provider, Wanted
from pipeline.discovery.queries import Query
from pipeline.discovery.rows import candidates
from pipeline.discovery.web import Web, expect, mapping_of, read_json, rows_of, text_of
from pipeline.settings import Settings

NAME = "brave"
WHAT = "Brave Search"
INTERVAL, BUDGET = 1.1, 500
COUNT = 20
LAST_PAGE = 10
MOST_CHARACTERS, MOST_WORDS = 400, 50


def make(settings: Settings) -> Provider:
    """Brave at `brave_url`, with `brave_key`."""

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        if query.page > LAST_PAGE:
            return ()
        text = " ".join(query.text.split()[:MOST_WORDS])
        if len(text) > MOST_CHARACTERS:
            return ()
        asked = {"q": text, "count": COUNT, "offset": query.page - 1, "text_decorations": "false"}
        if wanted.language:
            asked["search_lang"] = wanted.language
        headers = {"X-Subscription-Token": settings.brave_key}
        reply = await web.get(f"{settings.brave_url}?{urlencode(asked)}", headers, keep=settings.discovery_keep)
        if reply.status == 429 and reply.retry_after is None:
            reply = replace(reply, retry_after=_reset(reply.headers))
        answer = mapping_of(read_json(expect(reply, WHAT), WHAT), WHAT)
        # Without a single answer there is no `web`.
        rows = rows_of(answer["web"], "results", WHAT, least=True) if "web" in answer else []
        return candidates([{**row, "shown": _snippet(row)} for row in rows], query, snippet=("shown",), published=("page_age",))

    off = None if settings.brave_key else "set brave_key (api-dashboard.search.brave.com)"
    return Provider(NAME, WORDS, ask, INTERVAL, BUDGET, off)


def _snippet(row: Mapping[str, object]) -> str | None:
    extra = row.get("extra_snippets")
    parts = [
        text_of(row, "description"),
        *(text_of({"part": part}, "part") for part in (extra if isinstance(extra, list) else ())),
    ]
    return " … ".join(part for part in parts if part) or None


def _reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until the first window that is used up is over: "1, 1419704" beside "0, 14999" is one second."""
    left, until = (headers.get(f"x-ratelimit-{name}", "").split(",") for name in ("remaining", "reset"))
    waits = [float(wait) for rest, wait in zip(left, until, strict=False) if rest.strip() == "0" and wait.strip().isdigit()]
    return max(waits, default=None)
