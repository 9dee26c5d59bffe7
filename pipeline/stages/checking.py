"""Check: which stored stories a text uses, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pipeline.crawl.urls import Url
from pipeline.errors import Malformed, NotFound
from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.relation import relate
from pipeline.philology.usage import find_usage
from pipeline.philology.witness import Witness
from pipeline.stages.relatives import ranked_candidates
from pipeline.store import features, recoveries, witnesses
from pipeline.store.tables import FrontierRow, Purpose, StoredWitness, Story

# Stories that share the rarest features are looked at, and of each the copies that share most, beside its recovered text.
MOST_STORIES, COPIES_OF_STORY = 12, 2


@dataclass(frozen=True, slots=True)
class UsedPassage:
    """A passage of the text that a story has, in characters of the text, its paragraphs joined by a blank line."""

    start: int
    end: int
    text: str
    words: int
    same: float
    """Share of its words that the story has in the same place; the others were replaced."""
    source: str
    """Where the story has it: the recovered text, or the address of a copy."""


@dataclass(frozen=True, slots=True)
class StoryUse:
    """A stored story that a text uses."""

    story_id: int
    title: str | None
    relation: str
    """What the text is to the story's nearest copy: copy, excerpt, same_template, other_language or unrelated."""
    text_share: float
    """Share of the text's words that are the story's."""
    story_share: float
    """Share of the story's words that are in the text."""
    words: int
    """Words of the text that are the story's."""
    passages: tuple[UsedPassage, ...]


def check(session: Session, text: Witness) -> tuple[StoryUse, ...]:
    """The stories that a text uses, the one that explains most of it first.

    Raises Malformed, with the reason, for a text that is too thin to be looked for.
    """
    print_ = fingerprint(text)
    if print_.thin is not None:
        raise Malformed(f"This text is too thin to be looked for: {print_.thin}. Give the whole text.")
    near: dict[int, list[int]] = {}
    for candidate, _ in ranked_candidates(session, print_, features.placed(session)):
        if len(near) < MOST_STORIES or candidate.story_id in near:
            near.setdefault(candidate.story_id, []).append(candidate.witness_id)
    rows = witnesses.by_id(session, [id_ for ids in near.values() for id_ in ids[:COPIES_OF_STORY]])
    found = []
    for story_id, ids in near.items():
        copies = [rows[id_] for id_ in ids[:COPIES_OF_STORY] if id_ in rows]
        use = _use_of(session, text, story_id, copies)
        if use is not None:
            found.append(use)
    return tuple(sorted(found, key=lambda use: (-use.text_share, -use.story_share, use.story_id)))


def _use_of(session: Session, text: Witness, story_id: int, copies: Sequence[StoredWitness]) -> StoryUse | None:
    if not copies:
        return None
    members = [witnesses.as_value(row) for row in copies]
    recovery = recoveries.newest_recovery(session, story_id)
    texts = members if recovery is None else [Witness("the recovered text", tuple(recovery.text.split("\n\n"))), *members]
    usage = find_usage(text, texts)
    relation = relate(text, members[0])
    if not usage.passages and relation.kind == "unrelated":
        return None
    story = session.get_one(Story, story_id)
    return StoryUse(
        story_id=story_id,
        title=story.title,
        relation=relation.kind,
        text_share=usage.text_share,
        story_share=usage.story_share,
        words=sum(passage.words for passage in usage.passages),
        passages=tuple(
            UsedPassage(one.start, one.end, text.text[one.start : one.end], one.words, one.same, one.source)
            for one in usage.passages
        ),
    )


def stored_text(session: Session, url: Url) -> Witness:
    """The newest text that is stored of a page. Raises NotFound where there is none: a check fetches nothing."""
    row = session.scalar(
        select(StoredWitness)
        .outerjoin(FrontierRow, FrontierRow.id == StoredWitness.frontier_id)
        .where(
            StoredWitness.part == 0,
            or_(StoredWitness.source == url.text, (FrontierRow.key == url.key) & (FrontierRow.purpose == Purpose.ARTICLE)),
        )
        .order_by(StoredWitness.id.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound(
            f"No text of {url.text} is stored, and check fetches none: `wirecopy add {url.text} --wait` does; "
            "or save the page, and check the file."
        )
    return witnesses.as_value(row)
