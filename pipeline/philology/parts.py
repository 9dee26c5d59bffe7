"""A page that holds several stories (a live blog, a digest), cut at paragraph borders into texts to place singly.

What is one text stays one: a copy with comments behind it or promotion lines in it, a copy that quotes another story, an
article of its own that quotes several.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

import numpy as np
import regex

from pipeline.philology.anchors import read_words
from pipeline.philology.relation import Relation, RelationKind
from pipeline.philology.witness import Witness

Key = TypeVar("Key", bound=Hashable)

# Fitted on pages made of fit.jsonl's articles, as docs/placing.md describes.
_CLAIMED = 0.5
"""Share of a paragraph's words that a story must hold to claim the paragraph."""
_FEWEST_WORDS = 40
"""Words that a story must hold of the page, and no larger story, to be one of its texts."""
_WHOLE = 0.5
"""Share of a story that is more than a quotation."""
_WHOLE_INSIDE = 0.8
"""The same where the story stands inside another one."""
_OPENING = 2
"""Paragraphs at a story's beginning of which a cut of it holds one, and a quotation out of its midst none."""
_BESIDE = 0.25
"""What a story that is not whole must hold of the page beside the story that holds most, or it is quoted."""
_EXPLAINED = 0.5
"""Share of the page's words that its stories must hold between them; less is an article that quotes them."""
_OWN_WORDS = 60
"""Words in a row that no story holds, from which they are a part of their own rather than an addition to their neighbour."""
_ENTIRE = 0.95
_HEADING_WORDS = 14
_FOREIGN = frozenset({RelationKind.SAME_TEMPLATE, RelationKind.OTHER_LANGUAGE})
_STOP = regex.compile(r"[.!?…。][\"”’»)]*\s*$")


@dataclass(frozen=True, slots=True)
class Part(Generic[Key]):
    """One of the texts on a page."""

    paragraphs: tuple[int, ...]
    """Indices of its paragraphs, ascending; a story that another one interrupts has gaps."""
    story: Key | None
    """The story that claims it, or None where none of those that were found does."""


def split(witness: Witness, found: Sequence[tuple[Key, Relation]]) -> tuple[Part[Key], ...]:
    """The texts on a page in the order in which they begin; one part with every paragraph where it is one text.

    `found` has the stories that the witness was related to, a row for each member compared; the witness is the newcomer of
    each relation (ValueError where it cannot be). Every paragraph is in one part. A part's story is what the relations say:
    place a part like any witness.
    """
    homes = read_words(witness.paragraphs).paragraphs
    sizes: list[int] = np.bincount(np.array(homes, dtype=np.int64), minlength=len(witness.paragraphs)).tolist()
    claims = _gather_claims(found, len(sizes))
    headings = [size <= _HEADING_WORDS and not _STOP.search(text) for text, size in zip(witness.paragraphs, sizes, strict=True)]
    owners = _find_owners(claims, sizes, headings)
    stories = _list_stories(found, claims, owners, sizes)
    if len(stories) < 2:
        return (Part(tuple(range(len(sizes))), stories[0] if stories else None),)
    return _cut([owner if owner in stories else None for owner in owners], sizes, headings)


def cut_out(witness: Witness, part: Part[Key]) -> Witness:
    """The part as a witness of the same source and page, without the page's headline, which may be another text's."""
    return replace(
        witness,
        paragraphs=tuple(witness.paragraphs[at] for at in part.paragraphs),
        title=None,
        page=witness.page or witness.source,
    )


def _gather_claims(found: Sequence[tuple[Key, Relation]], count: int) -> dict[Key, list[float]]:
    """Of each story and paragraph the share that the member with most of it holds."""
    claims: dict[Key, list[float]] = {}
    for story, relation in found:
        if len(relation.newcomer_paragraphs) != count:
            raise ValueError("a relation is of another text: its newcomer has other paragraphs")
        if relation.kind not in _FOREIGN:
            best = claims.get(story, [0.0] * count)
            claims[story] = [max(pair) for pair in zip(best, relation.newcomer_paragraphs, strict=True)]
    return claims


def _find_owners(claims: dict[Key, list[float]], sizes: Sequence[int], headings: Sequence[bool]) -> list[Key | None]:
    """The story of each paragraph: of those that claim it, the one that holds most of the page.

    Two or three words of a heading are held by accident: it has no owner but by where it stands. A line that is no sentence
    and that a story holds entire is the end of a cut.
    """
    held = {story: sum(share * size for share, size in zip(shares, sizes, strict=True)) for story, shares in claims.items()}
    best_first = sorted(claims, key=lambda story: -held[story])

    needed = [_ENTIRE if heading else _CLAIMED for heading in headings]
    return [next((story for story in best_first if claims[story][at] >= least), None) for at, least in enumerate(needed)]


def _list_stories(
    found: Sequence[tuple[Key, Relation]], claims: dict[Key, list[float]], owners: Sequence[Key | None], sizes: Sequence[int]
) -> list[Key]:
    """The stories that are texts of the page, by their first paragraphs."""
    owned = {story: [at for at, owner in enumerate(owners) if owner == story] for story in claims}
    words = {story: sum(claims[story][at] * sizes[at] for at in owned[story]) for story in claims}
    present = sorted((story for story in claims if words[story] >= _FEWEST_WORDS), key=lambda story: -words[story])
    stories = []
    for story in present:
        relations = [relation for key, relation in found if key == story and relation.kind not in _FOREIGN]
        coverage = max(relation.member_coverage for relation in relations)
        opens = any(share >= _CLAIMED for relation in relations for share in relation.member_paragraphs[:_OPENING])
        interrupts = any(owned[other][0] < owned[story][0] and owned[story][-1] < owned[other][-1] for other in present)
        beside = opens and words[story] >= _BESIDE * words[present[0]]
        if coverage >= _WHOLE_INSIDE or (not interrupts and (coverage >= _WHOLE or beside)):
            stories.append(story)
    if sum(words[story] for story in stories) < _EXPLAINED * sum(sizes):
        return [story for story in present[:1] if story in stories]
    return sorted(stories, key=lambda story: owned[story][0])


def _cut(owners: Sequence[Key | None], sizes: Sequence[int], headings: Sequence[bool]) -> tuple[Part[Key], ...]:
    """Parts by owner. Of a stretch without one, headings at its end go with what follows, a short rest with what precedes."""
    runs = [(story, list(run)) for story, run in groupby(range(len(owners)), key=lambda at: owners[at])]
    stories: dict[Key, list[int]] = {}
    unknown: list[list[int]] = []
    for number, (story, run) in enumerate(runs):
        if story is not None:
            stories.setdefault(story, []).extend(run)
            continue
        before = runs[number - 1][0] if number else None
        after = runs[number + 1][0] if number + 1 < len(runs) else None
        body = list(run)
        if after is not None:
            while body and headings[body[-1]]:
                stories.setdefault(after, []).append(body.pop())
        neighbour = before if before is not None else after
        if neighbour is None or sum(sizes[at] for at in body) >= _OWN_WORDS:
            unknown.append(body)
        else:
            stories.setdefault(neighbour, []).extend(body)
    parts = [Part(tuple(sorted(places)), story) for story, places in stories.items()]
    parts += [Part(tuple(places), None) for places in unknown if places]
    return tuple(sorted(parts, key=lambda part: part.paragraphs))
