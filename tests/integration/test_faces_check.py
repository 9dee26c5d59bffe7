"""What `wirecopy check` says of texts that use stored stories, and of those that do not."""

from pathlib import Path

import pytest
from filled_store import witness
from test_faces import CommandLine, wirecopy  # noqa: F401 - a fixture
from test_late_evidence import article, make_all, paragraphs
from test_stories_made import STRIKE, WORKER, spin

from pipeline.settings import Settings
from pipeline.stages.placing import place
from pipeline.store.engine import SessionFactory

PARAGRAPHS = STRIKE.split("\n\n")


@pytest.fixture
def stored(factory: SessionFactory, settings: Settings) -> None:
    """Story 1, recovered from two copies; story 2, another article, without a recovery."""
    texts = {"one": STRIKE, "two": spin(STRIKE, 1), "other": paragraphs(article(2))}
    with factory.begin() as session:
        ids = [witness(session, f"http://{name}.example/x", words).id for name, words in texts.items()]
    for id_ in ids[:2]:
        place(factory, id_, settings, WORKER)
    make_all(factory, settings)
    place(factory, ids[2], settings, WORKER)


def checked(wirecopy: CommandLine, tmp_path: Path, text: str, *options: str) -> list[dict[str, object]]:  # noqa: F811
    file = tmp_path / "text.txt"
    file.write_text(text, "utf-8")
    result = wirecopy("check", str(file), *options)
    assert result.code == 0, result.message
    return result.rows()


@pytest.mark.usefixtures("stored")
def test_a_quotation_is_found_with_its_passage(wirecopy: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    """A paragraph of the story inside another text: its place in the text, and both shares."""
    text = "\n\n".join([paragraphs(article(3, 9)), PARAGRAPHS[1], paragraphs(article(4, 6))])
    (use,) = checked(wirecopy, tmp_path, text)
    (passage,) = use["passages"]  # type: ignore[misc]
    assert (use["story_id"], use["words"]) == (1, passage["words"])
    assert text[passage["start"] : passage["end"]] == passage["text"]
    assert PARAGRAPHS[1].strip('".').startswith(passage["text"].strip('".')[:40])
    assert passage["source"] == "the recovered text"
    assert 0 < float(str(use["text_share"])) < 0.3
    assert 0.1 < float(str(use["story_share"])) < 0.4


@pytest.mark.usefixtures("stored")
def test_a_copy_is_nearly_all_the_storys(wirecopy: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    """A spun copy of half of it: all of the text is the story's, and half of the story is in it."""
    (use,) = checked(wirecopy, tmp_path, spin("\n\n".join(PARAGRAPHS[:2]), 5))
    assert (use["story_id"], use["relation"]) == (1, "copy")
    assert float(str(use["text_share"])) > 0.9
    assert 0.3 < float(str(use["story_share"])) < 0.7


@pytest.mark.usefixtures("stored")
def test_a_stored_page_is_checked_by_its_url(wirecopy: CommandLine) -> None:  # noqa: F811
    """Its own story is found, and in a table its passages are listed; one that is not stored is not fetched."""
    found = wirecopy("check", "http://other.example/x", "--format", "table")
    assert found.code == 0
    assert found.out.count("100.0%") >= 3
    unknown = wirecopy("check", "http://nowhere.example/x")
    assert (unknown.code, "wirecopy add http://nowhere.example/x --wait" in unknown.message) == (3, True)


@pytest.mark.usefixtures("stored")
def test_what_no_story_uses_is_not_found(wirecopy: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    """Exit 3 and an empty result; a thin text, an empty one and a missing file say what is wrong."""
    file = tmp_path / "text.txt"
    file.write_text(paragraphs(article(3)), "utf-8")
    nothing = wirecopy("check", str(file), "--format", "json")
    assert (nothing.code, nothing.out.strip()) == (3, "[]")
    for text, why in (
        ("Only a few words.", "only 4 words"),
        ("", "empty"),
        ("12 13 14 15 16 17 18 19 20 " * 5, "different words"),
    ):
        file.write_text(text, "utf-8")
        thin = wirecopy("check", str(file))
        assert (thin.code, why in thin.message) == (1, True), thin.message
    assert wirecopy("check", str(tmp_path / "missing.txt")).code == 2
