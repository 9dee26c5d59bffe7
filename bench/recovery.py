"""Error of the recovered text on cases whose original is known, side by side with what a reader would do without it.

    python -m bench.recovery [CASES.jsonl] [--limit N]      fixed cases; ../shared/data/cases/report.jsonl by default
    … --model                                               and the recovery with the neural model that is installed
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
from pipeline.neural.presence import judge_of
from pipeline.neural.weights import look
from pipeline.philology.baselines import token_error_rate
from pipeline.philology.collation import collate
from pipeline.philology.question import Judge, Opinion, noted
from pipeline.philology.recovery import Evidence, recover
from pipeline.settings import load

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases" / "report.jsonl"
COUNTS = (2, 3, 5, 10, 20)


MODEL = "recovery with the neural model"


def measure_fixed(path: Path, limit: int, judge: Judge | None = None) -> None:
    """Print the table of the fixed cases, with a judge also what it adds."""
    if not path.is_file():
        print(f"skipped: {path} is not there")
        return
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][: limit or None]
    errors: dict[str, dict[tuple[bool, float, int], list[float]]] = {
        method: defaultdict(list) for method in (*METHODS, *([MODEL] if judge else []))
    }
    tokens: list[tuple[float, bool, bool]] = []
    spent = judged = 0.0
    notes: list[Opinion] = []
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
        if judge is not None:
            begun = time.perf_counter()
            with_model = recover(collation, Evidence(), judge=noted(judge, notes))
            judged += time.perf_counter() - begun
            errors[MODEL][key].append(100 * token_error_rate(with_model.text, original))
    for method, by_condition in errors.items():
        print(f"\n{method}: mean token error rate, k = {' / '.join(map(str, COUNTS))}")
        for dependent, share in sorted({key[:2] for key in by_condition}):
            cells = [by_condition[dependent, share, count] for count in COUNTS]
            line = " / ".join(f"{statistics.fmean(cell):.1f}" if cell else "–" for cell in cells)
            print(f"  {'dep' if dependent else 'ind'} {share}: {line}")
        every = [value for cell in by_condition.values() for value in cell]
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
    if judge is not None:
        print(
            f"seconds a case with the neural model, alignment aside: {judged / max(1, len(cases)):.3f}; "
            f"sites it judged: {len(notes) / max(1, len(cases)):.1f} a case"
        )


def installed_judge() -> Judge:
    """The judge with the model of the settings in force, its budget too."""
    status = look(load().settings.model_folder)
    judge = judge_of(load().settings, print)
    if judge is None:
        raise SystemExit(f"no neural model: {status.trouble or 'it is kept out by the setting neural'}")
    return judge


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=Path, default=CASES)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--model", action="store_true")
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
        measure_fixed(arguments.cases, arguments.limit, installed_judge() if arguments.model else None)
    if arguments.peers:
        from bench.peers import compare, race  # noqa: PLC0415

        compare(arguments.part, 60)
        race(arguments.part, 300)


if __name__ == "__main__":
    main()
