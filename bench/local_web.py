"""A web of 2,000 pages on 200 hosts: 60 stories of 3 to 25 copies among other pages, some of which look very like copies.

The copies are bench/copies' own: verbatim, house style, edited, cut, spun (each from the agency's text or from another copy),
rewritten. Among the others are reports of the same events by another agency, reports of another day in the same sentences, and
pages whose paragraphs come from several articles.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.copies import Original, newsroom, originals
from bench.copies.case import joined, split
from bench.copies.rewriting import report_anew, rewrite
from bench.copies.spinner import Spinner, spin
from bench.copies.story import PAGE_DAMAGE, Story
from bench.copies.versions import headline_before
from bench.placing_pairs import change_facts, list_names, make_witness
from pipeline.philology.recovered import Kind

PAGES, HOSTS, STORIES = 2_000, 200, 60
FEWEST, MOST = 3, 25
OTHER_DAYS = 4
"""Reports of other days that each story has."""
SLUGS = 0.6
"""Share of pages whose address spells the agency's headline, whatever the page calls itself."""
_SMALL = "a an and as at by for from in is it its of on or said that the their this to was were will with"
SMALL = frozenset(_SMALL.split())


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page; `story` is the number of the story that it is a copy of, or None, and then `kind` says what it is."""

    url: str
    title: str
    paragraphs: tuple[str, ...]
    story: int | None
    kind: str

    @property
    def text(self) -> str:
        return joined(self.paragraphs)


def make_web(part: str, seed: int = 1) -> tuple[WebPage, ...]:
    """The pages, in no order that tells anything; the same for the same seed."""
    rng = Random(f"{part} {seed}")
    articles = list(originals(part))
    if not articles:
        return ()
    rng.shuffle(articles)
    pool = list_names([make_witness(article.name, article.text) for article in articles])
    told = articles[:STORIES]
    while len(told) < STORIES:  # too few articles: reports of another day are stories, too
        told.append(_twin(rng.choice(articles), pool, rng))
    other_days = [[_twin(article, pool, rng) for _ in range(OTHER_DAYS)] for article in told]
    pages: list[tuple[str | None, tuple[str, ...], int | None, str, str]] = []
    for number, article in enumerate(told):
        pages += _copies(article, number, part, rng)
    while len(pages) < PAGES:
        pages.append(_other(told, other_days, part, rng))
    pages = pages[:PAGES]
    rng.shuffle(pages)
    return tuple(
        WebPage(_address(number, slug, rng), title or "Untitled", text, story, kind)
        for number, (title, text, story, kind, slug) in enumerate(pages)
    )


def headline_of(article: Original) -> str:
    """The article's headline; for the many without one, what matters in its first sentence."""
    if article.title:
        return article.title
    words = re.findall(r"[\w'’-]+", newsroom.SENTENCE.split(split(article.text)[0])[0])
    return " ".join(word for word in words if word.lower() not in SMALL)[:70].rsplit(" ", 1)[0]


def _copies(article: Original, number: int, part: str, rng: Random) -> list[tuple[str, tuple[str, ...], int, str, str]]:
    headline = headline_of(article)
    story = Story([split(article.text)], rng, part, titles=[headline])
    story.verbatim()
    story.spun()
    for _ in range(rng.randint(FEWEST, MOST) - 2):
        exemplar = rng.randrange(len(story.copies)) if rng.random() < 0.3 else None
        draw = rng.random()
        if draw < 0.2:
            story.styled(exemplar)
        elif draw < 0.42:
            story.edited(exemplar)
        elif draw < 0.57:
            story.truncated(exemplar)
        elif draw < 0.64:
            story.damaged(PAGE_DAMAGE["furniture"], "furniture", exemplar)
        elif draw < 0.94:
            story.spun(exemplar)
        else:
            story.rewritten(exemplar)
    made = []
    for copy in story.copies:
        title = headline
        if copy.kind is Kind.SPUN:
            title = joined(spin((headline,), rng, Spinner(part, 0.6)))
        elif copy.kind is not Kind.VERBATIM and rng.random() < 0.4:
            title = headline_before(headline, rng)
        made.append((title, split(copy.text), number, str(copy.kind), headline))
    return made


def _other(
    told: Sequence[Original], other_days: Sequence[Sequence[Original]], part: str, rng: Random
) -> tuple[str, tuple[str, ...], None, str, str]:
    draw = rng.random()
    if draw < 0.15:
        anew = report_anew(split(rng.choice(told).text), rng, part)
        headline = headline_of(Original("anew", None, joined(anew), published_case=False))
        return headline, anew, None, "other agency", headline
    if draw < 0.35:
        twin = rng.choice(rng.choice(other_days))
        return headline_of(twin), split(twin.text), None, "another day", headline_of(twin)
    # Passages of several such reports in other words: about the same sort of matters, and nobody's copy.
    mixed: list[str] = []
    for of in rng.sample(list(other_days), rng.randint(3, 5)):
        text = split(rng.choice(of).text)
        at = rng.randrange(len(text) - 2)
        mixed += rewrite(text[at : at + rng.randint(2, 4)], rng, part, 0.9)
    headline = headline_of(Original("mixed", None, joined(tuple(mixed)), published_case=False))
    return headline, tuple(mixed), None, "other", headline


def _twin(article: Original, pool: list[str], rng: Random) -> Original:
    """The same sentences with every name and number another one."""
    both = make_witness(article.name, f"{headline_of(article)}\n\n{article.text}")
    changed, _ = change_facts(both, pool, rng)
    headline, *text = changed.paragraphs
    return Original(f"{article.name} another day", headline, "\n\n".join(text), published_case=False)


def _address(number: int, headline: str, rng: Random) -> str:
    host = f"paper{number % HOSTS}.example"
    slug = "-".join(re.findall(r"[a-z0-9]+", headline.lower())[:10])
    path = f"{2026000 + number}/{slug}.html" if rng.random() < SLUGS else f"story/{2026000 + number}"
    return f"http://{host}/{path}"
