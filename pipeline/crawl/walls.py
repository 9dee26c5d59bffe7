"""Walls: what stands in place of an article, or in front of the rest of one. Recognised and recorded, never climbed.

Four kinds: a challenge (prove that you are human), consent (accept tracking first), a paywall, a login. The signs are data,
config/walls.toml. Nearly every page of a newspaper speaks of cookies and subscriptions somewhere, so a sign in the text counts
only where no article's length of other text stands beside it.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, cast

from pipeline.crawl.urls import Url

WallKind = Literal["challenge", "consent", "paywall", "login"]
KINDS: tuple[WallKind, ...] = ("challenge", "consent", "paywall", "login")

ARTICLE = 600
"""Characters of text without any sign from which on a page holds an article, whatever else it says."""
TEASER = 200
"""Characters of it below which what a paywall lets through is no copy of anything."""

NOT_FREE = "the page says that it is not free"
_LOOKED_AT = 30_000
_LAST = 3
_SHORTEST_OWN = 30
_REFUSALS = frozenset({202, 401, 402, 403, 405, 406, 407, 418, 429, 451, 503, 999})


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall and the sign by which it was told."""

    kind: WallKind
    sign: str

    def __str__(self) -> str:
        """In a few words, for a person."""
        return f"{self.kind} ({self.sign})"


@dataclass(frozen=True, slots=True)
class _Signs:
    headers: dict[str, str]
    hosts: tuple[str, ...]
    paths: frozenset[str]
    titles: tuple[str, ...]
    phrases: re.Pattern[str]
    markup: tuple[str, ...]


def wall_of_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Wall | None:
    """The wall that an answer says it is, by its status and headers, and where the status refuses, by how its body begins.

    `headers` have names in lower case. A page that answers 200 without a telling header is for `wall_of_page`.
    """
    named = dict(reversed(list(headers)))
    for kind in ("challenge",) if 200 <= status < 300 else KINDS:
        for name, part in _signs(kind).headers.items():
            if name in named and part in named[name].lower():
                return Wall(kind, f"{name}: {named[name]}"[:120])
    if status not in _REFUSALS:
        return None
    start = body[:_LOOKED_AT].decode("utf-8", "replace").lower()
    folded = _fold(re.sub(r"<[^>]*>", " ", start))
    for kind in KINDS:
        signs = _signs(kind)
        phrase = signs.phrases.search(folded)
        found = phrase[0] if phrase else next((mark for mark in signs.markup if mark in start), None)
        if found:
            return Wall(kind, found)
    return None


def wall_of_hop(asked: Url, hop: Url) -> Wall | None:
    """The wall that a redirect leads to: another site's page of consent or login, or a page of that name on the same one."""
    segments = hop.target.partition("?")[0].lower().strip("/").split("/")
    own = asked.target.partition("?")[0].lower().strip("/").split("/")
    for kind in KINDS:
        signs = _signs(kind)
        for host in signs.hosts:
            if hop.host.startswith(host) and not asked.host.startswith(host):
                return Wall(kind, f"it redirects to {hop.host}")
        named = next(
            (segment for segment in (segments[0], segments[-1]) if segment in signs.paths and segment not in own), None
        )
        if named:
            return Wall(kind, f"it redirects to {hop.origin}/…/{named}")
    return None


def wall_of_page(
    title: str | None, visible: Callable[[], str], markup: str, paragraphs: Sequence[str], *, not_free: bool
) -> Wall | None:
    """The wall that a page is: signs of one, and no article beside them.

    `visible` gives all text of the page where it is needed, `markup` is the page as it came, `paragraphs` what was taken for
    its article; `not_free` says that its own metadata name it as not free.
    """
    own = _own_length(paragraphs)
    if own >= ARTICLE:
        return None
    headline, text, source = _fold(title or ""), _fold(visible()[:_LOOKED_AT]), markup[:_LOOKED_AT].lower()
    for kind in KINDS:
        if kind in {"paywall", "login"} and own >= TEASER:
            continue
        signs = _signs(kind)
        phrase = signs.phrases.search(text)
        sign = (
            next((start for start in signs.titles if headline.startswith(start)), None)
            or (phrase[0] if phrase else None)
            or next((mark for mark in signs.markup if mark in source), None)
        )
        if sign:
            return Wall(kind, sign)
    return Wall("paywall", NOT_FREE) if not_free and own < TEASER else None


def wall_within(paragraphs: Sequence[str], *, not_free: bool) -> Wall | None:
    """The paywall that may hide the rest of an article: its metadata name it, or its last words ask for a subscription."""
    phrase = _signs("paywall").phrases.search(_fold(" ".join(paragraphs[-_LAST:])))
    if phrase:
        return Wall("paywall", phrase[0])
    return Wall("paywall", NOT_FREE) if not_free else None


def _own_length(paragraphs: Sequence[str]) -> int:
    """Characters of the paragraphs that hold no sign of any wall, short ones apart: those are buttons."""
    return sum(
        len(paragraph)
        for paragraph in paragraphs
        if len(paragraph) >= _SHORTEST_OWN and not any(_signs(kind).phrases.search(_fold(paragraph)) for kind in KINDS)
    )


def _fold(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())


@cache
def _signs(kind: WallKind) -> _Signs:
    table = _read_signs()[kind]
    phrases = cast("list[str]", table["phrases"])
    return _Signs(
        headers=cast("dict[str, str]", table["headers"]),
        hosts=tuple(cast("list[str]", table["hosts"])),
        paths=frozenset(cast("list[str]", table["paths"])),
        titles=tuple(cast("list[str]", table["titles"])),
        phrases=re.compile("|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))),
        markup=tuple(cast("list[str]", table["markup"])),
    )


@cache
def _read_signs() -> dict[str, dict[str, object]]:
    return tomllib.loads(resources.files("config").joinpath("walls.toml").read_text("utf-8"))
