"""Place, collate and recover, on a real database: witnesses in, recoveries out."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, update

from pipeline.settings import Settings
from pipeline.stages.claims import claim
from pipeline.stages.collating import collate_story
from pipeline.stages.outcome import Bell
from pipeline.stages.placing import place
from pipeline.stages.recovering import recover_story
from pipeline.stages.sweeping import sweep, tick
from pipeline.store import recoveries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import (
    ApparatusEntry,
    Attempt,
    QuarantinedWork,
    SiteError,
    Stage,
    StoredCollation,
    StoredRecovery,
    StoredWitness,
    Story,
)

WORKER = "test"
STRIKE = """Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent, both sides said, letting 41 container ships that had waited outside the breakwater begin to unload.

"We asked for a wage that pays the rent in this city, and we have it in writing," said Ilse Marrant, who leads the Calder Quay Workers' Union, after 17 hours of talks in the customs house.

The board's chairman, Tomas Vereker, said the agreement would cost $12.3 million a year and would be paid for by a fee of $9 on every container that leaves the port by road.

Exporters of fruit said losses since the walkout began on March 1 had reached $58 million, with 2,300 tonnes of pears spoiled in warehouses that ran out of cold space on the fourth day.

The government in Lanvere had threatened to send soldiers to work the cranes, a step last taken in 1987, when two men died after a gantry fell on the northern quay."""
WORDS = {
    "ended": "finished",
    "agreed": "concurred",
    "wages": "salaries",
    "ships": "vessels",
    "city": "metropolis",
    "talks": "discussions",
    "losses": "damages",
    "soldiers": "troopers",
    "men": "guys",
    "cost": "price",
}


def spin(text: str, seed: int) -> str:
    """The text with most of the words of WORDS replaced."""
    random_ = random.Random(seed)
    return " ".join(WORDS.get(word, word) if random_.random() < 0.8 else word for word in text.split(" "))


def store(factory: SessionFactory, texts: Sequence[str]) -> list[int]:
    """Witnesses on hosts of their own, unplaced."""
    with factory.begin() as session:
        rows = [
            StoredWitness(
                source=f"http://paper{number}.example/story",
                host=f"paper{number}.example",
                language="en",
                text=text,
            )
            for number, text in enumerate(texts)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def make_story(factory: SessionFactory, settings: Settings, texts: Sequence[str]) -> int:
    """The story of the witnesses, placed, collated and recovered."""
    for id_ in store(factory, texts):
        place(factory, id_, settings, WORKER)
    with factory() as session:
        story_id = session.scalars(select(Story.id)).one()
    collate_story(factory, story_id, settings, WORKER)
    recover_story(factory, story_id, settings, WORKER)
    return story_id


def recover_again(factory: SessionFactory, settings: Settings, story_id: int) -> None:
    """Recover a story as if that had not been done."""
    with factory.begin() as session:
        session.execute(update(Story).values(recovered=0))
    assert recover_story(factory, story_id, settings, WORKER).state == "unchanged"


def test_copies_become_a_story_and_its_wording_is_recovered(factory: SessionFactory, settings: Settings) -> None:
    """Two verbatim and two spun copies end in one story whose recovered text is the original's."""
    story_id = make_story(factory, settings, [STRIKE, spin(STRIKE, 1), STRIKE, spin(STRIKE, 2)])
    with factory() as session:
        recovery = session.scalars(select(StoredRecovery)).one()
        story = session.get_one(Story, story_id)
        assert recovery.text == STRIKE
        assert (story.revision, story.collated, story.recovered, story.due_at) == (4, 4, 4, None)
        document = recoveries.document_of(session, recovery)
    assert [document["text"][token["start"] : token["end"]] for token in document["tokens"]] == [
        t["text"] for t in document["tokens"]
    ]
    assert all(
        document["text"][unit["start"] : unit["end"]] == next(r["text"] for r in unit["readings"] if r["lemma"])
        for unit in document["apparatus"]
    )


def test_what_changes_nothing_makes_no_new_version(factory: SessionFactory, settings: Settings) -> None:
    """A recovery that says what the last one said is no second version; a witness more is one, and sigla stay."""
    story_id = make_story(factory, settings, [STRIKE, spin(STRIKE, 1), spin(STRIKE, 2)])
    assert recover_story(factory, story_id, settings, WORKER).state == "recovered already"
    recover_again(factory, settings, story_id)
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(StoredRecovery)) == 1
        sigla = dict(session.execute(select(StoredWitness.id, StoredWitness.siglum)).all())
    (late,) = store(factory, [STRIKE.replace("percent", "per cent")])
    with factory.begin() as session:
        session.get_one(StoredWitness, late).source = "http://paper9.example/story"
    place(factory, late, settings, WORKER)
    collate_story(factory, story_id, settings, WORKER)
    recover_story(factory, story_id, settings, WORKER)
    with factory() as session:
        assert session.scalars(select(StoredRecovery.version).order_by(StoredRecovery.version)).all() == [1, 2]
        again = dict(session.execute(select(StoredWitness.id, StoredWitness.siglum)).all())
        assert {id_: again[id_] for id_ in sigla} == sigla
        assert set(again.values()) == {"A", "B", "C", "D"}
        versions = session.scalars(select(ApparatusEntry.recovery_id).distinct()).all()
    assert len(versions) == 2


def test_a_collation_that_no_longer_fits_is_made_again(factory: SessionFactory, settings: Settings) -> None:
    """A stored collation whose columns do not hold the witnesses' tokens leads to a new one, not to quarantine."""
    story_id = make_story(factory, settings, [STRIKE, spin(STRIKE, 1), spin(STRIKE, 2)])
    with factory.begin() as session:
        stored = session.scalars(select(StoredCollation)).one()
        stored.columns = {**stored.columns, "columns": [row[:-5] for row in stored.columns["columns"]]}
        session.execute(update(Story).values(recovered=0))
    assert recover_story(factory, story_id, settings, WORKER).next == (Bell(Stage.COLLATE, story_id),)
    assert collate_story(factory, story_id, settings, WORKER).next == (Bell(Stage.RECOVER, story_id),)
    assert recover_story(factory, story_id, settings, WORKER).state == "unchanged"


def test_a_story_teaches_the_next_one_once(factory: SessionFactory, settings: Settings) -> None:
    """A site's errors in a story are kept once, however often the story is recovered, and not used for the story itself."""
    story_id = make_story(factory, settings, [STRIKE, STRIKE, spin(STRIKE, 1), spin(STRIKE, 2)])
    recover_again(factory, settings, story_id)
    with factory() as session:
        rates = {row.host: row.wrong / row.compared for row in session.scalars(select(SiteError))}
        own = recoveries.evidence_for(session, story_id, "en", list(rates), ["vessels"])
        others = recoveries.evidence_for(session, story_id + 1, "en", list(rates), ["vessels"])
    assert rates["paper0.example"] < 0.01 < rates["paper2.example"]
    assert (own.error_rates, own.pairs) == ({}, ())
    assert [(pair.original, pair.spun, pair.stories) for pair in others.pairs] == [("ships", "vessels", 1)]
    assert others.error_rates.keys() == rates.keys()


def test_a_thin_text_is_kept_without_a_story(factory: SessionFactory, settings: Settings) -> None:
    """A text that could belong anywhere is placed nowhere, with the reason."""
    (id_,) = store(factory, ["We use cookies. Subscribe to read."])
    outcome = place(factory, id_, settings, WORKER)
    with factory() as session:
        row = session.get_one(StoredWitness, id_)
    assert outcome.state == f"no story: {row.thin}"
    assert (row.story_id, row.placed_at is None) == (None, False)


def test_work_is_done_once_however_often_its_bell_rings(factory: SessionFactory, settings: Settings) -> None:
    """A second placing of a placed witness changes nothing, and work that somebody holds is not begun."""
    (id_,) = store(factory, [STRIKE])
    with claim(factory, Stage.PLACE, id_, "somebody", settings):
        assert place(factory, id_, settings, WORKER).state == "taken"
    with factory.begin() as session:
        session.execute(update(Attempt).values(ended_at=func.now(), end="done"))
    assert place(factory, id_, settings, WORKER).state == "opened"
    assert place(factory, id_, settings, WORKER).state == "placed already"
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Story)) == 1


def test_an_exception_is_counted_and_quarantined_with_its_history(
    factory: SessionFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three exceptions of our own over one witness put it in quarantine; the sweep does not ring for it again."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("by us")

    monkeypatch.setattr("pipeline.stages.placing.fingerprint", fail)
    (id_,) = store(factory, [STRIKE])
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            place(factory, id_, settings, WORKER)
    assert place(factory, id_, settings, WORKER).state == "taken"
    with factory.begin() as session:
        session.execute(update(StoredWitness).values(created_at=func.now() - func.make_interval(0, 0, 0, 1)))
        session.execute(update(Attempt).values(ended_at=func.now() - func.make_interval(0, 0, 0, 1)))
    assert sweep(factory, settings).next == ()
    with factory() as session:
        entry = session.scalars(select(QuarantinedWork)).one()
    assert (entry.stage, entry.subject_id, entry.reason) == (Stage.PLACE, id_, "ZeroDivisionError: by us")
    assert [attempt["end"] for attempt in entry.history] == ["error"] * 3


def test_the_tick_and_the_sweep_find_what_no_bell_rang_for(factory: SessionFactory, settings: Settings) -> None:
    """With every bell lost, tick and sweep ring for each step that is due until the story is recovered."""
    ids = store(factory, [STRIKE, spin(STRIKE, 1), spin(STRIKE, 2)])
    with factory.begin() as session:
        session.execute(update(StoredWitness).values(created_at=func.now() - func.make_interval(0, 0, 0, 1)))
    assert sweep(factory, settings).next == tuple(Bell(Stage.PLACE, id_) for id_ in ids)
    for id_ in ids:
        place(factory, id_, settings, WORKER)
    with factory() as session:
        story_id = session.scalars(select(Story.id)).one()
    assert tick(factory, settings).next == (Bell(Stage.COLLATE, story_id),)
    collate_story(factory, story_id, settings, WORKER)
    assert tick(factory, settings).next == ()
    assert sweep(factory, settings).next == (Bell(Stage.RECOVER, story_id),)
    recover_story(factory, story_id, settings, WORKER)
    assert (tick(factory, settings).next, sweep(factory, settings).next) == ((), ())


def test_a_page_that_shows_another_text_gets_another_siglum(factory: SessionFactory, settings: Settings) -> None:
    """The text that it showed before keeps its own, so that what was said of it stays true."""
    story_id = make_story(factory, settings, [STRIKE, STRIKE])
    with factory.begin() as session:
        newer = StoredWitness(source="http://paper0.example/story", host="paper0.example", text=STRIKE[:-60])
        session.add(newer)
        session.flush()
        newer_id = newer.id
    place(factory, newer_id, settings, WORKER)
    collate_story(factory, story_id, settings, WORKER)
    with factory() as session:
        sigla = session.execute(select(StoredWitness.source, StoredWitness.siglum).order_by(StoredWitness.id)).all()
    assert [siglum for _, siglum in sigla] == ["A", "B", "C"]
