"""How well placing tells copies from strangers: recall by kind of copy, precision on negatives, milliseconds.

    .venv/bin/python bench/placing.py [--data FOLDER] [--cases report|fit]

FOLDER holds cases/{fit,report}.jsonl and pages/truth.jsonl (default: ../shared/data beside the checkout).
"""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from pipeline.philology.anchors import read_words
from pipeline.philology.fingerprint import Fingerprint, fingerprint
from pipeline.philology.relation import Relation, RelationKind, relate
from pipeline.philology.witness import Witness

Pair = tuple[Witness, Witness]
JOINED = {RelationKind.COPY, RelationKind.EXCERPT}
SEED = 20
RATES = (0.15, 0.25, 0.35, 0.5)
CUTS = (1.0, 0.5, 0.25)


def make_witness(source: str, text: str) -> Witness:
    return Witness(source, tuple(part.strip() for part in text.split("\n\n") if part.strip()))


def read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def spin(text: str, rate: float, vocabulary: list[str], rng: random.Random) -> str:
    """The text with about `rate` of its tokens replaced by words that do not belong there.

    As dictionary spinners do: a third of the replacements change the number of words; names are hit a fifth, numbers and
    short words a quarter as often as the rest; a damaged number has its first digit spelled out.
    """
    spelled = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    words = text.split(" ")
    weights = [0.2 if word[:1].isupper() else 0.25 if len(word) < 4 or word[:1].isdigit() else 1.0 for word in words]
    factor = rate * len(words) / sum(weights)
    out: list[str] = []
    skip = False
    for word, weight in zip(words, weights, strict=True):
        if skip:
            skip = False
        elif rng.random() >= factor * weight:
            out.append(word)
        elif word[:1].isdigit() and "," in word:
            out.append(spelled[int(word[0])] + word[1:])
        else:
            draw = rng.random()
            out.extend(rng.choices(vocabulary, k=2 if draw > 0.8 else 1))
            skip = 0.67 < draw <= 0.8 and "\n" not in word
    return " ".join(out)


def cut(text: str, share: float) -> str:
    """The first `share` of the words, ended at a word, paragraphs kept."""
    left = round(share * len(text.split()))
    kept = []
    for paragraph in text.split("\n\n"):
        words = paragraph.split()
        if left <= 0:
            break
        kept.append(" ".join(words[:left]))
        left -= len(words)
    return "\n\n".join(kept)


def change_facts(witness: Witness, pool: list[str], rng: random.Random) -> tuple[Witness, int]:
    """The same report of another day: every number and every name is another one; and how many were changed."""
    words = read_words(witness.paragraphs)
    names = sorted({key for key, name in zip(words.keys, words.names, strict=True) if name})
    others = [name for name in pool if name not in names]
    given = dict(zip(names, rng.sample(others, len(names)), strict=True))
    changed = sum(words.names) + sum(words.numbers)

    def change(token: str) -> str:
        bare = token.strip(".,;:!?()[]\"“”'’‘«»")
        stem = bare.removesuffix("'s").removesuffix("’s")
        folded = read_words((stem,)).keys
        if len(folded) == 1 and folded[0] in given and stem[:1].isupper():
            return token.replace(stem, given[folded[0]].capitalize())
        if len(folded) > 1 and any(key in given for key in folded):
            return token.replace(stem, "-".join(given.get(key, key).capitalize() for key in folded))
        return "".join(str((int(c) + rng.randrange(1, 10)) % 10) if c in "0123456789" else c for c in token)

    paragraphs = tuple(" ".join(change(token) for token in part.split()) for part in witness.paragraphs)
    return Witness("template of " + witness.source, paragraphs), changed


class Report:
    """Relations counted by row of the table, with the time that they took."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds = 0.0
        self.joined: list[tuple[str, str, str, Relation]] = []

    def count(self, row: str, pairs: Iterable[Pair], wanted: Callable[[Relation], bool] | None = None) -> None:
        for newcomer, member in pairs:
            begin = time.perf_counter()
            relation = relate(newcomer, member)
            self.seconds += time.perf_counter() - begin
            self.rows[row][relation.kind.value] += 1
            if wanted and wanted(relation):
                self.joined.append((row, newcomer.source, member.source, relation))

    def print(self) -> None:
        print("| pairs | n | " + " | ".join(RelationKind) + " |")
        print("|---|---|" + "---|" * len(RelationKind))
        for row, counts in self.rows.items():
            total = sum(counts.values())
            shares = (f"{counts[kind.value]} ({counts[kind.value] / total:.3f})" for kind in RelationKind)
            print(f"| {row} | {total} | " + " | ".join(shares) + " |")
        pairs = sum(sum(counts.values()) for counts in self.rows.values())
        print(f"\n{pairs} pairs, {1000 * self.seconds / pairs:.2f} ms a pair")


def list_case_pairs(cases: list[dict[str, Any]]) -> Iterator[tuple[str, Pair]]:
    """Every distinct copy with the original of its case, and its kind."""
    seen: set[str] = set()
    for case in cases:
        original = make_witness(case["article"], case["original"])
        for copy in case["witnesses"]:
            if copy["text"] not in seen:
                seen.add(copy["text"])
                kind = copy["kind"] + (" copied from a spun copy" if copy["spun"] and copy["kind"] != "spun" else "")
                yield kind, (make_witness(case["id"], copy["text"]), original)


def list_made_pairs(originals: dict[str, str], strangers: list[Witness], rng: random.Random) -> Iterator[tuple[str, Pair]]:
    """Copies of our own: spun at four rates and cut to three lengths; cut with comments; excerpts in a page of its own."""
    vocabulary = [word for text in originals.values() for word in text.split() if word.isalpha() and word.islower()]
    for article, text in originals.items():
        member = make_witness(article, text)
        for rate in (0.0, *RATES):
            for share in CUTS:
                made = cut(spin(text, rate, vocabulary, rng) if rate else text, share)
                yield f"made: spun {rate:.2f}, cut to {share:.2f}", (make_witness("made", made), member)
        half = make_witness("made", cut(text, 0.5))
        comments = cut(rng.choice(strangers).text, len(half.text.split()) / 700)
        yield "made: half of it, then comments", (Witness("made", (*half.paragraphs, *comments.split("\n\n"))), member)
        at = rng.randrange(max(1, len(member.paragraphs) - 1))
        quoted = member.paragraphs[at : at + 2]
        if len(" ".join(quoted).split()) >= 45:
            own = rng.choice([page for page in strangers if len(page.text.split()) > 250])
            page = Witness("made", (*own.paragraphs[:3], *quoted, *own.paragraphs[3:]))
            yield "made: two paragraphs inside another page", (page, member)


def share_features(prints: dict[str, Fingerprint]) -> Counter[tuple[str, str]]:
    """How many features each pair shares that shares any."""
    holders: dict[int, list[str]] = defaultdict(list)
    for name, print_ in prints.items():
        for feature in print_.features:
            holders[feature].append(name)
    return Counter(pair for names in holders.values() for pair in combinations(names, 2))


def measure_candidates(stored: list[Witness], pairs: list[tuple[str, Pair]]) -> None:
    """Prints how often the right one comes first when candidates are ordered by the number of shared features."""
    holders: dict[int, list[str]] = defaultdict(list)
    for witness in stored:
        for feature in fingerprint(witness).features:
            holders[feature].append(witness.source)
    rows: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    seconds = 0.0
    for row, (newcomer, member) in pairs:
        begin = time.perf_counter()
        features = fingerprint(newcomer).features
        seconds += time.perf_counter() - begin
        counts = Counter(name for feature in features for name in holders.get(feature, ()))
        own = counts[member.source]
        better = sum(1 for name, count in counts.items() if count >= own and name != member.source)
        rows[row].append((better, own, len(counts)))
    print("\n| newcomers | n | first | among first 5 | shares ≥ 3 features | median shared | median candidates |")
    print("|---|---|---|---|---|---|---|")
    for row, found in rows.items():
        n = len(found)
        first = sum(1 for better, own, _ in found if own and not better) / n
        five = sum(1 for better, own, _ in found if own and better < 5) / n
        three = sum(1 for _, own, _ in found if own >= 3) / n
        medians = (sorted(values)[n // 2] for values in zip(*((own, all_) for _, own, all_ in found), strict=True))
        print(f"| {row} | {n} | {first:.3f} | {five:.3f} | {three:.3f} | " + " | ".join(map(str, medians)) + " |")
    print(f"\n{len(stored)} stored, {1000 * seconds / len(pairs):.2f} ms a fingerprint")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--cases", choices=("report", "fit"), default="report")
    options = parser.parse_args()
    if not (options.data / "cases").is_dir():
        print(f"placing: skipped, no data in {options.data}")
        return 0
    rng = random.Random(SEED)
    cases = read_lines(options.data / "cases" / f"{options.cases}.jsonl")
    truth = read_lines(options.data / "pages" / "truth.jsonl")
    pages = [make_witness(page["file"], page["text"]) for page in truth]
    originals = {case["article"]: case["original"] for case in cases}
    from_cases, made = list(list_case_pairs(cases)), list(list_made_pairs(originals, pages, rng))
    from_cases.sort(key=lambda pair: pair[0])
    report = Report()

    for row, pair in (*from_cases, *sorted(made, key=lambda pair: pair[0])):
        report.count(row, [pair])

    pool = sorted({key for page in pages for key, name in zip_names(page) if name and key.isalpha() and len(key) > 3})
    templates = []
    for page in pages:
        twins = [change_facts(page, pool, rng) for _ in range(2)]
        if twins[0][1] >= 8:
            templates.append((page, twins[0][0], twins[1][0]))
    related = RelationKind.COPY, RelationKind.EXCERPT
    report.count("template: a page and its report", ((b, a) for a, b, _ in templates), lambda r: r.kind in related)
    report.count("template: two reports", ((b, c) for _, b, c in templates), lambda r: r.kind in related)

    by_name = {page.source: page for page in pages}
    shared = share_features({page.source: fingerprint(page) for page in pages})
    near = [(by_name[a], by_name[b]) for (a, b), _ in sorted(shared.items())]
    report.count("strangers: pages that share a feature", near, lambda r: r.kind is not RelationKind.UNRELATED)
    far = [(a, b) for a, b in (rng.sample(pages, 2) for _ in range(2000))]
    report.count("strangers: any two pages", far, lambda r: r.kind is not RelationKind.UNRELATED)
    copies = [pair for _, pair in from_cases]
    crossed = [(a, o) for a, own in rng.sample(copies, min(500, len(copies))) for _, o in rng.sample(copies, 3) if o != own]
    report.count("strangers: a copy and another original", crossed, lambda r: r.kind is not RelationKind.UNRELATED)
    report.print()

    print("\nNegatives that were related:")
    for row, newcomer, member, relation in sorted(report.joined, key=lambda joined: joined[3].kind):
        numbers = " ".join(f"{name}={value:.2f}" for name, value in relation.evidence.items())
        coverage = f"{relation.newcomer_coverage:.2f}/{relation.member_coverage:.2f}"
        print(f"  {relation.kind} {coverage} [{row}] {newcomer} | {member} | {numbers}")

    names = set(originals)
    own = {article: fingerprint(make_witness(article, text)) for article, text in originals.items()}
    both = share_features({**own, **{page.source: fingerprint(page) for page in pages}})
    doubles = {b if a in names else a for (a, b), count in both.items() if count > 100 and (a in names) != (b in names)}
    stored = [make_witness(article, text) for article, text in originals.items()]
    stored += [page for page in pages if page.source not in doubles]
    stored += [template for page, template, _ in templates if page.source not in doubles]
    measure_candidates(stored, from_cases + made)
    return 0


def zip_names(page: Witness) -> Iterator[tuple[str, bool]]:
    words = read_words(page.paragraphs)
    return zip(words.keys, words.names, strict=True)


if __name__ == "__main__":
    sys.exit(main())
