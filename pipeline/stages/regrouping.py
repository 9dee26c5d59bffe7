"""Regroup: the witnesses of a story that nothing relates to the rest any more are given a story of their own."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.relation import RelationKind, relate
from pipeline.philology.witness import Witness
from pipeline.settings import Settings
from pipeline.stages.relatives import COMPARED
from pipeline.store import links, merging, recoveries, stories, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Bond, StoredWitness, Story

Pair = tuple[int, int]


def regroup(factory: SessionFactory, story_id: int, settings: Settings, attempt_id: int) -> tuple[int, ...]:
    """Compare the witnesses of a story whose unity is in doubt; the stories that were opened for those that went.

    What the store says of their relations is believed; the rest is compared, no transaction open. The largest group stays, of
    equal ones the one with the oldest witness. A witness in which the last recovery saw a stranger is held by other strangers
    alone. Where the story changes meanwhile it stays in doubt, and the next collation asks again.
    """
    with factory() as session:
        revision = session.get_one(Story, story_id).revision
        rows = witnesses.first_ones(session, story_id)
        strange = _strangers(session, story_id)
        pages = _pages(session, story_id)
    groups = groups_of({row.id: witnesses.as_value(row) for row in rows}, edges_of(rows), strange)
    groups.sort(key=lambda group: (-sum(pages.get(id_, 1) for id_ in group), min(group)))
    with factory.begin() as session:
        stories.lock_placing(session)
        story = stories.lock(session, story_id)
        if story.revision != revision or not story.unproven:
            return ()
        story.unproven = False
        opened = []
        for group in groups[1:]:
            why = "a recovery named them strangers" if group & strange else "no witness relates them to the others any more"
            opened.append(merging.split(session, story_id, group, {"why": why}, settings.settle, attempt_id))
            links.put(session, min(group), min(groups[0]), Bond.PARTED, {"why": why})
        return tuple(opened)


def groups_of(texts: Mapping[int, Witness], known: Iterable[Pair], strange: Collection[int] = frozenset()) -> list[set[int]]:
    """The witnesses that hang together by copies, by number: those that `known` joins, and those found by comparing.

    Nothing joins a witness in `strange` with one outside.
    """
    groups = {id_: {id_} for id_ in texts}
    for one, other in known:
        if one in texts and other in texts and (one in strange) == (other in strange):
            _unite(groups, one, other)
    shared = _shared(texts) if len({id(group) for group in groups.values()}) > 1 else {}
    for one in sorted(texts):
        others = sorted(
            (id_ for id_ in shared.get(one, ()) if id_ not in groups[one]), key=lambda id_: (-shared[one][id_], id_)
        )
        compared = 0
        for other in others:
            if other in groups[one] or (one in strange) != (other in strange):
                continue
            if compared == COMPARED:
                break
            compared += 1
            if relate(texts[one], texts[other]).kind is RelationKind.COPY:
                _unite(groups, one, other)
    return list({id(group): group for group in groups.values()}.values())


def _unite(groups: dict[int, set[int]], one: int, other: int) -> None:
    if groups[one] is not groups[other]:
        whole = groups[one] | groups[other]
        for id_ in whole:
            groups[id_] = whole


def _shared(texts: Mapping[int, Witness]) -> dict[int, Counter[int]]:
    """How many features each witness shares with each other one."""
    holders: dict[int, list[int]] = defaultdict(list)
    for id_, text in texts.items():
        for feature in fingerprint(text).features:
            holders[feature].append(id_)
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for ids in holders.values():
        for one in ids:
            shared[one].update(other for other in ids if other != one)
    return shared


def _pages(session: Session, story_id: int) -> dict[int, int]:
    """How many witnesses have the text of each first one."""
    first = func.coalesce(StoredWitness.twin_of, StoredWitness.id).label("first")
    counted = select(first, func.count().label("pages")).where(StoredWitness.story_id == story_id).group_by(first)
    return {row.first: row.pages for row in session.execute(counted)}


def _strangers(session: Session, story_id: int) -> frozenset[int]:
    recovery = recoveries.newest_recovery(session, story_id)
    named = {stranger["source"] for stranger in recovery.document["strangers"]} if recovery is not None else set()
    copies = witnesses.copies_of(session, story_id) if named else []
    return frozenset(row.twin_of or row.id for row in copies if witnesses.as_value(row).source in named)


def edges_of(rows: Iterable[StoredWitness]) -> list[Pair]:
    """The pairs that placing found to be copies of each other."""
    found = [(row.id, row.relation_evidence or {}) for row in rows]
    return [(id_, other) for id_, said in found for other in (said.get("of"), *said.get("also", ())) if other is not None]
