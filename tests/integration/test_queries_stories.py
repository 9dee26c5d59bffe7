import pytest
from filled_store import MAY, SETTINGS, document, page, recover, story, witness
from sqlalchemy import func
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.stages.collating import collate_story
from pipeline.stages.placing import place
from pipeline.stages.recovering import recover_story
from pipeline.store import queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredWitness, Visit

TEXT = "Ferries stopped at noon. The harbour master said 40 boats were kept in."


def test_story_tells_what_it_waits_for(session: Session) -> None:
    """Before a recovery a story waits for collation; after it, for nothing; with a new copy, for collation again."""
    first = witness(session, "http://a.example/ferries", TEXT, title="Ferries stop")
    of = story(session, "Ferries stop", first)
    waiting = queries.story(session, of.id)
    assert (waiting.recovery, waiting.settled, waiting.waits_for, waiting.copies) == (None, False, "collation", 1)
    recover(session, of, TEXT)
    settled = queries.story(session, of.id)
    assert (settled.settled, settled.waits_for, settled.versions) == (True, None, 1)
    of.revision += 1
    session.flush()
    assert queries.story(session, of.id).waits_for == "collation"
    of.collated = of.revision
    session.flush()
    assert queries.story(session, of.id).waits_for == "recovery"


def test_story_versions(session: Session) -> None:
    """The newest version by default, an earlier one on request, each with its own apparatus; an unknown one is not found."""
    of = story(session, "Ferries stop", witness(session, "http://a.example/ferries", TEXT))
    recover(session, of, TEXT)
    recover(session, of, TEXT + " They sail again.")
    newest, first = queries.story(session, of.id).recovery, queries.story(session, of.id, 1).recovery
    assert newest is not None
    assert first is not None
    assert (newest.version, first.version) == (2, 1)
    assert first.text == TEXT
    assert first.document == document("Ferries stop", TEXT)
    with pytest.raises(NotFound, match="versions 1 to 2"):
        queries.story(session, of.id, 3)


@pytest.mark.parametrize("id_", [0, -1, 999_999_999, 2**63 - 1, 2**63, 10**40])
def test_unknown_numbers_are_not_found(session: Session, id_: int) -> None:
    """A number that nothing has, however large, is not found, and the message says where to look."""
    for ask in (queries.story, queries.copies, queries.job, queries.job_items, queries.quarantine_entry):
        with pytest.raises(NotFound, match="`wirecopy "):
            ask(session, id_)


def test_copies_in_order(session: Session) -> None:
    """Copies come by siglum, B before AA, each page once with its newest text; those without siglum stand last."""
    pages = {"AA": "http://a.example/1", "B": "http://b.example/2", "A": "http://c.example/3"}
    members = [witness(session, url, TEXT, siglum=siglum) for siglum, url in pages.items()]
    found_late = witness(session, "http://d.example/4", TEXT, by="source harbour")
    of = story(session, "Ferries stop", *members, found_late)
    earlier = members[1]
    newer = StoredWitness(
        frontier_id=earlier.frontier_id,
        source=earlier.source,
        host=earlier.host,
        text="Ferries stopped. Later more.",
        siglum="C",
        relation="copy",
        story_id=of.id,
        placed_at=func.now(),
        kind="edited",
        error_rate=0.125,
        coverage=0.5,
        exemplar="A",
        lineage=2,
    )
    session.add(newer)
    session.flush()
    copies = queries.copies(session, of.id)
    assert [copy.siglum for copy in copies] == ["A", "C", "AA", None]
    second = copies[1]
    assert (second.kind, second.error_rate, second.coverage, second.exemplar, second.lineage) == ("edited", 0.125, 0.5, "A", 2)
    assert (second.texts, second.host, second.source) == (2, "b.example", "http://b.example/2")
    assert [copy.found_by for copy in copies] == ["hand", "hand", "hand", "source harbour"]
    assert copies[0].published_at == MAY


PARAGRAPHS = (
    "PORT LORNE (Wire) - Ferries between Port Lorne and the Almery islands stopped at noon on Tuesday after a storm warning.",
    "The harbour master, Iris Vandelaar, said 40 boats were kept in and that crossings would not resume before Thursday.",
    '"We have seen waves of six metres off the northern mole," she told reporters. "No captain should try his luck today."',
    "The company that runs the ferries said it had refunded 1,250 tickets and put up 300 travellers in hotels near the pier.",
    "Forecasters at the coast station expect winds of up to 110 kilometres an hour through the night, easing on Wednesday.",
)


def test_stages_lead_to_a_story_that_queries_show(factory: SessionFactory) -> None:
    """Placed, collated and recovered by the stages, three copies are one settled story, and a job for them is done."""
    with factory.begin() as session:
        page(session, "http://gone.example/x", Visit.GONE, "the server answers 404")
        edited = [PARAGRAPHS[0].replace("at noon", "at midday"), *PARAGRAPHS[1:]]
        texts = ["\n\n".join(PARAGRAPHS), "\n\n".join(PARAGRAPHS), "\n\n".join(edited)]
        ids = [
            witness(session, f"http://{host}.example/ferries", text, title="Ferries stop").id
            for host, text in zip("abc", texts, strict=True)
        ]
    for id_ in ids:
        place(factory, id_, SETTINGS, "dedupe@test")
    with factory() as session:
        (hit,) = queries.search(session, queries.SearchFilter("Vandelaar"))
        assert hit.copies == 3
    collate_story(factory, hit.id, SETTINGS, "dedupe@test")
    recover_story(factory, hit.id, SETTINGS, "dedupe@test")
    with factory() as session:
        found = queries.story(session, hit.id)
        copies = queries.copies(session, hit.id)
        status = queries.status(session)
        history = queries.url_history(session, *_key_and_url("http://c.example/ferries"))
    assert found.settled
    assert found.recovery is not None
    assert "stopped at noon" in found.recovery.text
    assert [copy.siglum for copy in copies] == ["A", "B", "C"]
    assert [copy.coverage for copy in copies] == pytest.approx([1.0, 1.0, 1.0], abs=0.1)
    assert (status.stories_settled, status.witnesses_in_stories, status.adds_up) == (1, 3, True)
    assert [step.stage for step in history.steps] == [Stage.FETCH, Stage.PLACE, Stage.COLLATE, Stage.RECOVER]
    assert history.verdict.startswith(f"Arrived as witness {ids[2]} of story {hit.id}, siglum C")


def _key_and_url(text: str) -> tuple[str, str]:
    from pipeline.crawl.urls import parse  # noqa: PLC0415 - one line of one test

    url = parse(text)
    return url.key, url.text
