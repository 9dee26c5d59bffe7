"""What papers do to an article, one small step at a time; a recipe is a row of steps.

Every step takes an article and gives a new one. A step that finds nothing to change raises ValueError: a recipe that has lost
its place in the article is a mistake in this package.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from pipeline.demo.article import Article
from pipeline.demo.spinner import spin

Step = Callable[[Article], Article]


def _each(article: Article, change: Callable[[str], str]) -> Article:
    return replace(article, headline=change(article.headline), paragraphs=tuple(change(text) for text in article.paragraphs))


def write(old: str, new: str) -> Step:
    """`new` wherever the article has `old`."""

    def step(article: Article) -> Article:
        changed = _each(article, lambda text: text.replace(old, new))
        if changed == article:
            raise ValueError(f"nothing reads {old!r} in {article.headline!r}")
        return changed

    return step


def retitle(headline: str) -> Step:
    """The paper's own headline."""
    return lambda article: replace(article, headline=headline)


def sign(byline: str | None) -> Step:
    """Another byline, or none."""
    return lambda article: replace(article, byline=byline)


def place(dateline: str) -> Step:
    """Another dateline, its dash and blank included; an empty one removes it."""
    return lambda article: replace(article, dateline=dateline)


def cut(paragraphs: int) -> Step:
    """The first `paragraphs` alone."""
    return lambda article: replace(article, paragraphs=article.paragraphs[:paragraphs])


def drop(number: int) -> Step:
    """The article without one paragraph, counted from 1."""
    return lambda article: replace(article, paragraphs=article.paragraphs[: number - 1] + article.paragraphs[number:])


def move(number: int, to: int) -> Step:
    """Paragraph `number` standing as paragraph `to`, both counted from 1."""

    def step(article: Article) -> Article:
        rest = list(article.paragraphs)
        rest.insert(to - 1, rest.pop(number - 1))
        return replace(article, paragraphs=tuple(rest))

    return step


def merge(number: int) -> Step:
    """Paragraph `number`, counted from 1, run together with the one behind it."""

    def step(article: Article) -> Article:
        before, after = article.paragraphs[: number - 1], article.paragraphs[number + 1 :]
        joined = " ".join(article.paragraphs[number - 1 : number + 1])
        return replace(article, paragraphs=(*before, joined, *after))

    return step


def curl(article: Article) -> Article:
    """Typographic quotation marks and apostrophes."""

    def curled(text: str) -> str:
        return re.sub(r'(^|[\s(])"', r"\1“", text).replace('"', "”").replace("'", "’")

    return _each(article, curled)


def spinning(seed: str, rate: float, *, spares_quotations: bool = False) -> Step:
    """A machine's synonyms for about `rate` of the words that its dictionary holds."""
    return lambda article: spin(article, seed, rate, spares_quotations=spares_quotations)


def lose_commas(article: Article) -> Article:
    """Numbers without the commas between their thousands, as some scrapers leave them."""
    return _each(article, lambda text: re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))


def lose_blanks(every: int) -> Step:
    """A blank lost behind every `every`-th word of a paragraph, as where a link was cut out carelessly."""

    def thinned(text: str) -> str:
        words = text.split(" ")
        return "".join(word + ("" if at % every == 0 or at == len(words) else " ") for at, word in enumerate(words, start=1))

    return lambda article: replace(article, paragraphs=tuple(map(thinned, article.paragraphs)))
