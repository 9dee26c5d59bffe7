"""How well discovery finds copies: recall from one copy of each story, queries asked, pages that are let through in vain.

    .venv/bin/python bench/finding.py [--part report|fit] [--seed 1] [--fit]

On a web of its own (bench/local_web.py) that a search service stands before (bench/search_service.py), asked over HTTP by the
provider, the fetcher and the runner that `wirecopy story discover` uses. Peers ask the same service in the same run. --fit
prints the weights of pipeline/discovery/ranking.py as they come out on that part.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import numpy as np

from bench.copies.newsroom import SENTENCE
from bench.local_web import WebPage, make_web
from bench.search_service import Engine, Page, serving, tokens_of
from pipeline.crawl.fetcher import Fetcher, FetchOptions
from pipeline.crawl.urls import parse, slug_headline
from pipeline.discovery.candidates import Candidate
from pipeline.discovery.passages import Rarity
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.providers import searxng
from pipeline.discovery.queries import QUOTED, Seed
from pipeline.discovery.ranking import DROPPED, WEIGHTS, Yardstick
from pipeline.discovery.rarity import rarity_of
from pipeline.discovery.runner import Find, Findings, Search
from pipeline.settings import load
from pipeline.stages.reaching import FetchedWeb

MOST_QUERIES = 10
SEEDS = ("verbatim", "spun")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Ledger:
    """A desk that lets everything through and remembers nothing."""

    def take(self, _provider: Provider) -> float:
        return 0.0

    def succeeded(self, provider: Provider) -> None:
        pass

    def failed(self, provider: Provider, why: str, _retry_after: float | None) -> None:
        raise RuntimeError(f"{provider.name}: {why}")

    def recall(self, _provider: Provider, _key: str) -> bytes | None:
        return None

    def remember(self, provider: Provider, key: str, body: bytes, seconds: float) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Tried:
    """What one way of asking brought for one seed: numbers of pages, and the queries it took."""

    found: frozenset[int]
    queries: int


class Ground:
    """The web with its search service, and which copies can be found at all."""

    def __init__(self, pages: Sequence[WebPage]) -> None:
        self.pages = pages
        self.engine = Engine([Page(page.url, page.title, page.text) for page in pages])
        self.number = {page.url: number for number, page in enumerate(pages)}
        self.copies: dict[int, list[int]] = defaultdict(list)
        for number, page in enumerate(pages):
            if page.story is not None:
                self.copies[page.story].append(number)
        self.findable = {number for numbers in self.copies.values() for number in numbers if self._is_findable(number)}

    def _is_findable(self, number: int) -> bool:
        page = self.pages[number]
        own = [page.title, *(sentence for paragraph in page.paragraphs for sentence in SENTENCE.split(paragraph))]
        return any(number in self.engine.rank(text.replace('"', " "), MOST_QUERIES) for text in own)

    def seeds(self, kind: str) -> Iterator[int]:
        """The first copy of that kind of every story."""
        for numbers in self.copies.values():
            yield from [number for number in numbers if self.pages[number].kind == kind][:1]

    def wanted(self, seed: int) -> set[int]:
        """The copies that can be found from a seed."""
        return {number for number in self.copies[self.story(seed)] if number in self.findable} - {seed}

    def story(self, number: int) -> int:
        found = self.pages[number].story
        assert found is not None
        return found


def seed_of(page: WebPage) -> Seed:
    slug = slug_headline(parse(page.url))
    return Seed(page.paragraphs, tuple(headline for headline in (page.title, slug) if headline))


async def discover_all(ground: Ground, seeds: Sequence[int], base: str, rarity: Rarity) -> list[Findings]:
    """Discovery from each seed, over HTTP."""
    settings = load({"searxng_url": base, "searxng_private": True}, {}).settings
    options = FetchOptions(user_agent="wirecopy bench", allow_private_addresses=True)
    found = []
    async with Fetcher(options) as fetcher:
        web = FetchedWeb(fetcher, fetcher)
        for number in seeds:
            page = ground.pages[number]
            wanted = Wanted(seed_of(page), rarity, NOW, language="en")
            search = Search(wanted, [searxng.make(settings)], lambda _: web, Ledger(), lambda url: url, {page.url})
            found.append(await search.run(MOST_QUERIES))
    return found


def headline_once(ground: Ground, page: WebPage, rng: Random, rarity: Rarity) -> Iterable[tuple[str, int]]:  # noqa: ARG001
    return [(page.title, 1)]


def headline_deep(ground: Ground, page: WebPage, rng: Random, rarity: Rarity) -> Iterable[tuple[str, int]]:  # noqa: ARG001
    return [(page.title, at) for at in range(1, MOST_QUERIES + 1)]


def random_grams(ground: Ground, page: WebPage, rng: Random, rarity: Rarity) -> Iterable[tuple[str, int]]:  # noqa: ARG001
    words = tokens_of(page.text)
    starts = [rng.randrange(max(1, len(words) - 7)) for _ in range(MOST_QUERIES)]
    return [('"' + " ".join(words[at : at + 8]) + '"', 1) for at in starts]


def top_words(ground: Ground, page: WebPage, rng: Random, rarity: Rarity) -> Iterable[tuple[str, int]]:  # noqa: ARG001
    """The words of the highest tf-idf, eight to a query."""
    counts = Counter(tokens_of(page.text))
    best = sorted(counts, key=lambda word: -counts[word] * rarity(word))
    return [(" ".join(best[at : at + 8]), 1) for at in range(0, 8 * MOST_QUERIES, 8) if best[at : at + 8]]


Ask = Callable[[Ground, WebPage, Random, Rarity], Iterable[tuple[str, int]]]
PEERS: dict[str, Ask] = {
    "headline query": headline_once,
    "headline query, ten pages of it": headline_deep,
    "random 8-grams": random_grams,
    "TF-IDF top words": top_words,
}


def ask_peer(ground: Ground, seed: int, ask: Ask, rng: Random, rarity: Rarity) -> Tried:
    queries = list(ask(ground, ground.pages[seed], rng, rarity))
    found = {result.page for query, page in queries for result in ground.engine.search(query, page)}
    return Tried(frozenset(found - {seed}), len(queries))


def print_row(name: str, ground: Ground, seeds: Sequence[int], tried: Sequence[Tried]) -> None:
    wanted = [ground.wanted(seed) for seed in seeds]
    shares = [len(one.found & want) / len(want) for one, want in zip(tried, wanted, strict=True) if want]
    pooled = sum(len(one.found & want) for one, want in zip(tried, wanted, strict=True)) / sum(map(len, wanted))
    stories = [ground.story(seed) for seed in seeds]
    others = sum(ground.pages[number].story != story for one, story in zip(tried, stories, strict=True) for number in one.found)
    spread = f"{min(shares):.2f} to {max(shares):.2f}"
    queries = sum(one.queries for one in tried) / len(tried)
    print(f"| {name} | {pooled:.3f} | {sum(shares) / len(shares):.3f} | {spread} | {queries:.1f} | {others / len(tried):.1f} |")


def print_dropped(ground: Ground, seeds: Sequence[int], findings: Sequence[Findings]) -> None:
    counts: Counter[tuple[str, bool]] = Counter()
    for seed, found in zip(seeds, findings, strict=True):
        for find in _others(ground, seed, found):
            page = ground.pages[ground.number[find.candidate.url]]
            kind = "copy of another story" if page.story is not None else page.kind
            kind = "copies" if page.story == ground.story(seed) else kind
            counts[kind, find.likeness.score < DROPPED] += 1
    kinds = sorted({kind for kind, _ in counts}, key=lambda kind: (kind != "copies", kind))
    print("\n| candidates | n | dropped before fetching |\n|---|---|---|")
    for kind in kinds:
        n = counts[kind, True] + counts[kind, False]
        print(f"| {kind} | {n} | {counts[kind, True] / n:.3f} |")
    others = [kind for kind in kinds if kind != "copies"]
    dropped, kept = (sum(counts[kind, flag] for kind in others) for flag in (True, False))
    print(f"| no copies, all | {dropped + kept} | {dropped / (dropped + kept):.3f} |")


def _others(ground: Ground, seed: int, found: Findings) -> list[Find]:
    return [find for find in found.finds if ground.number[find.candidate.url] != seed]


def print_weights(ground: Ground, tried: Sequence[tuple[int, Findings]], rarity: Rarity) -> None:
    """Logistic regression by Newton's method on all candidates, each once as shown and once without its snippet."""
    names = [name for name in WEIGHTS if name != "bias"]
    rows, wanted = [], []
    for seed, found in tried:
        yardstick = Yardstick(seed_of(ground.pages[seed]), rarity)
        for find in _others(ground, seed, found):
            shown = find.candidate
            page = ground.pages[ground.number[shown.url]]
            held = find.query.kind in QUOTED  # the local service obeys quotation marks
            blank = yardstick.compare(Candidate(shown.url, shown.why, shown.title, holds_phrase=held), find.query)
            for evidence in (find.likeness.evidence, blank):
                rows.append([1.0, *(evidence[name] for name in names)])
                wanted.append(page.story == ground.story(seed))
    features, labels = np.array(rows), np.array(wanted, dtype=float)
    ridge = 0.5 * np.diag([0.0] + [1.0] * len(names))
    weights = np.zeros(len(names) + 1)
    for _ in range(50):
        odds = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (odds - labels) + ridge @ weights
        curve = (features * (odds * (1 - odds))[:, None]).T @ features + ridge
        weights -= np.linalg.solve(curve, slope)
    print("\nweights:", {name: round(float(value), 2) for name, value in zip(("bias", *names), weights, strict=True)})
    now = np.array([WEIGHTS[name] for name in ("bias", *names)])
    for which, chosen in (("these", weights), ("those in force", now)):
        scores = (1 / (1 + np.exp(-features @ chosen)))[::2]
        real = labels[::2] == 1
        for lost in (0.01, 0.015, 0.02):
            threshold = float(np.quantile(scores[real], lost))
            print(f"{which}: {lost:.1%} of copies lost at {threshold:.3f}: {(scores[~real] < threshold).mean():.3f} dropped")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("report", "fit"), default="report")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    pages = make_web(options.part, options.seed)
    if not pages:
        print("finding: skipped, no articles in ../shared/data")
        return 0
    ground = Ground(pages)
    copies = sum(map(len, ground.copies.values()))
    hosts = len({parse(page.url).host for page in pages})
    print(f"{len(pages)} pages on {hosts} hosts; {len(ground.copies)} stories, {copies} copies")
    print(f"{len(ground.findable)} of them are findable: in the top ten for their headline or one of their sentences")
    rarity = rarity_of("en")
    tried: list[tuple[int, Findings]] = []
    for kind in SEEDS:
        seeds = list(ground.seeds(kind))
        print(f"\nFrom one {kind} copy of each of {len(seeds)} stories:\n")
        print("| asked by | recall | mean of stories | spread | queries | no copies a story |\n|---|---|---|---|---|---|")
        began = time.process_time()
        with serving(ground.engine) as base:
            findings = asyncio.run(discover_all(ground, seeds, base, rarity))
        spent = time.process_time() - began
        whole = [Tried(_numbers(ground, found, 0.0), len(found.reports)) for found in findings]
        kept = [Tried(_numbers(ground, found, DROPPED), len(found.reports)) for found in findings]
        print_row("discovery, all candidates", ground, seeds, whole)
        print_row("discovery, what is fetched", ground, seeds, kept)
        rng = Random(options.seed)
        for name, ask in PEERS.items():
            print_row(name, ground, seeds, [ask_peer(ground, seed, ask, rng, rarity) for seed in seeds])
        print_dropped(ground, seeds, findings)
        print(f"\n{1000 * spent / len(seeds):.0f} ms CPU a discovery, the search service's own included")
        tried += zip(seeds, findings, strict=True)
    if options.fit:
        print_weights(ground, tried, rarity)
    return 0


def _numbers(ground: Ground, found: Findings, least: float) -> frozenset[int]:
    return frozenset(ground.number[find.candidate.url] for find in found.finds if find.likeness.score >= least)


if __name__ == "__main__":
    sys.exit(main())
