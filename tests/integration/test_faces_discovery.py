"""The faces of discovery: add --text, add --discover, story discover, doctor, config show."""

from pathlib import Path

import pytest
from sqlalchemy import select
from test_faces import CommandLine, filled, wirecopy

from pipeline.stages.outcome import Bell
from pipeline.store import providers
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Discovery, FrontierRow, Stage, StoredWitness

__all__ = ["filled", "wirecopy"]

TEXT = "Fuel costs more\n\nFuel prices rose by 2.5 per cent on Monday, the ministry in Lanvere said.\n\nNobody was asked, it added.\n"


def test_a_text_is_added_once(wirecopy: CommandLine, factory: SessionFactory, tmp_path: Path) -> None:
    """It is a witness with the file's headline and paragraphs that waits to be placed; the same text again is no other one."""
    file = tmp_path / "copy.txt"
    file.write_text(TEXT, "utf-8")
    first, again = wirecopy("add", "--text", str(file)), wirecopy("add", "--text", str(file))
    assert (first.code, again.code) == (0, 0)
    with factory() as session:
        (row,) = session.scalars(select(StoredWitness))
    assert f"The text is witness {row.id}." in first.message
    assert wirecopy.bells == [Bell(Stage.PLACE, row.id)] * 2
    assert (row.title, row.text.count("\n\n"), row.frontier_id, row.capture_id) == ("Fuel costs more", 1, None, None)


def test_a_text_may_lead_on(wirecopy: CommandLine, factory: SessionFactory, tmp_path: Path) -> None:
    """With --discover a job waits for what is found; its discovery waits for the text to be placed."""
    file = tmp_path / "copy.txt"
    file.write_text(TEXT, "utf-8")
    assert wirecopy("add", "--text", str(file), "--discover").code == 0
    (job,) = wirecopy("jobs", "list").rows()
    assert (job["searching"], job["state"], job["note"]) == (1, "running", "1 texts")
    with factory() as session:
        (row,) = session.scalars(select(Discovery))
        (witness,) = session.scalars(select(StoredWitness.id))
    assert (row.witness_id, row.story_id, row.due_at, row.job_id) == (witness, None, None, job["id"])


def test_urls_may_lead_on(wirecopy: CommandLine, factory: SessionFactory, filled: dict[str, int]) -> None:
    """A new URL is marked; one whose text has a story opens that story's discovery now."""
    assert wirecopy("add", "--discover", "http://a.example/new", "http://a.example/fuel").code == 0
    with factory() as session:
        marked = session.scalars(select(FrontierRow.url).where(FrontierRow.discover)).all()
        (row,) = session.scalars(select(Discovery))
    assert marked == ["http://a.example/new"]
    assert row.story_id == filled["fuel"]
    assert Bell(Stage.DISCOVER, row.id) in wirecopy.bells


def test_a_story_is_discovered(wirecopy: CommandLine, factory: SessionFactory, filled: dict[str, int]) -> None:
    """A job and a bell; a story that is not there is not found."""
    result = wirecopy("story", "discover", str(filled["fuel"]))
    with factory() as session:
        (row,) = session.scalars(select(Discovery))
    assert result.code == 0
    assert f"Job {row.job_id}: " in result.message
    assert wirecopy.bells == [Bell(Stage.DISCOVER, row.id)]
    assert wirecopy("story", "discover", "999").code == 3


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("add",), "--text FILE"),
        (("add", "--text", "nowhere.txt"), "Cannot read nowhere.txt"),
        (("add", "--text", "-", "-i", "-"), "not both"),
        (("add", "--text", "empty.txt"), "No copy could be read"),
    ],
)
def test_wrong_use_says_what_to_do(wirecopy: CommandLine, arguments: tuple[str, ...], hint: str) -> None:
    """Exit 2, with what to mend."""
    Path("empty.txt").write_text("\n", "utf-8")
    result = wirecopy(*arguments)
    assert (result.code, hint in result.message) == (2, True), result.message


def test_doctor_tells_of_every_provider(wirecopy: CommandLine, factory: SessionFactory) -> None:
    """On, off and why, let alone and why."""
    with factory.begin() as session:
        providers.take(session, "gdelt-doc", interval=0.0, budget=10, patience=0.0)
        providers.succeeded(session, "gdelt-doc")
        for _ in range(providers.BREAKER_FAILURES):
            providers.failed(session, "wayback", "answers 503", None)
    found = {row["what"]: row for row in wirecopy("doctor", "-f", "jsonl").rows()}
    assert found["discovery: own-store"]["finding"] == "on, not asked yet"
    assert found["discovery: brave"]["finding"].startswith("off: set brave_key")
    assert found["discovery: gdelt-doc"]["finding"].startswith("on, 1 of 2,000 requests today, the last time at ")
    assert found["discovery: wayback"]["level"] == "warn"
    assert "after 3 failures: answers 503" in found["discovery: wayback"]["finding"]


def test_keys_are_not_shown(wirecopy: CommandLine) -> None:
    """Config show says that a key is set, and by what, and not which."""
    result = wirecopy("--set", "brave_key=very-secret", "config", "show")
    values = {row["name"]: row["value"] for row in result.rows()}
    assert (values["brave_key"], values["news_api_key"]) == ("***", "")
    assert "very-secret" not in result.out
