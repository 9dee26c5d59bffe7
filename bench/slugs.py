"""Headlines recovered from spun pages, without the slugs of their URLs and with them: word error in per cent.

    python -m bench.slugs [--articles 60]

Articles of part "fit" (../shared/data/pages), their first paragraphs and headlines spun for each of two to five pages. At the
odds of a row a page's slug spells the agency's headline, without short words and with its end cut now and then, as sites make
them; else it spells what the page prints. The floor counts the words that no page prints: a slug puts none of them back.
"""

import argparse
import gzip
import re
import statistics
from dataclasses import replace
from random import Random

from bench.copies.case import split
from bench.copies.originals import DATA, Original, originals
from bench.copies.spinner import Spinner, spin
from bench.scores import floor
from pipeline.crawl.extraction import read_page
from pipeline.crawl.urls import parse, slug_headline
from pipeline.philology.baselines import token_error_rate
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, recover
from pipeline.philology.witness import Witness

PARAGRAPHS = 6
RATE = 0.9
WORDS = range(6, 20)
PAGES = (2, 3, 5)
ODDS = (0.0, 0.3, 0.6, 1.0)
# Words that slugs leave out, and the odds that a slug's end is cut.
SHORT = frozenset(["a", "an", "the", "of", "to", "in", "on", "at", "for", "and", "or", "as", "by", "with", "is"])
CUT = 0.2


def slug_of(title: str, rng: Random) -> str | None:
    """What `slug_headline` reads out of a URL that a site makes of the headline."""
    words = [word for word in re.sub(r"[^a-z0-9 -]", "", title.lower()).replace("-", " ").split() if word not in SHORT]
    if rng.random() < CUT:
        words = words[: max(3, len(words) - rng.randint(1, 3))]
    return slug_headline(parse(f"https://news.example/2024/{'-'.join(words)}-{rng.randint(10**6, 10**7)}.html"))


def headline_of(original: Original) -> str | None:
    """The headline of the article's page, words that its text has in small letters written so, as agencies do."""
    body = gzip.decompress((DATA / "pages" / "html" / f"{original.name}.html.gz").read_bytes())
    title = original.title or read_page(body, "https://news.example/", []).title or ""
    known = set(re.findall(r"[a-z]+", original.text))
    small = [word.lower() if word.lower() in known else word for word in title.split()]
    return " ".join([title.split()[0], *small[1:]]) if len(small) in WORDS else None


def pages_of(original: Original, headline: str, count: int, odds: float) -> tuple[list[Witness], list[Witness]]:
    """The same spun pages without slugs and with them; which slugs are old does not change what is printed."""
    bare, slugs = [], []
    for number in range(count):
        rng, old = Random(f"{original.name} {number}"), Random(f"{original.name} {number} slug")
        title, *body = spin((headline, *split(original.text)[:PARAGRAPHS]), rng, Spinner("fit", RATE))
        slugs.append(slug_of(headline if old.random() < odds else title, old))
        bare.append(Witness(f"page {number}", tuple(body), title=title, language="en"))
    return bare, [replace(witness, slug=slug) for witness, slug in zip(bare, slugs, strict=True)]


def headline_error(witnesses: list[Witness], headline: str) -> float:
    """Word error of the recovered headline, marks and capitals counted."""
    return 100 * token_error_rate(recover(collate(witnesses), Evidence()).title or "", headline)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=60)
    given = parser.parse_args()
    found = [(original, headline_of(original)) for original in originals("fit")]
    articles = [(original, headline) for original, headline in found if headline][: given.articles]
    print(f"{len(articles)} articles; word error of the headline in per cent: mean without slugs, with them; floor")
    for count in PAGES:
        for odds in ODDS:
            rows = []
            for original, headline in articles:
                bare, spelt = pages_of(original, headline, count, odds)
                least = 100 * floor([Witness(witness.source, (witness.title or "",)) for witness in bare], headline)
                rows.append((headline_error(bare, headline), headline_error(spelt, headline), least))
            without, having, least = (statistics.mean(column) for column in zip(*rows, strict=True))
            better, worse = sum(a > b for a, b, _ in rows), sum(a < b for a, b, _ in rows)
            told = f"{without:.1f} {having:.1f}; {least:.1f}; better {better}, worse {worse}"
            print(f"  {count} pages, old slugs {odds:.0%}: {told}", flush=True)


if __name__ == "__main__":
    main()
