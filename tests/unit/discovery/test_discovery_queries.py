"""Queries that survive rewriting, and which comes next."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.discovery.passages import Doubt, Sort, read_sentences
from pipeline.discovery.queries import (
    LONGEST,
    PATIENCE,
    SHORTEST,
    Asked,
    Query,
    QueryKind,
    Seed,
    choose,
    list_queries,
    strip_outlet,
)
from pipeline.discovery.rarity import MOST_BITS, rarity_of

COMMON = {"the", "of", "a", "to", "in", "and", "was", "on", "for", "from", "said", "with", "its", "at"}
TEXT = (
    "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks in 14 of its 96 girders.",
    'About 32,500 people use it daily. "We could not wait another day for the steel from Ostrava," Mayor Ines Calder told reporters.',
    "Shops nearby expect to lose customers. The bridge was opened in 1931.",
)


def rarity(word: str) -> float:
    """Small words are on every page, others are rarer the longer they are."""
    return 0.5 if word in COMMON else min(12.0, 3.0 + len(word))


def kinds(queries: tuple[Query, ...]) -> dict[QueryKind, list[Query]]:
    return {kind: [query for query in queries if query.kind is kind] for kind in QueryKind}


def test_words_are_told_apart_by_what_a_spinner_does_to_them() -> None:
    """Names, numbers, small words and the rest; a number with a digit spelled out is damage."""
    (sentence,) = read_sentences(("Police said Ines Calder counted two,500 of 3,200 crates at the Ostrava yard",), rarity)
    found = {word.text: word.sort for word in sentence.words}
    assert found["Calder"] is found["Ostrava"] is Sort.NAME
    assert found["3,200"] is Sort.NUMBER
    assert found["two,500"] is Sort.DAMAGED
    assert found["the"] is found["of"] is Sort.SMALL
    assert found["crates"] is found["Police"] is Sort.PLAIN


def test_a_phrase_is_four_to_eight_words_in_a_row_of_one_sentence() -> None:
    """Every quoted span stands in the text as it is asked for, and crosses no sentence."""
    flat = [" ".join(word.text for word in sentence.words) for sentence in read_sentences(TEXT, rarity)]
    phrases = [query for query in list_queries(Seed(TEXT), rarity) if query.kind in (QueryKind.PHRASE, QueryKind.QUOTATION)]
    assert phrases
    for query in phrases:
        assert SHORTEST <= len(query.words) <= LONGEST
        assert query.text == f'"{" ".join(query.words)}"'
        assert any(" ".join(query.words) in sentence for sentence in flat)


def test_phrases_are_built_of_what_survives() -> None:
    """The best phrase is one of names and numbers, not of words that a thesaurus has."""
    best = kinds(list_queries(Seed(TEXT), rarity))[QueryKind.PHRASE][0]
    assert set(best.words) & {"Kestrel", "Monday", "14", "96", "Calder", "Ines", "Ostrava", "32,500", "1931"}
    assert "two,500" not in best.words


def test_a_damaged_number_is_in_no_query() -> None:
    """What only a spinner prints is on no other page."""
    spun = ("Officials counted two,500 crates of pears in Port Calder and 8.Eight tonnes of coal in Ostrava on Monday.",)
    words = {word for query in list_queries(Seed(spun), rarity)[:3] for word in query.words}
    assert not words & {"two,500", "8.Eight"}


def test_the_longest_quotation_is_asked_for() -> None:
    """It is a span of the longest quotation, and of nothing outside the marks."""
    (quotation,) = kinds(list_queries(Seed(TEXT), rarity))[QueryKind.QUOTATION]
    assert " ".join(quotation.words) in "We could not wait another day for the steel from Ostrava"


def test_names_and_numbers_make_a_net() -> None:
    """The net of the beginning holds the names and numbers of it, without order or quotation marks."""
    net = kinds(list_queries(Seed(TEXT), rarity))[QueryKind.NET][0]
    assert {"Kestrel", "Monday"} <= set(net.words)
    assert '"' not in net.text


@pytest.mark.parametrize(
    ("printed", "bare"),
    [
        ("Bridge closed after cracks found | Daily Harbour", "Bridge closed after cracks found"),
        ("Bridge closed after cracks found - Daily Harbour", "Bridge closed after cracks found"),
        ("Cracks found - bridge shut", "Cracks found - bridge shut"),
        ("Bridge closed", "Bridge closed"),
    ],
)
def test_the_paper_is_left_out_of_the_headline(printed: str, bare: str) -> None:
    """A headline without its paper, as long as a headline is left."""
    assert strip_outlet(printed) == bare


def test_the_headline_comes_from_the_page_and_from_its_url() -> None:
    """Both are asked, for the page's spinner changed the one and not the other."""
    seed = Seed(TEXT, ("Metropolis shuts antique bridge", "city closes old bridge over kestrel"))
    headlines = kinds(list_queries(seed, rarity))[QueryKind.HEADLINE]
    assert [query.words[0] for query in headlines] == ["Metropolis", "city"]


def test_what_a_recovery_doubts_is_not_asked_for() -> None:
    """Of a recovery the surest phrases come first: one with a doubtful word loses to the same without."""
    text = ("Mayor Ines Calder met Governor Tomas Reilly in Ostrava, and Senator Priya Nair met Consul Jonas Weber in Lanvere",)
    start = text[0].index("Calder")
    doubts = ((Doubt(start, start + len("Calder Met"), 0.2),),)
    sure = kinds(list_queries(Seed(text, doubts=doubts), rarity))[QueryKind.PHRASE][0]
    assert "Calder" not in sure.words
    assert "met" not in sure.words[:3]


def test_the_next_query_is_for_a_passage_that_nothing_explains() -> None:
    """After a phrase that brought copies, a phrase from elsewhere is worth more than one from the same passage."""
    first = Query(QueryKind.PHRASE, ("a", "b", "c", "d"), "", frozenset({0}), 0.9)
    same = Query(QueryKind.PHRASE, ("b", "c", "d", "e"), "", frozenset({0}), 0.85)
    elsewhere = Query(QueryKind.PHRASE, ("v", "w", "x", "y"), "", frozenset({7}), 0.6)
    options = (first, same, elsewhere)
    assert choose(options, ()) == first
    assert choose(options, [Asked(first, 4, 4, 4)]) == elsewhere
    assert choose(options, [Asked(first, 0, 0, 0)]) == same


def test_a_page_full_of_copies_is_followed_by_the_next_page() -> None:
    """Ten copies of ten leave more behind them; three of ten do not."""
    net = Query(QueryKind.NET, ("Kestrel", "Calder"), "", frozenset({0}), 0.8)
    weak = Query(QueryKind.PHRASE, ("a", "b", "c", "d"), "", frozenset({3}), 0.3)
    full = choose((net, weak), [Asked(net, 10, 10, 10)])
    assert full is not None
    assert (full.words, full.page) == (net.words, 2)
    assert choose((net, weak), [Asked(net, 10, 3, 3)]) == weak


def test_it_stops_when_nothing_new_comes() -> None:
    """So many queries in a row without a new copy are the end, and so is the last option."""
    options = [Query(QueryKind.PHRASE, (str(at),) * 4, "", frozenset({at}), 0.5) for at in range(PATIENCE + 3)]
    asked = [Asked(options[0], 5, 5, 5)] + [Asked(option, 5, 5, 0) for option in options[1 : PATIENCE + 1]]
    assert choose(options, asked[:-1]) is not None
    assert choose(options, asked) is None
    assert choose((), ()) is None


@given(st.lists(st.text(max_size=300), max_size=6), st.lists(st.text(max_size=80), max_size=2))
def test_any_text_gives_queries_that_can_be_asked(paragraphs: list[str], headlines: list[str]) -> None:
    """No text is too odd: every query has words, each once, and a promise between 0 and 1."""
    found = list_queries(Seed(tuple(paragraphs), tuple(headlines)), rarity)
    texts = [query.text.casefold() for query in found]
    assert len(texts) == len(set(texts))
    assert all(query.words and all(query.words) and 0 <= query.expects <= 1 for query in found)


def test_rarity_blends_the_store_with_the_language() -> None:
    """A word that the store has seen often tells less there; one never seen anywhere tells the most."""
    plain = rarity_of("en")
    stored = rarity_of("en", {"kestrel": 50_000}, 100_000)
    assert plain("the") < 0.1
    assert plain("kestrel") > plain("bridge") > plain("said")
    assert stored("kestrel") == pytest.approx(-math.log2(50_000 / 101_000), abs=0.01)
    assert plain("zqxjkvbwyt") <= MOST_BITS
