"""The generator of copies: what it says of a copy holds of its text."""

import random
from itertools import pairwise

import pytest
from rapidfuzz.distance import LCSseq

from bench.copies import CONDITIONS, Case, Original, cases, damage, newsroom, originals
from bench.copies.case import split
from bench.copies.dictionary import MISSING, installed, options_of
from bench.copies.spinner import Spinner, damaged, spin
from bench.copies.versions import earlier
from pipeline.philology.baselines import words_of
from pipeline.philology.recovered import Kind

DATA = "the articles of ../shared/data are not there"
WORDS = {
    "officials": ("functionaries",),
    "said": ("stated", "mentioned"),
    "bridge": ("overpass",),
    "according to": ("in line with",),
    "repairs": ("restoration work",),
    "closed": ("shut",),
    "people": ("folks",),
    "river": ("waterway",),
    "traffic": ("site visitors",),
    "bank": ("financial institution",),
    "after": ("following",),
    "city": ("town",),
    "engineers": ("technicians",),
    "found": ("discovered",),
    "weeks": ("months",),
}
ARTICLE = Original(
    "own",
    "Old Kestrel bridge closed: engineers find cracks in 14 girders",
    "\n\n".join(
        (
            "The city closed the old bridge over the Kestrel river on Monday after engineers found cracks in 14 of its 96 girders.",
            (
                "Traffic was sent over the Northern Bank bridge, officials said. About 32,500 people cross the river every day, "
                "according to the city."
            ),
            '"We could not wait another day," Mayor Ines Calder told reporters. "The repairs will take weeks."',
            "The cracks were found by 3 engineers during a yearly visit. They had seen nothing in 2019.",
            "Buses will run every 8 minutes, officials said. Ferries carried 1,200 people on Monday alone.",
            "The bridge was opened in 1931 and was last painted in 1998, after which 2.5 percent of its bolts were replaced.",
            "Shops on the river's eastern side said they had lost 40 percent of their customers by noon.",
            "Officials said repairs would cost $7 million, five times what the city had set aside.",
        )
    ),
    False,
)
OTHER = Original(
    "other", None, "\n\n".join(f"Number {at} of the other report says what people found after weeks." for at in range(8)), False
)


def made(condition: str, seed: int = 1, count: int = 4) -> list[Case]:
    return list(cases(seed, "fit", condition, count, (ARTICLE, OTHER), lambda head: WORDS.get(head, ())))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_one_seed_gives_one_set_of_cases(condition: str) -> None:
    """The same seed gives the same cases, another seed others."""
    assert made(condition) == made(condition)
    assert made(condition) != made(condition, seed=2)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_case_is_whole(condition: str) -> None:
    """The original is the last version; exemplars stand before their copies and are of the same version; no copy is empty."""
    for case in made(condition):
        assert case.original == case.versions[-1]
        assert len(case.copies) > 3
        for number, copy in enumerate(case.copies):
            assert words_of(copy.text)
            assert copy.version is None or copy.version in range(len(case.versions))
            if copy.exemplar is not None:
                assert copy.exemplar < number
                assert case.copies[copy.exemplar].version == copy.version


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_kind_of_a_copy_holds(condition: str) -> None:
    """Verbatim is letter for letter, a cut a prefix; other kinds are something else; a copy is never lighter than its exemplar."""
    order = [Kind.VERBATIM, Kind.EDITED, Kind.TRUNCATED, Kind.SPUN, Kind.REWRITTEN, Kind.OTHER]
    for case in made(condition, count=8):
        for copy in case.copies:
            source = case.versions[copy.version or 0] if copy.exemplar is None else case.copies[copy.exemplar].text
            if copy.recipe == "verbatim":
                assert copy.text == source
            elif copy.recipe == "cut":
                assert source.startswith(copy.text)
                assert len(split(copy.text)) < len(split(source))
            elif copy.kind is not Kind.OTHER:
                assert copy.text != source
            if copy.exemplar is not None:
                assert order.index(copy.kind) >= order.index(case.copies[copy.exemplar].kind)
            assert (copy.kind is Kind.VERBATIM) == (copy.text in case.versions)


def test_six_of_ten_copies_come_from_one_spun_copy() -> None:
    """In "one-exemplar" six copies descend from the spun one, directly or by another of them."""
    for case in made("one-exemplar"):
        below = {0}
        for number, copy in enumerate(case.copies):
            if copy.exemplar in below:
                below.add(number)
        assert len(case.copies) == 10
        assert len(below) == 7
        assert case.copies[0].kind is Kind.SPUN


def test_a_spun_copy_keeps_sentences_and_names() -> None:
    """A spinner replaces words of its dictionary and damages numbers; paragraphs and all other words stay in order."""
    text = split(ARTICLE.text)
    spun = spin(text, random.Random(3), Spinner("fit", 1.0), lambda head: WORDS.get(head, ()))
    assert len(spun) == len(text)
    before, after = words_of("\n\n".join(text)), words_of("\n\n".join(spun))
    changed = [
        " ".join(before[step.src_start : step.src_end]).lower()
        for step in LCSseq.opcodes([word.lower() for word in before], [word.lower() for word in after])
        if step.tag != "equal" and step.src_end > step.src_start
    ]
    heads = {word for head in WORDS for word in head.split()}
    assert changed
    assert all(word in heads or word[0].isdigit() for run in changed for word in run.split() if word.isalnum())


def test_a_spared_quotation_is_untouched() -> None:
    """A spinner that spares quotations leaves what stands between quotation marks as it is."""
    text = ('"The repairs will take weeks," officials said after the bridge closed.',)
    spinner = Spinner("fit", 2.0, spares_quotations=True)
    for seed in range(20):
        assert spin(text, random.Random(seed), spinner, lambda head: WORDS.get(head, ()))[0].startswith(
            '"The repairs will take weeks,"'
        )


@pytest.mark.parametrize(
    ("number", "spoilt"),
    [
        ("2,500", "two,500"),
        ("8.8", "8.Eight"),
        ("5,14,246", "five,14,246"),
        ("2019", "2019"),
        ("32,500", "32,500"),
        ("3", "three"),
    ],
)
def test_numbers_are_damaged_as_seen(number: str, spoilt: str) -> None:
    """The digit before a comma or behind a point is spelt out; longer numbers stay."""
    assert damaged(number) == spoilt


def test_rot47_is_its_own_inverse() -> None:
    """Scrambling twice gives the text back, and scrambles all of printable ASCII but the blank."""
    printable = "".join(map(chr, range(33, 127)))
    text = f"{printable} “Straße” – 10 € …"
    assert damage.rot47(damage.rot47(text)) == text
    assert all(one != two for one, two in zip(printable, damage.rot47(printable), strict=True))
    scrambled = damage.scramble_tail(split(ARTICLE.text), random.Random(1))
    back = tuple(line if line in ARTICLE.text else damage.rot47(line) for line in scrambled)
    assert back == split(ARTICLE.text)


def test_an_earlier_version_has_less_and_lower_figures() -> None:
    """The version before lacks paragraphs, keeps the order of the rest, and what differs in these is figures alone."""
    now = split(ARTICLE.text)
    for seed in range(10):
        before = earlier(now, random.Random(seed))
        assert before[0].startswith("The city closed the old bridge")
        assert len(now) - len(before) >= 2
        same = [at for text in before for at, line in enumerate(now) if wordless(line) == wordless(text)]
        assert len(same) == len(before)
        assert all(one < two for one, two in pairwise(same))
        assert not set(before) <= set(now)


def wordless(text: str) -> str:
    """The text without its figures and number words."""
    numbers = {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
    return " ".join(word for word in words_of(text) if not word[0].isdigit() and word not in numbers)


def test_the_headline_changes_with_the_version() -> None:
    """Every copy carries the headline of its version, and versions have different ones."""
    for case in made("versions")[::2]:
        titles = {copy.version: copy.title for copy in case.copies}
        assert len(set(titles.values())) == len(titles) == len(case.versions)
        assert case.title == ARTICLE.title == titles[len(case.versions) - 1]


def test_moved_and_doubled_paragraphs_are_the_articles_own() -> None:
    """Moving keeps the paragraphs as a set, doubling repeats one, joining and splitting keep all words."""
    text = split(ARTICLE.text)
    for seed in range(20):
        rng = random.Random(seed)
        moved = newsroom.move_paragraph(text, rng)
        assert sorted(moved) == sorted(text)
        assert moved != text
        doubled = newsroom.double_paragraph(text, rng)
        assert len(doubled) == len(text) + 1
        assert set(doubled) == set(text)
        for step in (newsroom.join_paragraphs, newsroom.split_paragraph):
            other = step(text, rng)
            assert other != text
            assert " ".join(other) == " ".join(text)


def test_house_style_is_one_way_through_a_text() -> None:
    """A paper writes per cent one way, quotation marks one way."""
    for seed in range(20):
        styled = "\n\n".join(newsroom.house_style(split(ARTICLE.text), random.Random(seed)))
        assert sum(form in styled for form in (" percent", " per cent", "%")) == 1
        assert ('"' in styled) != ("“" in styled)


def test_strangers_are_not_of_any_version() -> None:
    """Another agency's report and another article say that they descend from no version; excerpts do descend from one."""
    for case in made("other-agency"):
        assert [copy.version is None for copy in case.copies] == [False, False, False, True, True, True]
    for case in made("quotes"):
        quoting = [copy for copy in case.copies if copy.recipe == "quotes"]
        assert len(quoting) == 2
        for copy in quoting:
            assert sum(paragraph in case.original for paragraph in split(copy.text)) == 2


@pytest.mark.skipif(not originals("fit"), reason=DATA)
def test_parts_share_no_article() -> None:
    """No article is in both parts, and those of the fixed cases stay in their own."""
    fit, report = ({original.text for original in originals(part)} for part in ("fit", "report"))
    assert not fit & report
    assert min(len(fit), len(report)) >= 40
    for part in ("fit", "report"):
        assert sum(original.published_case for original in originals(part)) >= 20


def test_no_part_of_another_name() -> None:
    """A part that is neither to fit on nor to report is refused."""
    with pytest.raises(ValueError, match="no part is called 'test'"):
        originals("test")


@pytest.mark.skipif(not installed(), reason=MISSING)
def test_dictionaries_share_no_pair() -> None:
    """No pair of word and replacement stands in both parts' dictionaries; both have plenty, in the word's own form."""
    words = sorted({word for word in words_of(ARTICLE.text) if word.islower()} | {"announced", "leaders", "large", "quickly"})
    fit = {(word, option) for word in words for option in options_of(word, "fit")}
    report = {(word, option) for word in words for option in options_of(word, "report")}
    assert not fit & report
    assert min(len(fit), len(report)) > 50
    assert {option for word, option in fit | report if word == "announced"} >= {"declared", "asserted"}
