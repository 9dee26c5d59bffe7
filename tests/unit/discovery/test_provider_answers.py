"""Whatever a service answers, a provider gives candidates or a documented error."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.providers import brave, common_crawl, gdelt_doc, media_cloud, news_api, searxng, wayback
from pipeline.discovery.queries import Query, QueryKind, Seed
from pipeline.discovery.rarity import rarity_of
from pipeline.discovery.web import Reply, Take, read_date
from pipeline.errors import WirecopyError
from pipeline.settings import Settings, load

KEYS = {"brave_key": "k", "media_cloud_key": "k", "news_api_key": "k", "searxng_url": "http://service.example"}
SETTINGS: Settings = load(KEYS, {}).settings
MAKERS: dict[str, Callable[[Settings], Provider]] = {
    module.NAME: module.make for module in (brave, common_crawl, gdelt_doc, media_cloud, news_api, searxng, wayback)
}
WANTED = Wanted(Seed(("Ines Calder met Tomas Reilly in Ostrava.",)), rarity_of("en"), datetime(2026, 5, 4, tzinfo=UTC))
NAMES = ("articles", "cdx-api", "code", "content", "description", "extra_snippets", "filename", "length", "message", "offset")
MORE = (
    "page_age",
    "pagination_token",
    "publishedAt",
    "results",
    "seendate",
    "status",
    "stories",
    "timestamp",
    "title",
    "url",
    "web",
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
LIKELY = st.sampled_from(["ok", "error", "http://paper.example/a", "20260504101500", "7", "apiKeyInvalid", "\0\ud800"])
ANY = st.recursive(
    PLAIN | LIKELY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES + MORE), inner, max_size=8),
    max_leaves=20,
)


class Saying:
    """A web in which every page says the same."""

    def __init__(self, status: int, body: bytes) -> None:
        self.reply = Reply(status, {}, body)

    async def get(self, url: str, headers: Mapping[str, str] | None = None, *, accept: str = "", keep: float = 0.0) -> Reply:
        return self.reply

    async def pour(self, url: str, take: Take) -> Reply:
        return self.reply


def answered(name: str, status: int, body: bytes) -> None:
    """Ask, and hold what comes to its promises."""
    provider = MAKERS[name](SETTINGS)
    for kind in sorted(provider.answers):
        query = Query(
            kind, ("http://paper.example/a",) if kind in {QueryKind.ADDRESS, QueryKind.LOST} else ("Ines", "Calder"), ""
        )
        try:
            found = asyncio.run(provider.ask(query, WANTED, Saying(status, body)))
        except WirecopyError:
            continue
        for one in found:
            assert isinstance(one, Candidate)
            assert one.url.lower().startswith(("http://", "https://"))
            assert one.published is None or one.published.tzinfo is not None
            assert "\0" not in (one.title or "") + (one.snippet or "")


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=60)
@given(value=ANY, status=st.sampled_from([200, 200, 200, 206, 404, 500]))
def test_any_json_is_answered_for(name: str, value: object, status: int) -> None:
    """JSON of any shape, under the very keys that the service uses."""
    answered(name, status, json.dumps(value).encode())


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=30)
@given(body=st.binary(max_size=300))
def test_any_bytes_are_answered_for(name: str, body: bytes) -> None:
    """Bytes that are no JSON at all."""
    answered(name, 200, body)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("20230918T031500Z", datetime(2023, 9, 18, 3, 15, tzinfo=UTC)),
        ("20230918031500", datetime(2023, 9, 18, 3, 15, tzinfo=UTC)),
        ("2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("2026-05-04T10:00:00+02:00", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        ("2026-05-04T10:00:00Z", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("99999999999999", None),
        ("", None),
    ],
)
def test_dates_of_services(text: str, when: datetime | None) -> None:
    """ISO 8601 and GDELT's and the archives' digits; the epoch is no date of an article."""
    assert read_date(text) == when
