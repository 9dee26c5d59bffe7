"""Weights and tables of pipeline.philology, fitted on cases whose original is known. Prints what goes into the modules.

Usage: python -m bench.recovery_fit CASES.jsonl [prior|blocks|calibration|foreign]
All but the prior also take the generated cases of part fit (bench/copies; needs the extra `bench`), which have the pages' own
lines in wordings that no pattern knows, doubled paragraphs, copies of one spun copy, and witnesses of other texts.
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.copies import cases
from bench.scores import right_tokens, witnesses_of
from pipeline.philology import prior
from pipeline.philology.analysis import Analysis, analyse, feature_rows, surroundings
from pipeline.philology.belonging import belonging
from pipeline.philology.blocks import WEIGHTS, block_features, questioned, shared_words
from pipeline.philology.cohesion import passages
from pipeline.philology.collation import Collation, collate
from pipeline.philology.composition import compose, decide
from pipeline.philology.language import fluency_of, frequency_of
from pipeline.philology.profile import Profile, Row
from pipeline.philology.recovered import Evidence, Reason
from pipeline.philology.strangers import set_apart, strangers_of
from pipeline.philology.tokens import tokenize
from pipeline.philology.vocabulary import Vocabulary
from pipeline.philology.witness import Witness

NEARLY_SURE = 0.975
OPTIMISM = 0.008
NEARLY_CERTAIN = 0.9985
CERTAIN = 0.9999
# What one witness alone attests is never surer than this, whatever few stories show: nobody vouches for it.
MOST_ALONE = 0.985

Floats = NDArray[np.float64]


def gold_columns(collation: Collation, original: str) -> list[str]:
    """The original's token in every column, "" where it has none; what no column fits is left out."""
    vocabulary = Vocabulary()
    rows = [Row(tokens, range(len(tokens.paragraphs)), vocabulary) for tokens in collation.tokens]
    profile = Profile.of_table(rows, np.array(collation.columns, dtype=np.int32))
    own = tokenize(tuple(original.split("\n\n")))
    profile.add(Row(own, range(len(own.paragraphs)), vocabulary))
    table = profile.table
    held = (table[:-1] >= 0).any(axis=0)
    return [own.texts[at] if at >= 0 else "" for at in table[-1][held].tolist()]


GENERATED = ("one-exemplar", "newsrooms", "doubled", "furniture", "tree")
# Those with witnesses of other texts: what belongs is judged like the rest, what does not is what foreign passages are told by.
MIXED = ("merged", "quotes", "rewritten", "back-translated", "other-agency", "rewritten-spun")
# How far the weights of blocks are held where they are, and how often the fixed cases count: they are the more varied.
HELD, FIXED = 30.0, 3

Told = tuple[Sequence[Witness], str]
"""Witnesses, and the original."""


def generated(conditions: Sequence[str] = GENERATED, count: int = 12) -> list[Told]:
    """The generated cases of part fit."""
    return [
        (case.witnesses(), case.original)
        for condition in conditions
        for case in cases(seed=1, part="fit", condition=condition, count=count)
    ]


def analysed(told: Sequence[Told]) -> list[tuple[Collation, Analysis, list[str]]]:
    found = []
    for witnesses, original in told:
        collation = belonging(collate(witnesses))
        analysis = analyse(collation, Evidence(), fluency_of("en"), frequency_of("en"))
        found.append((collation, analysis, gold_columns(collation, original)))
    return found


def fit_prior(stories: Sequence[tuple[Collation, Analysis, list[str]]], rounds: int = 400) -> list[float]:
    """Weights that give the true reading of disputed places the highest probability (softmax regression, ridge)."""
    sites: list[tuple[Floats, int, float]] = []
    for _, analysis, gold in stories:
        texts = [
            next(
                (c.texts for c in place.candidates if c.texts == _gold(gold, place.first, place.last)),
                place.candidates[0].texts if place.candidates else (),
            )
            for place in analysis.places
        ]
        around = surroundings(analysis.places, fluency_of("en"), frequency_of("en"), Evidence())
        rows = feature_rows(analysis.places, analysis.weighed, texts, around)
        weight = 1 / math.sqrt(max(1, len(analysis.weighed)))
        for at, row in zip(analysis.weighed, rows, strict=True):
            place = analysis.places[at]
            true = _gold(gold, place.first, place.last)
            label = [number for number, candidate in enumerate(place.candidates) if candidate.texts == true]
            if label:
                sites.append((np.array(row), label[0], weight))
    scale = np.concatenate([row for row, _, _ in sites]).std(axis=0) + 1e-9
    weights = np.zeros(len(prior.NAMES))
    momentum = np.zeros_like(weights)
    total = sum(weight for _, _, weight in sites)
    for _ in range(rounds):
        gradient = np.zeros_like(weights)
        right = 0
        for row, label, weight in sites:
            scaled = row / scale
            score = scaled @ weights
            share = np.exp(score - score.max())
            share /= share.sum()
            right += int(share.argmax() == label)
            gradient += weight * (scaled[label] - share @ scaled)
        gradient = gradient / total - 1e-3 * weights
        momentum = 0.9 * momentum + gradient
        weights = weights + 0.5 * momentum
    print(f"prior: {len(sites)} sites, right without a vote {right / len(sites):.4f}")
    return (weights / scale).tolist()


def fit_blocks(stories: Sequence[tuple[Collation, Analysis, list[str]]], rounds: int = 60) -> list[float]:
    """Weights that tell blocks of the original from others, near those in force; blocks count by the root of their tokens."""
    rows: list[list[float]] = []
    labels: list[float] = []
    sizes: list[float] = []
    for collation, analysis, gold in stories:
        words = shared_words(collation)
        for block in collation.blocks:
            if not questioned(collation, block):
                continue
            rows.append(block_features(collation, block, analysis.solution.lineages, analysis.rates, words))
            held = max(sum(index >= 0 for index in row[block.first : block.last]) for row in collation.columns)
            true = sum(bool(text) for text in gold[block.first : block.last])
            labels.append(float(2 * true > held))
            sizes.append(math.sqrt(max(held, true)))
    x, y, size = np.array(rows), np.array(labels), np.array(sizes)
    weights = _regressed(x, y, size, np.array(WEIGHTS), HELD, rounds)
    p = 1 / (1 + np.exp(-(x @ weights)))
    wrong = (p > 0.5) != (y > 0.5)
    print(f"blocks: {len(y)}, wrong {wrong.mean():.4f}, by tokens {(size**2 * wrong).sum() / (size**2).sum():.4f}")
    return weights.tolist()


def _regressed(x: Floats, y: Floats, size: Floats, start: Floats, held: float, rounds: int = 60) -> Floats:
    """Logistic regression by Newton's steps, drawn to where it starts."""
    weights = start.copy()
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (size * (y - p)) - held * (weights - start)
        hessian = (x * (size * p * (1 - p))[:, None]).T @ x + held * np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    return weights


# A passage with fewer of its runs of three words in the original is another text's, one with more is its own.
LEAST_OWN, MOST_FOREIGN = 0.5, 0.12


def fit_foreign(told: Sequence[Told], fixed: int) -> list[float]:
    """Odds that tell passages of other texts; the first `fixed` stories count three times, passages by their root of words."""
    rows, labels, sizes = [], [], []
    for number, (witnesses, original) in enumerate(told):
        collation = collate(witnesses)
        if strange := strangers_of(collation):
            collation = set_apart(collation, strange)
        gold = _runs(tokenize(tuple(original.split("\n\n"))).folds)
        for passage, row in passages(collation, frequency_of("en")):
            runs = _runs(collation.tokens[passage.witness].folds[passage.first : passage.last])
            own = len(runs & gold) / max(1, len(runs))
            if own > LEAST_OWN or own < MOST_FOREIGN:
                rows.append(row)
                labels.append(float(own < MOST_FOREIGN))
                sizes.append(math.exp(row[2] / 2) * (3 if number < fixed else 1))
    x = np.array(rows)
    return _regressed(x, np.array(labels), np.array(sizes), np.zeros(x.shape[1]), 0.5).tolist()


def _runs(folds: Sequence[str]) -> set[tuple[str, ...]]:
    return set(zip(folds, folds[1:], folds[2:], strict=False))


def fit_calibration(
    stories: Sequence[tuple[Collation, Analysis, list[str]]], originals: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Isotonic tables from raw log-odds to the share of tokens that is right, one a reason."""
    samples: dict[str, list[tuple[float, bool]]] = {reason.value: [] for reason in Reason}
    for (collation, analysis, _), original in zip(stories, originals, strict=True):
        right = iter(right_tokens(compose(collation, analysis, "en"), original))
        for decision in decide(analysis):
            for _ in analysis.places[decision.place].candidates[decision.reading].texts:
                samples[decision.reason.value].append((decision.odds, next(right)[1]))
    tables = {reason: _isotonic(sorted(rows)) for reason, rows in samples.items() if rows}
    alone = tables.get(Reason.SINGLE.value, [])
    tables[Reason.SINGLE.value] = [(raw, min(share, MOST_ALONE)) for raw, share in alone]
    return tables


def _isotonic(rows: Sequence[tuple[float, bool]], least: int = 120, most: int = 24) -> list[tuple[float, float]]:
    """Pools of neighbours in which the share right never falls; each of at least `least` tokens, at most `most` pools."""
    size = max(least, len(rows) // (4 * most))
    pools: list[list[float]] = []  # raw sum, right sum, weight
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        pools.append([sum(raw for raw, _ in part), float(sum(right for _, right in part)), float(len(part))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [one + two for one, two in zip(pools[-1], last, strict=True)]
    step = max(1, -(-len(pools) // most))
    merged = [[sum(column) for column in zip(*pools[at : at + step], strict=True)] for at in range(0, len(pools), step)]
    table: list[tuple[float, float]] = []
    for raw, right, weight in merged:
        # the weights were fitted on these articles too: what is nearly sure is drawn in by what other articles showed
        share = (right + 0.5) / (weight + 1)
        share = share - OPTIMISM if NEARLY_SURE <= share < 0.9995 else share
        share = min(CERTAIN, max(share, table[-1][1]) if table else share)
        table.append((round(raw / weight, 2), round(share, 4)))
    if len(table) > 1 and table[-1][1] > NEARLY_CERTAIN:
        # nothing between two pools is nearly certain: the last one begins where its first token stands
        first = rows[len(rows) - int(merged[-1][2])][0]
        table.insert(-1, (round(first - 0.01, 2), table[-2][1]))
        table[-1] = (round(first, 2), table[-1][1])
    return table


def _gold(gold: Sequence[str], first: int, last: int) -> tuple[str, ...]:
    return tuple(text for text in gold[first:last] if text)


def main() -> None:
    """Print the fitted values."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    wanted = sys.argv[2:] or ["prior", "blocks", "calibration"]
    told: list[Told] = [(witnesses_of(case), case["original"]) for case in map(json.loads, lines)]
    if "prior" in wanted:
        for name, value in zip(prior.NAMES, fit_prior(analysed(told)), strict=True):
            print(f"    {value:.3f},  # {name}")
    if wanted == ["prior"]:
        return
    fixed = len(told)
    if wanted == ["foreign"]:
        print("ODDS", ", ".join(f"{value:.2f}" for value in fit_foreign([*told, *generated((*GENERATED, *MIXED))], fixed)))
        return
    told += generated((*GENERATED, *MIXED))
    stories = analysed(told)
    if "blocks" in wanted:
        print("WEIGHTS", ", ".join(f"{value:.3f}" for value in fit_blocks([*stories[:fixed] * (FIXED - 1), *stories])))
    if "calibration" in wanted:
        for reason, table in fit_calibration(stories, [original for _, original in told]).items():
            print(f"    Reason.{reason.upper()}: {tuple(table)},")


if __name__ == "__main__":
    main()
