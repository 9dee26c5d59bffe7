"""A recovery keeps its promises on any input, and is better than any single copy where copies differ."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.baselines import longest, majority, medoid, token_error_rate
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Kind, Reason, Recovery, recover
from pipeline.philology.witness import Witness

SEED = Path(__file__).resolve().parents[4] / "shared" / "data" / "seed-copy.txt"

ORIGINAL = (
    "The government said on Thursday it would close the northern border crossing after 2,500 people arrived in a week.",
    "“We cannot let this go on,” the interior minister, Maria Keller, told reporters in the capital.",
    "Aid groups working in the region said the decision would leave families without shelter as winter begins.",
    "The opposition called for a debate in parliament, where the coalition has a majority of three seats.",
    "Officials did not say when the crossing would open again, but a spokesman said talks would start next month.",
)
SPUN = {
    "a": [("said", "stated"), ("close", "shut"), ("people", "folks"), ("talks", "discussions"), ("2,500", "two,500")],
    "b": [("decision", "resolution"), ("region", "area"), ("winter", "wintertime"), ("week", "hebdomad"), ("debate", "argue")],
    "c": [("government", "executive"), ("majority", "bulk"), ("start", "begin"), ("leave", "depart"), ("capital", "uppercase")],
}


def copy(source: str, paragraphs: tuple[str, ...], spins: list[tuple[str, str]] = []) -> Witness:  # noqa: B006
    changed = []
    for printed in paragraphs:
        text = printed
        for old, new in spins:
            text = text.replace(old, new)
        changed.append(text)
    return Witness(source=source, paragraphs=tuple(changed), language="en")


def recovered(*witnesses: Witness) -> Recovery:
    return recover(collate(witnesses), Evidence())


def check_promises(recovery: Recovery, witnesses: list[Witness]) -> None:
    attested = {token for w in witnesses for token in _tokens(w)}
    for token in recovery.tokens:
        assert recovery.text[token.start : token.end] == token.text
        assert 0 <= token.probability <= 1
        assert token.text in attested
    assert [token.start for token in recovery.tokens] == sorted(token.start for token in recovery.tokens)
    end = 0
    for unit in recovery.apparatus:
        assert end <= unit.start <= unit.end
        end = unit.end
        lemmata = [reading for reading in unit.readings if reading.lemma]
        assert [reading.text for reading in lemmata] == [recovery.text[unit.start : unit.end]]
        assert sum(reading.probability for reading in unit.readings) == pytest.approx(1)
        assert len(unit.readings) > 1
    assert len(recovery.witnesses) == len(witnesses)


def _tokens(witness: Witness) -> set[str]:
    return set(collate([witness]).tokens[0].texts)


words = st.sampled_from(
    ["the", "bridge", "was", "closed", ",", ".", "on", "Monday", "by", "2,500", "two,500", "…", "“", "é", "-"]
)
paragraphs = st.lists(st.lists(words, max_size=25).map(" ".join), max_size=5).map(tuple)
anything = st.lists(st.text(st.characters(), max_size=40), max_size=4).map(tuple)


@settings(max_examples=80, deadline=None)
@given(st.lists(paragraphs | anything, max_size=5))
def test_the_promises_hold_on_any_text(bodies: list[tuple[str, ...]]) -> None:
    """Offsets, lemmata, sums and attestation hold for any Unicode, lone surrogates and control characters included."""
    witnesses = [Witness(source=str(number), paragraphs=body) for number, body in enumerate(bodies)]
    check_promises(recovered(*witnesses), witnesses)


@settings(max_examples=25, deadline=None)
@given(st.lists(paragraphs, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_order_of_witnesses_does_not_matter(bodies: list[tuple[str, ...]], random) -> None:
    """The same copies in another order give the same recovery."""
    witnesses = [Witness(source=str(number), paragraphs=body) for number, body in enumerate(bodies)]
    shuffled = list(witnesses)
    random.shuffle(shuffled)
    assert recovered(*shuffled) == recovered(*witnesses)


@settings(max_examples=25, deadline=None)
@given(st.lists(paragraphs, min_size=2, max_size=4))
def test_no_paragraph_comes_more_often_than_in_any_witness(bodies: list[tuple[str, ...]]) -> None:
    """A paragraph of the recovery that some witness prints is not doubled."""
    witnesses = [Witness(source=str(number), paragraphs=body) for number, body in enumerate(bodies)]
    found = recovered(*witnesses).text.split("\n\n")
    for paragraph in set(found):
        most = max(body.count(paragraph) for body in bodies)
        if most and len(paragraph.split()) > 5:
            assert found.count(paragraph) <= most


def test_no_witness_gives_an_empty_recovery() -> None:
    """Nothing in, nothing out, no error."""
    recovery = recovered()
    assert (recovery.text, recovery.tokens, recovery.confidence) == ("", (), 0.0)


def test_identical_witnesses_give_their_text() -> None:
    """Copies that do not differ leave nothing to decide."""
    recovery = recovered(copy("1", ORIGINAL), copy("2", ORIGINAL), copy("3", ORIGINAL))
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert recovery.apparatus == ()
    assert {token.reason for token in recovery.tokens} == {Reason.AGREED}


def test_an_empty_witness_changes_nothing() -> None:
    """A copy without text has no vote."""
    recovery = recovered(copy("1", ORIGINAL), copy("2", ORIGINAL), Witness(source="3", paragraphs=()))
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert recovery.witnesses[2].coverage == 0


def test_three_spun_copies_give_the_original_back() -> None:
    """Where each copy is wrong elsewhere, the original is recovered and no copy is."""
    witnesses = [copy(source, ORIGINAL, spins) for source, spins in SPUN.items()]
    recovery = recovered(*witnesses)
    original = "\n\n".join(ORIGINAL)
    assert token_error_rate(recovery.text, original) == 0
    assert all(token_error_rate(w.text, original) > 0.03 for w in witnesses)


def test_two_spun_copies_are_told_apart_by_fluency() -> None:
    """With one vote each the more fluent reading is taken, and said so."""
    recovery = recovered(copy("a", ORIGINAL, [("week", "hebdomad")]), copy("c", ORIGINAL, [("capital", "uppercase")]))
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert [token.text for token in recovery.tokens if token.reason is Reason.FLUENCY] == ["week", "capital"]


def test_copies_of_one_spun_copy_are_one_vote() -> None:
    """Four copies that share their errors do not outvote two clean ones, and are one lineage."""
    spins = [pair for pairs in SPUN.values() for pair in pairs]
    spun = [copy(f"spun{number}", ORIGINAL, spins) for number in range(4)]
    clean = [copy(f"clean{number}", ORIGINAL) for number in range(2)]
    recovery = recovered(*spun, *clean)
    assert recovery.text == "\n\n".join(ORIGINAL)
    lineages = {row.source: row.lineage for row in recovery.witnesses}
    assert len({lineages[w.source] for w in spun}) == 1
    assert lineages["clean0"] != lineages["spun0"]
    assert {row.kind for row in recovery.witnesses if row.source.startswith("spun")} == {Kind.SPUN}


def test_a_promotion_line_is_left_out_and_a_cut_passage_is_kept() -> None:
    """What the page added goes to `omitted`; what one copy lacks stays in the text."""
    promoted = (*ORIGINAL[:3], "Sign up for our daily newsletter", *ORIGINAL[3:])
    cut = ORIGINAL[:3]
    recovery = recovered(copy("1", promoted), copy("2", cut), copy("3", ORIGINAL))
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert [omission.text for omission in recovery.omitted] == ["Sign up for our daily newsletter"]
    assert recovery.witnesses[1].kind is Kind.TRUNCATED


def test_evidence_of_other_stories_counts() -> None:
    """Where nothing else decides, the site that was right before is followed."""
    one = Witness(source="1", paragraphs=("The talks on the zorbling treaty ended.",), site="good.example", language="en")
    two = Witness(source="2", paragraphs=("The talks on the quaddel treaty ended.",), site="bad.example", language="en")
    rates = {"good.example": (1.0, 90_000.0), "bad.example": (30_000.0, 90_000.0)}
    swapped = {"bad.example": rates["good.example"], "good.example": rates["bad.example"]}
    collation = collate([one, two])
    assert recover(collation, Evidence(error_rates=rates)).text == one.text
    assert recover(collation, Evidence(error_rates=swapped)).text == two.text


def test_settled_substitutions_are_handed_out() -> None:
    """A story that is settled teaches which word was put for which."""
    spins = [("said", "stated"), ("people", "folks")]
    recovery = recovered(copy("1", ORIGINAL), copy("2", ORIGINAL), copy("3", ORIGINAL), copy("4", ORIGINAL, spins))
    assert ("people", "folks") in {(pair.original, pair.spun) for pair in recovery.learned}


def test_one_witness_comes_back_without_its_furniture() -> None:
    """Paragraphs character for character; whole paragraphs of the page's own go to `omitted`; every token has one reason."""
    body = (
        "A headline of the day",
        "– The first  paragraph, with two blanks.",
        "Leave a comment",
        "SMM Panel",
        "Read more: a link",
    )
    recovery = recovered(Witness(source="1", paragraphs=body))
    assert recovery.text == "\n\n".join(body[:2])
    assert [omission.text for omission in recovery.omitted] == list(body[2:])
    assert {token.reason for token in recovery.tokens} == {Reason.SINGLE}
    assert recovery.confidence < 0.9
    check_promises(recovery, [Witness(source="1", paragraphs=body)])


@pytest.mark.skipif(not SEED.is_file(), reason="the shared seed copy is not on this machine")
def test_the_seed_copy_comes_back() -> None:
    """The one real spun copy: its paragraphs unchanged, the two lines of furniture under `omitted`."""
    body = tuple(SEED.read_text(encoding="utf-8").strip().split("\n\n"))
    recovery = recovered(Witness(source="seed", paragraphs=body))
    assert recovery.text.split("\n\n") == list(body[:-2])
    assert [(omission.text, omission.why) for omission in recovery.omitted] == [
        ("Leave a comment", "comment"),
        ("SMM Panel", "promotion"),
    ]
    assert {token.reason for token in recovery.tokens} == {Reason.SINGLE}


@pytest.mark.parametrize(
    "body",
    [
        ("word " * 60_000,),
        ("a" * 2_000_000,),
        tuple(f"Line {number} of the table." for number in range(2_000)),
        ("1 2 3 4 5 6 7 8 9 0 " * 50,),
        ("שלום עולם, זה מבחן. " * 40,),
        ("🙂👩‍👩‍👧 🇺🇳 " * 100,),
    ],
)
def test_odd_texts_are_recovered_all_the_same(body: tuple[str, ...]) -> None:
    """One word over and over, one huge word, thousands of paragraphs, numbers, right-to-left text, emoji."""
    witnesses = [
        Witness(source="1", paragraphs=body),
        Witness(source="2", paragraphs=(*body, "An end of its own, nine words long, no more.")),
    ]
    recovery = recovered(*witnesses)
    assert len(recovery.tokens) >= len(_tokens(witnesses[0]))
    check_promises(recovery, witnesses)


def test_a_witness_of_another_article_is_a_stranger() -> None:
    """It is named, and leaves no trace in the text."""
    other = Witness(
        source="other", paragraphs=("Penguins on the southern ice shelf raised more chicks than in any year before.",)
    )
    recovery = recovered(copy("1", ORIGINAL), copy("2", ORIGINAL, SPUN["a"]), copy("3", ORIGINAL, SPUN["b"]), other)
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert [stranger.source for stranger in recovery.strangers] == ["other"]
    assert [(row.source, row.kind) for row in recovery.witnesses if row.coverage == 0] == [("other", Kind.OTHER)]


def test_of_two_articles_mixed_the_one_with_more_witnesses_is_recovered() -> None:
    """Copies of a second article are strangers together."""
    second = ("Penguins on the southern ice shelf raised more chicks than in any year before, researchers found.",)
    recovery = recovered(*(copy(str(n), ORIGINAL) for n in range(3)), *(copy(f"p{n}", second) for n in range(2)))
    assert recovery.text == "\n\n".join(ORIGINAL)
    assert [stranger.source for stranger in recovery.strangers] == ["p0", "p1"]


def test_baselines() -> None:
    """The longest copy, the medoid and a column majority; the error rate counts edits by word over the original's length."""
    witnesses = [
        Witness(source="1", paragraphs=("a b c d",)),
        Witness(source="2", paragraphs=("a b c x y z",)),
        Witness(source="3", paragraphs=("a b c d z",)),
    ]
    assert longest(witnesses) == "a b c x y z"
    assert medoid(witnesses) == "a b c d z"
    assert majority(collate(witnesses)) == "a b c d z"
    assert token_error_rate("a b c x y z", "a b c d") == 0.75
    assert token_error_rate("A b c d", "a b c d") == 0.25
    assert (token_error_rate("", ""), token_error_rate("a", "")) == (0.0, 1.0)
