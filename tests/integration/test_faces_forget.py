"""The faces forget and export on the tests' database."""

from pathlib import Path

import pytest
from test_faces import CommandLine, filled, wirecopy  # noqa: F401 - fixtures
from warc_reading import passes_check


def test_forgetting_asks_first(wirecopy: CommandLine, filled: dict[str, int]) -> None:  # noqa: F811
    """Where nobody can be asked, nothing is deleted without --yes; the message counts what would be."""
    asked = wirecopy("forget", "http://a.example/fuel")
    assert asked.code == 2
    assert "1 URLs" in asked.message
    assert "--yes" in asked.message
    assert wirecopy("story", "copies", str(filled["fuel"])).out.count("http://a.example/fuel") == 1


def test_a_forgotten_page_is_gone_from_every_face(wirecopy: CommandLine, filled: dict[str, int]) -> None:  # noqa: F811
    """Its story is due again, `jobs show` says what happened, `add` refuses until it is undone."""
    url = "http://a.example/fuel"
    done = wirecopy("forget", url, "--yes")
    assert (done.code, done.out) == (0, "")
    assert f"Made again without them: stories {filled['fuel']}." in done.message
    assert [bell.subject_id for bell in wirecopy.bells] == [filled["fuel"]]
    assert url not in wirecopy("story", "copies", str(filled["fuel"])).out
    shown = wirecopy("jobs", "show", url)
    assert (shown.code, "deleted on request" in shown.message) == (3, True)
    assert wirecopy("forget", url, "--yes").code == 3
    refused = wirecopy("add", url, "http://new.example/story")
    assert (refused.code, f"wirecopy forget --undo {url}" in refused.message) == (4, True)
    assert wirecopy("forget", "--undo", url).code == 0
    assert wirecopy("forget", "--undo", url).code == 3
    assert wirecopy("add", url).code == 0


def test_a_story_is_forgotten_by_its_number(wirecopy: CommandLine, filled: dict[str, int]) -> None:  # noqa: F811
    """All its pages go, and it with them."""
    assert wirecopy("forget", str(filled["fuel"]), "--yes").code == 0
    assert wirecopy("story", "show", str(filled["fuel"])).code == 3
    assert wirecopy("search", "fuel").code == 3


@pytest.mark.parametrize("what", ["nonsense", "ftp://a.example/x"])
def test_what_is_neither_is_misuse(wirecopy: CommandLine, what: str) -> None:  # noqa: F811
    """The message says what can be given."""
    asked = wirecopy("forget", what, "--yes")
    assert (asked.code, "a story's number" in asked.message) == (2, True)


def test_stories_are_exported_as_warc(
    wirecopy: CommandLine,  # noqa: F811
    filled: dict[str, int],  # noqa: F811
    tmp_path: Path,
) -> None:
    """To a file, by number or by query; a story that is not there is said before anything is written."""
    path = tmp_path / "out.warc.gz"
    assert wirecopy("export", str(filled["fuel"]), "-o", str(path)).code == 0
    assert passes_check(path)
    path.unlink()
    assert wirecopy("export", "--query", "fuel", "-o", str(path)).code == 0
    assert passes_check(path)
    missing = wirecopy("export", "99", "-o", str(tmp_path / "none.warc.gz"))
    assert (missing.code, (tmp_path / "none.warc.gz").exists()) == (3, False)
    assert wirecopy("export", "--query", "zeppelin", "-o", str(path)).code == 3
    assert wirecopy("export").code == 2
    assert wirecopy("export", str(filled["fuel"]), "-o", str(tmp_path / "no" / "out")).code == 2
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []
