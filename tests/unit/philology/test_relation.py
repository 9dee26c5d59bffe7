"""Relations: a copy is known however it was treated, and another day's report is never taken for one."""

import random
import re
from dataclasses import replace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.philology.dotplot import plot_dots
from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.relation import RelationKind, relate
from pipeline.philology.witness import Witness

FERRY = Witness(
    "ferry",
    (
        (
            "The harbour board of Port Ellery said on Tuesday that 2,500 passengers were stranded when the ferry "
            "Northern Lark lost power off Cape Wren, and that the operator, Tidewater Lines, would be asked to "
            "explain the delay."
        ),
        (
            "Captain Moira Haldane told the inquiry in Port Ellery that the second engine had failed at 6.40 p.m., "
            "about 14 kilometres from the Cape Wren lighthouse, with 312 vehicles aboard and a strong westerly "
            "wind rising."
        ),
        (
            '"We waited four hours for a tug that was never ordered," said Haldane, who has worked for Tidewater Lines since '
            "1998 and commanded its largest vessels on the northern route for most of that time."
        ),
        (
            "The board's chairman, Edwin Prosser, said that rescue boats from Saltby and Lower Marren had taken off "
            "940 people before midnight, while the rest stayed aboard until the ship was towed into harbour at "
            "dawn on Wednesday."
        ),
        (
            "Tidewater Lines carried 1.3 million passengers last year and has been warned 17 times about maintenance, "
            "according to records that the ministry of transport released in March after a request by the "
            "Ellery Courier."
        ),
    ),
    language="en",
)
MARKET = Witness(
    "market",
    (
        (
            "Wheat prices at the Dunmore exchange rose 2.4 percent to 318 crowns a tonne on Thursday as dry weather in "
            "the Asker valley raised fears for the harvest, traders said, while barley gained 11 crowns and "
            "oats were unchanged."
        ),
        (
            "Turnover reached 84,000 tonnes, the highest since June, said Petra Lindqvist, an analyst at Holm and "
            "Sons, who expects the market to stay nervous until rain returns to the fields around Asker and Velling."
        ),
        (
            "Farmers have sold 61 percent of the crop in advance, against 47 percent a year ago, and the cooperative "
            "in Velling has asked its 3,900 members to hold back the rest until prices have settled."
        ),
    ),
)
FILLER = ("placid", "sundry", "cobble", "harken", "mellow", "ornate", "pliant", "rustic", "tacit", "verdant", "wistful")


def spin(witness: Witness, rate: float, seed: int) -> Witness:
    """The witness with a share of its lower-case words replaced, and the first thousands number damaged."""
    rng = random.Random(seed)

    def replace_word(match: re.Match[str]) -> str:
        return rng.choice(FILLER) if rng.random() < rate else match[0]

    paragraphs = (re.sub(r"\b[a-z]{3,}\b", replace_word, part) for part in witness.paragraphs)
    return replace(witness, paragraphs=tuple(part.replace("2,500", "two,500") for part in paragraphs))


def change_facts(witness: Witness) -> Witness:
    """The witness as another day's report: each number and each name another."""
    names = {"Dunmore": "Carrick", "Asker": "Tolna", "Petra": "Jonas", "Lindqvist": "Aaby", "Holm": "Wik", "Sons": "Daughters",
             "Velling": "Brede", "Thursday": "Monday", "June": "April"}  # fmt: skip
    text = "\n\n".join(witness.paragraphs)
    for name, other in names.items():
        text = text.replace(name, other)
    text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), text)
    return replace(witness, paragraphs=tuple(text.split("\n\n")))


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.35, 0.5])
@pytest.mark.parametrize("paragraphs", [slice(None), slice(2), slice(None, None, -1)])
def test_a_spun_cut_or_moved_text_is_a_copy(rate: float, paragraphs: slice) -> None:
    """Replaced words, a cut after two paragraphs and reversed paragraphs leave a copy a copy, in every combination."""
    copy = spin(FERRY, rate, seed=3)
    copy = replace(copy, paragraphs=copy.paragraphs[paragraphs])
    assert relate(copy, FERRY).kind is RelationKind.COPY


def test_coverage_is_told_for_each_text() -> None:
    """The coverage of a cut copy is whole, and that of the story what the copy has of it."""
    relation = relate(replace(FERRY, paragraphs=FERRY.paragraphs[:2]), FERRY)
    share = sum(len(part.split()) for part in FERRY.paragraphs[:2]) / len(FERRY.text.split())
    assert relation.newcomer_coverage == 1.0
    assert relation.member_coverage == pytest.approx(share, abs=0.02)


def test_another_days_report_is_the_same_template() -> None:
    """The same sentences with other facts are no copy, whichever of the two came first."""
    other = change_facts(MARKET)
    assert [relate(MARKET, other).kind, relate(other, MARKET).kind] == [RelationKind.SAME_TEMPLATE] * 2
    assert relate(MARKET, other).evidence["numbers_kept"] == 0.0


def test_a_report_with_one_number_corrected_is_a_copy() -> None:
    """A correction is not another day."""
    other = replace(MARKET, paragraphs=tuple(part.replace("318", "381") for part in MARKET.paragraphs))
    assert relate(other, MARKET).kind is RelationKind.COPY


GOLD = (
    "Gold opened little changed at 2,417 crowns an ounce this morning, with buyers waiting for the central bank to say "
    "whether it will go on raising rates before the end of the year, dealers said, adding that 36 bars had changed hands."
)


def test_another_days_report_of_two_numbers_is_the_same_template() -> None:
    """In a text that is literal otherwise, two numbers that both changed are another day, however few they are."""
    today = Witness("today", (GOLD,))
    other = replace(today, paragraphs=(GOLD.replace("2,417", "2,398").replace("36 bars", "51 bars"),))
    assert relate(today, other).kind is RelationKind.SAME_TEMPLATE
    assert relate(today, replace(today, paragraphs=(GOLD.replace("36 bars", "51 bars"),))).kind is RelationKind.COPY


def test_an_update_with_some_figures_changed_is_a_copy() -> None:
    """Where two fifths of the figures and the names stay, it is one report, brought up to date."""
    text = "\n\n".join(MARKET.paragraphs)
    for old, new in (("318", "325"), ("84,000", "91,000"), ("3,900", "4,100")):
        text = text.replace(old, new)
    assert relate(MARKET, replace(MARKET, paragraphs=tuple(text.split("\n\n")))).kind is RelationKind.COPY


def test_capitals_that_a_spinner_sets_are_no_other_facts() -> None:
    """Replacements printed with capitals are names in the spun text alone, and say nothing of the original's."""
    text = re.sub(
        r"\b(?:asked|failed|taken|warned|records|maintenance|passengers|rising|stayed|aboard)\b", "Sundry Cobble", FERRY.text
    )
    text = re.sub(r"Cape Wren|Moira|Prosser", lambda name: name[0].lower(), text)
    spun = replace(FERRY, paragraphs=tuple(text.split("\n\n")))
    assert relate(spun, FERRY).kind is RelationKind.COPY


CLOSING = (
    "The Ellery Courier is printed in the old customs house and delivered to every island of the northern route before "
    "breakfast; readers may visit the press hall on weekday afternoons, where retired compositors explain how hot metal "
    "was poured, and schools are asked to book a fortnight ahead because the staircase is narrow and the presses are loud."
)


def test_lines_that_a_site_repeats_are_no_excerpt() -> None:
    """The same lines at the end of two pages of one site relate nothing; of two sites they are a passage in common."""
    first = replace(FERRY, paragraphs=(*FERRY.paragraphs, CLOSING))
    second = replace(MARKET, paragraphs=(*MARKET.paragraphs, CLOSING))
    assert relate(first, second).kind is RelationKind.EXCERPT
    one_site = [replace(page, site="courier.example") for page in (first, second)]
    assert relate(*one_site).kind is RelationKind.UNRELATED


def test_a_quotation_in_a_text_of_its_own_is_an_excerpt() -> None:
    """Two paragraphs of the story inside another text make an excerpt of it."""
    own = replace(MARKET, paragraphs=(*MARKET.paragraphs[:2], *FERRY.paragraphs[1:3], *MARKET.paragraphs[2:]))
    assert relate(own, FERRY).kind is RelationKind.EXCERPT


def test_strangers_are_unrelated() -> None:
    """Two stories that share nothing but the language are unrelated, and nothing covers them."""
    relation = relate(MARKET, FERRY)
    assert (relation.kind, relation.newcomer_coverage, relation.member_coverage) == (RelationKind.UNRELATED, 0.0, 0.0)


def test_a_translation_is_another_language() -> None:
    """The same names and numbers in order, with other words around them, are one story in another language."""
    german = Witness(
        "fähre",
        (
            (
                "Die Hafenbehörde von Port Ellery teilte mit, dass 2.500 Reisende festsaßen, als die Fähre Northern "
                "Lark vor Cape Wren ohne Strom blieb; die Reederei Tidewater Lines soll die Verzögerung erklären."
            ),
            (
                "Kapitänin Moira Haldane sagte bei der Anhörung in Port Ellery, die zweite Maschine sei 14 Kilometer "
                "vor Cape Wren ausgefallen, mit 312 Fahrzeugen an Bord."
            ),
            "Haldane fährt seit 1998 für Tidewater Lines.",
            "Der Vorsitzende Edwin Prosser sagte, Boote aus Saltby und Lower Marren hätten 940 Menschen geholt.",
        ),
    )
    assert relate(german, FERRY).kind is RelationKind.OTHER_LANGUAGE
    assert relate(replace(german, language="de"), FERRY).kind is RelationKind.OTHER_LANGUAGE


def test_a_thin_text_is_related_to_nothing() -> None:
    """A text too thin to place is no copy of anything, itself included."""
    thin = Witness("thin", ("Subscribe to read the full story.",))
    assert relate(thin, thin).kind is RelationKind.UNRELATED


@given(st.lists(st.text(max_size=300), max_size=4), st.lists(st.text(max_size=300), max_size=4))
@example([], ["a digit of a newer Unicode: \U0001ccf0"])
@settings(max_examples=100, deadline=None)
def test_any_two_texts_are_related_alike_both_ways(first: list[str], second: list[str]) -> None:
    """Arbitrary Unicode raises nothing; kind and coverage do not hang on which text is called the newcomer."""
    a, b = Witness("a", tuple(first)), Witness("b", (*second, *first))
    there, back = relate(a, b), relate(b, a)
    assert there.kind is back.kind
    assert (there.newcomer_coverage, there.member_coverage) == (back.member_coverage, back.newcomer_coverage)


WORDS = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=8)


@given(st.lists(WORDS | st.sampled_from(FILLER), min_size=30, max_size=120))
@settings(max_examples=100, deadline=None)
def test_a_text_is_a_copy_of_itself(words: list[str]) -> None:
    """Any text that is not thin is a copy of itself, wholly covered."""
    witness = Witness("a", (" ".join(words),))
    assume(fingerprint(witness).thin is None)
    relation = relate(witness, witness)
    assert (relation.kind, relation.newcomer_coverage, relation.member_coverage) == (RelationKind.COPY, 1.0, 1.0)


@given(st.integers(0, 10_000), st.floats(0, 0.6), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_kind_is_symmetric_for_treated_copies(seed: int, rate: float, kept: int) -> None:
    """Whatever was done to a copy, both directions agree."""
    copy = spin(FERRY, rate, seed)
    copy = replace(copy, paragraphs=copy.paragraphs[:kept])
    assert relate(copy, FERRY).kind is relate(FERRY, copy).kind


def test_a_text_made_to_be_costly_is_bounded() -> None:
    """Thousands of repetitions of few words give an answer with at most as many dots as are allowed for."""
    rng = random.Random(1)
    noise = [str(rng.randrange(20)) for _ in range(8_000)]
    plot = plot_dots(noise, noise[::-1])
    assert [len(marks) for marks in plot.covered] == [8_000, 8_000]


def test_a_dot_plot_of_equal_texts_has_the_longest_run() -> None:
    """Equal texts are held and covered everywhere, in order, in one run."""
    words = [f"word{n}" for n in range(100)]
    plot = plot_dots(words, words)
    assert (plot.longest_run, plot.order, plot.flow) == (100, 1.0, 1.0)
    assert all(marks.all() for marks in (*plot.held, *plot.covered))


def test_no_words_make_an_empty_plot() -> None:
    """A text without words shares nothing."""
    plot = plot_dots([], ["one"])
    assert (plot.strength, plot.longest_run, plot.order) == (0.0, 0, 0.0)
