"""The web as discovery's providers reach it: through the crawl's fetcher, with its address checks and limits.

Redirects are followed inside one request, three at the most, and never to another host while a key is carried.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pipeline.crawl import politeness
from pipeline.crawl.answers import Answer, Failure
from pipeline.crawl.fetcher import Fetcher, FetchOptions
from pipeline.crawl.urls import parse
from pipeline.discovery.provider import Provider
from pipeline.discovery.web import JSON, Reply, Take, Web
from pipeline.errors import Malformed, Misuse, Unavailable
from pipeline.settings import Settings
from pipeline.stages.fetching import fetch_options

MOST_HOPS = 3
# A file that is read as it comes may be this long, on the wire and inflated, and take this long.
LONGEST_FILE, LONGEST_INFLATED, FILE_TIMEOUT = 400_000_000, 4_000_000_000, 600.0
ANY = "*/*"


class FetchedWeb:
    """A provider's web: `pages` asks for what is kept whole, `files` for what is read as it comes."""

    def __init__(self, pages: Fetcher, files: Fetcher) -> None:
        self._pages, self._files = pages, files

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        accept: str = JSON,
        keep: float = 0.0,  # noqa: ARG002 - answers are kept by whoever books the requests
    ) -> Reply:
        """The answer to a GET. Raises Unavailable where there is none."""
        return await _ask(self._pages, url, headers or {}, accept, None)

    async def pour(self, url: str, take: Take) -> Reply:
        """The answer without its body, which `take` gets piece by piece. Raises Unavailable where there is none."""
        return await _ask(self._files, url, {}, ANY, take)


async def _ask(fetcher: Fetcher, given: str, headers: Mapping[str, str], accept: str, take: Take | None) -> Reply:
    try:
        url = parse(given)
    except Malformed as error:
        raise Misuse(f"A provider's address cannot be asked: {error}") from error
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise Misuse("A provider's key holds characters that no header may: look at the settings of its key.")
    for _ in range(MOST_HOPS + 1):
        result = await fetcher.fetch(url, None, accept, headers, take)
        if isinstance(result, Failure):
            raise Unavailable(f"{url.host} does not answer ({result.kind}: {result.message})")
        if result.location is None:
            return _reply(result)
        if headers and result.location.host != url.host:
            raise Unavailable(f"{url.host} redirects to {result.location.host}, which gets no key of ours")
        url = result.location
    raise Unavailable(f"{url.host} redirects more than {MOST_HOPS} times")


def _reply(answer: Answer) -> Reply:
    first = dict(reversed(answer.headers))
    pause = politeness.retry_after(answer.headers, datetime.now(UTC))
    return Reply(answer.status, first, answer.body, answer.truncated, pause)


class Reach:
    """The fetchers of a discovery, for one event loop: `async with Reach(settings) as reach`.

    A provider in a private network that the operator named has fetchers of its own: to no other are such addresses open.
    """

    def __init__(self, settings: Settings) -> None:
        self._options = replace(fetch_options(settings), max_connections=16, kept_connections=16)
        self._open: dict[tuple[bool, bool], Fetcher] = {}

    async def __aenter__(self) -> Self:
        """The reach with its fetchers; those for private networks are connected to nothing until they are asked."""
        for private in (False, True):
            for whole in (True, False):
                fetcher = Fetcher(self._options_for(private=private, whole=whole))
                self._open[private, whole] = await fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes every connection."""
        for fetcher in self._open.values():
            await fetcher.__aexit__(None, None, None)
        self._open.clear()

    def web_of(self, provider: Provider) -> Web:
        """The web as this provider may reach it."""
        return FetchedWeb(self._open[provider.private, True], self._open[provider.private, False])

    def _options_for(self, *, private: bool, whole: bool) -> FetchOptions:
        options = self._options
        if private:
            options = replace(options, allow_private_addresses=True, proxy=None)
        if not whole:
            options = replace(options, max_bytes=LONGEST_INFLATED, max_wire_bytes=LONGEST_FILE, total_timeout=FILE_TIMEOUT)
        return options
