"""Stories found to be one are merged, those found to be two are split, in whatever order their witnesses come."""

import random
from collections.abc import Iterable, Sequence

import pytest
from filled_store import witness
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from test_stories_made import STRIKE

from pipeline.settings import Settings
from pipeline.stages.claims import ClaimLost, claim
from pipeline.stages.collating import collate_story
from pipeline.stages.forgetting import forget
from pipeline.stages.outcome import Outcome
from pipeline.stages.placing import place
from pipeline.stages.recovering import recover_story
from pipeline.store import merging, queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Feature, Stage, StoredRecovery, StoredWitness, Story, StoryEvent, StoryLink, Table

WORKER = "test"
NAMES = [
    "Marrant",
    "Vereker",
    "Calder",
    "Lanvere",
    "Quillfeather",
    "Ostrava",
    "Tamsin",
    "Brocklehurst",
    "Ingram",
    "Pell",
    "Okonjo",
    "Whitlock",
    "Sorensen",
    "Dray",
    "Halloran",
    "Mbeki",
    "Castellan",
    "Revel",
    "Thackeray",
    "Umber",
    "Wexholm",
    "Almery",
    "Vandelaar",
    "Lorne",
    "Nkemelu",
    "Strand",
    "Birkett",
    "Yarrow",
]
WORDS = [
    "harbour",
    "council",
    "minister",
    "agreement",
    "wages",
    "strike",
    "cranes",
    "containers",
    "warehouse",
    "exporters",
    "tonnes",
    "losses",
    "union",
    "talks",
    "police",
    "hospital",
    "bridge",
    "railway",
    "storm",
    "warning",
    "tickets",
    "passengers",
    "refund",
    "forecast",
    "island",
    "election",
    "ballot",
    "recount",
    "budget",
    "deficit",
    "factory",
    "turbine",
    "reactor",
    "orchard",
    "vineyard",
    "auction",
    "painting",
    "museum",
    "satellite",
    "launch",
    "engine",
    "verdict",
    "tribunal",
    "witness",
    "appeal",
]


FRAMES = (
    "The {w[0]} {w[1]} said {a} and {b} would bring {n} {w[2]} to the {w[3]} {w[4]} before the {w[5]} {w[6]} of the {w[7]} {w[8]}.",
    "After {n} hours {a} left its {w[0]} {w[1]}, where {b} had spoken against {w[2]} {w[3]} since no {w[4]} {w[5]} followed {w[6]}.",
    "Nobody at {a} expected {w[0]} {w[1]}: {b} counted {n} of them, mostly {w[2]} {w[3]}, under old {w[4]} {w[5]} near {w[6]} {w[7]}.",
    "With {w[0]} {w[1]} up {n} points, {a} may ask {b} for more {w[2]} {w[3]}, though {w[4]} {w[5]} still depend on {w[6]} {w[7]}.",
    "If {b} refuses, {n} {w[0]} {w[1]} go back into {w[2]} {w[3]}; {a} calls that {w[4]} {w[5]} and wants {w[6]} {w[7]} instead.",
)


def article(seed: int, sentences: int = 24) -> list[str]:
    """The sentences of an article that nobody else wrote."""
    draw = random.Random(seed)
    frame = FRAMES[seed % len(FRAMES)]
    return [
        frame.format(a=a, b=b, n=draw.randint(1000, 99999), w=[draw.choice(WORDS) for _ in range(9)])
        for a, b in (draw.sample(NAMES, 2) for _ in range(sentences))
    ]


def paragraphs(sentences: Sequence[str]) -> str:
    return "\n\n".join(" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3))


def spun(sentences: Sequence[str], seed: int) -> str:
    draw = random.Random(seed)
    words = paragraphs(sentences).split(" ")
    return " ".join(draw.choice(WORDS) if word in WORDS and draw.random() < 0.35 else word for word in words)


def worn(sentences: Sequence[str], parity: int) -> str:
    """A copy of which every other word was replaced: one of each parity have names in places alone in common."""
    draw = random.Random(parity)
    words = paragraphs(sentences).split(" ")
    return " ".join(
        word if at % 2 != parity or "\n" in word else "".join(draw.choice("bcdfghjk") + draw.choice("aeiou") for _ in range(3))
        for at, word in enumerate(words)
    )


def touched(words: str, seed: int) -> str:
    """A copy of a copy with a word in thirty replaced."""
    draw = random.Random(seed)
    return " ".join("touched" if draw.random() < 0.03 and "\n" not in word else word for word in words.split(" "))


def store(factory: SessionFactory, texts: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Unplaced witnesses by name."""
    with factory.begin() as session:
        return {name: witness(session, f"http://{name}.example/x", words).id for name, words in texts}


def place_all(factory: SessionFactory, settings: Settings, texts: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The story of each text, by its name, when all are placed in this order."""
    ids = store(factory, texts)
    for id_ in ids.values():
        place(factory, id_, settings, WORKER)
    with factory() as session:
        placed = dict(session.execute(select(StoredWitness.id, StoredWitness.story_id)).all())
    return {name: placed[id_] for name, id_ in ids.items()}


def make_all(factory: SessionFactory, settings: Settings) -> None:
    """Collate and recover what is due until nothing is."""
    for _ in range(20):
        with factory() as session:
            due = session.scalars(select(Story.id).where(Story.due_at.is_not(None))).all()
            late = session.scalars(select(Story.id).where(Story.collated > Story.recovered)).all()
        if not due and not late:
            return
        for story_id in due:
            collate_story(factory, story_id, settings, WORKER)
        for story_id in {*due, *late}:
            recover_story(factory, story_id, settings, WORKER)
    raise AssertionError("stories do not come to rest")


ONE = article(1)
WORN = [("first", worn(ONE, 0)), ("second", worn(ONE, 1))]
WHOLE = ("whole", paragraphs(ONE))


def test_a_copy_of_two_stories_makes_them_one(factory: SessionFactory, settings: Settings) -> None:
    """Two copies worn in other places are strangers until the whole comes; then there is one story, and the number of the other leads to it."""
    before = place_all(factory, settings, WORN)
    assert before == {"first": 1, "second": 2}
    make_all(factory, settings)
    after = place_all(factory, settings, [WHOLE])
    assert after == {"whole": 1}
    make_all(factory, settings)
    with factory() as session:
        assert set(session.scalars(select(StoredWitness.story_id))) == {1}
        merged = queries.story(session, 2)
        assert (merged.id, merged.asked, merged.settled, merged.copies) == (1, 2, True, 3)
        assert merged.recovery is not None
        assert all(sentence in merged.recovery.text.replace("\n\n", " ") for sentence in ONE)
        assert [(one.change, one.story, one.other, one.witnesses) for one in merged.history] == [("merged", 1, 2, 1)]
        assert queries.story(session, 2, 1).recovery is not None
        assert [hit.id for hit in queries.search(session, queries.SearchFilter())] == [1]
        assert len(queries.copies(session, 2)) == 3
        assert queries.status(session).adds_up


def test_sigla_survive_a_merge(factory: SessionFactory, settings: Settings) -> None:
    """The older story's sigla stay, the younger one's where they are free there; the others get the next free ones."""
    more = [("third", touched(WORN[1][1], 5)), ("fourth", touched(WORN[1][1], 6))]
    names = [name for name, _ in (*WORN, *more)]
    place_all(factory, settings, [*WORN, *more])
    make_all(factory, settings)
    with factory() as session:
        before = dict(session.execute(select(StoredWitness.source, StoredWitness.siglum)).all())
    assert before == {f"http://{name}.example/x": siglum for name, siglum in zip(names, "ABCA", strict=True)}
    place_all(factory, settings, [WHOLE])
    collate_story(factory, 1, settings, WORKER)
    with factory() as session:
        after = dict(session.execute(select(StoredWitness.source, StoredWitness.siglum)).all())
        (event,) = session.scalars(select(StoryEvent))
    kept = {source for source in before if after[source] == before[source]}
    assert kept == {f"http://{name}.example/x" for name in ("first", "second", "third")}
    assert {after["http://fourth.example/x"], after["http://whole.example/x"]} == {"D", "E"}
    assert event.sigla == ["B", "C", "A"]


def test_a_merge_takes_the_story_from_whoever_is_at_it(factory: SessionFactory, settings: Settings) -> None:
    """A collation of one of them that was begun before stores nothing; the merged story is due."""
    place_all(factory, settings, WORN)

    def finish_late(story_id: int) -> None:
        with claim(factory, Stage.COLLATE, story_id, "late", settings) as held:
            assert held is not None
            place_all(factory, settings, [WHOLE])
            with factory.begin() as session:
                held.finish(session, Outcome("collated"))

    with pytest.raises(ClaimLost):
        finish_late(2)
    make_all(factory, settings)
    with factory() as session:
        assert queries.story(session, 1).settled


def test_a_merge_that_breaks_off_has_not_begun(
    factory: SessionFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends in the middle of a merge leaves two stories; placing the witness again makes them one."""
    place_all(factory, settings, WORN)
    ids = store(factory, [WHOLE])
    whole = merging._make_again

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(merging, "_make_again", fail)
    with pytest.raises(KeyboardInterrupt):
        place(factory, ids["whole"], settings, WORKER)
    with factory.begin() as session:
        assert sorted(session.scalars(select(StoredWitness.story_id).where(StoredWitness.story_id.is_not(None)))) == [1, 2]
        session.execute(text("UPDATE attempts SET lease_until = now() - interval '1 second' WHERE ended_at IS NULL"))
    monkeypatch.setattr(merging, "_make_again", whole)
    assert place(factory, ids["whole"], settings, WORKER).ids == (ids["whole"], 1)
    with factory() as session:
        assert set(session.scalars(select(StoredWitness.story_id))) == {1}
        assert session.scalar(select(func.count()).select_from(StoryEvent)) == 1


def test_what_nothing_holds_together_is_split(factory: SessionFactory, settings: Settings) -> None:
    """With the whole forgotten its worn copies are two stories again; history says so, sigla stay and are not given again."""
    place_all(factory, settings, [*WORN, WHOLE, ("third", touched(WORN[0][1], 3))])
    make_all(factory, settings)
    with factory() as session:
        sigla = dict(session.execute(select(StoredWitness.source, StoredWitness.siglum)).all())
    forget(factory, "http://whole.example/x", settings)
    make_all(factory, settings)
    with factory() as session:
        rows = {row.source: row for row in session.scalars(select(StoredWitness))}
        home, gone = rows["http://first.example/x"].story_id, rows["http://second.example/x"].story_id
        assert home == rows["http://third.example/x"].story_id == 1
        assert gone not in {1, 2, None}
        assert {source: row.siglum for source, row in rows.items()} == {source: sigla[source] for source in rows}
        changes = [(one.change, one.story, one.other) for one in queries.story(session, 1).history]
        assert changes == [("merged", 1, 2), ("split", 1, gone)]
        assert queries.story(session, gone or 0).settled
        assert queries.status(session).adds_up
    place_all(factory, settings, [("late", touched(WORN[0][1], 9))])
    make_all(factory, settings)
    with factory() as session:
        late = session.scalars(select(StoredWitness.siglum).where(StoredWitness.source.contains("late"))).one()
        assert late not in {sigla["http://second.example/x"], *(row.siglum for row in rows.values())}


def test_what_was_split_is_not_merged_by_a_page_that_has_both(factory: SessionFactory, settings: Settings) -> None:
    """Its stories were one and were parted: a copy of both joins the one that it has more of."""
    place_all(factory, settings, [*WORN, WHOLE])
    forget(factory, "http://whole.example/x", settings)
    make_all(factory, settings)
    placed = place_all(factory, settings, [("again", touched(paragraphs(ONE), 1))])
    with factory() as session:
        worn_copies = session.scalars(select(StoredWitness.story_id).where(~StoredWitness.source.contains("again"))).all()
        assert placed["again"] in worn_copies
        assert len(set(worn_copies)) == 2


def test_strangers_that_a_recovery_names_get_a_story_of_their_own(factory: SessionFactory, settings: Settings) -> None:
    """Two articles in one story, by whatever mistake, are two stories after the next recovery, and come to rest."""
    other = article(2)
    texts = [("a", paragraphs(ONE)), ("b", spun(ONE, 1)), ("c", spun(ONE, 2)), ("x", paragraphs(other)), ("y", spun(other, 4))]
    place_all(factory, settings, texts)
    with factory.begin() as session:
        session.execute(update(StoredWitness).values(story_id=1))
        session.execute(text("DELETE FROM stories WHERE id = 2"))
    make_all(factory, settings)
    with factory() as session:
        rows = dict(session.execute(select(StoredWitness.source, StoredWitness.story_id)).all())
        groups = {frozenset(source for source in rows if rows[source] == id_) for id_ in rows.values()}
        names = {frozenset(source.split("/")[2][0] for source in group) for group in groups}
        assert names == {frozenset("abc"), frozenset("xy")}
        assert queries.status(session).adds_up
        assert session.scalars(select(StoredRecovery.story_id).distinct()).all() != [1]


def test_another_days_report_is_linked_and_not_joined(factory: SessionFactory, settings: Settings) -> None:
    """Same sentences with other numbers and names: a story of its own, and each lists the other with the relation."""
    draw = random.Random(4)
    again = paragraphs(ONE)
    for name in NAMES:
        again = again.replace(name, name[::-1].capitalize())
    again = "".join(str(draw.randint(1, 9)) if char.isdigit() else char for char in again)
    placed = place_all(factory, settings, [WHOLE, ("tomorrow", again)])
    assert placed == {"whole": 1, "tomorrow": 2}
    with factory() as session:
        listed = [(copy.story_id, copy.relation) for copy in queries.copies(session, 1)]
        assert listed == [(1, "copy"), (2, "same_template")]
        assert [(copy.story_id, copy.relation) for copy in queries.copies(session, 2)] == [(2, "copy"), (1, "same_template")]
        (link,) = session.scalars(select(StoryLink))
        assert link.evidence["numbers_kept"] < 0.4


def test_a_page_that_quotes_a_story_is_linked_to_it(factory: SessionFactory, settings: Settings) -> None:
    """It has a story of its own, which its copies join, and stands beside the one that it quotes."""
    own = article(3)
    quoting = "\n\n".join([paragraphs(own[:12]), *STRIKE.split("\n\n")[1:3], paragraphs(own[12:])])
    texts = [("strike", STRIKE), ("quoting", quoting), ("copied", quoting.replace("points", "per cent"))]
    assert place_all(factory, settings, texts) == {"strike": 1, "quoting": 2, "copied": 2}
    with factory() as session:
        assert [copy.relation for copy in queries.copies(session, 1)] == ["copy", "excerpt"]
        assert queries.story(session, 1).excerpts == 1


PIECES = [
    ("a-whole", paragraphs(ONE)),
    ("a-head", paragraphs(ONE[:12])),
    ("a-worn", WORN[0][1]),
    ("a-torn", WORN[1][1]),
    ("a-spun", spun(ONE, 7)),
    ("b-whole", paragraphs(article(2))),
    ("b-spun", spun(article(2), 8)),
    ("b-head", paragraphs(article(2)[:10])),
    ("b-twin", paragraphs(article(2))),
    ("c-whole", paragraphs(article(5))),
    ("d-worn", worn(article(9), 0)),
    ("d-torn", worn(article(9), 1)),
]


@property_settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(len(PIECES))))
def test_the_same_witnesses_in_any_order_end_in_the_same_stories(
    factory: SessionFactory, settings: Settings, order: list[int]
) -> None:
    """However they come, the copies of an article are one story, and worn copies that nothing joins are two."""
    placed = place_all(factory, settings, [PIECES[at] for at in order])
    with factory.begin() as session:
        now = {
            row.source.split("/")[2].removesuffix(".example"): row.story_id for row in session.scalars(select(StoredWitness))
        }
        groups = {frozenset(name for name in now if now[name] == story_id) for story_id in now.values()}
        names = ", ".join(f'"{table.name}"' for table in Table.metadata.sorted_tables)
        session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    assert placed.keys() == now.keys()
    joined = {"a": {"a-whole", "a-head", "a-worn", "a-torn", "a-spun"}, "b": {"b-whole", "b-spun", "b-head", "b-twin"}}
    assert groups == {frozenset(one) for one in (*joined.values(), {"c-whole"}, {"d-worn"}, {"d-torn"})}


def test_forgetting_a_page_forgets_it_in_the_story_that_it_came_from(factory: SessionFactory, settings: Settings) -> None:
    """The versions of a story that was merged away hold its words: they go with it."""
    place_all(factory, settings, WORN)
    make_all(factory, settings)
    place_all(factory, settings, [WHOLE])
    make_all(factory, settings)
    forget(factory, "http://second.example/x", settings)
    forget(factory, "http://whole.example/x", settings)
    make_all(factory, settings)
    with factory() as session:
        assert [row.story_id for row in session.scalars(select(StoredRecovery))] == [1]
        texts = "".join(session.scalars(select(StoredRecovery.text)))
        assert not (set(texts.split()) & (set(WORN[1][1].split()) - set(WORN[0][1].split())))
        kept = set(session.scalars(select(Feature.witness_id)))
        assert kept == set(session.scalars(select(StoredWitness.id)))
    assert forget(factory, "2", settings).ended == (1,)
    with factory() as session:
        assert session.scalar(select(func.count()).select_from(Story)) == 0
        assert session.scalar(select(func.count()).select_from(StoryEvent)) == 0
