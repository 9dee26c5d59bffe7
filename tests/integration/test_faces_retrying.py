import pytest
from filled_store import MAY, SETTINGS, page, recover, story, visit, witness
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.stages import retrying
from pipeline.stages.outcome import Bell
from pipeline.stages.source_list import add_source
from pipeline.store import attempts, frontier, overdue, quarantine, queries, stories
from pipeline.store.tables import AttemptEnd, Capture, FrontierRow, Stage, StoredWitness, Story, Visit

TEXT = "Ferries stopped at noon. The harbour master said 40 boats were kept in."


def put_aside(session: Session, stage: Stage, subject: int) -> int:
    """Work that failed three times and lies in quarantine; the entry's number."""
    for _ in range(3):
        attempt = attempts.begin(session, stage, subject, "worker@test", 60)
        assert attempt is not None
        attempts.finish(session, attempt, AttemptEnd.ERROR, "boom")
    # The attempts' clock runs on within this transaction, and the one of the decision does not.
    long_ago = {"ended_at": MAY, "begun_at": MAY}
    session.execute(update(attempts.Attempt).where(attempts.Attempt.subject_id == subject).values(**long_ago))
    quarantine.put(session, stage, subject, "what it is about", "boom", attempts.history(session, stage, subject))
    return queries.quarantine_entries(session, stage=stage)[0].id


def unread(session: Session, state: Visit = Visit.QUARANTINED) -> tuple[int, int]:
    """A captured page that could not be read: (frontier row, capture)."""
    row = page(session, "http://a.example/1", Visit.WAITING)
    capture = visit(session, row, "http://a.example/1", Visit.CAPTURED)
    assert capture is not None
    frontier.end_visit(session, row, state, "extract failed")
    return row, capture


def state_of(session: Session, row: int) -> str | None:
    return session.scalar(select(FrontierRow.state).where(FrontierRow.id == row))


def test_a_retried_fetch_waits_from_its_first_url(session: Session) -> None:
    """The row is due now, its redirects and points forgotten, and its failures do not count again."""
    row = page(session, "http://a.example/1", Visit.QUARANTINED)
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.id == row)
        .values(
            visit_url="http://b.example/2", hops=[{"url": "x"}], points=9, next_attempt_at=func.now() + func.make_interval(1)
        )
    )
    entry = put_aside(session, Stage.FETCH, row)
    assert retrying.retry(session, entry).next == (Bell(Stage.FETCH),)
    found = session.execute(
        select(FrontierRow.state, FrontierRow.visit_url, FrontierRow.hops, FrontierRow.points).where(
            FrontierRow.id == row, FrontierRow.next_attempt_at <= func.now()
        )
    ).one()
    assert tuple(found) == (Visit.WAITING, "http://a.example/1", [], 0)
    assert attempts.own_failures(session, Stage.FETCH, row) == 0
    assert queries.quarantine_entry(session, entry).resolution == "retried"


def test_a_retried_extraction_is_found_again(session: Session) -> None:
    """The capture is unread and its row captured, so that the sweep finds it and the numbers add up."""
    row, capture = unread(session)
    entry = put_aside(session, Stage.EXTRACT, capture)
    session.execute(update(Capture).where(Capture.id == capture).values(fetched_at=MAY))
    assert list(overdue.unread_articles(session, 0, 10)) == []
    assert retrying.retry(session, entry).next == (Bell(Stage.EXTRACT, capture),)
    assert state_of(session, row) == Visit.CAPTURED
    assert list(overdue.unread_articles(session, 0, 10)) == [capture]
    assert attempts.begin(session, Stage.EXTRACT, capture, "worker@test", 60) is not None
    assert queries.status(session).adds_up


def test_a_retried_placing_and_recovery_are_found_again(session: Session) -> None:
    """Witness and collation were left as they were, and the sweep finds both; a collation is due again."""
    member = witness(session, "http://a.example/1", TEXT)
    session.execute(update(StoredWitness).values(created_at=MAY))
    entry = put_aside(session, Stage.PLACE, member.id)
    assert list(overdue.unplaced(session, 0, 10)) == []
    assert retrying.retry(session, entry).next == (Bell(Stage.PLACE, member.id),)
    assert list(overdue.unplaced(session, 0, 10)) == [member.id]
    of = story(session, "Ferries", member)
    session.execute(update(Story).values(due_at=None))
    entry = put_aside(session, Stage.COLLATE, of.id)
    assert stories.take_due(session, 10, again=60) == []
    retrying.retry(session, entry)
    assert stories.take_due(session, 10, again=60) == [of.id]
    session.execute(update(Story).values(due_at=None, collated=Story.revision))
    entry = put_aside(session, Stage.RECOVER, of.id)
    assert list(overdue.unrecovered(session, 0, 10)) == []
    retrying.retry(session, entry)
    assert list(overdue.unrecovered(session, 0, 10)) == [of.id]


def test_discarded_work_is_not_found_again(session: Session) -> None:
    """Nothing sweeps up discarded work, jobs do not wait for it, and the numbers add up."""
    fetched = page(session, "http://a.example/9", Visit.QUARANTINED)
    retrying.discard(session, put_aside(session, Stage.FETCH, fetched))
    assert state_of(session, fetched) == Visit.GIVEN_UP
    row, capture = unread(session)
    retrying.discard(session, put_aside(session, Stage.EXTRACT, capture))
    assert state_of(session, row) == Visit.GIVEN_UP
    member = witness(session, "http://a.example/2", TEXT)
    retrying.discard(session, put_aside(session, Stage.PLACE, member.id))
    session.refresh(member)
    assert (member.story_id, member.thin) == (None, "discarded from quarantine: boom")
    of = story(session, "Ferries", witness(session, "http://a.example/3", TEXT))
    recover(session, of, TEXT)
    for stage in (Stage.COLLATE, Stage.RECOVER):
        session.execute(update(Story).values(revision=Story.revision + 1))
        retrying.discard(session, put_aside(session, stage, of.id))
        assert queries.story(session, of.id).settled
    session.execute(update(Capture).values(fetched_at=MAY))
    session.execute(update(StoredWitness).values(created_at=MAY))
    left = overdue.unread_articles, overdue.unread_sources, overdue.unplaced, overdue.unrecovered
    assert [list(find(session, 0, 10)) for find in left] == [[], [], [], []]
    assert queries.status(session).adds_up
    assert queries.status(session).quarantine == 0


def test_a_discarded_feed_is_polled_again(session: Session) -> None:
    """What could not be read out of a source is discarded; the source waits for its next poll."""
    url = "http://feeds.example/world.rss"
    source = add_source(session, SETTINGS, name="world", kind="feed", url=url, interval=600)
    row = session.scalars(select(FrontierRow.id).where(FrontierRow.source_id == source.id)).one()
    capture = visit(session, row, url, Visit.CAPTURED)
    assert capture is not None
    frontier.end_visit(session, row, Visit.QUARANTINED, "read_source failed")
    retrying.discard(session, put_aside(session, Stage.READ_SOURCE, capture))
    (view,) = queries.sources(session)
    assert (view.due_in, view.polls, view.last_outcome) == (600, 1, "discarded from quarantine: boom")


@pytest.mark.parametrize("decide", [retrying.retry, retrying.discard])
@pytest.mark.parametrize("number", [0, -3, 5, 2**70])
def test_what_is_not_there_cannot_be_decided(session: Session, decide: object, number: int) -> None:
    """A number without an entry is not found; an entry is decided once."""
    with pytest.raises(NotFound, match="quarantine list"):
        decide(session, number)  # type: ignore[operator]
    row = page(session, "http://a.example/1", Visit.QUARANTINED)
    entry = put_aside(session, Stage.FETCH, row)
    decide(session, entry)  # type: ignore[operator]
    with pytest.raises(NotFound):
        decide(session, entry)  # type: ignore[operator]
