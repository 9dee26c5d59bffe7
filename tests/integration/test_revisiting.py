"""Pages that gave a text are looked at again: what changed is a new witness, what did not leaves everything as it was."""

from collections.abc import Iterator

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, update
from whole_walk import SENTENCES, fetch_due, finish, reply, walk

from pipeline.crawl.urls import parse
from pipeline.settings import Settings
from pipeline.stages import forgetting, retrying
from pipeline.store import frontier, jobs, quarantine, queries, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import FrontierRow, Purpose, Stage, StoredWitness, Visit

MONTH = 2_592_000.0
CHANGED = (
    *SENTENCES[:-1],
    "The government in Lanvere took back its threat to send soldiers to work the cranes on the northern quay.",
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (found,):
        yield found


@pytest.fixture
def revisiting(settings: Settings) -> Settings:
    return settings.model_copy(update={"revisit_until": MONTH})


def revisit(factory: SessionFactory, settings: Settings) -> FrontierRow | None:
    """Everything that waits is due now; the revisit's row after that round."""
    with factory.begin() as session:
        waiting = update(FrontierRow).where(FrontierRow.state == Visit.WAITING)
        session.execute(waiting.values(next_attempt_at=func.now()))
    finish(factory, settings, fetch_due(factory, settings))
    with factory() as session:
        assert queries.status(session).adds_up
        return session.scalar(select(FrontierRow).where(FrontierRow.purpose == Purpose.REVISIT))


def page(factory: SessionFactory) -> FrontierRow:
    with factory() as session:
        return session.scalars(select(FrontierRow).where(FrontierRow.purpose == Purpose.ARTICLE)).one()


def texts(factory: SessionFactory) -> list[StoredWitness]:
    with factory() as session:
        return list(session.scalars(select(StoredWitness).order_by(StoredWitness.id)))


def hours_until(factory: SessionFactory) -> float:
    with factory() as session:
        seconds = func.extract("epoch", FrontierRow.next_attempt_at - func.now())
        return float(session.scalars(select(seconds).where(FrontierRow.purpose == Purpose.REVISIT)).one()) / 3_600


def grow_old(factory: SessionFactory, hours: float) -> None:
    with factory.begin() as session:
        session.execute(
            update(StoredWitness).values(created_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, hours * 3_600))
        )


def test_a_page_is_not_revisited_unless_it_is_wanted(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """By default each page is asked for once."""
    site.pages["/a"] = reply()
    walk(factory, settings, site.url("/a"))
    assert revisit(factory, settings) is None
    assert [asked.path for asked in site.asked].count("/a") == 1


def test_a_change_is_a_new_witness_and_the_old_one_stays(factory: SessionFactory, revisiting: Settings, site: Site) -> None:
    """The story sees the newest text of the page, with a siglum of its own; the page's row and jobs never wait again."""
    site.pages["/a"] = [reply(), reply(CHANGED)]
    (row,) = walk(factory, revisiting, site.url("/a"))
    with factory.begin() as session:
        job = jobs.open_job(session, "add", "")
        jobs.add_items(session, job, [row])
    assert hours_until(factory) == pytest.approx(1.05, abs=0.06)
    with factory() as session:
        assert queries.job(session, job).done
    found = revisit(factory, revisiting)
    assert found is not None
    assert (found.state, found.reason, found.same_as) == (Visit.WAITING, "the last revisit: witness", row)
    old, new = texts(factory)
    assert (old.frontier_id, new.frontier_id, old.story_id) == (row, row, new.story_id)
    assert new.text.endswith(CHANGED[-1])
    with factory() as session:
        assert [witness.id for witness in witnesses.copies_of(session, new.story_id or 0)] == [new.id]
        assert queries.job(session, job).done
        steps = queries.url_history(session, parse(site.url("/a")).key, site.url("/a")).steps
        assert [step.stage for step in steps].count("fetch") == 3  # robots.txt, the page, the revisit
    assert (page(factory).state, {old.siglum, new.siglum}) == (Visit.WITNESS, {"A", "B"})


def test_revisits_are_conditional_and_slow_down(factory: SessionFactory, revisiting: Settings, site: Site) -> None:
    """With the page's validators; a 304, the same bytes and the same text are no news; they end when the page is old."""
    first = reply(ETag='"1"')
    site.pages["/a"] = [first, Reply(status=304), first, reply(head="<meta name=x content=y>")]
    walk(factory, revisiting, site.url("/a"))
    with factory() as session:
        tags = session.execute(select(FrontierRow.purpose, FrontierRow.etag)).all()
        assert sorted(tuple(tag) for tag in tags) == [("article", '"1"'), ("revisit", '"1"')]
    said = []
    for hours, until in ((1, 3), (4, 12), (16, 48)):
        grow_old(factory, hours)
        found = revisit(factory, revisiting)
        assert found is not None
        said.append(found.reason)
        assert hours_until(factory) == pytest.approx(until * 1.05, rel=0.06)
    assert said == [
        "the last revisit: not modified (304)",
        "the last revisit: the same bytes as before",
        "the last revisit: unchanged: the same text as before",
    ]
    grow_old(factory, 24 * 20)
    found = revisit(factory, revisiting)
    assert found is not None
    assert (found.state, len(texts(factory)), page(factory).state) == (Visit.UNCHANGED, 1, Visit.WITNESS)


@pytest.mark.parametrize(
    ("later", "state", "said"),
    [
        (Reply(status=404), Visit.WAITING, "the server answers 404"),
        (Reply(status=500), Visit.WAITING, "the server answers 500"),
        (Reply(status=302, headers={"Location": "/"}), Visit.WAITING, "it redirects to"),
        (Reply(b"<html><p>Nothing.", headers={"Content-Type": "text/html"}), Visit.WAITING, "not_article"),
        (reply(head="<meta name=robots content=noarchive>"), Visit.REFUSED, "noarchive"),
    ],
)
def test_what_a_page_has_become_takes_nothing_away(
    factory: SessionFactory, revisiting: Settings, site: Site, later: Reply, state: Visit, said: str
) -> None:
    """Gone, broken, moved, emptied: the page keeps its end and its text; who asks not to be kept is asked no more."""
    site.pages["/a"] = [reply(), later]
    walk(factory, revisiting, site.url("/a"))
    found = revisit(factory, revisiting)
    assert found is not None
    assert (found.state, said in (found.reason or "")) == (state, True)
    assert (page(factory).state, len(texts(factory))) == (Visit.WITNESS, 1)


def test_a_quarantined_revisit_keeps_its_page(factory: SessionFactory, revisiting: Settings, site: Site) -> None:
    """Retried, it is a revisit as before."""
    site.pages["/a"] = [reply(), reply(CHANGED)]
    (row,) = walk(factory, revisiting, site.url("/a"))
    with factory.begin() as session:
        again = session.scalars(select(FrontierRow.id).where(FrontierRow.purpose == Purpose.REVISIT)).one()
        quarantine.put(session, Stage.FETCH, again, "a", "boom", [])
        frontier.end_visit(session, again, Visit.QUARANTINED, "boom")
        retrying.retry(session, queries.quarantine_entries(session)[0].id)
    found = revisit(factory, revisiting)
    assert found is not None
    assert (found.same_as, len(texts(factory))) == (row, 2)


def test_a_forgotten_page_is_not_revisited(factory: SessionFactory, revisiting: Settings, site: Site) -> None:
    """Its revisits and what they brought go with it."""
    site.pages["/a"] = [reply(), reply(CHANGED)]
    walk(factory, revisiting, site.url("/a"))
    revisit(factory, revisiting)
    forgetting.forget(factory, site.url("/a"), revisiting)
    with factory() as session:
        assert session.scalars(select(FrontierRow.id)).all() == []
    assert texts(factory) == []
