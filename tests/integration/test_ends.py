"""Every end state of a visit is reached, and `jobs show` says why in words."""

from collections.abc import Iterator

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, update
from whole_walk import HTML, SENTENCES, article, fetch_due, finish, reply, walk

from pipeline.crawl.urls import parse
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.claims import quarantine_if_hopeless
from pipeline.store import attempts, jobs, queries
from pipeline.store.engine import SessionFactory
from pipeline.store.frontier import afresh
from pipeline.store.tables import AttemptEnd, Capture, FrontierRow, Host, Stage, StoredWitness, Visit


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as (site,):
        yield site


def verdict(factory: SessionFactory, url: str) -> tuple[str, str]:
    """(state, what `jobs show` says in short)."""
    with factory() as session:
        found = queries.url_history(session, parse(url).key, url)
        return found.state, found.verdict


REFUSED = Visit.REFUSED
LONG = "<p>" + "word " * 400_000 + "</p>"


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (reply(), Visit.WITNESS, "Arrived as witness "),
        (reply(["Nothing."]), Visit.NOT_ARTICLE, "not article): not an article: 8 characters of text are too few"),
        (reply(head="<meta name=robots content=noarchive>"), REFUSED, "refused): noarchive: the page asks not to be archived"),
        (Reply(b"%PDF-1.7", headers=HTML), REFUSED, "refused): type: it is a PDF document"),
        (Reply(b"GIF89a", headers={"Content-Type": "image/gif"}), REFUSED, "refused): type: it is image/gif"),
        (Reply(LONG.encode(), headers=HTML), REFUSED, "refused): size: it holds 2,000,000 characters"),
        (
            Reply(b"<p>x</p><!--" + b"x" * 2_500_000, headers=HTML),
            REFUSED,
            "refused): size: not an article: 1 characters",
        ),
        (Reply(article(["We value your privacy."]), headers=HTML), REFUSED, "refused): wall: consent (we value your privacy)"),
        (Reply(status=403), REFUSED, "refused): wall: the server answers 403"),
        (Reply(status=302, headers={"Location": "http://224.0.0.1/"}), REFUSED, "refused): address: "),
        (Reply(status=410), Visit.GONE, "gone): the server answers 410"),
        (Reply(status=400), Visit.GIVEN_UP, "given up): the server answers 400"),
    ],
)
def test_an_answer_ends_in_a_state_with_a_reason(
    factory: SessionFactory, settings: Settings, site: Site, answer: Reply, state: Visit, said: str
) -> None:
    """One page, one answer: the state, and the reason in the words that a person reads."""
    limited = settings.model_copy(update={"max_body": 2_200_000, "contact": "desk@example.org"})
    site.pages["/story"] = answer
    walk(factory, limited, site.url("/story"))
    found, verdict_ = verdict(factory, site.url("/story"))
    assert found == state, verdict_
    assert said in verdict_


def test_robots_txt_ends_a_visit(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Refused, and the page was not asked for."""
    site.pages |= {"/robots.txt": Reply(b"User-agent: *\nDisallow: /\n"), "/story": reply()}
    walk(factory, settings, site.url("/story"))
    assert verdict(factory, site.url("/story")) == (Visit.REFUSED, "Did not arrive (refused): robots.txt disallows it.")


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        (reply(ETag="1"), "the same bytes as before"),
        (Reply(status=304), "not modified (304)"),
        (reply(head="<!-- another advertisement -->"), "the same text as before"),
    ],
)
def test_what_has_not_changed_ends_unchanged(
    factory: SessionFactory, settings: Settings, site: Site, again: Reply, reason: str
) -> None:
    """By its bytes, by the server's word, or by its text; it has arrived, and gives no second witness."""
    site.pages["/story"] = [reply(ETag="1"), again]
    walk(factory, settings, site.url("/story"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(**afresh()))
    finish(factory, settings, fetch_due(factory, settings))
    with factory() as session:
        row = session.scalars(select(FrontierRow)).one()
        assert (row.state, row.reason) == (Visit.UNCHANGED, reason)
        assert session.scalar(select(func.count()).select_from(StoredWitness)) == 1
    assert verdict(factory, site.url("/story"))[1].startswith("Arrived as witness 1")


def test_a_page_of_another_url_ends_as_the_same(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """A redirect to a page that has a row of its own names it."""
    site.pages |= {"/old": Reply(status=301, headers={"Location": "/story"}), "/story": reply()}
    walk(factory, settings, site.url("/story"))
    walk(factory, settings, site.url("/old"))
    assert verdict(factory, site.url("/old"))[0] == Visit.SAME
    assert site.url("/story") in verdict(factory, site.url("/old"))[1]


def test_a_cancelled_job_ends_its_visits(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """Cancelled, saying by which job."""
    with factory.begin() as session:
        ids = admit(session, [site.url("/story")], settings, found_by="hand").admitted.ids
        job_id = jobs.open_job(session, "add", "1 URLs")
        jobs.add_items(session, job_id, ids)
        jobs.cancel(session, job_id)
    assert verdict(factory, site.url("/story")) == (Visit.CANCELLED, f"Did not arrive (cancelled): job {job_id} was cancelled.")


def test_failures_of_the_network_end_given_up(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """The fifth point of failure ends it, and every try before is in the ledger with what it met."""
    site.pages["/story"] = Reply(status=500)
    walk(factory, settings, site.url("/story"))
    for _ in range(4):
        with factory.begin() as session:
            session.execute(update(FrontierRow).values(next_attempt_at=func.now()))
            session.execute(update(Host).values(free_at=func.now(), interval=None))
        fetch_due(factory, settings)
    assert verdict(factory, site.url("/story"))[0] == Visit.GIVEN_UP
    with factory() as session:
        steps = queries.url_history(session, parse(site.url("/story")).key, site.url("/story")).steps
    assert [step.detail.get("status") for step in steps if step.detail["asked"] == "page"] == [500] * 5


def test_failures_of_our_own_end_in_quarantine(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """The third puts it aside, and the verdict names the entry."""
    site.pages["/story"] = reply()
    (row,) = walk(factory, settings, site.url("/story"))
    with factory.begin() as session:
        for _ in range(3):
            attempt = attempts.begin(session, Stage.FETCH, row, "test", 60)
            assert attempt is not None
            attempts.finish(session, attempt, AttemptEnd.ERROR, "boom")
        assert quarantine_if_hopeless(session, Stage.FETCH, row, 3)
    assert verdict(factory, site.url("/story"))[0] == Visit.QUARANTINED
    assert "wirecopy quarantine show 1" in verdict(factory, site.url("/story"))[1]


def test_every_try_is_in_the_ledger_with_all_that_is_known(factory: SessionFactory, settings: Settings, site: Site) -> None:
    """URL, address, what robots.txt answered, validators sent, status, seconds, bytes, the outcome; the hops and the capture's hash."""
    site.pages |= {
        "/old": Reply(status=301, headers={"Location": "/story"}),
        "/story": [reply(ETag='"one"'), Reply(status=304)],
    }
    walk(factory, settings, site.url("/old"))
    with factory.begin() as session:
        session.execute(update(FrontierRow).values(state=Visit.WAITING, next_attempt_at=func.now()))
    fetch_due(factory, settings)
    with factory() as session:
        history = queries.url_history(session, parse(site.url("/old")).key, site.url("/old"))
        captures = session.scalars(select(Capture).order_by(Capture.id)).all()
    pages = [step for step in history.steps if step.stage == Stage.FETCH and step.detail["asked"] == "page"]
    assert [(step.url, step.detail["status"]) for step in pages] == [
        (site.url("/old"), 301), (site.url("/story"), 200), (site.url("/story"), 304),
    ]  # fmt: skip
    assert [step.detail["sent"].get("If-None-Match") for step in pages] == [None, None, '"one"']
    assert {step.detail["robots"] for step in pages} == {404}
    assert {step.detail["address"] for step in pages} == {site.host.partition(":")[0]}
    assert all(step.detail["seconds"] > 0 and step.outcome and step.ended_at for step in pages)
    assert pages[1].detail["bytes"] == len(article(SENTENCES))
    assert [(hop["to"], hop["status"]) for hop in history.hops] == [(site.url("/story"), 301)]
    assert [(capture.status, len(capture.body_sha256)) for capture in captures] == [(301, 64), (200, 64), (304, 64)]
