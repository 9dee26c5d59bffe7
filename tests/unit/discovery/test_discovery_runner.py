"""Asking the providers: what a failing, resting or odd one does to a discovery, and what is noted."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import WORDS, Ask, Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind, Seed
from pipeline.discovery.rarity import rarity_of
from pipeline.discovery.runner import Findings, Metered, Resting, Search
from pipeline.discovery.web import Reply, Web
from pipeline.errors import Malformed, Refused, Unavailable

TITLE = "Bridge over Kestrel closed after engineers find cracks"
TEXT = (
    "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks in 14 of its 96 girders.",
    'About 32,500 people use it daily. "We could not wait another day," Mayor Ines Calder told reporters.',
)
WANTED = Wanted(
    Seed(TEXT, (TITLE,)),
    rarity_of("en"),
    datetime(2026, 5, 4, tzinfo=UTC),
    addresses=("http://known.example/a",),
    lost=("http://dead.example/a",),
)


class Books:
    """A desk in memory."""

    def __init__(self, waits: dict[str, float] | None = None) -> None:
        self.waits = waits or {}
        self.failures: dict[str, list[tuple[str, float | None]]] = {}
        self.good: list[str] = []
        self.kept: dict[str, bytes] = {}
        self.taken = 0

    def take(self, provider: Provider) -> float:
        if provider.name in self.waits:
            raise Resting("it rests", self.waits[provider.name])
        self.taken += 1
        return 0.0

    def succeeded(self, provider: Provider) -> None:
        self.good.append(provider.name)

    def failed(self, provider: Provider, why: str, retry_after: float | None) -> None:
        self.failures.setdefault(provider.name, []).append((why, retry_after))

    def recall(self, provider: Provider, key: str) -> bytes | None:
        return self.kept.get(key)

    def remember(self, provider: Provider, key: str, body: bytes, seconds: float) -> None:
        self.kept[key] = body


class Page:
    """A web of one page."""

    def __init__(self, status: int = 200, body: bytes = b"{}") -> None:
        self.reply, self.asked = Reply(status, {}, body), 0

    async def get(self, url: str, headers: object = None, *, accept: str = "", keep: float = 0.0) -> Reply:
        self.asked += 1
        return self.reply

    async def pour(self, url: str, take: object) -> Reply:
        return self.reply


def copy(name: str) -> Candidate:
    return Candidate(f"http://{name}.example/", "", TITLE, TEXT[0])


def answering(*found: Candidate, kinds: frozenset[QueryKind] = WORDS) -> Ask:
    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        await web.get("http://service.example/")
        return found if query.kind in kinds else ()

    return ask


def raising(error: Exception) -> Ask:
    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        await web.get("http://service.example/")
        raise error

    return ask


def run(books: Books, *providers: Provider, queries: int = 10, known: Sequence[str] = ()) -> Findings:
    search = Search(WANTED, providers, lambda _: Page(), books, lambda url: url if url.startswith("http") else None, known)
    return asyncio.run(search.run(queries))


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (Unavailable("429", 90.0), 90.0),
        (Refused("its key is wrong"), None),
        (Malformed("HTML"), None),
        (KeyError("articles"), None),
        (RecursionError("deep"), None),
    ],
)
def test_a_provider_that_fails_fails_alone(error: Exception, pause: float | None) -> None:
    """Whatever one raises, the others' finds are there, its failure is noted with it, and said."""
    books = Books()
    found = run(books, Provider("bad", WORDS, raising(error)), Provider("good", WORDS, answering(copy("a"))))
    assert [find.candidate.url for find in found.finds] == ["http://a.example/"]
    assert books.failures["bad"][0][1] == pause
    assert set(found.missed) == {"bad"}
    assert found.again_in == pause
    assert set(books.good) == {"good"}


def test_one_that_rests_has_not_failed() -> None:
    """It is not asked, nothing is held against it, and the discovery says when to come again."""
    books = Books({"slow": 40.0, "slower": 400.0})
    found = run(books, Provider("slow", WORDS, answering(copy("a"))), Provider("slower", WORDS, answering()))
    assert (found.finds, books.failures, found.again_in) == ([], {}, 40.0)
    assert found.missed == {"slow": "it rests", "slower": "it rests"}


def test_one_that_is_off_is_not_asked() -> None:
    """Its books are not opened."""
    books = Books()
    assert run(books, Provider("off", WORDS, answering(copy("a")), off="set a key")).finds == []
    assert books.taken == 0


def test_it_stops_when_the_last_queries_brought_nothing_new() -> None:
    """The same answer to every query: three queries after the first are the end."""
    found = run(Books(), Provider("same", WORDS, answering(copy("a"))))
    assert [report.new for report in found.reports] == [1, 0, 0, 0]


def test_no_more_queries_than_wanted_are_asked() -> None:
    """The budget of queries holds, whatever they bring."""
    numbers = iter(range(1_000))

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        return [copy(f"host{next(numbers)}")]

    found = run(Books(), Provider("endless", WORDS, ask), queries=2)
    assert len(found.reports) == 2


def test_what_the_story_has_is_nothing_new() -> None:
    """Known pages are found again, and do not keep the discovery going."""
    found = run(Books(), Provider("same", WORDS, answering(copy("a"))), known=["http://a.example/"])
    assert [report.new for report in found.reports] == [0, 0, 0]
    assert len(found.finds) == 1


def test_each_provider_is_asked_what_it_answers() -> None:
    """Lists are asked once with the whole text, archives for each address, search engines for words."""
    asked: dict[str, list[QueryKind]] = {"list": [], "archive": [], "lost": [], "engine": []}

    def noting(name: str) -> Ask:
        async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
            asked[name].append(query.kind)
            return ()

        return ask

    run(
        Books(),
        Provider("list", frozenset({QueryKind.TEXT}), noting("list")),
        Provider("archive", frozenset({QueryKind.ADDRESS}), noting("archive")),
        Provider("lost", frozenset({QueryKind.LOST}), noting("lost")),
        Provider("engine", WORDS, noting("engine")),
    )
    assert asked["list"] == [QueryKind.TEXT]
    assert asked["archive"] == [QueryKind.ADDRESS]
    assert asked["lost"] == [QueryKind.LOST]
    assert set(asked["engine"]) <= WORDS


def test_a_page_is_noted_once_with_its_best_find() -> None:
    """Of two answers that name one page the likelier one says how it was found; what is no URL is passed over."""
    bad, best = Candidate("http://a.example/", "", "Other matters"), copy("a")
    found = run(
        Books(),
        Provider("one", WORDS, answering(bad, Candidate("javascript:alert(1)", ""))),
        Provider("two", WORDS, answering(best)),
    )
    assert [(find.provider, find.candidate) for find in found.finds] == [("two", best)]


def test_who_had_no_time_is_asked_again() -> None:
    """A run that is broken off keeps its finds, and says who has not answered what is asked once."""

    async def slow(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:
        await asyncio.Event().wait()
        return ()

    lost = frozenset({QueryKind.LOST})
    told = Provider("told", lost, answering(copy("a"), kinds=lost))
    providers = [told, Provider("slow", frozenset({QueryKind.TEXT}), slow), Provider("engine", WORDS, answering())]
    search = Search(WANTED, providers, lambda _: Page(), Books(), lambda url: url)

    async def briefly() -> None:
        async with asyncio.timeout(0.2):
            await search.run(10)

    with pytest.raises(TimeoutError):
        asyncio.run(briefly())
    found = search.break_off()
    assert [find.candidate.url for find in found.finds] == ["http://a.example/"]
    assert (set(found.missed), found.again_in) == ({"slow"}, 0.0)


def test_a_kept_answer_costs_nothing() -> None:
    """The second time the answer comes out of the books; a bad answer is not kept."""
    books, good, bad = Books(), Page(body=b"[1]"), Page(status=503)
    provider = Provider("any", WORDS, answering())

    async def twice(page: Page) -> list[Reply]:
        metered = Metered(page, books, provider)
        return [await metered.get(f"http://x.example/{id(page)}", keep=60.0) for _ in range(2)]

    assert [reply.body for reply in asyncio.run(twice(good))] == [b"[1]", b"[1]"]
    assert (good.asked, books.taken) == (1, 1)
    asyncio.run(twice(bad))
    assert (bad.asked, books.taken) == (2, 3)
