"""How two witnesses are related: whether one is a copy of the other, quotes it, or only uses its sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log2
from types import MappingProxyType

import numpy as np
from rapidfuzz.distance import LCSseq

from pipeline.philology.anchors import Words, read_words
from pipeline.philology.dotplot import DotPlot, Marks, plot_dots
from pipeline.philology.thinness import find_thinness
from pipeline.philology.witness import Witness

# All thresholds are fitted on copies and strangers as docs/placing.md describes; its table shows how far each lies from both.
_COPY_STRENGTH = 80.0
_COPY_COVERAGE = 0.6
"""Coverage of either text below which they are no one story, unless they share their beginning."""
_COPY_IN_ORDER, _COPY_IN_FLOW = 0.5, 0.62
"""What that coverage must come to when it is weighed by the order, or by the flow; passages that are literal need neither."""
_LITERAL = 0.85
"""Density from which passages are the same text, in whatever order they come."""
_HEAD_WORDS, _HEAD_START, _HEAD_GAP, _HEAD_DENSITY = 80, 25, 30, 0.85
"""Words that two texts must share from near their beginnings on to be copies that were cut or added to afterwards."""
_EXCERPT_WORDS = 40
_EXCERPT_STRENGTH = 150.0
_EXCERPT_DENSITY = 0.62
_TEMPLATE_COVERAGE = 0.4
_FACTS_KEPT = 0.4
"""Share of the numbers, or of the names, from which on they are one report's, updated or corrected."""
_FACTS_ODDS = -5.5
"""Bits below which they are another report's: two facts changed in a literal text, four where half the words were replaced."""
_SLIP, _SLIP_SPUN, _CHANGED = 0.06, 0.35, 0.75
"""Chance that a copy changes a fact, what replaced words add to it for the share of them, and the chance in another report."""
_FURNITURE_WORDS, _FURNITURE_END = 150, 30
"""Words at most, and words from the end at most, of lines that one site repeats under its pages."""
_TRANSLATED_FACTS, _TRANSLATED_COVERAGE, _TRANSLATED_ORDER = 8, 0.4, 0.4
_COMMON_WORDS = 25
_COMMON_SHARED = 0.16
"""Share of two texts' commonest words that they have in common when they are in one language."""


class RelationKind(StrEnum):
    """What two witnesses are to each other."""

    COPY = "copy"
    """One text, however many of its words were replaced, cut or moved."""
    EXCERPT = "excerpt"
    """A text of its own that has a passage of the other, or a passage that both took from a third."""
    SAME_TEMPLATE = "same_template"
    """The same sentences with other numbers or names: another day's report. Never one story."""
    OTHER_LANGUAGE = "other_language"
    """The same names and numbers in much the same order, in another language: linked, not collated."""
    UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class Relation:
    """What a newcomer is to a member of a story, and the numbers that say so."""

    kind: RelationKind
    newcomer_coverage: float
    """Share of the newcomer's words that stand in stretches the member has too, 0 to 1."""
    member_coverage: float
    """Share of the member's words that stand in stretches the newcomer has too, 0 to 1."""
    newcomer_paragraphs: tuple[float, ...]
    """Of each paragraph of the newcomer the share of its words in such stretches; 0 where it has no words."""
    member_paragraphs: tuple[float, ...]
    """The same of the member's paragraphs."""
    evidence: Mapping[str, float]
    """In the shared stretches: `words_shared` (of the text with fewer), `density` (share of them that are equal),
    `strength` (bits), `order`, `flow`, `longest_run` (words), `numbers` and `names` (of both texts), `numbers_kept` and
    `names_kept` (the shares that the other text has in the same place; 1 where there are none), `facts_odds` (bits for one
    report and against two, by the names and numbers of a sort that were mostly changed). Where the languages differ,
    `facts_shared`, `facts_coverage`, `facts_order` and `names_shared` over the whole texts. For a text too thin: `thin`."""


def relate(newcomer: Witness, member: Witness) -> Relation:
    """What the newcomer is to the member; the same kind whichever of the two is called the newcomer."""
    first, second = read_words(newcomer.paragraphs), read_words(member.paragraphs)
    if find_thinness(first, newcomer.paragraphs) or find_thinness(second, member.paragraphs):
        shares = (0.0,) * len(newcomer.paragraphs), (0.0,) * len(member.paragraphs)
        return Relation(RelationKind.UNRELATED, 0.0, 0.0, *shares, MappingProxyType({"thin": 1.0}))
    # The plot's cells lie along its first text: one order for both ways keeps the relation symmetric.
    turned = (len(second.keys), second.keys) < (len(first.keys), first.keys)
    texts = (second, first) if turned else (first, second)
    plot = plot_dots(texts[0].keys, texts[1].keys)
    if texts[0].keys == texts[1].keys:
        # A text of words that are all too common to count is still itself.
        whole = np.ones(len(first.keys), dtype=np.bool_)
        plot = replace(plot, covered=(whole, whole), held=(whole, whole))
    coverage = float(plot.covered[0].mean()), float(plot.covered[1].mean())
    evidence = _weigh_evidence(texts, plot)
    kind = RelationKind.COPY if texts[0].keys == texts[1].keys else _judge(plot, max(coverage), evidence)
    if kind is RelationKind.EXCERPT and newcomer.site and newcomer.site == member.site and _is_furniture(plot):
        kind = RelationKind.UNRELATED
    if kind is RelationKind.UNRELATED and _differ_in_language(newcomer, member, *texts):
        facts = _compare_facts(*texts)
        evidence |= facts
        kind = _judge_facts(facts)
    mine, other = (1, 0) if turned else (0, 1)
    return Relation(
        kind,
        coverage[mine],
        coverage[other],
        _share_by_paragraph(first, plot.covered[mine], len(newcomer.paragraphs)),
        _share_by_paragraph(second, plot.covered[other], len(member.paragraphs)),
        MappingProxyType(evidence),
    )


def _share_by_paragraph(words: Words, covered: Marks, count: int) -> tuple[float, ...]:
    sizes = np.bincount(words.paragraphs, minlength=count)
    shares: list[float] = (np.bincount(words.paragraphs, weights=covered, minlength=count) / np.maximum(sizes, 1)).tolist()
    return tuple(shares)


def _weigh_evidence(texts: tuple[Words, Words], plot: DotPlot) -> dict[str, float]:
    sides = tuple(zip(texts, zip(plot.covered, plot.held, strict=True), strict=True))
    shared = [int(covered.sum()) for covered in plot.covered]
    held = sum(int(marks.sum()) for marks in plot.held)
    density = held / max(1, sum(shared))
    numbers, numbers_kept, numbers_odds = _compare_kept([(np.array(text.numbers), *marks) for text, marks in sides], density)
    names, names_kept, names_odds = _compare_kept([(np.array(text.names), *marks) for text, marks in sides], density)
    return {
        "words_shared": float(min(shared)),
        "density": density,
        "strength": plot.strength,
        "order": plot.order,
        "flow": plot.flow,
        "longest_run": float(plot.longest_run),
        "numbers": float(numbers),
        "numbers_kept": numbers_kept,
        "names": float(names),
        "names_kept": names_kept,
        "facts_odds": numbers_odds + names_odds,
    }


def _compare_kept(sides: Sequence[tuple[Marks, Marks, Marks]], density: float) -> tuple[int, float, float]:
    """Facts of both texts, the share of them that is kept, and the odds for one report in bits: 0 where most are kept.

    The text that kept more speaks for both, and the one with fewer facts says how many there are: a spinner's capitals make
    names of words, and its damage several numbers of one, in its own text alone.
    """
    counts = [int((marks & covered).sum()) for marks, covered, _ in sides]
    kept = [int((marks & covered & held).sum()) for marks, covered, held in sides]
    share = sum(kept) / sum(counts) if sum(counts) else 1.0
    if share >= _FACTS_KEPT:
        return sum(counts), share, 0.0
    slip = _SLIP + _SLIP_SPUN * (1 - density)
    stays, changes = log2((1 - slip) / (1 - _CHANGED)), log2(slip / _CHANGED)
    best = max(good / n for n, good in zip(counts, kept, strict=True) if n)
    facts = min(counts) or max(counts) / 2
    return sum(counts), share, min(0.0, facts * (best * stays + (1 - best) * changes))


def _judge(plot: DotPlot, coverage: float, evidence: Mapping[str, float]) -> RelationKind:
    if evidence["facts_odds"] < _FACTS_ODDS:
        return RelationKind.SAME_TEMPLATE if coverage >= _TEMPLATE_COVERAGE else RelationKind.UNRELATED
    convincing = (
        coverage * plot.order >= _COPY_IN_ORDER or coverage * plot.flow >= _COPY_IN_FLOW or evidence["density"] >= _LITERAL
    )
    copied = (coverage >= _COPY_COVERAGE and convincing) or all(_shares_head(covered) for covered in plot.covered)
    if copied and plot.strength >= _COPY_STRENGTH:
        return RelationKind.COPY
    quoted = evidence["words_shared"] >= _EXCERPT_WORDS and evidence["density"] >= _EXCERPT_DENSITY
    if quoted and evidence["strength"] >= _EXCERPT_STRENGTH:
        return RelationKind.EXCERPT
    return RelationKind.UNRELATED


def _is_furniture(plot: DotPlot) -> bool:
    """Whether all that two texts share is a few lines at the end of both."""
    ends = []
    for covered in plot.covered:
        places = np.flatnonzero(covered)
        ends.append(places[0] > len(covered) / 2 and places[-1] >= len(covered) - _FURNITURE_END)
    return all(ends) and max(int(covered.sum()) for covered in plot.covered) <= _FURNITURE_WORDS


def _shares_head(covered: Marks) -> bool:
    places = np.flatnonzero(covered)
    if not len(places) or places[0] > _HEAD_START:
        return False
    gaps = np.flatnonzero(np.diff(places) > _HEAD_GAP)
    shared = int(gaps[0]) + 1 if len(gaps) else len(places)
    return shared >= _HEAD_WORDS and shared >= _HEAD_DENSITY * (int(places[shared - 1]) + 1 - int(places[0]))


def _differ_in_language(newcomer: Witness, member: Witness, first: Words, second: Words) -> bool:
    if newcomer.language and member.language:
        return newcomer.language != member.language
    common = [_list_common_words(text) for text in (first, second)]
    return len(common[0] & common[1]) < _COMMON_SHARED * min(len(common[0]), len(common[1]))


def _list_common_words(text: Words) -> set[str]:
    counts: dict[str, int] = {}
    for key, name, number in zip(text.keys, text.names, text.numbers, strict=True):
        if not name and not number:
            counts[key] = counts.get(key, 0) + 1
    return set(sorted(counts, key=lambda key: (-counts[key], key))[:_COMMON_WORDS])


def _list_facts(text: Words) -> dict[str, bool]:
    """Each name and longer number once, in the order of their first mention, and whether it is a name."""
    rows = zip(text.keys, text.names, text.numbers, strict=True)
    return {key: name for key, name, number in rows if name or (number and len(key) > 2)}


def _compare_facts(first: Words, second: Words) -> dict[str, float]:
    facts = _list_facts(first), _list_facts(second)
    shared = facts[0].keys() & facts[1].keys()
    lines = [[fact for fact in line if fact in shared] for line in facts]
    return {
        "facts_shared": float(len(shared)),
        "facts_coverage": len(shared) / max(1, min(len(line) for line in facts)),
        "facts_order": LCSseq.similarity(lines[0], lines[1]) / max(1, len(shared)),
        "names_shared": float(sum(1 for fact in shared if facts[0][fact])),
    }


def _judge_facts(facts: Mapping[str, float]) -> RelationKind:
    translated = (
        facts["facts_shared"] >= _TRANSLATED_FACTS
        and facts["names_shared"] >= _TRANSLATED_FACTS / 2
        and facts["facts_coverage"] >= _TRANSLATED_COVERAGE
        and facts["facts_order"] >= _TRANSLATED_ORDER
    )
    return RelationKind.OTHER_LANGUAGE if translated else RelationKind.UNRELATED
