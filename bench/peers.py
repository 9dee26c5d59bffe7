"""What others make of the same witnesses: CollateX, a partial-order aligner, ROVER, each with a majority of votes.

    python -m bench.peers [--part fit|report] [--seconds 60]

On ten originals with at most three copies out of the fixed cases of the part; and CollateX against the recovery on five copies
of one article, in processor time of the same process. Peers come with the extra `bench` (scripts/bench-setup); one that is not
installed is named. A peer that takes more seconds of processor time on a case is stopped, and the case does not count for it.

Every peer gets the same tokens as the recovery, lower-cased nothing, paragraphs ignored, and has one vote a witness and column:
a gap counts, a tie goes to a token and then to the first in order, as in `pipeline.philology.baselines.majority`.
The partial-order aligner (spoa) knows letters only, at most 126 that a string can carry: the 63 most frequent tokens get one
each, the others share the rest by a checksum, so that two different tokens may match by chance; votes are on the tokens.
"""

import argparse
import json
import signal
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any
from zlib import crc32

from rapidfuzz.distance import Levenshtein

from bench.copies import cases
from bench.copies.dictionary import MISSING, installed
from bench.scores import witnesses_of
from pipeline.philology.baselines import majority, words_of
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, recover

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases"
ORIGINALS = 10
MOST_COPIES = 3

Rows = Sequence[list[str]]


def collatex_majority(rows: Rows) -> list[str]:
    """Tokens chosen by vote from CollateX's alignment table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package has a comparison that Python 3.8 and later warn of
        import collatex  # noqa: PLC0415 (an extra)

    collation = collatex.Collation()
    for number, row in enumerate(rows):
        collation.add_witness({"id": f"W{number:03d}", "tokens": [{"t": token, "n": token} for token in row]})
    table = collatex.collate(collation, output="table", segmentation=False)
    columns = [
        {sigil: cell[0].token_data["t"] for sigil, cell in column.tokens_per_witness.items()} for column in table.columns
    ]
    names = [f"W{number:03d}" for number in range(len(rows))]
    return voted([[column.get(name, "") for name in names] for column in columns])


def spoa_majority(rows: Rows) -> list[str]:
    """Tokens chosen by vote from the columns of a partial-order alignment."""
    import spoa  # noqa: PLC0415 (an extra)

    letters = [chr(code) for code in range(1, 128) if chr(code) != "-"]
    frequent = [token for token, _ in Counter(token for row in rows for token in row).most_common(len(letters) // 2)]
    own = dict(zip(frequent, letters, strict=False))
    shared = letters[len(frequent) :]

    def letter(token: str) -> str:
        return own.get(token) or shared[crc32(token.encode()) % len(shared)]

    # global, as the recovery's; costs as of spoa's own command
    _, aligned = spoa.poa(["".join(map(letter, row)) for row in rows], 1, True, 5, -4, -8, -6, -10, -4)
    columns: list[list[str]] = [[] for _ in aligned[0]]
    for row, line in zip(rows, aligned, strict=True):
        tokens = iter(row)
        for column, mark in zip(columns, line, strict=True):
            column.append("" if mark == "-" else next(tokens))
    return voted(columns)


def rover(rows: Rows) -> list[str]:
    """Tokens that crowd-kit's ROVER gives."""
    import pandas as pd  # noqa: PLC0415 (an extra)
    from crowdkit.aggregation import ROVER  # noqa: PLC0415 (an extra)

    frame = pd.DataFrame(
        [{"task": 0, "worker": number, "text": "\x1f".join(row)} for number, row in enumerate(rows)],
    )
    found = ROVER(lambda text: text.split("\x1f"), "\x1f".join).fit_predict(frame)
    return str(found[0]).split("\x1f")


PEERS: dict[str, tuple[str, str, Callable[[Rows], list[str]]]] = {
    "CollateX, majority": ("collatex", "collatex", collatex_majority),
    "spoa, majority": ("spoa", "pyspoa", spoa_majority),
    "ROVER": ("crowdkit", "crowd-kit", rover),
}


def voted(columns: Sequence[Sequence[str]]) -> list[str]:
    """The token that most witnesses have in each column; nothing where most have none."""
    chosen = []
    for column in columns:
        votes = Counter(column)
        best = min(votes, key=lambda token: (-votes[token], not token, token))
        if best:
            chosen.append(best)
    return chosen


class TooLong(Exception):
    """A peer did not end in its time."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raises TooLong inside the block once it has used `seconds` of processor time. In the main thread only."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def small_cases(part: str) -> list[dict[str, Any]]:
    """Ten fixed cases with at most three copies, each of another original; none where the file is missing."""
    path = DATA / f"{part}.jsonl"
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    few = {row["article"]: row for row in sorted(rows, key=lambda row: row["id"], reverse=True) if row["k"] <= MOST_COPIES}
    return [few[article] for article in sorted(few)[:ORIGINALS]]


def compare(part: str, seconds: int) -> None:
    """Prints error and processor time of the recovery and of every peer on the small cases."""
    chosen = small_cases(part)
    if not chosen:
        print(f"skipped: {DATA / part}.jsonl is not there")
        return
    print(f"\nPeers: {len(chosen)} originals with at most {MOST_COPIES} copies, part {part}, {seconds} s a case at the most")
    print("| method | cases | mean | median | sd | CPU seconds a case |")
    print("|---|---|---|---|---|---|")
    recover(collate(witnesses_of(chosen[0])), Evidence())  # loads what is loaded once
    for name, method in {"recovery": None, "majority of our columns": None, **PEERS}.items():
        if method is not None and find_spec(method[0]) is None:
            print(f"| {name} | not installed: scripts/bench-setup | | | | |")
            continue
        errors, spent = [], []
        for case in chosen:
            theirs = words_of(case["original"])
            witnesses = witnesses_of(case)
            rows = [words_of(witness.text) for witness in witnesses]
            begun = time.process_time()
            try:
                with limited(seconds):
                    if method is not None:
                        ours = method[2](rows)
                    elif name == "recovery":
                        ours = words_of(recover(collate(witnesses), Evidence()).text)
                    else:
                        ours = words_of(majority(collate(witnesses)))
            except TooLong:
                continue
            spent.append(time.process_time() - begun)
            errors.append(100 * Levenshtein.distance(ours, theirs) / len(theirs))
        label = f"{name} ({version(method[1])})" if method else name
        if errors:
            spread = statistics.stdev(errors) if len(errors) > 1 else 0.0
            means = f"{statistics.fmean(errors):.2f} | {statistics.median(errors):.2f} | {spread:.2f}"
            print(f"| {label} | {len(errors)} | {means} | {statistics.fmean(spent):.3f} |", flush=True)
        else:
            print(f"| {label} | 0: none ended in {seconds} s | | | | |", flush=True)


def race(part: str, seconds: int, rounds: int = 3) -> None:
    """Prints how many times as much processor time CollateX takes as the recovery, on five copies of an article."""
    if find_spec("collatex") is None:
        print("CollateX is not installed: scripts/bench-setup")
        return
    if not installed():
        print(f"no race: {MISSING}")
        return
    ratios = []
    for case in cases(1, part, "newsrooms", rounds):
        witnesses = case.witnesses()
        rows = [words_of(witness.text) for witness in witnesses]
        ours = []
        for _ in range(3):
            begun = time.process_time()
            recover(collate(witnesses), Evidence())
            ours.append(time.process_time() - begun)
        begun = time.process_time()
        try:
            with limited(seconds):
                collatex_majority(rows)
            mark = ""
        except TooLong:
            mark = " and more, stopped"
        theirs = time.process_time() - begun
        ratios.append(theirs / min(ours))
        tokens = statistics.fmean(map(len, rows))
        print(
            f"k = {len(rows)}, {tokens:.0f} tokens a copy: recovery {min(ours):.3f} s, CollateX {theirs:.1f} s{mark}: "
            f"{ratios[-1]:.0f} times",
            flush=True,
        )
    if ratios:
        print(f"CollateX takes {min(ratios):.0f} to {max(ratios):.0f} times the recovery's processor time")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("fit", "report"), default="fit")
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    compare(arguments.part, arguments.seconds)
    race(arguments.part, 5 * arguments.seconds)


if __name__ == "__main__":
    main()
