"""Processor time and memory of a recovery by number of witnesses and by length: the aims, and the exponents of the growth.

    python -m bench.growth [--rounds 5] [--length] [--plot docs/growth.svg]

Each measurement is a process of its own: imports, the compiled functions and a small recovery first (what is loaded once), then
one collation and recovery, in processor time, and the peak of the resident memory above what the process had before. Each round
has a story of its own; the figures are medians over the rounds, with the least and the most. Witnesses are newsroom and spun
copies (bench/copies) of a text that articles of part fit were strung together to; a spun copy's dictionary comes with the extra
`bench`. The floor printed beside is the time of all pairwise word distances of the same witnesses by rapidfuzz.
The exponent is the slope of a straight line through the logarithms; the plot needs matplotlib, of the same extra.
"""

import argparse
import gc
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random

import numba  # noqa: F401  (short copies would do without it, and the first long one would load it)
import psutil
from rapidfuzz.distance import Levenshtein

from bench.copies.case import Paragraphs, split
from bench.copies.dictionary import MISSING, installed
from bench.copies.originals import originals
from bench.copies.story import Story
from pipeline.philology.baselines import words_of
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, recover
from pipeline.philology.witness import Witness

COUNTS = (5, 20, 50, 200)
TOKENS = 800
LENGTHS = (400, 800, 1600, 3200, 6400, 12800)
WITNESSES = 5
# Seconds of processor time on one core that are aimed at, by number of witnesses of 800 tokens.
AIMS = {5: 0.08, 20: 0.25, 50: 0.6, 200: 4.0}
MOST_MEGABYTES = 150
# Stories begin so many paragraphs apart.
STEP = 37


def text_of(tokens: int, number: int = 0) -> Paragraphs:
    """Paragraphs of articles, one after the other, `tokens` tokens long; each `number` begins with another one."""
    known = [paragraph for article in originals("fit") for paragraph in split(article.text)]
    begin = STEP * number % len(known)
    paragraphs: list[str] = []
    left = tokens
    for paragraph in known[begin:] + known[:begin]:
        if left <= 0:
            break
        words = paragraph.split()
        own = len(words_of(paragraph))
        paragraphs.append(paragraph if own <= left else " ".join(words[: max(1, len(words) * left // own)]))
        left -= own
    return tuple(paragraphs)


def copies_of(count: int, tokens: int, number: int = 0) -> list[str]:
    """`count` copies of one text: of five, three by newsrooms and two spun."""
    story = Story([text_of(tokens, number)], Random(count * tokens + number), "fit")
    for at in range(count):
        if at % 5 in {1, 3}:
            story.spun()
        else:
            story.edited(cuts=False)
    return [copy.text for copy in story.copies]


def measure(texts: Sequence[str]) -> dict[str, float]:
    """One measurement, made in this process: call it in a process that has done nothing else."""
    witnesses = [Witness(f"{number:03d}", split(text), language="en") for number, text in enumerate(texts)]
    small = [Witness(witness.source, witness.paragraphs[:12], language="en") for witness in witnesses[:2]]
    recover(collate(small), Evidence())
    gc.collect()
    before = psutil.Process().memory_info().rss
    begun = time.process_time()
    recover(collate(witnesses), Evidence())
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    rows = [words_of(text) for text in texts]
    begun = time.process_time()
    for at, row in enumerate(rows):
        for other in rows[:at]:
            Levenshtein.distance(row, other)
    return {
        "count": len(rows),
        "tokens": statistics.fmean(map(len, rows)),
        "seconds": spent,
        "megabytes": max(0.0, (peak - before) / 2**20),
        "floor": time.process_time() - begun,
    }


def measured(count: int, tokens: int, rounds: int) -> list[dict[str, float]]:
    """A measurement of each of so many stories, each in a new process."""
    command = [sys.executable, "-m", "bench.growth", "--one"]
    found = []
    for number in range(rounds):
        texts = json.dumps(copies_of(count, tokens, number))
        done = subprocess.run(command, input=texts, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return found


def exponent(xs: list[float], ys: list[float]) -> float:
    """Slope of the line of least squares through the points' logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in zip(xs, ys, strict=True)]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def table(title: str, key: str, sizes: Sequence[tuple[int, int]], rounds: int) -> list[dict[str, float]]:
    """The medians of all sizes (witnesses, tokens), printed one by one, and the exponent of the seconds below them."""
    print(f"\n{title}; {rounds} stories each, median (least to most)")
    print(f"| {key} | tokens a copy | CPU seconds | aim | MB above the process | aim | rapidfuzz, all pairs, seconds |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for count, tokens in sizes:
        found = measured(count, tokens, rounds)
        row = {name: statistics.median(one[name] for one in found) for name in found[0]}
        rows.append(row)
        seconds = sorted(one["seconds"] for one in found)
        aim = AIMS.get(count) if key == "count" else None
        cells = (
            f"{row[key]:.0f}",
            f"{row['tokens']:.0f}",
            f"{row['seconds']:.3f} ({seconds[0]:.3f} to {seconds[-1]:.3f})",
            verdict(row["seconds"], aim),
            f"{row['megabytes']:.0f}",
            verdict(row["megabytes"], MOST_MEGABYTES if aim else None),
            f"{row['floor']:.4f}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"seconds grow with {key} to the power {exponent([row[key] for row in rows], [row['seconds'] for row in rows]):.2f}")
    return rows


def verdict(value: float, aim: float | None) -> str:
    """What is aimed at and whether it is met; nothing where nothing is."""
    return "" if aim is None else f"{aim:g} {'met' if value <= aim else 'missed'}"


def plot(path: Path, by_count: list[dict[str, float]], by_length: list[dict[str, float]]) -> None:
    """Two panels, both axes logarithmic: seconds by witnesses, seconds by length, megabytes beside them."""
    import matplotlib as mpl  # noqa: PLC0415 (an extra)

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "wirecopy"
    from matplotlib import pyplot as plt  # noqa: PLC0415 (the backend is chosen first)

    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    labels = (("count", f"witnesses of {TOKENS} tokens"), ("tokens", f"tokens a copy, {WITNESSES} witnesses"))
    for panel, rows, (key, label) in zip(panels, (by_count, by_length), labels, strict=True):
        xs = [row[key] for row in rows]
        slope = exponent(xs, [row["seconds"] for row in rows])
        panel.loglog(xs, [row["seconds"] for row in rows], "o-", color="#1b5e8c", label=f"CPU seconds, power {slope:.2f}")
        panel.loglog(xs, [max(row["megabytes"], 1) for row in rows], "s--", color="#a0522d", label="MB above the process")
        if key == "count":
            panel.loglog(list(AIMS), list(AIMS.values()), "x:", color="#555555", label="aim, seconds")
        panel.set_xticks(xs, [f"{x:.0f}" for x in xs])
        panel.minorticks_off()
        panel.set_xlabel(label)
        panel.grid(visible=True, alpha=0.3)
        panel.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print both tables, and draw them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", action="store_true", help="measure the texts that come in as JSON, once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--length", action="store_true", help="measure the growth with length, too; so does --plot")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(json.load(sys.stdin))))
        return
    if not installed():
        print(f"skipped: {MISSING}")
        return
    if not originals("fit"):
        print("skipped: the articles of ../shared/data are not there")
        return
    counts = [(count, TOKENS) for count in COUNTS]
    by_count = table(f"By number of witnesses, {TOKENS} tokens", "count", counts, arguments.rounds)
    if not arguments.length and arguments.plot is None:
        return
    lengths = [(WITNESSES, length) for length in LENGTHS]
    by_length = table(f"By length, {WITNESSES} witnesses", "tokens", lengths, arguments.rounds)
    if arguments.plot and find_spec("matplotlib") is None:
        print("not plotted: matplotlib is not installed: scripts/bench-setup")
    elif arguments.plot:
        plot(arguments.plot, by_count, by_length)
        print(f"plotted: {arguments.plot}")


if __name__ == "__main__":
    main()
