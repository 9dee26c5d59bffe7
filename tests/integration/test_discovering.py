"""The stage discover, on a real database and a search service on loopback."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from loopback import Reply, Site, serving
from sqlalchemy import func, select, update
from whole_walk import SENTENCES, article, fetch_due, finish, reply, walk

from pipeline.philology.witness import Witness
from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.stages.discovering import discover
from pipeline.stages.forgetting import forget
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.pasting import ask_for_others, paste
from pipeline.stages.placing import place
from pipeline.stages.reaching import Reach
from pipeline.stages.sweeping import tick
from pipeline.store import discoveries, jobs, queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Discovery, FrontierRow, ProviderAnswer, ProviderBooks, Stage, StoredFind, StoredWitness

TITLE = "Dockers end strike in Port Calder"
SPUN = [sentence.replace("agreed", "consented").replace("wages", "pay") for sentence in SENTENCES]


def results(*found: tuple[str, str, str]) -> Reply:
    """An answer of SearXNG's."""
    rows = [{"url": url, "title": title, "content": snippet} for url, title, snippet in found]
    return Reply(
        json.dumps({"results": rows, "unresponsive_engines": []}).encode(), headers={"Content-Type": "application/json"}
    )


class Searched(Site):
    """A site whose /search answers every query alike."""

    answer: Reply | list[Reply] = results()

    def reply(self, path: str) -> Reply:
        if path.startswith("/search?"):
            return self.answer.pop(0) if isinstance(self.answer, list) else self.answer
        return super().reply(path)


@pytest.fixture
def service() -> Iterator[Searched]:
    site = Searched("127.0.0.1")
    yield site
    site.close()


@pytest.fixture
def asking(settings: Settings, service: Searched) -> Settings:
    """Settings under which the service on loopback is asked."""
    named = {"searxng_url": service.url(""), "searxng_interval": 0.0, "discovery_providers": "own-store searxng"}
    return settings.model_copy(update=named)


def run(factory: SessionFactory, settings: Settings, discovery_id: int) -> Outcome:
    async def work() -> Outcome:
        async with Reach(settings) as reach:
            return await discover(factory, discovery_id, reach, settings, "test")

    return asyncio.run(work())


def opened(factory: SessionFactory, story_id: int, job_id: int | None = None) -> int:
    with factory.begin() as session:
        return discoveries.open_discovery(session, story_id, "the test", job_id)


def turn(factory: SessionFactory) -> None:
    """Let the interval of every provider be over."""
    with factory.begin() as session:
        session.execute(update(ProviderBooks).values(free_at=func.now() - timedelta(hours=1)))


def test_copies_are_found_fetched_and_placed(factory: SessionFactory, asking: Settings, service: Searched) -> None:
    """From one copy to the others: asked for, judged before fetching, admitted with how they were found, placed in its story."""
    with serving(3) as (first, second, other):
        first.pages["/a"] = reply()
        second.pages["/b"] = reply(SPUN)
        other.pages["/c"] = reply(["Fishermen met for their yearly fair."] * 9)
        walk(factory, asking, first.url("/a"))
        service.answer = results(
            (first.url("/a"), TITLE, SENTENCES[0]),
            (second.url("/b"), TITLE, SPUN[0]),
            (other.url("/c"), "Harbour fair draws crowds", "Fishermen met for their yearly fair in a quiet bay"),
        )
        with factory.begin() as session:
            job_id = jobs.open_job(session, "discover", "copies of story 1")
        outcome = run(factory, asking, opened(factory, 1, job_id))
        assert Bell(Stage.FETCH) in outcome.next
        assert [asked.path for asked in other.asked] == []
        finish(factory, asking, fetch_due(factory, asking))
        with factory() as session:
            copies = queries.copies(session, 1)
            rows = queries.job_items(session, job_id)
            finds = {find.url: find for find in session.scalars(select(StoredFind))}
            history = queries.url_history(session, rows[0].url.removeprefix("http://"), rows[0].url)
    assert [copy.source for copy in copies] == [first.url("/a"), second.url("/b")]
    assert copies[0].found_by == "hand"
    assert copies[1].found_by is not None
    assert copies[1].found_by.startswith("discovery: searxng, ")
    assert copies[1].found[0].provider == "searxng"
    assert [row.url for row in rows] == [second.url("/b")]
    assert rows[0].found_by == copies[1].found_by
    assert history.found == copies[1].found
    assert finds[other.url("/c")].frontier_id is None
    assert finds[other.url("/c")].score < finds[second.url("/b")].score


def test_an_answer_is_kept(factory: SessionFactory, asking: Settings, service: Searched) -> None:
    """A second discovery of the same text asks nothing anew."""
    with serving(1) as (site,):
        site.pages["/a"] = reply()
        walk(factory, asking, site.url("/a"))
    run(factory, asking, opened(factory, 1))
    asked = len(service.asked)
    assert asked >= 3
    run(factory, asking, opened(factory, 1))
    assert len(service.asked) == asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(b"<html>Bad gateway</html>", 502), "answers 502"),
        (Reply(b"<!doctype html><title>SearXNG</title>"), "HTML where JSON"),
        (Reply(b'{"results": [{"url": "http://a'), "no JSON"),
        (Reply(b'{"hits": []}'), "may have changed"),
        (Reply(b"", 403), "search.formats"),
    ],
)
def test_a_service_that_fails_fails_no_discovery(
    factory: SessionFactory, asking: Settings, service: Searched, answer: Reply, said: str
) -> None:
    """The discovery ends well, says who did not answer, and the provider's books hold why."""
    with serving(1) as (site,):
        site.pages["/a"] = reply()
        walk(factory, asking, site.url("/a"))
    service.answer = answer
    id_ = opened(factory, 1)
    run(factory, asking, id_)
    with factory() as session:
        row = session.get_one(Discovery, id_)
        held = session.get_one(ProviderBooks, "searxng")
    assert row.done_at is not None
    assert said in row.missed["searxng"]
    assert said in (held.last_failure or "")


def test_a_service_that_asks_for_time_gets_it(factory: SessionFactory, asking: Settings, service: Searched) -> None:
    """After 429 with Retry-After nothing is asked before then; the discovery is due again, and finds what it lacked."""
    with serving(2) as (first, second):
        first.pages["/a"] = reply()
        walk(factory, asking, first.url("/a"))
        good = results((second.url("/b"), TITLE, SPUN[0]))
        service.answer = [Reply(b"", 429, {"Retry-After": "120"}), good, good, good, good, good, good, good, good, good, good]
        id_ = opened(factory, 1)
        run(factory, asking, id_)
        assert len(service.asked) == 1
        with factory() as session:
            row = session.get_one(Discovery, id_)
            now = session.scalar(select(func.now()))
        assert row.done_at is None
        assert row.due_at is not None
        assert now is not None
        assert 100 < (row.due_at - now).total_seconds() <= 120
        turn(factory)
        run(factory, asking, id_)
        with factory() as session:
            assert session.scalars(select(FrontierRow.url).order_by(FrontierRow.id)).all()[1:] == [second.url("/b")]
            assert session.get_one(Discovery, id_).done_at is not None


def test_a_url_that_is_marked_leads_on_once(factory: SessionFactory, asking: Settings) -> None:
    """With --discover a discovery is due as soon as the text is placed; a second copy of the story opens no other."""
    with serving(2) as (first, second):
        first.pages["/a"], second.pages["/b"] = reply(), reply(SPUN)
        with factory.begin() as session:
            ids = admit(session, [first.url("/a"), second.url("/b")], asking, found_by="hand", discover=True).admitted.ids
            job_id = jobs.open_job(session, "add", "2 URLs")
            jobs.add_items(session, job_id, ids)
        bells = fetch_due(factory, asking)
        rung = places(factory, asking, bells)
    with factory() as session:
        (row,) = session.scalars(select(Discovery))
        progress = queries.job(session, job_id)
    assert rung == [Bell(Stage.DISCOVER, row.id)]
    assert (row.story_id, row.job_id) == (1, job_id)
    assert (progress.searching, progress.done) == (1, False)


def places(factory: SessionFactory, settings: Settings, bells: Sequence[Bell]) -> list[Bell]:
    """Read and place what was captured; the bells that placing rang."""
    from whole_walk import InProcess  # noqa: PLC0415

    from pipeline.stages.extraction import extract  # noqa: PLC0415

    found: list[Bell] = []
    for bell in bells:
        for capture in bell.subjects if bell.stage is Stage.EXTRACT else ():
            for next_ in extract(factory, capture, InProcess(), settings, "test").next:  # type: ignore[arg-type]
                found += place(factory, next_.subject_id, settings, "test").next
    return found


def test_a_pasted_text_is_a_witness_and_can_lead_on(factory: SessionFactory, asking: Settings) -> None:
    """A text without a URL is stored once, placed like any other, and its discovery waits until it is."""
    witness = Witness("copy.txt", SENTENCES, TITLE)
    with factory.begin() as session:
        text, again = paste(session, witness), paste(session, witness)
        job_id = jobs.open_job(session, "add", "1 text")
        assert ask_for_others(session, text, job_id) == []
        assert queries.texts_settled(session, [text.witness_id]) is False
    assert (again.witness_id, again.placed) == (text.witness_id, False)
    outcome = place(factory, text.witness_id, asking, "test")
    assert [bell.stage for bell in outcome.next] == [Stage.DISCOVER]
    finish(factory, asking, [Bell(Stage.COLLATE, 1)])
    with factory() as session:
        (copy,) = queries.copies(session, 1)
        assert queries.job(session, job_id).searching == 1
        assert queries.texts_settled(session, [text.witness_id]) is True
    assert copy.source.startswith("text:")
    assert (copy.host, copy.found_by, copy.found) == (None, None, ())


def test_a_text_that_is_too_thin_ends_its_discovery(factory: SessionFactory, asking: Settings) -> None:
    """There is nothing to look for: the discovery is over, with the reason."""
    with factory.begin() as session:
        text = paste(session, Witness("x", ("Too short.",)))
        ask_for_others(session, text, jobs.open_job(session, "add", "1 text"))
    assert place(factory, text.witness_id, asking, "test").next == ()
    with factory() as session:
        (row,) = session.scalars(select(Discovery))
    assert row.done_at is not None
    assert row.outcome == "no story: only 2 words"


def test_a_lost_bell_is_rung_again(factory: SessionFactory, asking: Settings) -> None:
    """The tick rings for a discovery that is due, and again when nobody came to it for a lease."""
    with factory.begin() as session:
        text = paste(session, Witness("x", SENTENCES, TITLE))
    place(factory, text.witness_id, asking, "test")
    id_ = opened(factory, 1)

    def rung() -> list[Bell]:
        return [bell for bell in tick(factory, asking).next if bell.stage is Stage.DISCOVER]

    assert rung() == [Bell(Stage.DISCOVER, id_)]
    assert rung() == []
    with factory.begin() as session:
        session.execute(update(Discovery).values(due_at=func.now()))
    assert rung() == [Bell(Stage.DISCOVER, id_)]


def test_what_is_forgotten_leaves_no_find(factory: SessionFactory, asking: Settings, service: Searched) -> None:
    """Queries quote a text and answers show it: with a page its finds go, with its story the discoveries, and kept answers."""
    with serving(2) as (first, second):
        first.pages["/a"], second.pages["/b"] = reply(), reply(SPUN)
        walk(factory, asking, first.url("/a"))
        service.answer = results((second.url("/b"), TITLE, SPUN[0]))
        run(factory, asking, opened(factory, 1))
        with factory.begin() as session:
            paste(session, Witness("x", ("Somebody else's own text that has nothing to do with it. " * 5,)))
        forget(factory, first.url("/a"), asking)
    with factory() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (StoredFind, Discovery, ProviderAnswer)]
        assert counts == [0, 0, 0]
        assert session.scalar(select(func.count()).select_from(StoredWitness)) == 1


def test_a_story_of_pasted_texts_can_be_forgotten(factory: SessionFactory, asking: Settings) -> None:
    """`forget STORY` deletes what came without a URL, too."""
    with factory.begin() as session:
        text = paste(session, Witness("x", SENTENCES, TITLE))
    place(factory, text.witness_id, asking, "test")
    assert forget(factory, "1", asking).witnesses == 1
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(StoredWitness)) == 0


def test_article_is_what_the_walk_serves() -> None:
    """The snippets above are passages of the pages."""
    assert SENTENCES[0].encode() in article()


def test_a_source_marks_what_is_new_alone(factory: SessionFactory, asking: Settings) -> None:
    """Of what a source lists again and again, pages that were known before lead to no discovery; somebody's wish does."""
    urls = ["http://127.0.0.1/known", "http://127.0.0.1/new"]
    with factory.begin() as session:
        admit(session, urls[:1], asking, found_by="hand")
        admit(session, urls, asking, found_by="source x", reopen=False, discover=True)
        marked = select(FrontierRow.url).where(FrontierRow.discover)
        assert session.scalars(marked).all() == urls[1:]
        admit(session, urls[:1], asking, found_by="hand", discover=True)
        assert set(session.scalars(marked)) == set(urls)
