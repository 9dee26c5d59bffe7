"""Weights and tables of pipeline.philology, fitted on cases whose original is known. Prints what goes into the modules.

Usage: python bench/recovery_fit.py CASES.jsonl [prior|blocks|calibration]
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.philology import blocks, prior
from pipeline.philology.analysis import Analysis, analyse, feature_rows, surroundings
from pipeline.philology.blocks import block_features, questioned, shared_words
from pipeline.philology.collation import Collation, collate
from pipeline.philology.composition import decide
from pipeline.philology.language import fluency_of, frequency_of
from pipeline.philology.profile import Profile, Row, Vocabulary
from pipeline.philology.recovered import Evidence, Reason
from pipeline.philology.tokens import tokenize
from pipeline.philology.witness import Witness

Floats = NDArray[np.float64]


def witnesses_of(case: dict) -> list[Witness]:
    return [
        Witness(source=f"{number:03d}", paragraphs=tuple(copy["text"].split("\n\n")))
        for number, copy in enumerate(case["witnesses"])
    ]


def gold_columns(collation: Collation, original: str) -> list[str]:
    """The original's token in every column, "" where it has none; what no column fits is left out."""
    vocabulary = Vocabulary()
    rows = [Row(tokens, range(len(tokens.paragraphs)), vocabulary) for tokens in collation.tokens]
    profile = Profile(rows[0])
    profile.rows = rows
    profile.table = np.array(collation.columns, dtype=np.int32)
    own = tokenize(tuple(original.split("\n\n")))
    profile.add(Row(own, range(len(own.paragraphs)), vocabulary))
    held = (profile.table[:-1] >= 0).any(axis=0)
    return [own.texts[at] if at >= 0 else "" for at in profile.table[-1][held].tolist()]


def analysed(cases: Sequence[dict]) -> list[tuple[Collation, Analysis, list[str]]]:
    found = []
    for case in cases:
        collation = collate(witnesses_of(case))
        found.append((collation, analyse(collation, Evidence(), fluency_of("en"), frequency_of("en")), gold_columns(collation, case["original"])))
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
        rows = feature_rows(analysis.places, analysis.disputed, texts, around)
        weight = 1 / math.sqrt(max(1, len(analysis.disputed)))
        for at, row in zip(analysis.disputed, rows, strict=True):
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
    """Weights that tell blocks of the original from others; each block counts by the square root of its tokens."""
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
    weights = np.zeros(x.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (size * (y - p)) - weights
        hessian = (x * (size * p * (1 - p))[:, None]).T @ x + np.eye(len(weights))
        weights += np.linalg.solve(hessian, gradient)
    p = 1 / (1 + np.exp(-(x @ weights)))
    wrong = (p > 0.5) != (y > 0.5)
    print(f"blocks: {len(y)}, wrong {wrong.mean():.4f}, by tokens {(size**2 * wrong).sum() / (size**2).sum():.4f}")
    return weights.tolist()


def fit_calibration(stories: Sequence[tuple[Collation, Analysis, list[str]]]) -> dict[str, list[tuple[float, float]]]:
    """Isotonic tables from raw log-odds to the share that is right, one a reason, thinned."""
    samples: dict[str, list[tuple[float, float, float]]] = {reason.value: [] for reason in Reason}
    for _, analysis, gold in stories:
        for decision in decide(analysis):
            place = analysis.places[decision.place]
            candidate = place.candidates[decision.reading]
            bounded = min(1 - 1e-12, max(1e-12, decision.raw))
            if candidate.texts:
                right = float(candidate.texts == _gold(gold, place.first, place.last))
                samples[decision.reason.value].append((math.log(bounded / (1 - bounded)), right, len(candidate.texts)))
    return {reason: _isotonic(sorted(rows)) for reason, rows in samples.items() if rows}


def _isotonic(rows: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    pools: list[list[float]] = []  # raw sum, right sum, weight
    for raw, right, weight in rows:
        pools.append([raw * weight, right * weight, weight])
        while len(pools) > 1 and (pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2] or pools[-2][2] < 150):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [(round(raw / weight, 3), round((right + 0.5) / (weight + 1), 5)) for raw, right, weight in pools]


def _gold(gold: Sequence[str], first: int, last: int) -> tuple[str, ...]:
    return tuple(text for text in gold[first:last] if text)


def main() -> None:
    """Print the fitted values."""
    cases = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    wanted = sys.argv[2:] or ["prior", "blocks", "calibration"]
    stories = analysed(cases)
    if "prior" in wanted:
        for name, value in zip(prior.NAMES, fit_prior(stories), strict=True):
            print(f"    {value:.3f},  # {name}")
    if "blocks" in wanted:
        for name, value in zip(blocks.NAMES, fit_blocks(stories), strict=True):
            print(f"    {value:.3f},  # {name}")
    if "calibration" in wanted:
        for reason, table in fit_calibration(stories).items():
            print(reason, table)


if __name__ == "__main__":
    main()
