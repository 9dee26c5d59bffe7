"""What is stored of a page, found and deleted: the rows of the store alone; files are the stages' affair."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from pipeline.store import discoveries, features, links, merging
from pipeline.store.tables import (
    Attempt,
    Capture,
    FrontierRow,
    Purpose,
    QuarantinedWork,
    SiteError,
    Stage,
    StoredCollation,
    StoredPair,
    StoredRecovery,
    StoredWitness,
    Story,
)


def pages_of_url(session: Session, key: str, url: str) -> set[int]:
    """The frontier rows of a page: those of its URL, those that lead to it, and those that it leads to."""
    return _pages_of(session, {key}, {url})


def pages_of_story(session: Session, story_id: int) -> set[int]:
    """The frontier rows of the pages that hold a story's copies, and those that lead to them."""
    pages = session.execute(
        select(FrontierRow.key, StoredWitness.source)
        .join(FrontierRow, FrontierRow.id == StoredWitness.frontier_id)
        .where(StoredWitness.story_id == story_id)
    ).all()
    return _pages_of(session, {row.key for row in pages}, {row.source for row in pages})


def _pages_of(session: Session, keys: Collection[str], sources: Collection[str]) -> set[int]:
    named = or_(FrontierRow.key.in_(keys), FrontierRow.url.in_(sources))
    known = set(session.scalars(select(FrontierRow.id).where(FrontierRow.purpose == Purpose.ARTICLE, named)))
    printed = select(StoredWitness.frontier_id).where(StoredWitness.source.in_(sources), StoredWitness.frontier_id.is_not(None))
    known |= {id_ for id_ in session.scalars(printed) if id_ is not None}
    while known:
        linked = session.execute(
            select(FrontierRow.id, FrontierRow.same_as).where(or_(FrontierRow.id.in_(known), FrontierRow.same_as.in_(known)))
        ).all()
        wider = {id_ for row in linked for id_ in row if id_ is not None}
        if wider <= known:
            break
        known |= wider
    return known


def lock_pages(session: Session, pages: Collection[int]) -> list[FrontierRow]:
    """The rows, locked for this transaction."""
    return list(
        session.scalars(select(FrontierRow).where(FrontierRow.id.in_(pages)).order_by(FrontierRow.id).with_for_update())
    )


def captures_of(session: Session, pages: Collection[int]) -> list[Capture]:
    """The captures of pages, locked for this transaction."""
    of_pages = select(Capture).where(Capture.frontier_id.in_(pages)).order_by(Capture.body_sha256)
    return list(session.scalars(of_pages.with_for_update()))


def source_captures(session: Session, sources: Collection[int]) -> list[Capture]:
    """The captures of feeds and sitemaps whose bodies are kept: they may list a page."""
    return list(
        session.scalars(
            select(Capture)
            .join(FrontierRow, FrontierRow.id == Capture.frontier_id)
            .where(FrontierRow.purpose == Purpose.SOURCE, FrontierRow.source_id.in_(sources), Capture.kept)
            .order_by(Capture.body_sha256)
        )
    )


def texts_of(pages: Collection[int], pasted_in: int | None) -> ColumnElement[bool]:
    """The condition that a text came from one of these pages, or came without one and was placed in that story."""
    of_pages = StoredWitness.frontier_id.in_(pages)
    if pasted_in is None:
        return of_pages
    return of_pages | (StoredWitness.frontier_id.is_(None) & (StoredWitness.story_id == pasted_in))


def delete_witnesses(session: Session, pages: Collection[int], pasted_in: int | None = None) -> tuple[int, set[int]]:
    """Delete what was read out of pages, and what was pasted in and placed in that story: (texts, the stories they were in).

    Where the first witness of a text goes and twins of it stay, one of them takes its place.
    """
    ids = session.scalars(select(StoredWitness.id).where(texts_of(pages, pasted_in))).all()
    _replace_first(session, ids)
    gone = session.execute(delete(StoredWitness).where(StoredWitness.id.in_(ids)).returning(StoredWitness.story_id)).all()
    features.drop(session, ids)
    _delete_work(session, (Stage.PLACE,), ids)
    session.execute(
        update(StoredWitness)
        .where(StoredWitness.relation_evidence["of"].as_integer().in_(ids))
        .values(relation_evidence=StoredWitness.relation_evidence.op("-")("of"))
    )
    return len(ids), {row.story_id for row in gone if row.story_id is not None}


def _replace_first(session: Session, going: Collection[int]) -> None:
    first = aliased(StoredWitness)
    successors = session.execute(
        select(first.id, func.min(StoredWitness.id))
        .join(first, first.id == StoredWitness.twin_of)
        .where(first.id.in_(going), StoredWitness.id.not_in(going))
        .group_by(first.id)
    ).all()
    for id_, successor in successors:
        known = session.scalar(select(StoredWitness.relation_evidence).where(StoredWitness.id == id_))
        session.execute(update(StoredWitness).where(StoredWitness.twin_of == id_).values(twin_of=successor))
        session.execute(
            update(StoredWitness).where(StoredWitness.id == successor).values(twin_of=None, relation_evidence=known)
        )
        session.execute(
            update(StoredWitness)
            .where(StoredWitness.relation_evidence["of"].as_integer() == id_)
            .values(relation_evidence=StoredWitness.relation_evidence.op("||")({"of": successor}))
        )
        features.hand_over(session, id_, successor)
        links.hand_over(session, id_, successor)
    session.execute(update(StoredWitness).where(StoredWitness.twin_of.in_(going)).values(twin_of=None))


def delete_pages(session: Session, pages: Collection[int], captures: Sequence[Capture]) -> None:
    """Delete pages with their captures and every try at them; jobs wait for them no more."""
    ids = [capture.id for capture in captures]
    _delete_work(session, (Stage.EXTRACT, Stage.READ_SOURCE), ids)
    session.execute(delete(Capture).where(Capture.id.in_(ids)))
    _delete_work(session, (Stage.FETCH,), pages)
    session.execute(update(FrontierRow).where(FrontierRow.same_as.in_(pages)).values(same_as=None))
    session.execute(delete(FrontierRow).where(FrontierRow.id.in_(pages)))


def unmake(session: Session, story_id: int) -> bool:
    """Delete all that was made of a story's witnesses, and let it be made again of those that are left; False where none is.

    Every version goes, with the apparatus and what the story taught: each may hold the words. Of a story that was merged into
    another one nothing is left but its number.
    """
    # The story first, then what hangs on it: so do collate and recover, and they may meet this.
    story = session.get(Story, story_id, with_for_update=True, populate_existing=True)
    if story is None:
        return False  # it went with the story that it was merged into
    newest = session.scalar(select(func.max(StoredRecovery.version)).where(StoredRecovery.story_id == story_id))
    for made in (StoredRecovery, StoredCollation, SiteError, StoredPair):
        session.execute(delete(made).where(made.story_id == story_id))
    # What was asked for quotes the text.
    _delete_work(session, (Stage.DISCOVER,), discoveries.forget(session, story_id))
    # Whoever is at it has the old texts in hand: it finds its claim gone, and stores nothing.
    _delete_work(session, merging.OF_STORIES, [story_id])
    story.forgotten_versions = max(story.forgotten_versions, newest or 0)
    if story.merged_into is not None:
        story.title = None
        session.flush()
        return False
    first = session.execute(
        select(StoredWitness.title, StoredWitness.language)
        .where(StoredWitness.story_id == story_id)
        .order_by(StoredWitness.id)
        .limit(1)
    ).first()
    if first is None:
        for merged in session.scalars(select(Story.id).where(Story.merged_into == story_id)).all():
            unmake(session, merged)
        session.execute(delete(Story).where(or_(Story.id == story_id, Story.merged_into == story_id)))
        return False
    story.title, story.language = first.title, first.language
    story.revision += 1
    story.recovered = story.collated
    story.unproven = True
    story.due_at = func.now()
    session.execute(update(StoredWitness).where(StoredWitness.story_id == story_id).values(**merging.UNSAID))
    session.flush()
    return True


def _delete_work(session: Session, stages: Collection[Stage], subjects: Collection[int]) -> None:
    for work in (Attempt, QuarantinedWork):
        session.execute(delete(work).where(work.stage.in_(stages), work.subject_id.in_(subjects)))
