"""What conjectures are worth: pairs learned from the recoveries of some stories, offered on single copies of others.

Usage: python -m bench.conjectures [CASES.jsonl] [--fit]
Four parts by article: the pairs are learned from the stories of three (recovered from all their copies, nothing else), and the
copies of the fourth are taken one by one as if nothing else were known. The weights are fitted on three parts as well. Printed:
at several probabilities how many conjectures are offered, how many of them are right, and the share of all word errors of the
spun copies that they would mend; the same for copies that no machine touched, where every one is wrong. --fit prints the
weights of all parts for pipeline/philology/conjectures.py. The cases default to ../shared/data/cases/fit.jsonl.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from bench.scores import witnesses_of
from pipeline.philology.baselines import words_of
from pipeline.philology.calibration import interpolated
from pipeline.philology.collation import collate
from pipeline.philology.conjectures import NAMES, Guess, Weights, cased, guesses, learned, repaired, spun_words
from pipeline.philology.language import fluency_of, frequency_of
from pipeline.philology.recovered import Evidence, LearnedPair
from pipeline.philology.recovery import recover
from pipeline.philology.tokens import tokenize

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases" / "fit.jsonl"
PARTS = 4
# Copies of one kind taken from one case: a story of twenty would count ten times as much as one of two.
MOST_COPIES = 4
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One copy taken alone: its tokens, its original's, the guesses about it and which of them are right."""

    part: int
    spun: bool
    texts: tuple[str, ...]
    opens: tuple[bool, ...]
    original: tuple[str, ...]
    found: tuple[Guess, ...]
    right: tuple[bool, ...]
    errors: int


def lessons(cases: Sequence[dict[str, Any]]) -> list[tuple[str, tuple[LearnedPair, ...]]]:
    """For every case its article and the pairs that its recovery settles."""
    return [(case["article"], recover(collate(witnesses_of(case)), Evidence()).learned) for case in cases]


def together(taught: Sequence[tuple[LearnedPair, ...]]) -> list[LearnedPair]:
    """The pairs of several stories with the number of stories that settled each."""
    counts = Counter((pair.original, pair.spun) for pairs in taught for pair in pairs)
    return [LearnedPair(original, spun, stories) for (original, spun), stories in sorted(counts.items())]


class Truth:
    """Where the tokens of a copy stand in its original."""

    def __init__(self, copy: Sequence[str], original: Sequence[str]) -> None:
        self.copy, self.original = list(copy), list(original)
        self.same: dict[int, int] = {}
        for step in Levenshtein.opcodes(self.original, self.copy):
            if step.tag == "equal":
                self.same |= zip(range(step.dest_start, step.dest_end), range(step.src_start, step.src_end), strict=True)

    def mends(self, first: int, last: int, proposed: Sequence[str]) -> bool:
        """Whether these tokens in place of first … last - 1 take away as many edits as they make changes."""
        before, behind = first - 1, last
        while before >= 0 and before not in self.same:
            before -= 1
        while behind < len(self.copy) and behind not in self.same:
            behind += 1
        true = self.original[self.same.get(before, -1) + 1 : self.same.get(behind, len(self.original))]
        as_is = self.copy[before + 1 : behind]
        mended = [*self.copy[before + 1 : first], *proposed, *self.copy[last:behind]]
        won = Levenshtein.distance(true, as_is) - Levenshtein.distance(true, mended)
        return won == Levenshtein.distance(self.copy[first:last], list(proposed)) > 0


def samples(cases: Sequence[dict[str, Any]], taught: Sequence[tuple[str, tuple[LearnedPair, ...]]]) -> list[Sample]:
    """Every copy taken alone, with the guesses that the stories of the other parts allow."""
    parts = {article: at % PARTS for at, article in enumerate(sorted({article for article, _ in taught}))}
    known = [learned(together([pairs for article, pairs in taught if parts[article] != part])) for part in range(PARTS)]
    fluency, frequency = fluency_of("en"), frequency_of("en")
    found: list[Sample] = []
    for case in cases:
        part = parts[case["article"]]
        original = tuple(words_of(case["original"]))
        taken: Counter[bool] = Counter()
        for copy in case["witnesses"]:
            if (copy["spun"] and copy["kind"] != "spun") or taken[copy["spun"]] == MOST_COPIES:
                continue
            taken[copy["spun"]] += 1
            tokens = tokenize(tuple(copy["text"].split("\n\n")))
            opens = tuple(tokens.opens(at) for at in range(len(tokens)))
            own = tuple(guesses(tokens.texts, opens, known[part], fluency, frequency))
            truth = Truth(tokens.texts, original)
            right = tuple(
                truth.mends(one.first, one.last, cased(tokens.texts[one.first : one.last], one.original).split()) for one in own
            )
            errors = Levenshtein.distance(original, tokens.texts)
            found.append(Sample(part, copy["spun"], tokens.texts, opens, original, own, right, errors))
    return found


def fitted(data: Sequence[Sample], rounds: int = 12) -> Weights:
    """Weights from these samples, without a table."""
    right = np.array([good for sample in data for good in sample.right], dtype=np.float64)
    rows = np.array([guess.features for sample in data for guess in sample.found])
    first = tuple(_logistic(rows, right, rounds).tolist())
    levels = [spun_words(sample.found, len(sample.texts), first) for sample in data]
    last = np.array([level for sample, level in zip(data, levels, strict=True) for _ in sample.found])
    second = tuple(_logistic(np.column_stack([rows, last]), right, rounds).tolist())
    return Weights(first, second, ((-8.0, 0.0), (8.0, 1.0)))


def _logistic(rows: Floats, right: Floats, rounds: int) -> Floats:
    weights = np.zeros(rows.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (right - p) - weights
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights


def odds_of(sample: Sample, weights: Weights) -> list[float]:
    """The raw log-odds of every guess about the copy."""
    level = spun_words(sample.found, len(sample.texts), weights.first)
    return [sum(w * x for w, x in zip(weights.second, (*one.features, level), strict=True)) for one in sample.found]


def best(sample: Sample, odds: Sequence[float]) -> list[tuple[float, bool]]:
    """(raw log-odds, right) of the guesses that do not overlap, the likeliest first."""
    taken: set[int] = set()
    found: list[tuple[float, bool]] = []
    for at in sorted(range(len(odds)), key=lambda at: -odds[at]):
        place = range(sample.found[at].first, sample.found[at].last)
        if taken.isdisjoint(place):
            taken.update(place)
            found.append((odds[at], sample.right[at]))
    return found


def table_of(rows: Sequence[tuple[float, bool]], size: int = 250, least: float = -1.5) -> tuple[tuple[float, float], ...]:
    """Pools of `size` neighbours with the share right among them, never falling (isotonic regression)."""
    ordered = sorted(row for row in rows if row[0] > least)
    count = max(1, len(ordered) // size)
    cuts = [len(ordered) * at // count for at in range(count + 1)]
    pools: list[list[float]] = []
    for start, end in pairwise(cuts):
        pool = ordered[start:end]
        pools.append([sum(odds for odds, _ in pool), float(sum(right for _, right in pool)), float(len(pool))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [one + two for one, two in zip(pools[-1], last, strict=True)]
    return ((-8.0, 0.0), *((round(raw / n, 2), round((right + 0.5) / (n + 1), 4)) for raw, right, n in pools))


def held_apart(data: Sequence[Sample]) -> list[list[tuple[float, bool]]]:
    """For every copy (probability, right) of the guesses that would be offered, by weights and table of the other parts."""
    raw: list[list[tuple[float, bool]]] = [[] for _ in data]
    for part in range(PARTS):
        weights = fitted([sample for sample in data if sample.part != part])
        for at, sample in enumerate(data):
            if sample.part == part:
                raw[at] = best(sample, odds_of(sample, weights))
    tables = [
        table_of([row for sample, rows in zip(data, raw, strict=True) if sample.part != part for row in rows])
        for part in range(PARTS)
    ]
    return [
        [(interpolated(odds, tables[sample.part]), right) for odds, right in rows]
        for sample, rows in zip(data, raw, strict=True)
    ]


def report(data: Sequence[Sample]) -> None:
    rows = held_apart(data)
    spun = [sample for sample in data if sample.spun]
    errors = sum(sample.errors for sample in spun)
    words = sum(len(sample.texts) for sample in data if not sample.spun)
    print(f"{len(spun)} spun copies with {errors} word errors; {len(data) - len(spun)} others with {words} words")
    print("from p   offered   right   mean p   of the errors mended   on other copies, in 1,000 words")
    for level in LEVELS:
        taken = [row for sample, own in zip(data, rows, strict=True) if sample.spun for row in own if row[0] >= level]
        false = sum(p >= level for sample, own in zip(data, rows, strict=True) if not sample.spun for p, _ in own)
        right = sum(good for _, good in taken)
        mean = sum(p for p, _ in taken) / max(1, len(taken))
        print(
            f"{level:6.2f}{len(taken):10d}{right / max(1, len(taken)):8.3f}{mean:9.3f}{right / errors:24.4f}"
            f"{1000 * false / max(1, words):24.2f}"
        )
    numbers = [
        truth.mends(at, at + 1, [whole])
        for sample in spun
        for truth in [Truth(sample.texts, sample.original)]
        for at, text in enumerate(sample.texts)
        if (whole := repaired(text))
    ]
    print(f"half-spelt numbers: {len(numbers)}, put right {sum(numbers)}")


def show(data: Sequence[Sample]) -> None:
    """Print the weights of all parts, with the table of what was held apart."""
    weights = fitted(data)
    raw: list[tuple[float, bool]] = []
    for part in range(PARTS):
        apart = fitted([sample for sample in data if sample.part != part])
        raw += [row for sample in data if sample.part == part for row in best(sample, odds_of(sample, apart))]
    for name, first, second in zip(NAMES, (*weights.first, math.nan), weights.second, strict=True):
        print(f"# {name}: {first:.3f}, {second:.3f}")
    print("first=", tuple(round(w, 3) for w in weights.first))
    print("second=", tuple(round(w, 3) for w in weights.second))
    print("table=", table_of(raw))


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="?", type=Path, default=CASES)
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    if not arguments.cases.is_file():
        print(f"skipped: {arguments.cases} is not there")
        return
    cases = [json.loads(line) for line in arguments.cases.read_text(encoding="utf-8").splitlines()]
    data = samples(cases, lessons(cases))
    report(data)
    if arguments.fit:
        show(data)


if __name__ == "__main__":
    main()
