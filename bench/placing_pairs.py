"""Pairs that bench/placing.py measures on: copies with their originals, and texts that look alike and are none.

Part "fit" and part "report" share no article and no page: cases come from cases/{part}.jsonl, pages are divided as in
bench/copies/originals.py. The same seed gives the same pairs.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import py3langid

from bench.copies.dictionary import installed
from bench.copies.originals import DATA, PARTS, originals
from bench.copies.story import Story
from pipeline.philology.anchors import read_words
from pipeline.philology.thinness import find_thinness
from pipeline.philology.witness import Witness

RATES = (0.15, 0.25, 0.35, 0.5)
CUTS = (1.0, 0.5, 0.25)
ORIGINALS = 72
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "da", "sv", "tr", "pt", "ja", "zh")
TWINS = 3
NEIGHBOURS = 4
SHORT = 90  # words of a short report
FEWEST_CHANGED = 4  # names and numbers that a template must have had


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and the row of the table that they are counted in."""

    row: str
    newcomer: Witness
    member: Witness
    aim: float | None = None
    """The recall that the issue asks for in this row."""


def make_witness(source: str, text: str, **fields: Any) -> Witness:
    return Witness(source, tuple(part.strip() for part in text.split("\n\n") if part.strip()), **fields)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def pages(part: str | None = None) -> tuple[Witness, ...]:
    """The real pages of a part with language and site, or all of them; texts too thin to place are left out."""
    held = {name: {case["article"] for case in read_lines(DATA / "cases" / f"{name}.jsonl")} for name in PARTS}
    found = []
    for line in read_lines(DATA / "pages" / "truth.jsonl"):
        article = line["file"].split("/")[-1].removesuffix(".html.gz").split("-", 1)[1]
        home = next((name for name in PARTS if article in held[name]), PARTS[crc32(article.encode()) % 2])
        site = urlsplit(line["url"]).netloc or None if line["url"] else None
        page = make_witness(line["file"], line["text"], language=py3langid.classify(line["text"])[0], site=site)
        if part in {None, home} and not find_thinness(read_words(page.paragraphs), page.paragraphs):
            found.append(page)
    return tuple(found)


def spin(text: str, rate: float, vocabulary: Sequence[str], rng: Random) -> str:
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
        elif word[:1] in "0123456789" and "," in word:
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


def change_facts(witness: Witness, pool: Sequence[str], rng: Random) -> tuple[Witness, int]:
    """The same report of another day: every number and every name is another one; and how many were changed."""
    words = read_words(witness.paragraphs)
    names = sorted({key for key, name in zip(words.keys, words.names, strict=True) if name})
    others = [name for name in pool if name not in names]
    given = dict(zip(names, rng.sample(others, min(len(names), len(others))), strict=False))
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
    return replace(witness, source="template of " + witness.source, paragraphs=paragraphs), changed


def list_names(texts: Sequence[Witness]) -> list[str]:
    found = (zip(words.keys, words.names, strict=True) for words in (read_words(text.paragraphs) for text in texts))
    return sorted({key for rows in found for key, name in rows if name and key.isalpha() and len(key) > 3})


def list_articles(part: str) -> dict[str, str]:
    """The originals of the part's cases, and more articles of the part's pages behind them."""
    found = {case["article"]: case["original"] for case in read_lines(DATA / "cases" / f"{part}.jsonl")}
    for original in originals(part):
        found.setdefault(original.name.split("-", 1)[1], original.text)
    return dict(list(found.items())[:ORIGINALS])


def list_positives(part: str, seed: int = 20) -> Iterator[Pair]:
    """Copies with their originals: of the cases, of spinners and newsrooms, in other languages; and excerpts."""
    yield from list_case_pairs(part)
    yield from list_made_pairs(part, Random(f"{seed} made {part}"))
    yield from list_generated_pairs(part, Random(f"{seed} generated {part}"))
    yield from list_language_pairs(part, Random(f"{seed} languages {part}"))


def list_case_pairs(part: str) -> Iterator[Pair]:
    """Every distinct copy of the cases with the original of its case."""
    seen: set[str] = set()
    for case in read_lines(DATA / "cases" / f"{part}.jsonl"):
        original = make_witness(case["article"], case["original"])
        for copy in case["witnesses"]:
            if copy["text"] not in seen:
                seen.add(copy["text"])
                kind = copy["kind"]
                twice = copy["spun"] and kind != "spun"
                aim = 0.99 if kind == "spun" or twice else 0.97 if kind == "truncated" else 0.995
                row = f"{kind} copied from a spun copy" if twice else kind
                yield Pair(row, make_witness(case["id"], copy["text"]), original, aim)


def list_made_pairs(part: str, rng: Random) -> Iterator[Pair]:
    """Words replaced at four rates by any others, cut to three lengths; cut with comments; excerpts in a page of its own."""
    articles = list_articles(part)
    vocabulary = list_small_words(articles.values())
    strangers = [page for page in pages(part) if page.language == "en"]
    for name, text in articles.items():
        member = make_witness(name, text)
        for rate in (0.0, *RATES):
            for share in CUTS:
                aim = 0.995 if not rate else 0.99 if rate < 0.5 else 0.95
                made = cut(spin(text, rate, vocabulary, rng) if rate else text, share)
                yield Pair(
                    f"spun {rate:.2f}, cut to {share:.2f}", make_witness("made", made), member, aim if share == 1 else 0.97
                )
        half = make_witness("made", cut(text, 0.5))
        comments = cut(rng.choice(strangers).text, len(half.text.split()) / 700)
        yield Pair("half of it, then comments", replace(half, paragraphs=(*half.paragraphs, *comments.split("\n\n"))), member)
        at = rng.randrange(max(1, len(member.paragraphs) - 1))
        quoted = member.paragraphs[at : at + 2]
        if len(" ".join(quoted).split()) >= 45:
            own = rng.choice([page for page in strangers if len(page.text.split()) > 250 and name not in page.source])
            page = Witness("made", (*own.paragraphs[:3], *quoted, *own.paragraphs[3:]))
            yield Pair("excerpt: two paragraphs in another page", page, member)


def list_small_words(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in text.split() if word.isalpha() and word.islower()]


def list_generated_pairs(part: str, rng: Random) -> Iterator[Pair]:
    """What bench/copies makes: a thesaurus spinner, newsrooms, rewrites, back-translations; none without the extra `bench`."""
    if not installed():
        return
    steps: tuple[tuple[str, Callable[[Story], int], float | None], ...] = (
        ("newsroom", lambda story: story.edited(moved=True), 0.995),
        ("thesaurus spinner, a fifth", lambda story: story.spun(), 0.99),
        ("thesaurus spinner, a third", lambda story: story.spun(rate=1.0), 0.99),
        ("rewritten by rules", lambda story: story.rewritten(), None),
        ("back-translated by rules", lambda story: story.translated_back(), None),
    )
    for name, text in list_articles(part).items():
        paragraphs = tuple(text.split("\n\n"))
        if len(paragraphs) < 6:
            continue
        for row, step, aim in steps:
            story = Story([paragraphs], Random(f"{rng.random()}"), part)
            made = story.copies[step(story)]
            yield Pair(row, make_witness("made", made.text), make_witness(name, text), aim)


def list_language_pairs(part: str, rng: Random) -> Iterator[Pair]:
    """Copies of pages in other languages: spun by words of their own language, edited, cut."""
    by_language: dict[str, list[Witness]] = defaultdict(list)
    for page in pages(part):
        if len(read_words(page.paragraphs).keys) >= 150 and page.language:
            by_language[page.language].append(page)
    for language, own in sorted(by_language.items()):
        if language == "en" or len(own) < 2 or language not in LANGUAGES:
            continue
        vocabulary = list_small_words([page.text for page in own]) or ["と"]
        for page in own:
            rest = [paragraph for at, paragraph in enumerate(page.paragraphs) if at != len(page.paragraphs) // 2]
            texts = ["\n\n".join([*rest[1:2], *rest[:1], *rest[2:]]), cut(page.text, 0.25)]
            texts += [cut(spin(page.text, rate, vocabulary, rng), share) for rate in (0.25, 0.35) for share in (1.0, 0.5)]
            for text in texts:
                yield Pair(f"language {language}", replace(make_witness("made", text), language=language), page)


def list_negatives(part: str, seed: int = 20) -> Iterator[Pair]:
    """Texts that are alike and no copies: other days' reports, pages on one topic, copies beside another original."""
    rng = Random(f"{seed} negatives {part}")
    own = pages(part)
    pool = list_names(own)
    for page in own:
        for row, text in (("template", page), ("template, short", make_short(page))):
            twins = [change_facts(text, pool, rng) for _ in range(TWINS)]
            thin = [find_thinness(read_words(twin.paragraphs), twin.paragraphs) for twin, _ in twins]
            if twins[0][1] < FEWEST_CHANGED or any(thin):
                continue
            texts = [text, *(twin for twin, _ in twins)]
            yield from (Pair(row, b, a) for at, a in enumerate(texts) for b in texts[at + 1 :])
    near = list(list_neighbours(own))
    vocabulary = list_small_words([page.text for page in own if page.language == "en"])
    for first, second in near:
        yield Pair("same topic", second, first)
        if first.language == "en":
            spun = replace(second, paragraphs=tuple(spin(second.text, 0.25, vocabulary, rng).split("\n\n")))
            yield Pair("same topic, spun", spun, first)
    copies = list(list_case_pairs(part))
    for pair in rng.sample(copies, min(300, len(copies))):
        for other in rng.sample(copies, 2):
            if other.member != pair.member:
                yield Pair("a copy and another original", pair.newcomer, other.member)


def make_short(page: Witness) -> Witness:
    """The beginning of a page: a report of a few lines."""
    return replace(page, paragraphs=tuple(cut(page.text, SHORT / max(SHORT, len(page.text.split()))).split("\n\n")))


def list_neighbours(texts: Sequence[Witness]) -> Iterator[tuple[Witness, Witness]]:
    """Each text with those nearest to it by the cosine of their words' TF-IDF."""
    bags = [Counter(read_words(text.paragraphs).keys) for text in texts]
    held = Counter(word for bag in bags for word in bag)
    vectors = []
    for bag in bags:
        vector = {word: (1 + math.log(n)) * math.log(len(texts) / held[word]) for word, n in bag.items() if held[word] > 1}
        length = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        vectors.append({word: value / length for word, value in vector.items()})
    found: set[tuple[int, int]] = set()
    for at, vector in enumerate(vectors):
        scores = [(sum(v * other.get(w, 0.0) for w, v in vector.items()), to) for to, other in enumerate(vectors) if to != at]
        found |= {(min(at, to), max(at, to)) for _, to in sorted(scores, reverse=True)[:NEIGHBOURS]}
    yield from ((texts[a], texts[b]) for a, b in sorted(found))
