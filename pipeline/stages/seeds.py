"""What a discovery looks for: a story's recovered text, or the best of its copies, with what is known of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.discovery.passages import Doubt, read_sentences
from pipeline.discovery.provider import Wanted
from pipeline.discovery.queries import Seed
from pipeline.discovery.rarity import rarity_of
from pipeline.philology.recovered import Kind
from pipeline.store import discoveries, witnesses
from pipeline.store.recoveries import document_of, newest_recovery
from pipeline.store.tables import StoredWitness, Story
from pipeline.store.words import count_holding

MOST_HEADLINES = 4
# Words that tell less than this by their language alone are common in any store.
COUNTED_BITS = 4.0
# Of several copies without a recovery the least reworded is taken.
TRUST = (Kind.VERBATIM, Kind.EDITED, Kind.TRUNCATED, None, Kind.OTHER, Kind.REWRITTEN, Kind.SPUN)


def read_wanted(session: Session, story_id: int | None, now: datetime) -> Wanted | None:
    """What to look for; None for a story without a text."""
    story = session.get(Story, story_id)
    copies = witnesses.copies_of(session, story_id) if story_id is not None else []
    if story is None or not copies:
        return None
    stored = newest_recovery(session, story.id)
    slugs = [copy.slug for copy in copies if copy.slug]
    if stored is not None:
        document = document_of(session, stored)
        titles = [document.get("title"), *(copy.title for copy in copies)]
        seed = seed_of_document(document, _headlines([*titles[:2], *slugs, *titles[2:]]))
    else:
        best = min(copies, key=lambda copy: (TRUST.index(Kind(copy.kind) if copy.kind else None), -len(copy.text), copy.id))
        seed = Seed(tuple(best.text.split("\n\n")), _headlines([best.title, best.slug, *slugs]))
    language = story.language or next((copy.language for copy in copies if copy.language), None)
    plain = rarity_of(language)
    sentences = read_sentences(seed.paragraphs, plain)
    words = {word.key for sentence in sentences for word in sentence.words if word.bits >= COUNTED_BITS}
    counts, texts = count_holding(session, words)
    published = session.scalar(select(func.min(StoredWitness.published_at)).where(StoredWitness.story_id == story_id))
    return Wanted(
        seed=seed,
        rarity=rarity_of(language, counts, texts),
        now=now,
        published=published,
        language=language,
        addresses=tuple(discoveries.addresses(session, story.id)),
        lost=tuple(discoveries.lost_pages(session, story.id)),
    )


def seed_of_document(document: Mapping[str, Any], headlines: tuple[str, ...]) -> Seed:
    """The seed in a recovery (`recover --format json`), with its doubts paragraph by paragraph; without its headline."""
    text: str = document["text"]
    paragraphs: list[str] = []
    doubts: list[tuple[Doubt, ...]] = []
    start = 0
    for paragraph in text.split("\n\n"):
        end = start + len(paragraph)
        if paragraph != document.get("title"):
            paragraphs.append(paragraph)
            doubts.append(tuple(_doubts(document["tokens"], start, end)))
        start = end + 2
    return Seed(tuple(paragraphs), headlines, tuple(doubts))


def _doubts(tokens: Sequence[Mapping[str, Any]], start: int, end: int) -> list[Doubt]:
    inside = (token for token in tokens if token["start"] >= start and token["end"] <= end and token["probability"] < 1)
    return [Doubt(token["start"] - start, token["end"] - start, token["probability"]) for token in inside]


def _headlines(found: Sequence[str | None]) -> tuple[str, ...]:
    """The different ones of them, the first few."""
    different: dict[str, str] = {}
    for headline in found:
        if headline and headline.strip():
            different.setdefault(headline.casefold().strip(), headline.strip())
    return tuple(different.values())[:MOST_HEADLINES]
