"""An explanation adds up to the probability that it explains."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.collation import Collation, collate
from pipeline.philology.explained import Explanation
from pipeline.philology.explanation import ECHOES, explain, explain_word
from pipeline.philology.prior import NAMES
from pipeline.philology.recovered import Evidence, LearnedPair, Reason
from pipeline.philology.recovery import recover
from pipeline.philology.witness import Witness

ORIGINAL = (
    "The government said on Thursday it would close the northern border crossing after 2,500 people arrived in a week.",
    "“We cannot let this go on,” the interior minister, Maria Keller, told reporters in the capital.",
    "Aid groups working in the region said the decision would leave families without shelter as winter begins.",
    "The opposition called for a debate in parliament, where the coalition has a majority of three seats.",
)
SPUN = (
    [("said", "stated"), ("close", "shut"), ("people", "folks"), ("2,500", "two,500"), ("families", "households")],
    [("decision", "resolution"), ("region", "area"), ("winter", "wintertime"), ("week", "hebdomad"), ("debate", "argue")],
    [("government", "executive"), ("majority", "bulk"), ("leave", "depart"), ("capital", "uppercase"), ("people", "humans")],
)
PROMOTION = "Sign up for our daily newsletter"


def spun(*numbers: int) -> tuple[str, ...]:
    text = "\n\n".join(ORIGINAL)
    for old, new in (pair for number in numbers for pair in SPUN[number]):
        text = text.replace(old, new)
    return tuple(text.split("\n\n"))


def story(*bodies: tuple[str, ...]) -> Collation:
    return collate([Witness(str(number), body, language="en", site=f"{number}.example") for number, body in enumerate(bodies)])


MIXED = story(spun(0), spun(1), spun(2), (*ORIGINAL[:2], PROMOTION, *ORIGINAL[2:3]))
FAMILY = story(*[spun(0, 1, 2)] * 4, ORIGINAL, ORIGINAL[:3])


def check(found: Explanation) -> None:
    """Scores become probabilities, readings add up, everybody who attests something is listed as doing so."""
    scores: dict[tuple[float, ...], float] = {}
    for reading in found.readings:
        assert reading.score == pytest.approx(reading.prior + math.fsum(reading.contributions))
        scores[reading.prior, reading.weighed, *reading.contributions] = reading.score
    if found.decided_by != "agreement" and len(scores) > 1:
        total = math.fsum(map(math.exp, scores.values()))
        for reading in found.readings:
            assert reading.weighed == pytest.approx(math.exp(reading.score) / total, abs=1e-9)
        assert math.fsum(reading.dealt for reading in found.readings) == pytest.approx(1)
        assert math.fsum(reading.probability for reading in found.readings) == pytest.approx(1)
    elif found.decided_by == "agreement":
        (reading,) = found.readings
        assert reading.weighed == pytest.approx(1 / (1 + math.exp(-reading.score)))
    lemma = found.readings[0]
    assert lemma.lemma
    assert found.raw == pytest.approx(lemma.dealt * found.passage.probability)
    for number, reading in enumerate(found.readings):
        assert reading.sigla == tuple(row.siglum for row in found.witnesses if row.reading == number)
    assert all(len(reading.contributions) == len(found.lineages) for reading in found.readings)


@pytest.mark.parametrize("collation", [MIXED, FAMILY], ids=["independent", "family"])
def test_every_word_of_a_text_is_accounted_for(collation: Collation) -> None:
    """At every token the account is that of the recovery: the same words, probability, reason and readings."""
    recovery = recover(collation, Evidence())
    units = {(unit.start, unit.end): unit for unit in recovery.apparatus}
    for token in recovery.tokens:
        found = explain(collation, Evidence(), token.start)
        assert found is not None
        check(found)
        assert found.start <= token.start < token.end <= found.end
        assert found.text == recovery.text[found.start : found.end]
        assert (found.probability, found.reason) == (token.probability, token.reason)
        if len(found.readings) > 1:
            unit = units[found.start, found.end]
            assert [(r.text, r.sigla, r.probability) for r in unit.readings] == [
                (r.text, r.sigla, r.probability) for r in found.readings
            ]


def test_a_spun_word_is_explained() -> None:
    """Who attests what, and that all that speaks for the lemma is prior and witnesses."""
    (found,) = explain_word(MIXED, Evidence(), "people")
    assert [(reading.text, reading.sigla) for reading in found.readings] == [
        ("people", ("B", "D")),
        ("humans", ("C",)),
        ("folks", ("A",)),
    ]
    assert found.decided_by == "prior and witnesses"
    assert {feature.name for feature in found.readings[0].features} <= {*NAMES, ECHOES}
    assert all(row.weight > 0 for row in found.witnesses)
    assert found.passage.kept
    assert found.before.endswith("after 2,500 ")
    assert found.after.startswith(" arrived in a week.")


def test_kin_have_one_vote() -> None:
    """Four copies of one spun copy are one lineage with one contribution, and the alternative solution says what it would take."""
    (found,) = explain_word(FAMILY, Evidence(), "people")
    assert [lineage.sigla for lineage in found.lineages] == [("A", "B", "C", "D"), ("E",), ("F",)]
    assert found.readings[0].text == "people"
    assert found.alternative is not None
    assert sum(len(group) for group in found.alternative.lineages) == 6
    assert found.alternative.agrees == (found.alternative.text == "people")


def test_what_is_not_in_the_text_is_explained_too() -> None:
    """A rejected reading leads to its place, a passage that was left out to the reasons for that; other words to nothing."""
    (rejected,) = explain_word(MIXED, Evidence(), "Folks")
    assert rejected.text == "people"
    (omitted,) = explain_word(MIXED, Evidence(), "sign up")
    assert not omitted.passage.kept
    assert (omitted.start, omitted.end) == (omitted.start, omitted.start)
    assert omitted.passage.why == "promotion"
    assert omitted.passage.holders == ("D",)
    odds = math.fsum(feature.log_odds for feature in omitted.passage.features)
    assert omitted.passage.probability == pytest.approx(1 / (1 + math.exp(-odds)))
    assert explain_word(MIXED, Evidence(), "penguin") == ()
    assert explain_word(MIXED, Evidence(), " ") == ()


def test_positions_outside_the_text_have_no_account() -> None:
    """Between words the next one is explained; behind the last and before the first there is none."""
    last = recover(MIXED, Evidence()).tokens[-1]
    assert explain(MIXED, Evidence(), last.end) is None
    assert explain(MIXED, Evidence(), -1) is None
    between = explain(MIXED, Evidence(), 3)
    assert between is not None
    assert between.text == "government"


def test_other_stories_show_in_the_account() -> None:
    """A learned pair is a feature of the reading; a site's rate changes what its witness weighs."""
    evidence = Evidence(error_rates={"1.example": (9000.0, 10_000.0)}, pairs=(LearnedPair("people", "folks", 7),))
    (found,) = explain_word(MIXED, evidence, "people")
    assert any(feature.name == "learned" and feature.log_odds > 0 for feature in found.readings[0].features)
    (before,) = explain_word(MIXED, Evidence(), "people")
    assert found.witnesses[1].weight < before.witnesses[1].weight


def test_the_only_witness_speaks_for_itself() -> None:
    """One witness, one reading, its standing probability; no words without a witness."""
    alone = collate([Witness("1", ("One two three.", "Leave a comment"))])
    (found,) = explain_word(alone, Evidence(), "two")
    check(found)
    assert (found.text, found.reason, found.decided_by) == ("two", Reason.SINGLE, "the only witness")
    assert explain(alone, Evidence(), 4) == found
    assert explain(collate([]), Evidence(), 0) is None


words = st.sampled_from(
    ["the", "bridge", "was", "closed", ",", ".", "on", "Monday", "by", "2,500", "two,500", "…", "“", "’", "-"]
)
bodies = st.lists(st.lists(words, max_size=20).map(" ".join), max_size=4).map(tuple)


@settings(max_examples=25, deadline=None)
@given(st.lists(bodies, max_size=4), st.integers(-3, 200))
def test_accounts_add_up_on_any_text(texts: list[tuple[str, ...]], position: int) -> None:
    """Whatever the witnesses say, the account adds up and is the recovery's."""
    collation = story(*texts)
    found = explain(collation, Evidence(), position)
    recovery = recover(collation, Evidence())
    assert (found is None) == (position < 0 or not any(position < token.end for token in recovery.tokens))
    if found is not None:
        check(found)
        assert found.text == recovery.text[found.start : found.end]
        assert {token.probability for token in recovery.tokens if found.start <= token.start < found.end} == {found.probability}
