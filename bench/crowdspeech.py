"""Word error of spoken sentences put together from seven human transcripts each (CrowdSpeech), beside the published ROVER.

Usage: python -m bench.crowdspeech [FOLDER] [--limit N]
The folder defaults to ../shared/data/crowdspeech. Workers play the sites: their error rates are counted on odd lines
against the originals and go in as evidence; even lines, counted from 1, are reported. Words are lower-cased, punctuation is
dropped.
"""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from pipeline.philology.analysis import analyse
from pipeline.philology.baselines import majority
from pipeline.philology.collation import collate
from pipeline.philology.composition import compose
from pipeline.philology.language import flat
from pipeline.philology.prior import NAMES
from pipeline.philology.recovery import Evidence, recover
from pipeline.philology.witness import Witness

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "crowdspeech"
SETS = ("dev-clean", "dev-other")
METHODS = ("recovery", "without prior", "majority", "rover_result", "t5_result")
NO_PRIOR = (0.0,) * len(NAMES)


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation; apostrophes inside words stay."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower().replace("’", "'"))


def rates_of(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Worker → (wrong words, words) against the originals."""
    wrong: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row in rows:
        original = words_of(row["original"])
        for worker, text in zip(row["workers"], row["witnesses"], strict=True):
            wrong[worker] += Levenshtein.distance(words_of(text), original)
            total[worker] += len(original)
    return {worker: (float(wrong[worker]), float(total[worker])) for worker in total}


def main() -> None:
    """Print word error rates in per cent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()
    for name in SETS:
        path = arguments.folder / f"{name}.jsonl"
        if not path.is_file():
            print(f"skipped: {path} is not there")
            continue
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        evidence = Evidence(error_rates=rates_of(rows[0::2]))
        edits: Counter[str] = Counter()
        begun = time.perf_counter()
        even = rows[1::2][: arguments.limit or None]
        for row in even:
            original = words_of(row["original"])
            witnesses = [
                Witness(source=f"{number}", paragraphs=(" ".join(words_of(text)),), site=worker, language="en")
                for number, (worker, text) in enumerate(zip(row["workers"], row["witnesses"], strict=True))
            ]
            edits["words"] += len(original)
            collation = collate(witnesses)
            edits["recovery"] += Levenshtein.distance(words_of(recover(collation, evidence).text), original)
            votes = analyse(collation, evidence, flat, flat, NO_PRIOR)
            edits["without prior"] += Levenshtein.distance(words_of(compose(collation, votes, "en").text), original)
            edits["majority"] += Levenshtein.distance(words_of(majority(collation)), original)
            for method in ("rover_result", "t5_result"):
                edits[method] += Levenshtein.distance(words_of(row["published"][method]), original)
        rates = {method: 100 * edits[method] / edits["words"] for method in METHODS}
        print(name, {method: round(rate, 2) for method, rate in rates.items()}, f"{len(even)} sentences", end=" ")
        print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
