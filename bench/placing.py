"""How well placing tells copies from texts that are none, beside five peers; stories out of a mixed stream; the real pages.

    python -m bench.placing [--part fit|report] [--orders 4] [--no-peers] [--no-stream]

Prints recall by kind of copy and precision on the negatives (bench/placing_pairs.py) for placing and for each peer
(bench/placing_peers.py, thresholds chosen on part "fit" in the same run), processor time, the clusters of a mixed stream in
several orders of arrival (bench/placing_stream.py), what rarity is worth, and which of the real pages were joined.
Reads ../shared/data in place. The peers and the thesaurus spinner come with the extra `bench` (scripts/bench-setup).
"""

import argparse
import math
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from bench.copies.originals import DATA
from bench.placing_pairs import Pair, list_articles, list_negatives, list_positives, list_small_words, make_witness, pages, spin
from bench.placing_parts import measure_parts
from bench.placing_peers import (
    Scores,
    choose_threshold,
    has_datasketch,
    measure_precision,
    open_postgres,
    query_lsh,
    score_minhash,
    score_simhash,
    score_tfidf,
)
from bench.placing_stream import list_mixed, make_stream, place_stream, score_bcubed
from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.rarity import choose, weight
from pipeline.philology.relation import Relation, RelationKind, relate

JOINED = (RelationKind.COPY,)
PEERED = 2400  # pairs that peers are shown, drawn from all
FITTING = 800  # pairs of part "fit" that the peers' thresholds are chosen on
SITES = 6  # that the texts of the rarity table are spread over, each with its own closing lines
LOOKED_UP = (10, 20, 40, 80, 160, 400)
WEIGHTS: dict[str, Callable[[int, int], float]] = {
    "count": lambda _held, _stored: 1.0,
    "bits": lambda held, stored: math.log2((stored + 1) / held),
    "squared bits": lambda held, stored: math.log2((stored + 1) / held) ** 2,
    "1 / stories": lambda held, _stored: 1 / held,
    "squared bits / stories": weight,
}


def measure_relations(pairs: Sequence[Pair]) -> tuple[list[Relation], float]:
    """The relation of each pair, and milliseconds of processor time a pair."""
    begun = time.process_time()
    found = [relate(pair.newcomer, pair.member) for pair in pairs]
    return found, 1000 * (time.process_time() - begun) / len(pairs)


def print_relations(pairs: Sequence[Pair], relations: Sequence[Relation]) -> None:
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    aims = {pair.row: pair.aim for pair in pairs}
    for pair, relation in zip(pairs, relations, strict=True):
        rows[pair.row][relation.kind.value] += 1
    print("\n| pairs | n | " + " | ".join(kind.replace("_", " ") for kind in RelationKind) + " | recall (aim) |")
    print("|---|---|" + "---|" * (len(RelationKind) + 1))
    for row, counts in rows.items():
        aim, n = aims[row], sum(counts.values())
        recall = f"{counts['copy'] / n:.3f}" + (f" ({aim})" if aim else "") if not is_negative(row) else "–"
        print(f"| {row} | {n} | " + " | ".join(str(counts[kind.value]) for kind in RelationKind) + f" | {recall} |")


def is_negative(row: str) -> bool:
    return row.startswith(("template", "same topic", "a copy and another", "excerpt"))


def print_peers(part: str, pairs: Sequence[Pair], relations: Sequence[Relation]) -> None:
    """Recall by row and precision of every peer at the threshold with the best F1 on part "fit"."""
    fitting = pairs if part == "fit" else [*list_positives("fit"), *list_negatives("fit")]
    fitting = random.Random("peers").sample(fitting, min(FITTING, len(fitting)))
    peers: dict[str, Scores] = {"SimHash": score_simhash, "TF-IDF cosine": score_tfidf}
    with ExitStack() as stack:
        peers["Postgres full-text"] = stack.enter_context(open_postgres())
        if has_datasketch():
            peers |= {f"MinHash-LSH, {n}-grams": lambda found, n=n: score_minhash(found, n) for n in (5, 3)}  # type: ignore[misc]
        else:
            print("MinHash-LSH: datasketch is not installed: scripts/bench-setup")
        called: dict[str, list[bool]] = {"placing": [relation.kind in JOINED for relation in relations]}
        for name, score in peers.items():
            threshold = choose_threshold(score(fitting), [not is_negative(pair.row) for pair in fitting])
            begun = time.process_time()
            scores = score(pairs)
            spent = 1000 * (time.process_time() - begun) / len(pairs)
            called[name] = [value >= threshold for value in scores]
            if name.startswith("MinHash"):
                called[name] = query_lsh(pairs, 5 if "5" in name else 3, threshold)
            print(f"{name}: threshold {threshold:.3f}, {spent:.2f} ms of processor time a pair", flush=True)
    wanted = [not is_negative(pair.row) for pair in pairs]
    print("\n| pairs | n | " + " | ".join(called) + " |\n|---|---|" + "---|" * len(called))
    for row in dict.fromkeys(pair.row for pair in pairs):
        at = [number for number, pair in enumerate(pairs) if pair.row == row]
        print(
            f"| {row} | {len(at)} | "
            + " | ".join(f"{sum(calls[i] for i in at) / len(at):.3f}" for calls in called.values())
            + " |"
        )
    recalls = (f"{sum(c and w for c, w in zip(calls, wanted, strict=True)) / sum(wanted):.4f}" for calls in called.values())
    print(f"| **recall, all copies** | {sum(wanted)} | " + " | ".join(recalls) + " |")
    precisions = (f"{measure_precision(calls, wanted):.4f}" for calls in called.values())
    print(f"| **precision** | {len(pairs)} | " + " | ".join(precisions) + " |")
    templates = [w or pair.row.startswith("template") for w, pair in zip(wanted, pairs, strict=True)]
    kept = (measure_precision([c and t for c, t in zip(calls, templates, strict=True)], wanted) for calls in called.values())
    print(
        f"| **precision against templates alone** | {sum(templates)} | " + " | ".join(f"{value:.4f}" for value in kept) + " |"
    )


def print_rarity(part: str) -> None:
    """Where the right one stands among the stored texts by four weights of a feature, and how many features must be looked up.

    Each stored text and each newcomer ends with its site's closing lines, which another newcomer's site shares with a sixth of
    the store: what a count of shared features stumbles over.
    """
    rng = random.Random(f"rarity {part}")
    articles = list_articles(part)
    real = [page for page in pages(part) if page.language == "en"]
    closing = ["\n\n".join(page.paragraphs[-4:])[:600] for page in rng.sample(real, SITES)]
    vocabulary = list_small_words(articles.values())
    stored = articles | {page.source: page.text for page in real if not any(name in page.source for name in articles)}
    held = {
        name: set(fingerprint(make_witness(name, f"{text}\n\n{rng.choice(closing)}")).features) for name, text in stored.items()
    }
    counts = Counter(feature for features in held.values() for feature in features)
    ranks: dict[str, list[int]] = defaultdict(list)
    looked: dict[int, list[bool]] = defaultdict(list)
    for name, text in articles.items():
        for rate in (0.25, 0.5):
            words = spin(text, rate, vocabulary, rng).split(" ")
            newcomer = " ".join(words[: len(words) // 4])
            features = fingerprint(make_witness("new", f"{newcomer}\n\n{rng.choice(closing)}")).features
            for label, weigh in WEIGHTS.items():
                scores = {
                    key: sum(weigh(counts[f], len(stored)) for f in own.intersection(features)) for key, own in held.items()
                }
                ranks[label].append(sum(1 for key, value in scores.items() if value >= scores[name] and key != name))
            for most in LOOKED_UP:
                asked = [f for f in choose(features, counts, most) if f in counts]
                scores = {
                    key: sum(weight(counts[f], len(stored)) for f in own.intersection(asked)) for key, own in held.items()
                }
                better = sum(1 for key, value in scores.items() if value >= scores[name] and key != name)
                looked[most].append(scores[name] > 0 and better < 6)
    print(f"\nA quarter of a text, a quarter or half of its words replaced, with a site's closing lines; {len(stored)} stored")
    print("| weight of a feature | right one first | among first 6 |\n|---|---|---|")
    for label, found in ranks.items():
        first, six = (sum(rank < most for rank in found) / len(found) for most in (1, 6))
        print(f"| {label} | {first:.3f} | {six:.3f} |")
    print("| features looked up, rarest first | " + " | ".join(map(str, LOOKED_UP)) + " |\n|---|" + "---|" * len(LOOKED_UP))
    print("| right one among first 6 | " + " | ".join(f"{statistics.fmean(looked[most]):.3f}" for most in LOOKED_UP) + " |")


def print_parts(part: str) -> None:
    """How often pages of several stories, and pages of one, are cut where they should be."""
    print("\n| pages | n | cut where they should be | cut into too many |\n|---|---|---|---|")
    for row, (n, exact, more) in measure_parts(part).items():
        print(f"| {row} | {n} | {exact} | {more} |")


def print_stream(part: str, orders: int) -> None:
    """B-cubed scores of the stories in each order of arrival, and how far the orders agree."""
    items = make_stream(part)
    truth = {item.witness.source: item.story for item in items if item.story is not None}
    placings = []
    print(f"\nA stream of {len(items)} witnesses, {len(truth)} of them scored, {len(set(truth.values()))} articles")
    print("| order | B-cubed precision | recall | F1 | relations a witness | ms of processor time a witness |")
    print("|---|---|---|---|---|---|")
    for seed in range(orders):
        begun = time.process_time()
        placed, stories = place_stream(items, seed)
        spent = 1000 * (time.process_time() - begun) / len(items)
        placings.append({source: story for source, story in placed.items() if source in truth})
        precision, recall, f1 = score_bcubed(placed, truth)
        effort = stories.relations / len(items)
        print(f"| {seed} | {precision:.4f} | {recall:.4f} | {f1:.4f} | {effort:.2f} | {spent:.1f} |", flush=True)
        if not seed:
            mixed = [sorted(counts.values(), reverse=True) for _, counts in list_mixed(placed, items)]
            missing = len(truth) - sum(source in truth for source in placed)
    agreements = [score_bcubed(a, b)[2] for at, a in enumerate(placings) for b in placings[at + 1 :]]
    print(f"agreement of two orders, B-cubed F1: mean {statistics.fmean(agreements):.4f}, least {min(agreements):.4f}")
    print(
        f"in the first order: witnesses of each article in the stories that hold several: {mixed}; not placed whole: {missing}"
    )


def print_pages() -> None:
    """Which of the real pages are related, of all pairs that share a feature."""
    real = pages()
    holders: dict[int, list[int]] = defaultdict(list)
    for number, page in enumerate(real):
        for feature in fingerprint(page).features:
            holders[feature].append(number)
    near = sorted({(a, b) for held in holders.values() for at, a in enumerate(held) for b in held[at + 1 :]})
    print(f"\n{len(real)} real pages that are not thin, {len(near)} pairs that share a feature; related:")
    for a, b in near:
        relation = relate(real[b], real[a])
        if relation.kind is not RelationKind.UNRELATED:
            numbers = " ".join(f"{key}={relation.evidence[key]:.2f}" for key in ("words_shared", "density", "strength"))
            coverage = f"{relation.newcomer_coverage:.2f}/{relation.member_coverage:.2f}"
            print(f"  {relation.kind} {coverage} {real[b].source} {real[b].site} | {real[a].source} {real[a].site} | {numbers}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("fit", "report"), default="fit")
    parser.add_argument("--orders", type=int, default=4)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--stream", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    if not (DATA / "cases").is_dir():
        print(f"placing: skipped, no data in {DATA}")
        return 0
    pairs = [*list_positives(given.part), *list_negatives(given.part)]
    relations, spent = measure_relations(pairs)
    print(f"part {given.part}: {len(pairs)} pairs, {spent:.2f} ms of processor time a relation")
    print_relations(pairs, relations)
    for pair, relation in zip(pairs, relations, strict=True):
        if relation.kind in JOINED and is_negative(pair.row):
            print(f"  joined wrongly or by right: [{pair.row}] {pair.newcomer.source} | {pair.member.source}")
    print_rarity(given.part)
    print_pages()
    print_parts(given.part)
    if given.stream:
        print_stream(given.part, given.orders)
    if given.peers:
        drawn = random.Random("peered").sample(list(zip(pairs, relations, strict=True)), min(PEERED, len(pairs)))
        drawn.sort(key=lambda row: (is_negative(row[0].row), row[0].row))
        print_peers(given.part, [pair for pair, _ in drawn], [relation for _, relation in drawn])
    return 0


if __name__ == "__main__":
    sys.exit(main())
