from datetime import UTC, datetime
from itertools import pairwise

import pytest
from filled_store import SETTINGS, page, recover, story, visit, witness
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.crawl.urls import parse
from pipeline.errors import Misuse, NotFound
from pipeline.stages.source_list import add_source
from pipeline.store import attempts, jobs, quarantine, queries, sources
from pipeline.store.queries import JobProgress, UrlHistory
from pipeline.store.tables import FrontierRow, Host, Purpose, Stage, Visit

TEXT = "Ferries stopped at noon. The harbour master said 40 boats were kept in."
ENDS = [state for state in Visit if state not in {Visit.WAITING, Visit.CAPTURED, Visit.WITNESS, Visit.SAME}]


def opened(session: Session, *frontier_ids: int) -> int:
    job = jobs.open_job(session, "add", "by hand")
    jobs.add_items(session, job, frontier_ids)
    return job


def history(session: Session, url: str) -> UrlHistory:
    return queries.url_history(session, parse(url).key, parse(url).text)


def steps(progress: JobProgress) -> dict[str, int]:
    return dict(progress.steps)


def test_a_job_without_items_is_done(session: Session) -> None:
    """A job of nothing has nothing left to do."""
    progress = queries.job(session, opened(session))
    assert (progress.items, progress.done, progress.state, progress.missed) == (0, True, "done", 0)


def test_a_job_follows_its_page_to_the_recovery(session: Session) -> None:
    """An item is done only when its text is placed and its story has nothing left to be collated or recovered."""
    row = page(session, "http://a.example/1", Visit.WAITING)
    job = opened(session, row)
    assert steps(queries.job(session, job)) == {"waiting": 1}
    visit(session, row, "http://a.example/1", Visit.CAPTURED)
    assert steps(queries.job(session, job)) == {"captured": 1}
    member = witness(session, "http://a.example/1", TEXT)
    visit(session, row, "http://a.example/1", Visit.WITNESS)
    assert steps(queries.job(session, job)) == {"to place": 1}
    of = story(session, "Ferries", member)
    progress = queries.job(session, job)
    assert (steps(progress), progress.done, progress.stories) == ({"to recover": 1}, False, (of.id,))
    recover(session, of, TEXT)
    progress = queries.job(session, job)
    assert (steps(progress), progress.done, progress.arrived, progress.missed) == ({"ended": 1}, True, 1, 0)
    of.revision += 1  # another copy came
    session.flush()
    assert queries.job(session, job).done is False


@pytest.mark.parametrize("state", ENDS)
def test_a_job_is_done_where_its_visit_has_ended(session: Session, state: Visit) -> None:
    """Every end of a visit but a witness ends the item at once, and counts as missed unless the page had its text before."""
    progress = queries.job(session, opened(session, page(session, "http://a.example/1", state, "a reason")))
    assert (progress.done, dict(progress.states)) == (True, {state: 1})
    assert progress.missed == (0 if state is Visit.UNCHANGED else 1)


def test_a_job_with_thin_text_is_done(session: Session) -> None:
    """A text too thin to be placed has arrived, and nothing waits for it."""
    member = witness(session, "http://a.example/1", "Short.", thin="too short", placed_at=func.now())
    job = opened(session, member.frontier_id or 0)
    progress = queries.job(session, job)
    assert (progress.done, progress.arrived, progress.stories) == (True, 1, ())
    (item,) = queries.job_items(session, job)
    assert (item.thin, item.story_id, item.step) == ("too short", None, "ended")


@pytest.mark.parametrize("stage", [Stage.PLACE, Stage.COLLATE, Stage.RECOVER])
def test_a_job_does_not_wait_for_quarantine(session: Session, stage: Stage) -> None:
    """Work in quarantine ends its item; once it is taken out, the item waits again."""
    member = witness(session, "http://a.example/1", TEXT)
    subject = member.id if stage is Stage.PLACE else story(session, "Ferries", member).id
    job = opened(session, member.frontier_id or 0)
    assert queries.job(session, job).done is False
    quarantine.put(session, stage, subject, "Ferries", "boom", [])
    progress = queries.job(session, job)
    assert (progress.done, progress.quarantined, steps(progress)) == (True, 1, {"quarantined": 1})
    quarantine.resolve(session, queries.quarantine_entries(session)[0].id, "retried")
    assert queries.job(session, job).done is False


def test_a_job_follows_rows_that_are_the_same_page(session: Session) -> None:
    """An item that redirects to another URL's page waits for that one, over several hops, and rows in a ring end."""
    rows = [page(session, f"http://a.example/{name}", Visit.WAITING) for name in "xyz"]
    for row, other in pairwise(rows):
        session.execute(update(FrontierRow).where(FrontierRow.id == row).values(state=Visit.SAME, same_as=other))
    job = opened(session, rows[0])
    assert steps(queries.job(session, job)) == {"waiting": 1}
    visit(session, rows[2], "http://a.example/z", Visit.GONE, "the server answers 404")
    assert queries.job(session, job).done
    assert queries.job_items(session, job)[0].reason == "the server answers 404"
    session.execute(update(FrontierRow).where(FrontierRow.id == rows[2]).values(state=Visit.SAME, same_as=rows[0]))
    assert queries.job(session, job).done


def test_jobs_are_listed_newest_first(session: Session) -> None:
    """Each job counts its own items; a cancelled one says so."""
    first = opened(session, page(session, "http://a.example/1", Visit.WAITING))
    second = opened(
        session, page(session, "http://a.example/2", Visit.GONE), page(session, "http://a.example/1", Visit.WAITING)
    )
    jobs.cancel(session, first)
    found = queries.jobs(session, 10)
    assert [(job.id, job.items, job.finished, job.state) for job in found] == [
        (second, 2, 1, "running"),
        (first, 1, 0, "cancelled"),
    ]
    assert [job.id for job in queries.jobs(session, 1)] == [second]


def test_history_answers_why(session: Session) -> None:
    """Every state of a URL has a verdict that names the reason, and the steps say what was tried."""
    page(session, "http://a.example/gone", Visit.GONE, "the server answers 404")
    found = history(session, "http://a.example/gone?utm_source=x")
    assert found.verdict == "Did not arrive (gone): the server answers 404."
    assert [(step.stage, step.end, step.outcome) for step in found.steps] == [("fetch", "done", "the server answers 404")]
    page(session, "http://a.example/late", Visit.WAITING)
    assert history(session, "http://a.example/late").verdict.startswith("Waiting, to be tried from 20")
    row = page(session, "http://a.example/now", Visit.WAITING)
    attempts.begin(session, Stage.FETCH, row, "fetch@here", 60)
    assert history(session, "http://a.example/now").verdict == "Being worked on by fetch@here (fetch)."
    page(session, "http://a.example/read", Visit.CAPTURED)
    assert history(session, "http://a.example/read").verdict == "Fetched, and waits to be read."
    member = witness(session, "http://a.example/thin", "Short.")
    assert history(session, "http://a.example/thin").verdict == f"Arrived as witness {member.id}, which waits to be placed."
    member.thin, member.placed_at = "too short", datetime.now(UTC)
    session.flush()
    assert history(session, "http://a.example/thin").verdict == f"Arrived as witness {member.id}, in no story: too short."
    quarantine.put(session, Stage.FETCH, row, "x", "boom", [])
    entry = queries.quarantine_entries(session)[0].id
    assert f"quarantine show {entry}" in history(session, "http://a.example/now").verdict


def test_history_of_an_unknown_url(session: Session) -> None:
    """A URL that nobody asked for is not found, and the message says how to ask."""
    with pytest.raises(NotFound, match="wirecopy add"):
        history(session, "http://nowhere.example/")
    with pytest.raises(Misuse, match="NUL"):
        queries.url_history(session, "a\0", "b")


def test_history_of_a_source(session: Session) -> None:
    """The URL of a source has a history, too."""
    url = "http://feeds.example/world.rss"
    add_source(session, SETTINGS, name="world", kind="feed", url=url, interval=60)
    assert history(session, url).purpose == Purpose.SOURCE


def test_sources_say_when_and_what(session: Session) -> None:
    """A source is due when its row and its host are; it counts the pages, texts and stories that it was first to bring."""
    source = add_source(session, SETTINGS, name="world", kind="feed", url="http://feeds.example/world.rss", interval=60)
    off = add_source(
        session, SETTINGS, name="off", kind="sitemap", url="http://feeds.example/map.xml", interval=60, enabled=False
    )
    member = witness(session, "http://a.example/1", TEXT, by="source world")
    page(session, "http://a.example/2", Visit.GONE)
    session.execute(update(FrontierRow).where(FrontierRow.purpose == "article").values(source_id=source.id))
    story(session, "Ferries", member)
    second, first = queries.sources(session)
    assert (first.name, first.due_in, first.pages, first.witnesses, first.stories) == ("world", 0.0, 2, 1, 1)
    assert (second.name, second.enabled, second.due_in, second.next_at) == ("off", False, None, None)
    session.execute(
        update(Host).where(Host.name == "feeds.example").values(free_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 5))
    )
    assert queries.sources(session)[1].due_in == pytest.approx(300)
    sources.set_enabled(session, off, enabled=True)
    session.flush()
    assert queries.sources(session)[0].enabled


def test_status_adds_up(session: Session) -> None:
    """Every row is counted once: URLs by state, witnesses by where they are, stories by what they wait for."""
    for number, state in enumerate([*ENDS, Visit.WAITING, Visit.CAPTURED]):
        row = page(session, f"http://a.example/{number}", state)
        if state is Visit.QUARANTINED:
            quarantine.put(session, Stage.FETCH, row, "x", "boom", [])
    settled = story(session, "One", witness(session, "http://b.example/1", TEXT))
    recover(session, settled, TEXT)
    story(session, "Two", witness(session, "http://b.example/2", TEXT))
    witness(session, "http://b.example/3", TEXT)
    witness(session, "http://b.example/4", "Short.", thin="too short", placed_at=func.now())
    found = queries.status(session)
    assert found.adds_up, found.checks
    assert found.urls == len(ENDS) + 2 + 4
    assert found.frontier["witness"] == 4
    assert (found.witnesses, found.witnesses_in_stories, found.witnesses_thin, found.witnesses_unplaced) == (4, 2, 1, 1)
    assert (found.stories, found.stories_settled, found.stories_to_collate, found.stories_to_recover) == (2, 1, 1, 0)
    assert (found.captures_unread, found.quarantine, dict(found.quarantine_by_stage)) == (1, 1, {"fetch": 1})
    assert (found.recoveries, found.stories_recovered, found.attempts_open) == (1, 1, 0)


def test_status_notices_what_went_astray(session: Session) -> None:
    """A captured URL whose capture was read, and a witness without its text, break the sum and are named."""
    row = page(session, "http://a.example/1", Visit.WITNESS)
    session.execute(update(FrontierRow).where(FrontierRow.id == row).values(state=Visit.CAPTURED))
    page(session, "http://a.example/2", Visit.WITNESS)
    found = queries.status(session)
    assert not found.adds_up
    assert {check.what: check.counted for check in found.checks if not check.holds} == {
        "captured URLs without an unread capture": 1,
        "URLs that gave a witness but have no text": 1,
    }


def test_quarantine_is_listed(session: Session) -> None:
    """What is there now by default, by stage on request, and decided entries where they are asked for."""
    row = page(session, "http://a.example/1", Visit.WAITING)
    tries = [{"attempt": 1, "end": "error", "outcome": "boom"}]
    quarantine.put(session, Stage.FETCH, row, "http://a.example/1", "boom", tries)
    quarantine.put(session, Stage.PLACE, 7, "http://a.example/2", "bang", [])
    assert [entry.reason for entry in queries.quarantine_entries(session)] == ["bang", "boom"]
    (entry,) = queries.quarantine_entries(session, stage=Stage.FETCH)
    assert entry.history == tuple(tries)
    quarantine.resolve(session, entry.id, "discarded")
    assert [one.reason for one in queries.quarantine_entries(session)] == ["bang"]
    assert queries.quarantine_entry(session, entry.id).resolution == "discarded"
    assert len(queries.quarantine_entries(session, resolved=True)) == 2
    assert session.scalar(select(func.count()).select_from(FrontierRow)) == 1
