"""What pages and extraction do to a text: scrambling, lost blanks, lost commas, site furniture."""

import re
from random import Random

from bench.copies.case import Paragraphs

HEAD = (
    "Home | World | Business | Sport",
    "Skip to main content",
    "Published {day} March 2024, 10:4{digit} GMT",
    "Share on Facebook",
    "Listen to this article",
    "{minutes} min read",
    "We use cookies to improve your experience. Accept all",
)
FOOT = (
    "Share this:",
    "Leave a comment",
    "Your email address will not be published. Required fields are marked *",
    "Most read",
    "1. Ministers clash over budget as deadline nears",
    "2. Storm leaves thousands without power",
    "Copyright 2024. All rights reserved.",
    "Terms of use | Privacy policy | Contact us",
    "Tags: news, world, analysis",
    "You may also like",
    "{digit} comments",
    "Back to top",
    "reader{minutes}: This is exactly what everybody said would happen.",
    "Loading...",
)


def rot47(text: str) -> str:
    """The text with every printable ASCII character turned by 47 places; twice is once back."""
    return "".join(chr(33 + (ord(letter) - 33 + 47) % 94) if 33 <= ord(letter) <= 126 else letter for letter in text)


def scramble_tail(paragraphs: Paragraphs, rng: Random, least: float = 0.3, most: float = 0.8) -> Paragraphs:
    """The paragraphs behind a paywall's line scrambled by ROT47, `least` to `most` of them."""
    first = round(len(paragraphs) * (1 - rng.uniform(least, most)))
    return paragraphs[:first] + tuple(map(rot47, paragraphs[first:]))


def lose_blanks(paragraphs: Paragraphs, rng: Random, share: float = 0.01) -> Paragraphs:
    """About `share` of the blanks gone: takingIndia's."""
    return tuple("".join("" if mark == " " and rng.random() < share else mark for mark in text) for text in paragraphs)


def lose_commas(paragraphs: Paragraphs, rng: Random) -> Paragraphs:  # noqa: ARG001 (a step)
    """Numbers without the commas between their thousands."""
    return tuple(re.sub(r"(?<=\d),(?=\d{3}\b)", "", paragraph) for paragraph in paragraphs)


def lose_links(paragraphs: Paragraphs, rng: Random, share: float = 0.02) -> Paragraphs:
    """Capitalised words gone where a page linked them and extraction dropped the links."""
    name = re.compile(r"(?<=[a-z] )[A-Z][a-z]+ (?=[a-z])")
    return tuple(name.sub(lambda found: "" if rng.random() < share * 5 else found[0], paragraph) for paragraph in paragraphs)


def add_furniture(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """The page's own lines before and behind the text, two to eight of them."""
    fill = {"day": rng.randint(1, 28), "digit": rng.randint(1, 9), "minutes": rng.randint(2, 19)}
    head = [line.format(**fill) for line in rng.sample(HEAD, rng.randint(1, 3))]
    foot = [line.format(**fill) for line in rng.sample(FOOT, rng.randint(1, 5))]
    return (*head, *paragraphs, *foot)
