"""GDELT's DOC 2.0 search: the last three months of the world's online news, without a key.

GET …/api/v2/doc/doc?query=&mode=artlist&format=json&maxrecords=250&startdatetime=&enddatetime= after the announcement on
blog.gdeltproject.org (gdelt-doc-2-0-api-debuts) and the client alex9smith/gdelt-doc-api. An answer without `articles` is an
empty one; an error in the query comes as 200 with a line of text; the JSON holds characters that no JSON may, which the
client takes out one by one, and so does this. One request in five seconds; in 2026 the service sheds load and answers 429 for
long. It shows titles only, and every word of a query has to be in the text.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Provider, Wanted
from pipeline.discovery.queries import QUOTED, Query
from pipeline.discovery.rows import candidates
from pipeline.discovery.web import Reply, Web, expect, read_json, rows_of
from pipeline.settings import Settings

NAME = "gdelt-doc"
WHAT = "GDELT's DOC search"
INTERVAL, BUDGET = 6.0, 2_000
MOST_RECORDS = 75
MOST_WORDS = 4
"""Of a query without quotation marks: each of them has to be in the text, and a spinner may have taken one out."""
BEFORE, AFTER = timedelta(days=2), timedelta(days=21)
MOST_REPAIRS = 100
STAMP = "%Y%m%d%H%M%S"
MOST_COMPLAINED = 500
_COMPLAINT = re.compile(r"\s*[A-Z][^<>{}\ufffd]*[a-z]{3}[^<>{}\ufffd]*")


def make(settings: Settings) -> Provider:
    """GDELT's search at `gdelt_doc_url`."""

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        if query.page > 1:
            return ()  # there is one page, of as many records as are asked for
        asked = {"query": _phrased(query), "mode": "artlist", "format": "json", "maxrecords": str(MOST_RECORDS)}
        if wanted.published is not None:
            asked["startdatetime"] = (wanted.published - BEFORE).strftime(STAMP)
            asked["enddatetime"] = min(wanted.published + AFTER, wanted.now).strftime(STAMP)
        reply = expect(await web.get(f"{settings.gdelt_doc_url}?{urlencode(asked)}", keep=settings.discovery_keep), WHAT)
        if _is_complaint(reply):
            return ()
        return candidates(rows_of(_read(reply), "articles", WHAT), query, published=("seendate",), obeys_quotes=True)

    off = None if settings.gdelt_doc_url else "gdelt_doc_url is empty"
    return Provider(NAME, WORDS, ask, INTERVAL, BUDGET, off)


def _phrased(query: Query) -> str:
    """The query in GDELT's grammar; of words without quotation marks the longest few."""
    return query.text if query.kind in QUOTED else " ".join(query.longest(MOST_WORDS))


def _is_complaint(reply: Reply) -> bool:
    """Whether it is a line about the query (too short, too common), which says nothing of the service."""
    return len(reply.body) < MOST_COMPLAINED and _COMPLAINT.fullmatch(reply.body.decode("utf-8", "replace")) is not None


def _read(reply: Reply) -> Any:
    """The JSON, what does not belong into it taken out where it stands."""
    text = reply.body.decode("utf-8-sig", "replace").strip() or "{}"
    for _ in range(MOST_REPAIRS):
        try:
            return json.loads(text, strict=False)
        except json.JSONDecodeError as error:
            if error.pos >= len(text) or "escape" not in error.msg:
                break
            # A backslash before what needs none.
            at = text.rfind("\\", 0, error.pos + 1)
            text = text[:at] + text[at + 1 :]
        except RecursionError:
            break
    return read_json(replace(reply, body=text.encode()), WHAT)
