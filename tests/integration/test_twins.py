"""Pages with one and the same text: one story, little work, every page listed."""

from collections.abc import Iterator

import pytest
from filled_store import witness
from sqlalchemy import event, func, select, update
from test_stories_made import STRIKE, WORKER, spin

from pipeline.settings import Settings
from pipeline.stages.collating import collate_story
from pipeline.stages.forgetting import forget
from pipeline.stages.placing import place
from pipeline.stages.recovering import recover_story
from pipeline.store import queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Feature, StoredCollation, StoredWitness, Story
from pipeline.store.witnesses import HEARD

PAGES = 30
MANY = 3_000


def store_pages(factory: SessionFactory, count: int, text: str = STRIKE, host: str = "paper") -> list[int]:
    with factory.begin() as session:
        return [witness(session, f"http://{host}{number}.example/x", text).id for number in range(count)]


def finish(factory: SessionFactory, settings: Settings, story_id: int = 1) -> None:
    collate_story(factory, story_id, settings, WORKER)
    recover_story(factory, story_id, settings, WORKER)


def test_identical_pages_are_one_story_in_which_each_is_listed(factory: SessionFactory, settings: Settings) -> None:
    """The first few are heard; of the others what is said of the first one is said; they leave nothing to be done."""
    ids = store_pages(factory, PAGES)
    states = [place(factory, id_, settings, WORKER).state for id_ in ids[:HEARD]]
    assert states == ["opened"] + ["joined as twin"] * (HEARD - 1)
    finish(factory, settings)
    for id_ in ids[HEARD:]:
        assert place(factory, id_, settings, WORKER).ids == (id_, 1)
    with factory() as session:
        story = session.get_one(Story, 1)
        assert (story.revision, story.due_at) == (HEARD, None)
        assert set(session.scalars(select(Feature.witness_id))) == {ids[0]}
        collation = session.scalars(select(StoredCollation)).one()
        assert sorted(collation.witness_ids) == ids[:HEARD]
        copies = queries.copies(session, 1)
        assert (len(copies), queries.story(session, 1).copies) == (PAGES, PAGES)
        assert {(copy.kind, copy.error_rate, copy.coverage, copy.lineage) for copy in copies} == {("verbatim", 0.0, 1.0, 1)}
        assert queries.status(session).adds_up


def test_a_text_is_aligned_once_however_many_pages_have_it(
    factory: SessionFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight pages with one text and a spun copy, two texts are aligned; the collation holds all of them, as it would have."""
    from pipeline.philology.collation import collate, to_data  # noqa: PLC0415 - next to what it is compared with

    aligned: list[int] = []
    monkeypatch.setattr("pipeline.stages.collating.collate", lambda values: aligned.append(len(values)) or collate(values))
    ids = store_pages(factory, HEARD) + store_pages(factory, 1, spin(STRIKE, 1), "spinner")
    for id_ in ids:
        place(factory, id_, settings, WORKER)
    collate_story(factory, 1, settings, WORKER)
    assert aligned == [2]
    with factory() as session:
        from pipeline.store.witnesses import as_value  # noqa: PLC0415 - as above

        whole = to_data(collate([as_value(row) for row in session.scalars(select(StoredWitness))]))
        stored = session.scalars(select(StoredCollation)).one().columns
    assert stored["sources"] == whole["sources"]
    assert [sum(index >= 0 for index in row) for row in stored["columns"]] == [
        sum(index >= 0 for index in row) for row in whole["columns"]
    ]


@pytest.fixture
def statements(factory: SessionFactory) -> Iterator[list[str]]:
    """Every statement that reaches the database."""
    seen: list[str] = []
    engine = factory.kw["bind"]

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_thousands_of_identical_pages_cost_the_same_each(
    factory: SessionFactory, settings: Settings, statements: list[str]
) -> None:
    """The last of 3,000 is placed with as many statements as the tenth, and a story with them is collated like one of eight."""
    ids = store_pages(factory, 10)
    for id_ in ids[:9]:
        place(factory, id_, settings, WORKER)
    statements.clear()
    place(factory, ids[9], settings, WORKER)
    tenth = len(statements)
    with factory.begin() as session:
        rows = (
            {"source": f"http://mirror{n}.example/x", "text": STRIKE, "story_id": 1, "twin_of": ids[0], "relation": "copy"}
            for n in range(MANY)
        )
        session.execute(StoredWitness.__table__.insert().values(placed_at=func.now()), list(rows))
    (last,) = store_pages(factory, 1, host="last")
    statements.clear()
    assert place(factory, last, settings, WORKER).state == "joined as twin"
    assert len(statements) == tenth
    statements.clear()
    finish(factory, settings)
    assert len(statements) < 100
    with factory() as session:
        assert len(session.scalars(select(StoredCollation)).one().witness_ids) == HEARD
        assert queries.story(session, 1).copies == MANY + 11
        assert {copy.lineage for copy in queries.copies(session, 1)} == {1}


def test_forgetting_the_first_page_lets_another_take_its_place(factory: SessionFactory, settings: Settings) -> None:
    """The others stay one story, which is found by the same features, and a copy still joins it."""
    ids = store_pages(factory, 4)
    for id_ in (*ids, *store_pages(factory, 1, spin(STRIKE, 1), "spinner")):
        place(factory, id_, settings, WORKER)
    finish(factory, settings)
    with factory() as session:
        found_by = set(session.scalars(select(Feature.feature).where(Feature.witness_id == ids[0])))
    forget(factory, "http://paper0.example/x", settings)
    finish(factory, settings)
    with factory() as session:
        twins = dict(session.execute(select(StoredWitness.id, StoredWitness.twin_of).where(StoredWitness.id.in_(ids))).all())
        assert twins == {ids[1]: None, ids[2]: ids[1], ids[3]: ids[1]}
        assert set(session.scalars(select(Feature.feature).where(Feature.witness_id == ids[1]))) == found_by
        assert queries.story(session, 1).settled
        assert len(queries.copies(session, 1)) == 4
    (late,) = store_pages(factory, 1, spin(STRIKE, 2), "late")
    assert place(factory, late, settings, WORKER).ids == (late, 1)


def test_a_page_that_shows_an_old_text_again_is_heard(factory: SessionFactory, settings: Settings) -> None:
    """However many pages have that text: the text that it showed in between has no vote any more."""
    ids = store_pages(factory, HEARD + 2)
    other = store_pages(factory, 1, spin(STRIKE, 1))
    with factory.begin() as session:
        session.execute(update(StoredWitness).where(StoredWitness.id == other[0]).values(source="http://again.example/x"))
    for id_ in (*ids, *other):
        place(factory, id_, settings, WORKER)
    finish(factory, settings)
    (again,) = store_pages(factory, 1, host="back")
    with factory.begin() as session:
        session.execute(update(StoredWitness).where(StoredWitness.id == again).values(source="http://again.example/x"))
    place(factory, again, settings, WORKER)
    collate_story(factory, 1, settings, WORKER)
    with factory() as session:
        newest = session.scalars(select(StoredCollation).order_by(StoredCollation.revision.desc())).first()
        assert newest is not None
        assert other[0] not in newest.witness_ids
