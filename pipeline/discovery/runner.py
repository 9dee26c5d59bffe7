"""Asks the providers: which query comes next, who may be asked now, and what came of it.

A provider is let alone while its interval, its budget or its circuit breaker says so, and none of its failures is the
discovery's: what it did not answer is reported, and asked again later.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Protocol

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import QUOTED, Asked, Query, QueryKind, choose, list_queries
from pipeline.discovery.ranking import LIKELY, Likeness, Yardstick, weigh
from pipeline.discovery.web import JSON, Reply, Take, Web
from pipeline.errors import Unavailable, WirecopyError

KNOWN = (QueryKind.ADDRESS, QueryKind.LOST)
ONCE = (QueryKind.TEXT, *KNOWN)
MOST_ADDRESSES = 20
MOST_SAID = 500


class Resting(Unavailable):
    """A provider that may not be asked now: nothing has failed."""


class Desk(Protocol):
    """The providers' books, shared by all processes."""

    def take(self, provider: Provider) -> float:
        """Seconds to wait before the request that is hereby booked. Raises Resting where none may be made soon."""

    def succeeded(self, provider: Provider) -> None:
        """Note an answer that could be used: the breaker closes."""

    def failed(self, provider: Provider, why: str, retry_after: float | None) -> None:
        """Note a failure; several in a row open the breaker."""

    def recall(self, provider: Provider, key: str) -> bytes | None:
        """A kept answer, while it is fresh."""

    def remember(self, provider: Provider, key: str, body: bytes, seconds: float) -> None:
        """Keep an answer."""


@dataclass(frozen=True, slots=True)
class Find:
    """A candidate, who named it for which query, and how much it looks like a copy by all that was shown of it."""

    candidate: Candidate
    key: str
    """What URLs of the same page have in common."""
    provider: str
    query: Query
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Report:
    """What one query brought, for the record."""

    query: Query
    hits: int
    likely: int
    new: int
    silent: tuple[str, ...]
    """Providers that did not answer it."""


@dataclass
class Findings:
    """What a discovery found."""

    finds: list[Find] = field(default_factory=list)
    """Of each page the find that looks most like a copy, in the order in which they came."""
    reports: list[Report] = field(default_factory=list)
    missed: dict[str, str] = field(default_factory=dict)
    """Provider → why it did not answer, the last time that it did not."""
    again_in: float | None = None
    """Seconds until the first of those that only rest may be asked again; None where nobody was missed for that."""


class Metered:
    """The web as one provider may use it: each request booked, answers kept."""

    def __init__(self, web: Web, desk: Desk, provider: Provider) -> None:
        self._web, self._desk, self._provider = web, desk, provider
        self.requests = 0

    async def get(self, url: str, headers: Mapping[str, str] | None = None, *, accept: str = JSON, keep: float = 0.0) -> Reply:
        """As `Web.get`."""
        key = sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        if keep:
            kept = await asyncio.to_thread(self._desk.recall, self._provider, key)
            if kept is not None:
                return Reply(200, {}, kept)
        await self._book()
        reply = await self._web.get(url, headers, accept=accept)
        if keep and reply.status == 200 and not reply.truncated:
            await asyncio.to_thread(self._desk.remember, self._provider, key, reply.body, keep)
        return reply

    async def pour(self, url: str, take: Take) -> Reply:
        """As `Web.pour`."""
        await self._book()
        return await self._web.pour(url, take)

    async def _book(self) -> None:
        wait = await asyncio.to_thread(self._desk.take, self._provider)
        self.requests += 1
        await asyncio.sleep(wait)


class Search:
    """One discovery under way."""

    def __init__(
        self,
        wanted: Wanted,
        providers: Sequence[Provider],
        web_of: Callable[[Provider], Web],
        desk: Desk,
        key_of: Callable[[str], str | None],
        known: Collection[str] = (),
        answered: Collection[str] = (),
    ) -> None:
        self.findings = Findings()
        self._wanted, self._desk, self._key_of = wanted, desk, key_of
        self._providers = [provider for provider in providers if provider.off is None]
        self._webs = {provider.name: web_of(provider) for provider in self._providers}
        self._yardstick = Yardstick(wanted.seed, wanted.rarity)
        self._best: dict[str, tuple[Find, float]] = {}
        """Key → the find that looked most like a copy by itself, and how much it did."""
        self._shown: dict[str, list[Mapping[str, float]]] = {}
        self._once = [
            *(Query(QueryKind.LOST, (url,), url) for url in wanted.lost[:MOST_ADDRESSES]),
            *(Query(QueryKind.ADDRESS, (url,), url) for url in wanted.addresses[:MOST_ADDRESSES]),
            Query(QueryKind.TEXT, (), "the whole text"),
        ]
        self._told: set[tuple[str, Query]] = set()
        """Who has answered which of these."""
        # Those have been asked once already what is asked once.
        self._answered = frozenset(answered)
        # Pages of the story itself explain passages, and are nothing new.
        self._seen: set[str] = set(known)

    async def run(self, most_queries: int) -> Findings:
        """Ask query after query until the last ones bring nothing new or `most_queries` are asked; then what is asked once."""
        try:
            options = list_queries(self._wanted.seed, self._wanted.rarity)
            asked: list[Asked] = []
            while len(asked) < most_queries and (query := choose(options, asked)) is not None:
                report = await self._ask_all(query)
                if report is None:
                    break  # nobody is left who could answer it, or any other
                asked.append(Asked(query, report.hits, report.likely, report.new))
            # These take the longest: archives by the address, files by the gigabyte.
            for single in self._once:
                await self._ask_all(single)
        finally:
            # Whoever has no more time takes what there is.
            self.findings.finds = [find for find, _ in self._best.values()]
        return self.findings

    def break_off(self) -> Findings:
        """What there is when there is no more time: who had none to answer what is asked once is missed, and asked again."""
        for query in self._once:
            left = [one.name for one in self._able(query) if (one.name, query) not in self._told]
            self.findings.missed |= dict.fromkeys(left, "there was no more time")
        self.findings.again_in = 0.0
        return self.findings

    async def _ask_all(self, query: Query) -> Report | None:
        """Ask everybody who answers such queries, side by side; None where nobody answered."""
        able = self._able(query)
        answers = await asyncio.gather(*(self._ask(provider, query) for provider in able))
        silent = tuple(provider.name for provider, answer in zip(able, answers, strict=True) if answer is None)
        if len(silent) == len(able):
            return None
        new = likely = hits = 0
        for provider, answer in zip(able, answers, strict=True):
            hits = max(hits, len(answer or ()))
            found = [self._note(provider, query, candidate) for candidate in answer or ()]
            likely = max(likely, sum(one is not None for one in found))
            new += sum(one is True for one in found)
        report = Report(query, hits, likely, new, silent)
        self.findings.reports.append(report)
        return report

    def _able(self, query: Query) -> list[Provider]:
        """Who answers such queries, and has not done so in the run before."""
        done = self._answered if query.kind in ONCE else ()
        return [provider for provider in self._providers if query.kind in provider.answers and provider.name not in done]

    async def _ask(self, provider: Provider, query: Query) -> Sequence[Candidate] | None:
        metered = Metered(self._webs[provider.name], self._desk, provider)
        try:
            found = await provider.ask(query, self._wanted, metered)
        except Resting as error:
            self._miss(provider, str(error), error.retry_after)
            return None
        except Exception as error:  # noqa: BLE001 - whatever a provider does wrong is its failure, not the discovery's
            ours = isinstance(error, WirecopyError)
            why = (str(error) if ours else f"{type(error).__name__}: {error}")[:MOST_SAID]
            pause = error.retry_after if isinstance(error, Unavailable) else None
            await asyncio.to_thread(self._desk.failed, provider, why, pause)
            self._miss(provider, why, pause)
            return None
        if metered.requests:
            await asyncio.to_thread(self._desk.succeeded, provider)
        self._told.add((provider.name, query))
        return found

    def _miss(self, provider: Provider, why: str, pause: float | None) -> None:
        self.findings.missed[provider.name] = why
        if pause is not None:
            self.findings.again_in = min(pause, self.findings.again_in) if self.findings.again_in is not None else pause

    def _note(self, provider: Provider, query: Query, candidate: Candidate) -> bool | None:
        """Whether a candidate that looks like a copy is new; None for one that does not look like one."""
        key = self._key_of(candidate.url)
        if key is None:
            return None
        if query.kind in KNOWN:
            # An archive answers with the very page that it was asked for.
            likeness = own = Likeness(1.0, {"address": 1.0})
        else:
            shown = self._shown.setdefault(key, [])
            shown.append(self._yardstick.compare(candidate, query))
            likeness, own = weigh(shown), weigh(shown[-1:])
        held = self._best.get(key)
        if held is None or own.score > held[1]:
            self._best[key] = Find(candidate, key, provider.name, query, likeness), own.score
        else:
            self._best[key] = replace(held[0], likeness=likeness), held[1]
        if likeness.score < LIKELY and query.kind not in QUOTED:
            return None
        new = key not in self._seen
        self._seen.add(key)
        return new
