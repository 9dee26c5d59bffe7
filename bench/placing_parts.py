"""Pages of several stories and pages of one: how often they are cut where they should be.

Each page is related to the articles that it was made from and to two others, then given to `split`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from bench.placing_pairs import cut, list_articles, list_small_words, make_witness, pages, spin
from pipeline.philology.parts import split
from pipeline.philology.relation import relate
from pipeline.philology.witness import Witness

PAGES = 30
RIGHT = 0.95
HEADINGS = ("In other news", "Elsewhere today", "Also this morning", "World", "More from the region")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, its row of the table, the articles in it, and whose each paragraph is; None where it is the page's own."""

    row: str
    paragraphs: tuple[str, ...]
    owners: tuple[str | None, ...]
    sources: tuple[str, ...]


def make_pages(part: str, seed: int = 20) -> Iterator[Page]:
    """Digests of two to five stories, live blogs with texts of no known story, and what is one text."""
    rng = Random(f"{seed} parts {part}")
    articles = {name: text for name, text in list_articles(part).items() if text.count("\n\n") > 4}
    vocabulary = list_small_words(articles.values())
    strangers = [page for page in pages(part) if page.language == "en" and len(page.paragraphs) > 8]

    def draw(name: str, share: float, rate: float = 0.0) -> list[str]:
        text = cut(articles[name], share)
        return (spin(text, rate, vocabulary, rng) if rate else text).split("\n\n")

    for _ in range(PAGES):
        names = rng.sample(sorted(articles), 5)
        for row, rate in (("digest", 0.0), ("digest, spun", 0.25)):
            chosen = names[: rng.randint(2, 5)]
            yield join_stories(row, [(name, draw(name, rng.uniform(0.25, 0.7), rate)) for name in chosen], rng, headings=True)
        other = rng.choice(strangers)
        inserted = list(other.paragraphs[:5])
        yield join_stories(
            "live blog, one story unknown",
            [(names[0], draw(names[0], 0.5)), (None, inserted), (names[1], draw(names[1], 0.5))],
            rng,
        )
        first, second = draw(names[0], 1.0), draw(names[1], 1.0)
        at = rng.randrange(1, len(first) - 1)
        yield join_stories("a story within a story", [(names[0], first[:at]), (names[1], second), (names[0], first[at:])], rng)
        at, quote = rng.randrange(1, len(first)), rng.randrange(len(second) - 1)
        spun = draw(names[0], 1.0, 0.25)
        for row, text in (
            ("one text: a copy", first),
            ("one text: spun", spun),
            ("one text: cut, then comments", [*draw(names[0], 0.5), *inserted]),
            ("one text: quotes another story", [*first[:at], *second[quote : quote + 2], *first[at:]]),
            ("one text: quotes another's lead at its end", [*first, *second[:2]]),
            ("one text: an article that quotes two", [*other.paragraphs[:4], *first[:2], *other.paragraphs[4:], *second[:2]]),
        ):
            yield Page(row, tuple(text), (names[0],) * len(text), (names[0], names[1]))


def join_stories(row: str, stories: list[tuple[str | None, list[str]]], rng: Random, *, headings: bool = False) -> Page:
    paragraphs: list[str] = []
    owners: list[str | None] = []
    for name, text in stories:
        own = [rng.choice(HEADINGS), *text] if headings else text
        paragraphs += own
        owners += [name] * len(own)
    return Page(row, tuple(paragraphs), tuple(owners), tuple({name: None for name, _ in stories if name}))


def measure_parts(part: str) -> dict[str, tuple[int, int, int]]:
    """Of each row the pages, those cut where they should be but for 5 % of the words, and those cut into too many parts."""
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    members: Mapping[str, Witness] = {name: make_witness(name, text) for name, text in list_articles(part).items()}
    for page in make_pages(part):
        witness = Witness("page", page.paragraphs)
        found = [(name, relate(witness, members[name])) for name in page.sources]
        parts = split(witness, found)
        groups: dict[str | None, list[int]] = defaultdict(list)
        for at, owner in enumerate(page.owners):
            groups[owner].append(at)
        right = sum(
            sum(len(page.paragraphs[at].split()) for at in set(places).intersection(part.paragraphs))
            for places, part in zip(groups.values(), parts, strict=False)
        )
        counts = rows[page.row]
        counts[0] += 1
        counts[1] += len(parts) == len(groups) and right >= RIGHT * len(witness.text.split())
        counts[2] += len(parts) > len(groups)
    return {row: (n, exact, more) for row, (n, exact, more) in rows.items()}
