"""Error of the recovered text on cases whose original is known, side by side with what a reader would do without it.

    python -m bench.recovery [CASES.jsonl] [--limit N]      fixed cases; ../shared/data/cases/report.jsonl by default
    python -m bench.recovery --generated [--condition NAME …] [--part fit|report] [--count 24] [--seed 1]
    python -m bench.recovery --peers [--part fit|report]    CollateX, a partial-order aligner, ROVER, beside the recovery

Fixed cases: one line a condition, the mean token error rate in per cent for k = 2, 3, 5, 10, 20 witnesses. Generated cases
(bench/copies) and peers are of part fit unless asked otherwise: nothing that is reported may have been looked at.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

from bench.scores import METHODS, calibration_error, errors_of, right_tokens, witnesses_of
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, recover

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases" / "report.jsonl"
COUNTS = (2, 3, 5, 10, 20)


def measure_fixed(path: Path, limit: int) -> None:
    """Print the table of the fixed cases."""
    if not path.is_file():
        print(f"skipped: {path} is not there")
        return
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][: limit or None]
    errors: dict[str, dict[tuple[bool, float, int], list[float]]] = {method: defaultdict(list) for method in METHODS}
    tokens: list[tuple[float, bool, bool]] = []
    spent = 0.0
    for case in cases:
        witnesses, original = witnesses_of(case), case["original"]
        begun = time.perf_counter()
        collation = collate(witnesses)
        recovery = recover(collation, Evidence())
        spent += time.perf_counter() - begun
        key = (case["dependent"], case["spun_share"], case["k"])
        for method, value in errors_of(witnesses, collation, recovery, original).items():
            errors[method][key].append(value)
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
    print(f"seconds a case: {spent / max(1, len(cases)):.3f}")


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=Path, default=CASES)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--condition", action="append")
    parser.add_argument("--part", choices=("fit", "report"), default="fit")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    if arguments.generated or arguments.condition:
        from bench.copies import CONDITIONS  # noqa: PLC0415
        from bench.copies.dictionary import MISSING, installed  # noqa: PLC0415
        from bench.generated import measure, print_rest  # noqa: PLC0415

        if not installed():
            print(f"skipped: {MISSING}")
            return
        print_rest(measure(arguments.condition or tuple(CONDITIONS), arguments.part, arguments.count, arguments.seed))
    elif not arguments.peers:
        measure_fixed(arguments.cases, arguments.limit)
    if arguments.peers:
        from bench.peers import compare, race  # noqa: PLC0415

        compare(arguments.part, 60)
        race(arguments.part, 300)


if __name__ == "__main__":
    main()
