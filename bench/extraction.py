"""How good and how dear reading pages is, beside trafilatura alone, over pages whose article text is known.

    python bench/extraction.py [FOLDER]

FOLDER holds truth.jsonl (file, url, text, and title, author, date where known) and the gzipped pages that it names. Prints
token F1 (mean, and over each page), the share of right titles, authors and days, and the CPU time of a page.
"""

import gzip
import json
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trafilatura

from pipeline.crawl.extraction import read_page
from pipeline.crawl.pages import Page

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "pages"
TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Case:
    truth: dict[str, Any]
    body: bytes


def read_cases(folder: Path) -> list[Case]:
    truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]
    return [Case(truth, gzip.decompress((folder / truth["file"]).read_bytes())) for truth in truths]


def score(found: str, true: str) -> float:
    """F1 of the bags of tokens."""
    one, two = Counter(TOKEN.findall(found)), Counter(TOKEN.findall(true))
    common = (one & two).total()
    return 2 * common / (one.total() + two.total()) if common else 0.0


def time_all(readers: list[Callable[[Case], Any]], cases: list[Case]) -> list[tuple[list[Any], list[float]]]:
    """Each reader's results and their CPU seconds; they take turns on each page, so that a busy machine is fair to all."""
    found: list[tuple[list[Any], list[float]]] = [([], []) for _ in readers]
    for case in cases:
        for read, (results, seconds) in zip(readers, found, strict=True):
            start = time.process_time()
            results.append(read(case))
            seconds.append(time.process_time() - start)
    return found


def fold(text: str | None) -> str:
    return re.sub(r"\W+", "", text or "").casefold()


def print_row(name: str, texts: list[str], scores: list[float], seconds: list[float]) -> None:
    middle = sorted(seconds)[len(seconds) // 2]
    print(
        f"{name:34} {sum(map(bool, texts)):6} {sum(scores) / len(scores):8.4f} {min(scores):7.3f} "
        f"{1000 * sum(seconds) / len(seconds):9.1f} {1000 * middle:9.1f} {1000 * max(seconds):9.0f}"
    )


def main(folder: Path) -> int:
    if not (folder / "truth.jsonl").is_file():
        print(f"skipped: there is no truth.jsonl in {folder}; name the folder that holds the pages")
        return 0
    logging.disable(logging.CRITICAL)
    cases = read_cases(folder)
    for case in cases[:20]:  # what is loaded late is loaded before anything is timed
        read_page(case.body, case.truth["url"])
        trafilatura.extract(case.body, with_metadata=True)
    readers: list[Callable[[Case], Any]] = [
        lambda case: read_page(case.body, case.truth["url"]),
        lambda case: trafilatura.extract(case.body) or "",
        lambda case: trafilatura.bare_extraction(case.body, with_metadata=True, url=case.truth["url"]),
    ]
    (pages, ours_seconds), (plain, plain_seconds), (described, full_seconds) = time_all(readers, cases)
    ours = [page.text for page in pages]
    full = [document.text if document else "" for document in described]
    scores = {
        name: [score(text, case.truth["text"]) for text, case in zip(texts, cases, strict=True)]
        for name, texts in (("ours", ours), ("plain", plain), ("full", full))
    }
    print(f"{len(cases)} pages of {folder}")
    print(f"{'':34} {'texts':>6} {'mean F1':>8} {'min F1':>7} {'ms/page':>9} {'median':>9} {'max':>9}")
    print_row("read_page", ours, scores["ours"], ours_seconds)
    print_row("trafilatura.extract", plain, scores["plain"], plain_seconds)
    print_row("trafilatura with metadata", full, scores["full"], full_seconds)
    pairs = list(zip(scores["ours"], scores["plain"], strict=True))
    print(
        f"pages against trafilatura.extract: {sum(a > b + 0.001 for a, b in pairs)} better, "
        f"{sum(a < b - 0.001 for a, b in pairs)} worse by more than 0.001, "
        f"{sum(a < b - 0.02 for a, b in pairs)} by more than 0.02"
    )
    print_fields(cases, pages, described)
    for case, page in zip(cases, pages, strict=True):
        if page.why:
            print(f"no article: {case.truth['file']}: {page.why}")
    print(f"noarchive: {sum(page.noarchive for page in pages)} pages")
    return 0


def print_fields(cases: list[Case], pages: list[Page], described: list[Any]) -> None:
    def count(name: str, ours: list[bool], theirs: list[bool]) -> None:
        print(f"{name}: right on {sum(ours)} of {len(ours)}, trafilatura on {sum(theirs)}")

    rows = list(zip(cases, pages, described, strict=True))
    titled = [row for row in rows if row[0].truth["title"]]
    count(
        "title",
        [fold(page.title) == fold(case.truth["title"]) for case, page, _ in titled],
        [fold(other and other.title) == fold(case.truth["title"]) for case, _, other in titled],
    )
    signed = [row for row in rows if row[0].truth["author"]]
    count(
        "byline",
        [fold(page.byline) == fold(case.truth["author"]) for case, page, _ in signed],
        [fold(other and other.author) == fold(case.truth["author"]) for case, _, other in signed],
    )
    dated = [row for row in rows if row[0].truth["date"]]
    count(
        "day",
        [bool(page.published) and str(page.published.date()) == case.truth["date"][:10] for case, page, _ in dated],
        [bool(other and other.date) and other.date[:10] == case.truth["date"][:10] for case, _, other in dated],
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
