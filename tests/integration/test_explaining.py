"""A stored recovery is explained from what it was recovered with."""

import json
from pathlib import Path

import tiny_model as tiny
from filled_store import story, witness
from sqlalchemy import update
from test_faces import CommandLine, wirecopy  # noqa: F401 - a fixture

from pipeline.neural.graph import convert
from pipeline.neural.weights import MANIFEST, model_file
from pipeline.philology.explanation import JUDGE
from pipeline.philology.recovered import LearnedPair
from pipeline.settings import Settings
from pipeline.stages.collating import collate_story
from pipeline.stages.recovering import recover_story
from pipeline.store import recoveries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import StoredCollation, Story

STRIKE = (
    "Dockers in Port Calder ended a nine-day strike early on Friday after the harbour board agreed to raise wages by 6.4 percent, "
    "both sides said, letting 41 container ships that had waited outside the breakwater begin to unload."
)


def recovered(factory: SessionFactory, settings: Settings) -> int:
    """A story of three copies, two of them spun, recovered."""
    spun = STRIKE.replace("wages", "salaries"), STRIKE.replace("ships", "vessels").replace("Friday", "friday")
    with factory.begin() as session:
        copies = [witness(session, f"http://{n}.example/strike", text) for n, text in enumerate((STRIKE, *spun))]
        story_id = story(session, "Strike", *copies).id
    collate_story(factory, story_id, settings, "test")
    recover_story(factory, story_id, settings, "test")
    return story_id


def test_a_stored_word_is_explained(
    wirecopy: CommandLine,  # noqa: F811
    factory: SessionFactory,
    settings: Settings,
) -> None:
    """By word and by offset, as JSON the sums that make the stored probability; what is not there ends with 3."""
    number = str(recovered(factory, settings))
    shown = wirecopy("story", "explain", number, "wages", "--format", "json")
    assert shown.message == ""
    (found,) = json.loads(shown.out)["explanations"]
    assert [(reading["text"], reading["sigla"]) for reading in found["readings"]] == [
        ("wages", ["A", "C"]),
        ("salaries", ["B"]),
    ]
    stored = json.loads(wirecopy("story", "show", number, "--format", "json").out)
    token = next(token for token in stored["tokens"] if token["text"] == "wages")
    assert (found["start"], found["end"], found["probability"]) == (token["start"], token["end"], token["probability"])
    assert json.loads(wirecopy("story", "explain", number, str(token["start"]), "-f", "json").out)["explanations"] == [found]
    text = wirecopy("story", "explain", number, "wages").out
    assert "[wages]" in text
    assert "salaries: held by B" in text
    assert wirecopy("story", "explain", number, "penguins").code == 3
    assert wirecopy("story", "explain", "999", "penguins").code == 3


def test_what_other_stories_taught_since_is_said(
    wirecopy: CommandLine,  # noqa: F811
    factory: SessionFactory,
    settings: Settings,
) -> None:
    """The account stays that of the recovery, and the message says that more is known by now."""
    number = recovered(factory, settings)
    before = wirecopy("story", "explain", str(number), "wages", "-f", "json").out
    with factory.begin() as session:
        other = story(session, "Other").id
        recoveries.put_lessons(session, other, "en", [("0.example", 900.0, 1000.0)], [LearnedPair("salaries", "wages", 1)])
    after = wirecopy("story", "explain", str(number), "wages", "-f", "json")
    assert after.out == before
    assert "taught more since version 1" in after.message


def test_copies_that_no_longer_fit_are_said(
    wirecopy: CommandLine,  # noqa: F811
    factory: SessionFactory,
    settings: Settings,
) -> None:
    """A stored collation that this wirecopy cannot read ends with 1 and says what mends it."""
    number = recovered(factory, settings)
    with factory.begin() as session:
        stored = recoveries.newest_collation(session, number)
        assert isinstance(stored, StoredCollation)
        stored.columns = {**stored.columns, "columns": [row[:-5] for row in stored.columns["columns"]]}
        session.execute(update(Story).values(recovered=0))
    result = wirecopy("story", "explain", str(number), "wages")
    assert (result.code, result.out) == (1, "")
    assert "`wirecopy up` collates" in result.message


def test_what_the_neural_model_said_is_recorded(
    wirecopy: CommandLine,  # noqa: F811
    factory: SessionFactory,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """A recovery says what the model said, so that a word is explained as it was weighed where there is no model any more."""
    model = model_file(tmp_path)
    model.parent.mkdir(parents=True)
    convert(tiny.write(tmp_path / "tiny.gguf"), model)
    model.with_name(MANIFEST).write_text(json.dumps({"size": model.stat().st_size, "sha256": ""}))
    number = recovered(factory, settings.model_copy(update={"model_dir": str(tmp_path), "neural_budget": 1000.0}))
    with factory() as session:
        stored = recoveries.newest_recovery(session, number)
        assert stored is not None
        said = stored.evidence["opinions"]
    assert {" wages", " salaries"} in [set(readings) for _, readings, _ in said]
    shown = wirecopy("story", "explain", str(number), "wages", "--format", "json")
    assert shown.message == ""
    (found,) = json.loads(shown.out)["explanations"]
    heard = [[feature["log_odds"] for feature in r["features"] if feature["name"] == JUDGE] for r in found["readings"]]
    assert [len(one) for one in heard] == [1, 1]
    tokens = json.loads(wirecopy("story", "show", str(number), "--format", "json").out)["tokens"]
    assert found["probability"] in {token["probability"] for token in tokens if token["text"] == found["text"]}
