"""Candidates by features, what is common among them, and texts that no story can be found for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from filled_store import page, witness
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from test_late_evidence import NAMES, article, paragraphs, spun
from test_stories_made import STRIKE, WORKER

from pipeline.settings import Settings
from pipeline.stages.placing import place
from pipeline.stages.relatives import MOST_LOOKED_UP
from pipeline.store import features, jobs, queries, stories
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import CommonFeature, StoredWitness, Visit

COMMON, HALF = 7, 8


def store_holders(session: Session, count: int) -> list[int]:
    """Witnesses with a story each: all hold COMMON, every second one HALF, each one a feature of its own."""
    ids = []
    for number in range(count):
        row = witness(session, f"http://s{number}.example/x", f"text {number}")
        stories.join(session, stories.open_story(session, None, None).id, row, 0)
        features.put(session, row.id, [COMMON, 1_000 + number, *([HALF] if number % 2 else [])])
        ids.append(row.id)
    return ids


def test_a_feature_leads_to_the_witnesses_that_came_last_with_it(session: Session) -> None:
    """A common one to no more than its reach; a rare one to the first witness of all."""
    ids = store_holders(session, features.REACH + 20)
    found = features.candidates(session, [COMMON, 1_000])
    assert {one.witness_id for one in found} == {ids[0], *ids[-features.REACH :]}
    assert [one.shared for one in found if one.witness_id == ids[0]] == [(1_000,)]
    assert features.candidates(session, [HALF, COMMON])[0].shared in {(HALF, COMMON), (COMMON, HALF)}
    assert features.candidates(session, []) == []


def test_a_lookup_grows_neither_with_the_store_nor_with_the_features(session: Session) -> None:
    """However many hold a feature, the plan reads its reach of them out of the index and no row of the table."""
    store_holders(session, 1)
    session.execute(text("INSERT INTO features SELECT :feature, i FROM generate_series(1000, 60000) AS i"), {"feature": COMMON})
    session.execute(text("ANALYZE features"))
    plan = session.scalars(
        text("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) " + features._CANDIDATES.text),
        {"features": [COMMON, *range(MOST_LOOKED_UP)], "reach": features.REACH, "most": features.MOST},
    ).all()
    (scan,) = [line for line in plan if "on features" in line or "pk_features" in line]
    assert "Index Only Scan Backward using pk_features" in scan
    assert float(scan.split("rows=")[1].split()[0].split(".")[0]) <= features.REACH


def test_common_features_are_counted_by_stories(session: Session) -> None:
    """As many as hold them; again only when enough has come since; what hardly anybody holds is not listed."""
    store_holders(session, 110)
    assert features.count_common(session) == 2
    assert features.frequencies(session, [COMMON, HALF, 1_000]) == {COMMON: 110, HALF: 55}
    assert features.count_common(session) is None
    store_holders(session, 120)
    assert features.count_common(session) == 2
    assert session.scalar(select(CommonFeature.stories).where(CommonFeature.feature == COMMON)) == 230


def test_copies_that_are_placed_at_once_end_in_one_story(factory: SessionFactory, settings: Settings) -> None:
    """Four at a time, in whatever order they get through: each article is one story, and the numbers add up."""
    articles = {name: article(seed) for name, seed in (("a", 1), ("b", 2), ("c", 3))}
    with factory.begin() as session:
        ids = [
            witness(session, f"http://{name}{number}.example/x", paragraphs(words) if number < 2 else spun(words, number)).id
            for number in range(5)
            for name, words in articles.items()
        ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda id_: place(factory, id_, settings, WORKER).state, ids))
    assert sorted(outcomes).count("opened") == 3
    with factory() as session:
        rows = session.execute(select(StoredWitness.source, StoredWitness.story_id)).all()
        assert len({(row.source[7], row.story_id) for row in rows}) == len({row.story_id for row in rows}) == 3
        assert features.placed(session) == 12  # three of the texts are twins
        assert queries.status(session).adds_up


def test_what_was_compared_is_kept_with_who_opens_a_story(factory: SessionFactory, settings: Settings) -> None:
    """The nearest one and what was found to be between them; nothing where nothing shared a feature."""
    other = paragraphs([*article(2), *STRIKE.split("\n\n")[:1]])
    with factory.begin() as session:
        ids = [witness(session, f"http://{n}.example/x", words).id for n, words in enumerate((STRIKE, other))]
    for id_ in ids:
        place(factory, id_, settings, WORKER)
    with factory() as session:
        first, second = (session.get_one(StoredWitness, id_).relation_evidence for id_ in ids)
    assert first == {"compared": 0, "nearest": None}
    assert second is not None
    assert (second["compared"], second["nearest"]["of"]) == (1, ids[0])
    assert second["nearest"]["kind"] in {"unrelated", "excerpt"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "no words"),
        (" ".join(STRIKE.split()[:20]), "only 21 words"),
        (f"Present were {' '.join(NAMES * 2)}", "only names and numbers"),
        (" ".join(str(number) for number in range(300)), "only names and numbers"),
        (
            "We use cookies and so do our partners. Subscribe to read on. Log in to your account, or manage your consent here. "
            * 3,
            "cookies",
        ),
    ],
)
def test_thin_texts_are_kept_with_the_reason(factory: SessionFactory, settings: Settings, words: str, why: str) -> None:
    """In no story, however many pages have one; the job that brought them shows why."""
    with factory.begin() as session:
        rows = [witness(session, f"http://thin{n}.example/x", words) for n in range(2)]
        ids = [row.id for row in rows]
        job_id = jobs.open_job(session, "add", "2 URLs")
        jobs.add_items(session, job_id, [row.frontier_id or 0 for row in rows])
        page(session, "http://gone.example/x", Visit.GONE, "the server answers 404")
    states = [place(factory, id_, settings, WORKER).state for id_ in ids]
    assert all(state.startswith("no story: ") and why in state for state in states)
    with factory() as session:
        items = queries.job_items(session, job_id)
        assert [(item.story_id, why in (item.thin or ""), item.step) for item in items] == [(None, True, "ended")] * 2
        assert queries.status(session).adds_up
