from datetime import UTC, date, datetime

import pytest
from filled_store import recover, story, witness
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pipeline.errors import Misuse
from pipeline.store import queries
from pipeline.store.queries import SearchFilter

FUEL = "Fuel prices rose by 2.5 per cent on Monday, the ministry said. Drivers queued in Port Lorne."
SPUN = "Gasoline costs rose by two.5 per cent on Monday, the ministry stated. Motorists queued in Port Lorne."
BRIDGE = "The Almery bridge reopens after repairs, engineers said. Fuel barges may pass again."


@pytest.fixture
def filled(session: Session) -> dict[str, int]:
    """Two stories: fuel with a verbatim and a spun copy, bridge with one copy and no recovery."""
    first = witness(session, "http://a.example/fuel", FUEL, title="Fuel prices rise", kind="verbatim")
    second = witness(
        session, "http://www.b.example/fuel", SPUN, published=datetime(2026, 5, 6, 23, 59, 59, tzinfo=UTC), kind="spun"
    )
    fuel = story(session, "Fuel prices rise", first, second)
    recover(session, fuel, FUEL)
    undated = witness(session, "http://a.example/bridge", BRIDGE, title="Bridge reopens", published=None)
    return {"fuel": fuel.id, "bridge": story(session, "Bridge reopens", undated).id}


def found(session: Session, **wanted: object) -> list[int]:
    return [hit.id for hit in queries.search(session, SearchFilter(**wanted))]  # type: ignore[arg-type]


def test_search_words(session: Session, filled: dict[str, int]) -> None:
    """A story is found by the words of its recovery, of a copy, of a phrase; a negation takes its matches away."""
    fuel, bridge = filled["fuel"], filled["bridge"]
    assert found(session, query="drivers") == [fuel]
    assert found(session, query="Gasoline") == [fuel]
    assert found(session, query='"per cent on Monday"') == [fuel]
    assert found(session, query='"Monday per cent"') == []
    assert found(session, query="engineer -prices") == [bridge]
    assert set(found(session, query="drivers or bridge")) == {fuel, bridge}
    assert found(session, query="zeppelin") == []


def test_search_describes_what_it_found(session: Session, filled: dict[str, int]) -> None:
    """A hit says how many copies there are, when they were published, how sure the text is, and where the word stands."""
    (hit,) = queries.search(session, SearchFilter("gasoline"))
    assert (hit.title, hit.language, hit.copies, hit.hosts, hit.version) == ("Fuel prices rise", "en", 2, 2, 1)
    assert hit.confidence == pytest.approx(0.9)
    assert (hit.first_published, hit.last_published) == (
        datetime(2026, 5, 4, 12, 30, tzinfo=UTC),
        datetime(2026, 5, 6, 23, 59, 59, tzinfo=UTC),
    )
    assert "Gasoline costs" in hit.passage
    (other,) = queries.search(session, SearchFilter("engineers"))
    assert (other.copies, other.confidence, other.version, other.first_published) == (1, None, None, None)


def test_search_only_the_newest_recovery(session: Session, filled: dict[str, int]) -> None:
    """What only an earlier version of a recovery said finds nothing."""
    first = witness(session, "http://c.example/strike", "Dockers went home.")
    strike = story(session, "Strike", first)
    recover(session, strike, "Stevedores went home.")
    assert found(session, query="stevedores") == [strike.id]
    recover(session, strike, "Dockers went home early.")
    assert found(session, query="stevedores") == []
    assert found(session, query="early") == [strike.id]


@pytest.mark.parametrize(
    ("wanted", "stories"),
    [
        ({"host": "a.example"}, {"fuel", "bridge"}),
        ({"host": "B.example"}, {"fuel"}),
        ({"host": "www.b.example"}, {"fuel"}),
        ({"host": "example_"}, set()),
        ({"host": "xample"}, set()),
        ({"kind": "spun"}, {"fuel"}),
        ({"kind": "spun", "host": "a.example"}, set()),
        ({"language": "EN"}, {"fuel", "bridge"}),
        ({"language": "de"}, set()),
        ({"min_witnesses": 2}, {"fuel"}),
        ({"min_witnesses": 3}, set()),
        ({"min_witnesses": 10**30}, set()),
        ({"since": date(2026, 5, 6)}, {"fuel"}),
        ({"since": date(2026, 5, 7)}, set()),
        ({"until": date(2026, 5, 4)}, {"fuel"}),
        ({"until": date(2026, 5, 3)}, set()),
        ({"since": date(2026, 5, 5), "until": date(2026, 5, 5)}, set()),
        ({"since": date.min, "until": date.max}, {"fuel"}),
    ],
)
def test_search_filters(session: Session, filled: dict[str, int], wanted: dict[str, object], stories: set[str]) -> None:
    """Filters: days count as a whole in UTC, a domain stands for its hosts, host and kind are asked of one copy."""
    assert set(found(session, **wanted)) == {filled[name] for name in stories}
    assert set(found(session, query="fuel", **wanted)) == {filled[name] for name in stories}


def test_search_pages(session: Session) -> None:
    """Page after page by keyset gives every story once, in the order of one large page, ranks alike or not."""
    for number in range(7):
        text = "harbour " * (1 + number % 3) + f"edition {number} of the paper"
        story(session, f"Harbour {number}", witness(session, f"http://a.example/{number}", text))
    for query in ("harbour", None):
        everything = queries.search(session, SearchFilter(query), limit=100)
        pages = []
        after = None
        while page := queries.search(session, SearchFilter(query), limit=2, after=after):
            pages += page
            after = page[-1].rank, page[-1].id
        assert pages == list(everything)
        assert len(everything) == 7
    assert [hit.id for hit in everything] == sorted((hit.id for hit in everything), reverse=True)


@pytest.mark.parametrize("query", ["the", "of the and", "", "   ", "((((", "'", "\0", "fuel\0", "\ud800", "x" * 501])
def test_search_refuses_queries_without_words(session: Session, query: str) -> None:
    """Stop words, signs, NUL, lone surrogates and endless queries are misuse that says what to do."""
    with pytest.raises(Misuse, match=r"add a word|name a word|leave it out|write it in UTF-8|shorten it"):
        queries.search(session, SearchFilter(query))


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "copied"},
        {"since": date(2026, 5, 2), "until": date(2026, 5, 1)},
        {"min_witnesses": -1},
        {"host": "a\0b"},
        {"language": "\0"},
    ],
)
def test_search_refuses_filters_that_are_none(wanted: dict[str, object]) -> None:
    """A wrong kind, days the wrong way round, negative numbers and NUL are misuse."""
    with pytest.raises(Misuse):
        SearchFilter(**wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_search_refuses_limits(session: Session, limit: int) -> None:
    """A limit is from 1 to 10,000."""
    with pytest.raises(Misuse, match="1 to 10,000"):
        queries.search(session, SearchFilter("fuel"), limit)


SYNTAX = st.sampled_from(["fuel", '"', "-", "or", "OR", " ", "(", ")", "&", "|", "!", ":*", "<->", "'", "\\", "%", "_", "the"])


# The store is only read, so that one fill serves all examples.
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.one_of(st.text(max_size=60), st.lists(SYNTAX, max_size=12).map("".join), st.text(min_size=480, max_size=520)))
def test_search_takes_any_text(session: Session, query: str) -> None:
    """Whatever is typed gives stories or misuse, and the next query works."""
    if not queries.search(session, SearchFilter(), 1):
        story(session, "Fuel", witness(session, "http://a.example/fuel", FUEL))
    try:
        hits = queries.search(session, SearchFilter(query))
    except Misuse:
        hits = ()
    assert len(hits) <= 1
    assert found(session, query="fuel") != []
