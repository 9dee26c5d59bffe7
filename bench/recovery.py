"""Error of the recovered text on cases whose original is known, side by side with what a reader would do without it.

Usage: python -m bench.recovery [CASES.jsonl] [--limit N]
The cases default to ../shared/data/cases/report.jsonl. One line a condition: mean token error rate in per cent for
k = 2, 3, 5, 10, 20 witnesses.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rapidfuzz.distance import LCSseq

from pipeline.philology.baselines import longest, majority, medoid, token_error_rate, words_of
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery, recover
from pipeline.philology.witness import Witness

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases" / "report.jsonl"
COUNTS = (2, 3, 5, 10, 20)
METHODS = ("longest", "medoid", "majority", "recovery", "floor")


def witnesses_of(case: Mapping[str, Any]) -> list[Witness]:
    """The witnesses of a case; sources count them in their order."""
    return [
        Witness(source=f"{number:03d}", paragraphs=tuple(copy["text"].split("\n\n")))
        for number, copy in enumerate(case["witnesses"])
    ]


def floor(witnesses: Sequence[Witness], original: str) -> float:
    """Share of the original's tokens that no witness has in their place."""
    own = words_of(original)
    attested = [False] * len(own)
    for witness in witnesses:
        for step in LCSseq.opcodes(own, words_of(witness.text)):
            if step.tag == "equal":
                attested[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
    return 1 - sum(attested) / max(1, len(own))


def right_tokens(recovery: Recovery, original: str) -> list[tuple[float, bool, bool]]:
    """Of every token of the recovery its probability, whether it is right, and whether it stands in a variation unit."""
    own = [token.text for token in recovery.tokens]
    right = [False] * len(own)
    for step in LCSseq.opcodes(own, words_of(original)):
        if step.tag == "equal":
            right[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
    inside = [False] * len(own)
    at = 0
    for unit in recovery.apparatus:
        while at < len(own) and recovery.tokens[at].start < unit.start:
            at += 1
        while at < len(own) and recovery.tokens[at].end <= unit.end:
            inside[at] = True
            at += 1
    return [(token.probability, good, unit) for token, good, unit in zip(recovery.tokens, right, inside, strict=True)]


def calibration_error(rows: Sequence[tuple[float, bool]], bins: int = 20) -> float:
    """Expected calibration error: mean distance of probability and share right over bins of equal width, weighted by size."""
    pools: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, good in rows:
        pools[min(bins - 1, int(probability * bins))].append((probability, good))
    total = 0.0
    for pool in pools.values():
        total += abs(sum(p for p, _ in pool) - sum(good for _, good in pool))
    return total / max(1, len(rows))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="?", type=Path, default=CASES)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()
    if not arguments.cases.is_file():
        print(f"skipped: {arguments.cases} is not there")
        return
    cases = [json.loads(line) for line in arguments.cases.read_text(encoding="utf-8").splitlines()]
    errors: dict[str, dict[tuple[bool, float, int], list[float]]] = {method: defaultdict(list) for method in METHODS}
    tokens: list[tuple[float, bool, bool]] = []
    spent = 0.0
    for case in cases[: arguments.limit or None]:
        witnesses, original = witnesses_of(case), case["original"]
        begun = time.perf_counter()
        collation = collate(witnesses)
        recovery = recover(collation, Evidence())
        spent += time.perf_counter() - begun
        key = (case["dependent"], case["spun_share"], case["k"])
        found = {
            "longest": token_error_rate(longest(witnesses), original),
            "medoid": token_error_rate(medoid(witnesses), original),
            "majority": token_error_rate(majority(collation), original),
            "recovery": token_error_rate(recovery.text, original),
            "floor": floor(witnesses, original),
        }
        for method, value in found.items():
            errors[method][key].append(100 * value)
        tokens.extend(right_tokens(recovery, original))
    for method in METHODS:
        print(f"\n{method}: mean token error rate, k = {' / '.join(map(str, COUNTS))}")
        for dependent, share in sorted({key[:2] for key in errors[method]}):
            cells = [errors[method][dependent, share, count] for count in COUNTS]
            line = " / ".join(f"{statistics.fmean(cell):.1f}" if cell else "–" for cell in cells)
            print(f"  {'dep' if dependent else 'ind'} {share}: {line}")
        every = [value for cell in errors[method].values() for value in cell]
        spread = statistics.stdev(every) if len(every) > 1 else 0.0
        print(
            f"  all: mean {statistics.fmean(every):.2f}, median {statistics.median(every):.2f}, "
            f"standard deviation {spread:.2f}, {len(every)} cases"
        )
    excess = [
        value - low
        for key in errors["recovery"]
        for value, low in zip(errors["recovery"][key], errors["floor"][key], strict=True)
    ]
    sure = [good for probability, good, _ in tokens if probability >= 0.99]
    print(f"\nexcess over the floor: {statistics.fmean(excess):.2f}")
    print(
        f"calibration error: all tokens {calibration_error([row[:2] for row in tokens]):.4f}, "
        f"in units {calibration_error([row[:2] for row in tokens if row[2]]):.4f}; "
        f"right at .99 and more: {sum(sure) / max(1, len(sure)):.4f} of {len(sure)}"
    )
    print(f"seconds a case: {spent / max(1, len(cases[: arguments.limit or None])):.3f}")


if __name__ == "__main__":
    main()
