"""The articles that copies are made of: English texts of real pages, read in place and divided into two parts."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

from bench.copies.case import split

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PARTS = ("fit", "report")
# Shorter articles have too few paragraphs to cut and move; longer ones cost more than they tell.
WORDS = range(250, 1301)
MARKERS = frozenset(["the", "of", "and", "to", "in", "a", "that", "is", "for", "on"])
LEAST_ENGLISH = 0.18


@dataclass(frozen=True, slots=True)
class Original:
    """One article; `published_case` says that it is one of the fixed cases of its part."""

    name: str
    title: str | None
    text: str
    published_case: bool


@cache
def originals(part: str, data: Path = DATA) -> tuple[Original, ...]:
    """The articles of a part, those of its fixed cases first; empty where the data is missing.

    Articles of cases/fit.jsonl and cases/report.jsonl go to their parts; the others are divided by a checksum of their name.
    """
    if part not in PARTS:
        raise ValueError(f"no part is called {part!r}: there are {' and '.join(PARTS)}")
    pages = data / "pages" / "truth.jsonl"
    if not pages.is_file():
        return ()
    held = {name: _articles(data / "cases" / f"{name}.jsonl") for name in PARTS}
    found = []
    for line in pages.read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        name = page["file"].split("/")[-1].removesuffix(".html.gz")
        article = name.split("-", 1)[1]
        text = "\n\n".join(split(page["text"]))
        home = next((key for key in PARTS if article in held[key]), PARTS[crc32(article.encode()) % 2])
        if home == part and len(text.split()) in WORDS and _english(text) and text.count("\n\n") > 5:
            found.append(Original(name, page["title"], text, article in held[part]))
    return tuple(sorted(found, key=lambda original: (not original.published_case, original.name)))


def _articles(path: Path) -> set[str]:
    return {json.loads(line)["article"] for line in path.read_text(encoding="utf-8").splitlines()} if path.is_file() else set()


def _english(text: str) -> bool:
    words = re.findall(r"[a-z']+", text.lower())
    return bool(words) and sum(word in MARKERS for word in words) / len(words) >= LEAST_ENGLISH
