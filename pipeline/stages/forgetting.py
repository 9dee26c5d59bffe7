"""Forget: what is stored of a page or of a story's pages is deleted everywhere, on request."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.crawl import urls
from pipeline.crawl.urls import Url
from pipeline.errors import Malformed, Misuse, NotFound
from pipeline.settings import Settings
from pipeline.stages import archiving
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell
from pipeline.store import archive, captures, discoveries, forgetting, merging, providers, stories, tombstones
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, FrontierRow, Stage, StoredWitness, Story, WarcFile

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be deleted."""

    urls: tuple[str, ...]
    captures: int
    witnesses: int
    stories: tuple[int, ...]
    """The stories that hold one of the texts: made again without it, or deleted with their last."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted."""

    urls: tuple[str, ...]
    captures: int
    witnesses: int
    remade: tuple[int, ...]
    """Stories that are made again of the copies that are left."""
    ended: tuple[int, ...]
    """Stories that had no other copy, and are gone."""
    elsewhere: tuple[str, ...]
    """WARC files that hold records of these pages and are not on this machine."""
    bells: tuple[Bell, ...]


def plan(session: Session, what: str) -> Plan:
    """What `forget` would delete. Raises NotFound where nothing is stored under that URL or number, Misuse for neither."""
    pages = _find(session, what)
    rows = session.scalars(select(FrontierRow.url).where(FrontierRow.id.in_(pages)).order_by(FrontierRow.id))
    texts = session.execute(select(StoredWitness.story_id).where(forgetting.texts_of(pages, _story(session, what)))).all()
    held = session.scalars(select(Capture.id).where(Capture.frontier_id.in_(pages))).all()
    return Plan(tuple(rows), len(held), len(texts), tuple(sorted({row.story_id for row in texts if row.story_id is not None})))


def forget(factory: SessionFactory, what: str, settings: Settings) -> Forgotten:
    """Delete a page, or all pages of a story, and all that was made of them, in one transaction; they do not come back.

    A tombstone keeps their URLs out of the frontier. Stories with other copies are due to be made again. Whoever works on one
    of the pages finds its claim gone and stores nothing. Raises as `plan` does.
    """
    with factory.begin() as session:
        # In the order in which the stages take them: no placing goes on, no WARC file is written.
        archive.lock(session, wait=True)
        stories.lock_placing(session)
        pages = _find(session, what)
        rows = forgetting.lock_pages(session, pages)
        of_pages = forgetting.captures_of(session, pages)
        listings = _listings(session, rows, of_pages, settings)
        keys = _keys(rows, of_pages)
        tombstones.put(session, keys)
        discoveries.forget_pages(session, keys)
        providers.forget_answers(session)
        elsewhere = _forget_archived(session, of_pages + listings, settings)
        witnesses, touched = forgetting.delete_witnesses(session, pages, _story(session, what))
        for capture in of_pages + listings:
            captures.drop_body(session, capture, bodies_under(settings))
        forgetting.delete_pages(session, pages, of_pages)
        kin = merging.kin_of(session, touched)
        remade = [story_id for story_id in sorted(kin) if forgetting.unmake(session, story_id)]
        ended = [story_id for story_id in sorted(touched) if session.get(Story, story_id) is None]
    return Forgotten(
        urls=tuple(row.url for row in rows),
        captures=len(of_pages),
        witnesses=witnesses,
        remade=tuple(remade),
        ended=tuple(ended),
        elsewhere=tuple(elsewhere),
        bells=tuple(Bell(Stage.COLLATE, story_id) for story_id in remade),
    )


def lift(session: Session, what: str) -> bool:
    """Let a forgotten page be admitted again; False where it was not forgotten. Raises Misuse for what is no URL."""
    return tombstones.lift(session, _url(what).key)


def _story(session: Session, what: str) -> int | None:
    """The story that a number leads to; None where a URL was given."""
    return stories.home_of(session, int(what)) if what.isdecimal() else None


def _find(session: Session, what: str) -> set[int]:
    if what.isdecimal():
        story = session.get(Story, int(what)) if int(what) <= LARGEST_ID else None
        if story is None:
            raise NotFound(f"There is no story {what}. `wirecopy search QUERY` finds stories and their numbers.")
        return forgetting.pages_of_story(session, story.merged_into or story.id)
    url = _url(what)
    pages = forgetting.pages_of_url(session, url.key, url.text)
    if not pages:
        if when := tombstones.standing(session, [url.key]).get(url.key):
            raise NotFound(f"{url.text} was deleted on request on {when:%Y-%m-%d} already; nothing of it is stored.")
        raise NotFound(f"Nothing is stored of {url.text}. `wirecopy search --host {url.host} …` looks for pages of that host.")
    return pages


def _url(what: str) -> Url:
    try:
        return urls.parse(what)
    except Malformed as error:
        raise Misuse(f"{error} (Or give a story's number.)") from error


def _keys(rows: Collection[FrontierRow], of_pages: Collection[Capture]) -> set[str]:
    """The sameness keys of the pages, under whatever URL they were asked for or answered."""
    return {row.key for row in rows} | {urls.parse(capture.url).key for capture in of_pages}


def _listings(
    session: Session, rows: Collection[FrontierRow], of_pages: Collection[Capture], settings: Settings
) -> list[Capture]:
    """The captures of feeds and sitemaps that name one of the pages, and may hold its headline and first words."""
    named = [url.encode() for url in {row.url for row in rows} | {capture.url for capture in of_pages}]
    named += [url.replace(b"&", b"&amp;") for url in named if b"&" in url]
    found = []
    for capture in forgetting.source_captures(session, {row.source_id for row in rows if row.source_id is not None}):
        body = captures.body_of(session, capture, bodies_under(settings)) or b""
        if any(url in body for url in named):
            found.append(capture)
    return found


def _forget_archived(session: Session, gone: Collection[Capture], settings: Settings) -> list[str]:
    held_in = {capture.warc_file_id for capture in gone} - {None}
    files = session.scalars(select(WarcFile).where(WarcFile.id.in_(held_in)).order_by(WarcFile.id)).all()
    records = frozenset((capture.url, capture.fetched_at) for capture in gone)
    return archiving.forget_records(session, files, records, settings)
