"""A page that holds several stories is placed part by part, whenever that shows."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from filled_store import visit, witness
from sqlalchemy import select, text
from test_late_evidence import article, make_all, paragraphs, spun
from test_stories_made import STRIKE, WORKER

from pipeline.crawl.urls import parse
from pipeline.settings import Settings
from pipeline.stages.forgetting import forget
from pipeline.stages.placing import place
from pipeline.store import jobs, queries, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredWitness, Visit

OTHER = article(2, 15)
DIGEST = "\n\n".join(["In brief", STRIKE, "More news", paragraphs(OTHER)])
TEXTS = {"digest": DIGEST, "strike": STRIKE, "other": paragraphs(OTHER), "spun": spun(OTHER, 3)}


def place_rung(factory: SessionFactory, settings: Settings, names: Sequence[str]) -> None:
    """Store and place texts in this order, with whatever each placing rings for."""
    for name in names:
        with factory.begin() as session:
            row = witness(session, f"http://{name}.example/x", TEXTS[name])
            row.capture_id = visit(session, row.frontier_id or 0, row.source, Visit.CAPTURED)
            id_ = row.id
        waiting = [id_]
        while waiting:
            outcome = place(factory, waiting.pop(0), settings, WORKER)
            assert all(bell.stage is Stage.PLACE for bell in outcome.next)
            waiting += [subject for bell in outcome.next for subject in bell.subjects]


def groups(factory: SessionFactory) -> set[frozenset[str]]:
    with factory() as session:
        rows = session.scalars(select(StoredWitness).where(StoredWitness.story_id.is_not(None))).all()
        names = [(f"{row.source.split('/')[2].removesuffix('.example')}{row.part or ''}", row.story_id) for row in rows]
    return {frozenset(name for name, other in names if other == story) for _, story in names}


@pytest.mark.parametrize("order", [order for order in permutations(TEXTS) if order.index("other") < order.index("spun")][::3])
def test_a_page_of_two_stories_is_parted_in_whatever_order_they_come(
    factory: SessionFactory, settings: Settings, order: Sequence[str]
) -> None:
    """Each part is a copy of its story; the page as a whole is in none, and says how many texts it holds."""
    place_rung(factory, settings, order)
    assert groups(factory) == {frozenset({"digest1", "strike"}), frozenset({"digest2", "other", "spun"})}
    with factory() as session:
        whole = session.scalars(
            select(StoredWitness).where(StoredWitness.source.contains("digest"), StoredWitness.part == 0)
        ).one()
        assert (whole.story_id, whole.thin) == (None, "holds 2 texts, each placed by itself")
        assert queries.status(session).adds_up


def test_a_parted_page_is_told_of(factory: SessionFactory, settings: Settings) -> None:
    """Its history names the stories of its parts, a job for it ends when both have come to rest, copies show both parts."""
    place_rung(factory, settings, ["strike", "other", "digest"])
    url = parse("http://digest.example/x")
    with factory.begin() as session:
        row = session.scalars(select(StoredWitness.frontier_id).where(StoredWitness.source == url.text)).first()
        session.execute(text("UPDATE frontier SET state = 'witness'"))
        job_id = jobs.open_job(session, "add", "1 URL")
        jobs.add_items(session, job_id, [row or 0])
    with factory() as session:
        assert not queries.job(session, job_id).done
        verdict = queries.url_history(session, url.key, url.text).verdict
        assert verdict == "Arrived as a page of several texts, 2 witnesses of stories 1, 2."
    make_all(factory, settings)
    with factory() as session:
        assert queries.job(session, job_id).done
        assert [len(queries.copies(session, story_id)) for story_id in (1, 2)] == [2, 2]


def test_a_parted_page_that_shows_another_text_has_one_vote(factory: SessionFactory, settings: Settings) -> None:
    """When the page holds one of its stories alone by now, the part that it showed before is heard no more."""
    place_rung(factory, settings, ["strike", "other", "digest"])
    with factory.begin() as session:
        page = session.scalars(
            select(StoredWitness).where(StoredWitness.source.contains("digest"), StoredWitness.part == 0)
        ).one()
        now = StoredWitness(
            source=page.source,
            frontier_id=page.frontier_id,
            capture_id=visit(session, page.frontier_id or 0, page.source, Visit.CAPTURED),
            text=spun(OTHER, 9),
        )
        session.add(now)
        session.flush()
        id_ = now.id
    assert place(factory, id_, settings, WORKER).ids == (id_, 2)
    with factory() as session:
        heard = [(row.source[7:12], row.part) for row in witnesses.copies_of(session, 2)]
        listed = [copy.witness_id for copy in queries.copies(session, 2) if copy.source == page.source]
    assert heard == [("other", 0), ("diges", 0)]
    assert listed == [id_]


def test_a_parted_page_is_forgotten_with_its_parts(factory: SessionFactory, settings: Settings) -> None:
    """No text of it is left, and its stories go on without it."""
    place_rung(factory, settings, ["strike", "other", "digest"])
    make_all(factory, settings)
    found = forget(factory, "http://digest.example/x", settings)
    assert (found.witnesses, found.remade) == (3, (1, 2))
    make_all(factory, settings)
    assert groups(factory) == {frozenset({"strike"}), frozenset({"other"})}
