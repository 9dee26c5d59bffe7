"""Candidates out of the rows of an answer, the same way for every service that lists pages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.queries import QUOTED, Query
from pipeline.discovery.web import date_of, text_of, url_of


def candidates(
    rows: Iterable[Mapping[str, Any]],
    query: Query,
    *,
    snippet: Sequence[str] = (),
    published: Sequence[str] = (),
    obeys_quotes: bool = False,
) -> list[Candidate]:
    """The pages that rows with `url` and `title` name; rows without a URL of the web are passed over.

    `snippet` and `published` are the keys that may hold these, the best first; `obeys_quotes` says that the service promises
    that a page has the quoted words.
    """
    return [
        Candidate(
            url=url,
            why=query.text,
            title=text_of(row, "title"),
            snippet=text_of(row, *snippet),
            published=date_of(row, *published),
            holds_phrase=obeys_quotes and query.kind in QUOTED,
        )
        for row in rows
        if (url := url_of(row)) is not None
    ]
