"""How much a candidate looks like a copy, by title and snippet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.queries import Query, QueryKind, Seed
from pipeline.discovery.ranking import DROPPED, LIKELY, WEIGHTS, Yardstick
from pipeline.discovery.rarity import rarity_of

TITLE = "Bridge over Kestrel closed after engineers find cracks"
SEED = Seed(
    (
        "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks in 14 of its 96 girders.",
        'About 32,500 people use it daily. "We could not wait another day," Mayor Ines Calder told reporters.',
    ),
    (TITLE,),
)
YARDSTICK = Yardstick(SEED, rarity_of("en"))
NET = Query(QueryKind.NET, ("Kestrel", "Calder", "girders"), "")


def score(title: str | None, snippet: str | None) -> float:
    return YARDSTICK.judge(Candidate("http://a.example/", "", title, snippet), NET).score


@pytest.mark.parametrize(
    ("title", "snippet"),
    [
        (TITLE, "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks"),
        (
            "Overpass across Kestrel shut as technicians discover cracks",
            "The town closed the old overpass over the Kestrel waterway on Monday after technicians found cracks in 14 of its 96 girders",
        ),
        (
            None,
            "people use it daily. “We could not wait another day,” Mayor Ines Calder told … closed the old bridge over the <b>Kestrel</b> river",
        ),
        (TITLE, None),
    ],
)
def test_copies_are_fetched(title: str | None, snippet: str | None) -> None:
    """Word for word, spun, in fragments with markup, and where the headline alone is shown."""
    assert score(title, snippet) >= DROPPED


def test_a_headline_and_a_passage_word_for_word_are_likely() -> None:
    """What has both counts as a copy while queries are chosen."""
    assert score(TITLE, SEED.paragraphs[0]) > 0.95 > LIKELY


@pytest.mark.parametrize(
    ("title", "snippet"),
    [
        (
            "Ten walks along the Kestrel",
            "Ines Calder opened the new path; on a clear day walkers may see Kestrel castle and its rusty girders",
        ),
        ("Harbour fair draws crowds", "Visitors from all over the county came to the harbour for the yearly fair of fishermen"),
        (
            "Bridge over Lanvere closed after divers find rust",
            "The city closed the old bridge over the Lanvere canal on Friday after divers found rust in 31 of its 58 cables",
        ),
        (None, ""),
        ("", None),
    ],
)
def test_others_do_not(title: str | None, snippet: str | None) -> None:
    """Pages that only share the names asked for, other matters, another day's report, and nothing at all."""
    assert score(title, snippet) < DROPPED


def test_what_was_asked_for_proves_little() -> None:
    """A snippet that has the query's words and nothing else of the passage has no `beyond`."""
    shown = Candidate("http://a.example/", "", None, "Kestrel Calder girders weathervane lighthouse")
    assert YARDSTICK.compare(shown, NET)["beyond"] == 0.0
    assert YARDSTICK.compare(shown, None)["beyond"] > 0.0


@given(st.none() | st.text(max_size=200), st.none() | st.text(max_size=400), st.booleans())
def test_any_answer_is_judged(title: str | None, snippet: str | None, holds: bool) -> None:
    """Whatever a provider shows: a score from 0 to 1, every feature from 0 to 1 and with a weight."""
    likeness = YARDSTICK.judge(Candidate("http://a.example/", "", title, snippet, holds_phrase=holds), NET)
    assert 0.0 <= likeness.score <= 1.0
    assert set(likeness.evidence) == set(WEIGHTS) - {"bias"}
    assert all(0.0 <= value <= 1.0 + 1e-9 for value in likeness.evidence.values())
