"""What a discovery looks for, what our own store answers, and what archives give back."""

from datetime import UTC, datetime

from filled_store import SETTINGS, page
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipeline.discovery.candidates import ArchivedPage, Candidate
from pipeline.discovery.passages import Doubt
from pipeline.discovery.queries import Query, QueryKind
from pipeline.discovery.ranking import Likeness
from pipeline.discovery.runner import Find
from pipeline.stages import archives
from pipeline.stages.onward import look_from_known
from pipeline.stages.outcome import Bell
from pipeline.stages.seeds import read_wanted, seed_of_document
from pipeline.store import discoveries, queries, stories
from pipeline.store.discoveries import NewFind
from pipeline.store.tables import Attempt, Capture, FrontierRow, Stage, StoredWitness, Visit
from pipeline.store.words import count_holding

NOW = datetime(2026, 5, 10, tzinfo=UTC)
WORDS = "The harbour board agreed to raise wages by 6.4 percent on Friday."


def copy(
    session: Session, story_id: int | None, url: str, title: str = "Dockers end strike", body: str = WORDS
) -> StoredWitness:
    row = page(session, url)
    witness = StoredWitness(
        frontier_id=row, source=url, host="a.example", title=title, text=body, language="en", slug="dockers end nine day strike",
        published_at=NOW, placed_at=NOW, story_id=story_id, relation="copy",
    )  # fmt: skip
    session.add(witness)
    session.flush()
    return witness


def test_a_story_without_a_recovery_is_looked_for_from_a_copy(session: Session) -> None:
    """Headlines of the page and of its URL, the day, the language and the addresses are the copy's."""
    story = stories.open_story(session, "Dockers end strike", "en")
    copy(session, story.id, "http://a.example/1")
    wanted = read_wanted(session, story.id, NOW)
    assert wanted is not None
    assert wanted.seed.paragraphs == (WORDS,)
    assert wanted.seed.headlines == ("Dockers end strike", "dockers end nine day strike")
    assert (wanted.published, wanted.language, wanted.addresses, wanted.lost) == (NOW, "en", ("http://a.example/1",), ())
    assert read_wanted(session, stories.open_story(session, None, None).id, NOW) is None


def test_a_recovery_brings_its_doubts() -> None:
    """Paragraph by paragraph, as offsets in it; the headline is none of them."""
    printed = "Dockers end strike\n\nThey agreed.\n\nWages rise."
    tokens = [
        {"start": 0, "end": 7, "probability": 0.5},
        {"start": 25, "end": 31, "probability": 0.6},
        {"start": 34, "end": 39, "probability": 1.0},
        {"start": 40, "end": 44, "probability": 0.7},
    ]
    seed = seed_of_document({"text": printed, "title": "Dockers end strike", "tokens": tokens}, ("Dockers end strike",))
    assert seed.paragraphs == ("They agreed.", "Wages rise.")
    assert seed.doubts == ((Doubt(5, 11, 0.6),), (Doubt(6, 10, 0.7),))


def test_our_own_store_knows_phrases(session: Session) -> None:
    """Pages that hold the words in this order, with the passage; words in another order, or elsewhere, are no phrase."""
    story = stories.open_story(session, None, "en")
    copy(session, story.id, "http://a.example/1")
    copy(
        session,
        None,
        "http://a.example/2",
        "Another",
        "Wages by the harbour: 6.4 percent of Fridays, the board agreed to raise nothing.",
    )
    (hit,) = queries.holding(session, ("agreed", "to", "raise", "wages"))
    assert (hit.url, hit.title) == ("http://a.example/1", "Dockers end strike")
    assert "raise wages" in (hit.snippet or "")
    assert queries.holding(session, ("the",)) == ()
    assert queries.holding(session, ("\0\ud800",)) == ()


def test_words_are_counted_in_the_store(session: Session) -> None:
    """How many texts hold each; words that the index does not know are left out."""
    for number in range(3):
        copy(session, None, f"http://a.example/{number}", body=WORDS if number else "Nothing of the kind.")
    session.execute(text("ANALYZE witnesses"))
    counts, texts = count_holding(session, {"harbour", "kestrel", "the"})
    assert counts == {"harbour": 2, "kestrel": 0}
    assert texts >= 3


def archived(url: str, body: bytes = b"<p>What the page said.") -> Find:
    captured = ArchivedPage(200, (("Content-Type", "text/html"),), body, datetime(2026, 4, 20, tzinfo=UTC))
    candidate = Candidate(url, "captured", archived=captured)
    return Find(candidate, url, "common-crawl", Query(QueryKind.LOST, (url,), ""), Likeness(1.0, {}))


def test_a_lost_page_is_taken_from_an_archive(session: Session) -> None:
    """It is captured without a visit, the ledger says from where; a page that arrived is left as it is, and so is one in work."""
    gone = page(session, "http://a.example/gone", Visit.GONE, "the server answers 404")
    good = page(session, "http://a.example/good", Visit.WITNESS)
    busy = page(session, "http://a.example/busy", Visit.WAITING)
    session.add(Attempt(stage=Stage.FETCH, subject_id=busy, worker="w", lease_until=datetime(2100, 1, 1, tzinfo=UTC)))
    session.flush()
    rows = [
        (archived("http://a.example/gone"), gone),
        (archived("http://a.example/good"), good),
        (archived("http://a.example/busy"), busy),
    ]
    bells = archives.take_in(session, rows, SETTINGS)
    session.expire_all()
    capture = session.scalars(select(Capture).where(Capture.frontier_id == gone)).one()
    assert bells == [Bell(Stage.EXTRACT, capture.id)]
    assert (capture.url, capture.status, capture.read_at) == ("http://a.example/gone", 200, None)
    assert capture.headers == [{"name": "content-type", "value": "text/html"}]
    states = dict(session.execute(select(FrontierRow.id, FrontierRow.state)).all())
    assert states == {gone: Visit.CAPTURED, good: Visit.WITNESS, busy: Visit.WAITING}
    said = session.get_one(Attempt, capture.attempt_id).outcome
    assert said == "read out of common-crawl, which captured it on 2026-04-20 00:00:00 UTC"


def test_finds_that_gave_no_text_are_lost_pages(session: Session) -> None:
    """Archives are asked for them, the likeliest first; for pages that arrived they are not."""
    story = stories.open_story(session, None, "en")
    id_ = discoveries.open_discovery(session, story.id, "the test")
    rows = {
        "http://a.example/1": page(session, "http://a.example/1", Visit.GIVEN_UP, "timeout"),
        "http://a.example/2": page(session, "http://a.example/2", Visit.REFUSED, "wall"),
        "http://a.example/3": page(session, "http://a.example/3", Visit.WITNESS),
    }
    finds = [
        NewFind(url, url.removeprefix("http://"), "searxng", "net", "words", None, None, None, number / 10, row)
        for number, (url, row) in enumerate(rows.items(), 5)
    ]
    discoveries.put_finds(session, id_, finds)
    assert discoveries.lost_pages(session, story.id) == ["http://a.example/2", "http://a.example/1"]


def test_who_asks_again_for_a_placed_page_is_answered_now(session: Session) -> None:
    """A URL whose text has a story opens its discovery at once, and wants nothing when its text changes."""
    story = stories.open_story(session, None, "en")
    witness = copy(session, story.id, "http://a.example/1")
    assert witness.frontier_id is not None
    discoveries.want(session, [witness.frontier_id])
    (bell,) = look_from_known(session, [witness.frontier_id], 0 or _job(session))
    session.expire_all()
    assert bell.stage is Stage.DISCOVER
    assert session.get_one(FrontierRow, witness.frontier_id).discover is False


def _job(session: Session) -> int:
    from pipeline.store import jobs  # noqa: PLC0415

    return jobs.open_job(session, "add", "1 URLs")
