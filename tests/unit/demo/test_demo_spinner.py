import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.article import Article, read_article
from pipeline.demo.spinner import read_dictionary, spin

STRIKE = read_article("articles", "strike")
DICTIONARY = read_dictionary()
HEADS = {word for head in DICTIONARY for word in head.split(" ")}


def article(*paragraphs: str) -> Article:
    return Article("A headline", "By Somebody", "PORT CALDER (Agency) - ", paragraphs)


def words_outside_the_dictionary(text: str) -> Counter[str]:
    return Counter(word for word in re.findall(r"[a-z]+", text.lower()) if word not in HEADS)


def test_every_option_changes_its_word():
    """A dictionary row never offers the word itself, an empty option or one option twice."""
    for head, options in DICTIONARY.items():
        assert head not in options
        assert all(option.strip() == option != "" for option in options)
        assert len(set(options)) == len(options)


def test_every_row_has_its_place_in_an_article():
    """No row of the dictionary is dead: each is found in one of the articles."""
    texts = " ".join(read_article("articles", name).text.lower() for name in ("strike", "dam"))
    assert [head for head in DICTIONARY if not re.search(rf"\b{re.escape(head)}\b", texts)] == []


def test_one_seed_gives_one_text():
    """The spinner is deterministic, and another seed gives another text."""
    assert spin(STRIKE, "a", 0.8) == spin(STRIKE, "a", 0.8)
    assert spin(STRIKE, "a", 0.8) != spin(STRIKE, "b", 0.8)


@given(seed=st.text(max_size=8), rate=st.floats(0, 1))
def test_nothing_but_dictionary_words_and_numbers_is_touched(seed, rate):
    """Whatever is drawn, paragraphs, quotation marks, byline, dateline and unknown words stay."""
    spun = spin(STRIKE, seed, rate)
    assert (spun.byline, spun.dateline) == (STRIKE.byline, STRIKE.dateline)
    assert [text.count('"') for text in spun.paragraphs] == [text.count('"') for text in STRIKE.paragraphs]
    for before, after in zip(STRIKE.paragraphs, spun.paragraphs, strict=True):
        assert words_outside_the_dictionary(before) <= words_outside_the_dictionary(after)


@given(seed=st.text(max_size=8))
def test_quotations_are_spared_where_the_site_spares_them(seed):
    """A site that leaves quotations alone changes no character of one."""
    spun = spin(STRIKE, seed, 1.0, spares_quotations=True)
    quoted = [re.findall(r'"[^"]*"', text) for text in STRIKE.paragraphs]
    assert [re.findall(r'"[^"]*"', text) for text in spun.paragraphs] == quoted


def test_numbers_break_as_spinners_break_them():
    """A digit before a comma or behind a point is spelled out; other numbers never change."""
    seen = set()
    for seed in range(60):
        seen |= set(spin(article("2,914 and 8.5 and 740,000 and 3.25 and 19 and 1987 xyz"), str(seed), 0.0).paragraphs)
    readings = {part for text in seen for part in text.split(" and ")}
    assert readings == {"2,914", "two,914", "8.5", "8.Five", "740,000", "3.25", "19", "1987 xyz"}


def test_names_are_hit_through_their_common_nouns():
    """A capitalised word inside a sentence gets an option with a capital on every word."""
    banks = {spin(article("xyz Norhaven Bank xyz"), str(seed), 1.0).paragraphs[0] for seed in range(60)}
    assert banks == {f"xyz Norhaven {bank} xyz" for bank in ("Bank", "Financial Institution", "Monetary Institution")}


def test_some_sentences_start_small():
    """Now and then a sentence loses the capital that it starts with, inside a quotation too, and no other capital goes."""
    seen = {spin(article('Xyz Abc. "Qrs Tuv."'), str(seed), 0.0).paragraphs[0] for seed in range(120)}
    assert {'Xyz Abc. "Qrs Tuv."', 'xyz Abc. "Qrs Tuv."', 'Xyz Abc. "qrs Tuv."'} <= seen
    assert all("Abc" in text and "Tuv" in text for text in seen)
