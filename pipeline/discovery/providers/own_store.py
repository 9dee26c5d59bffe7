"""Our own store: texts that were fetched already. Free, and always asked first.

Placing has compared every stored text with every other that shares features; what is found here beyond that are texts that
share a passage or the headline and were placed elsewhere, or nowhere.
"""

import asyncio
from collections.abc import Callable, Sequence

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind
from pipeline.discovery.web import Web
from pipeline.settings import Settings

NAME = "own-store"
ANSWERS = frozenset({QueryKind.HEADLINE, QueryKind.QUOTATION, QueryKind.PHRASE})
Read = Callable[[Query], Sequence[Candidate]]
"""The candidates that the store has for a query, in a short transaction of their own."""


def make(settings: Settings, read: Read) -> Provider:  # noqa: ARG001 - every provider is made of the settings
    """Our own store, which costs no request and keeps no books."""

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:  # noqa: ARG001 - an Ask
        return await asyncio.to_thread(read, query) if query.page == 1 else ()

    return Provider(NAME, ANSWERS, ask, interval=0.0)
