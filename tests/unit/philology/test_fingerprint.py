"""Fingerprints: stable, bounded, deaf to the order of paragraphs, and silent on texts too thin to place."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.anchors import read_words
from pipeline.philology.fingerprint import MOST_ANCHORS, MOST_SHINGLES, fingerprint
from pipeline.philology.witness import Witness

FERRY = (
    (
        "The harbour board of Port Ellery said on Tuesday that 2,500 passengers were stranded when the ferry Northern "
        "Lark lost power off Cape Wren, and that the operator, Tidewater Lines, would be asked to explain the delay."
    ),
    (
        "Captain Moira Haldane told the inquiry in Port Ellery that the second engine had failed at 6.40 p.m., about "
        "14 kilometres from the Cape Wren lighthouse, with 312 vehicles aboard."
    ),
    '"We waited four hours for a tug that was never ordered," said Haldane, who has worked for Tidewater Lines since 1998.',
)


def make_witness(*paragraphs: str) -> Witness:
    return Witness("test", paragraphs)


def test_features_have_known_answers() -> None:
    """The hashes of a text are the same in every release: a stored fingerprint would be lost otherwise."""
    found = fingerprint(make_witness(*FERRY))
    assert found.anchors[:3] == (-8978879340006844306, -8019264143375135302, -7867921043965321968)
    assert found.shingles[:3] == (-8566920517064290008, -8267684129151572109, -7158656254466588269)
    assert (len(found.anchors), len(found.shingles)) == (39, 45)


def test_features_are_the_same_in_another_process() -> None:
    """No feature hangs on a process's own hash seed."""
    code = (
        "from pipeline.philology.fingerprint import fingerprint; from pipeline.philology.witness import Witness; "
        f"print(fingerprint(Witness('x', {FERRY!r})).features)"
    )
    out = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(fingerprint(make_witness(*FERRY)).features)


@given(st.permutations(FERRY))
def test_order_of_paragraphs_plays_no_part(paragraphs: list[str]) -> None:
    """A moved paragraph changes no feature."""
    assert fingerprint(make_witness(*paragraphs)) == fingerprint(make_witness(*FERRY))


@given(st.lists(st.text(max_size=400), max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_text_has_a_bounded_fingerprint(paragraphs: list[str]) -> None:
    """Whatever the text, features are ascending signed 64-bit numbers, each once, within the bounds, and none when thin."""
    found = fingerprint(make_witness(*paragraphs))
    assert len(found.anchors) <= MOST_ANCHORS
    assert len(found.shingles) <= MOST_SHINGLES
    assert list(found.features) == sorted(set(found.features))
    assert all(-(2**63) <= feature < 2**63 for feature in found.features)
    assert not (found.thin and found.features)


def test_features_are_bounded_for_a_long_text() -> None:
    """A long text gives exactly as many features as are allowed, not one for every word."""
    text = " ".join(f"Reporter Name{n} counted {n * 7919} letters posted yesterday" for n in range(900))
    found = fingerprint(make_witness(text))
    assert (len(found.anchors), len(found.shingles)) == (MOST_ANCHORS, MOST_SHINGLES)


def test_a_cut_text_keeps_the_features_of_its_part() -> None:
    """The anchors and shingles of one paragraph are among those of the whole."""
    part, whole = fingerprint(make_witness(FERRY[0])), fingerprint(make_witness(*FERRY))
    assert set(part.shingles) <= set(whole.shingles)
    assert len(set(part.anchors) & set(whole.anchors)) >= 0.8 * len(part.anchors)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no words"),
        ("… — !!! 🙂", "no words"),
        (" ".join(["word"] * 20), "only 20 words"),
        ("buy now " * 40, "only 2 different words"),
        ("and " + "Anna Berg, Bo Dahl, Carl Ek, Dora Falk, Eva Gran, Hugo Iver, 12 14 " * 3, "only names and numbers"),
        (" ".join(str(n) for n in range(1000, 1060)), "only names and numbers"),
        (
            ("We and our partners use cookies to store information on your device. By choosing Accept you consent to "
            "cookies. You can change your choices at any time. See our privacy policy for more."),
            "only what pages say of themselves (cookies, subscriptions, accounts)",
        ),
        (
            ("Subscribe to read the full story. Already a subscriber? Sign in to your account. Unlimited access for "
            "one month, cancel anytime. Get our newsletter in your inbox every morning."),
            "only what pages say of themselves (cookies, subscriptions, accounts)",
        ),
    ],
)  # fmt: skip
def test_a_thin_text_says_why(text: str, why: str) -> None:
    """Texts that would join strangers have no features and say why."""
    found = fingerprint(make_witness(text))
    assert (found.thin, found.features) == (why, ())


def test_a_story_about_cookies_is_not_boilerplate() -> None:
    """A word that cookie notices use does not make a notice of a report."""
    story = (
        "The regulator in Port Ellery fined the newspaper 40,000 crowns on Friday for setting cookies before readers "
        "had agreed, the largest penalty it has handed out since the law was passed. The publisher Hanna Orr called "
        "the decision harsh and said that the practice had ended in March, when a new editor took over."
    )
    assert fingerprint(make_witness(story)).thin is None


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("two,500", "2500"),
        ("2,500", "2500"),
        ("2500", "2500"),
        ("8.Eight", "88"),
        ("five,14,246", "514246"),
        ("Twelve,000", "12000"),
        ("٢٥٠٠", "2500"),
    ],
)
def test_damage_to_numbers_is_undone(printed: str, key: str) -> None:
    """A number that a spinner or an extractor damaged is the number it was."""
    words = read_words((f"the {printed} men",))
    assert (words.keys, words.numbers) == (("the", key, "men"), (False, True, False))


def test_names_are_told_from_sentence_openings() -> None:
    """A capitalised word is a name where it stands inside a sentence, and then at the start of one too; a heading has none."""
    words = read_words(("Haldane spoke. Later Schröder's deputy met Haldane.", "Talks In Port Ellery"))
    assert [key for key, name in zip(words.keys, words.names, strict=True) if name] == ["haldane", "schroder", "haldane"]
