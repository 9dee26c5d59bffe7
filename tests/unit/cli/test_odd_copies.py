"""Odd copies from the command line: a text, or a message that says what to do, and never a traceback."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import make_app
from pipeline.cli.wiring import Wiring
from pipeline.errors import WirecopyError

STORY = "The council met on Monday and voted to close the old bridge over the river for two years, the mayor said."
SPUN = STORY.replace("voted", "casted a ballot").replace("river", "watercourse")
OTHER = "Penguins on the southern ice shelf raised more chicks than in any year before, researchers at the station found."
NOTHING = Wiring(ring=print, fleet=print, worker=print, beat=print)  # type: ignore[arg-type]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and message."""
    result = CliRunner().invoke(make_app(NOTHING), ["recover", *arguments])
    if isinstance(result.exception, WirecopyError):
        return result.exception.exit_code, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def write(folder: Path, *texts: str | bytes) -> list[str]:
    """Files of these texts."""
    paths = [folder / f"{number}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    "texts",
    [
        (STORY, STORY),
        ("🙂👩‍👩‍👧 🇺🇳 came to town on Monday.", STORY),
        ("שלום עולם, זה מבחן.", "שלום עולם, זה מבחן קטן."),
        ("one \x1b[31m two \x07 three\x85four", "one two three four"),
        ("one\r\ntwo\rthree\nfour\u2028five", "one two three four five"),
        ("1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("word " * 20_000, "word " * 20_001),
    ],
)
def test_odd_copies_give_a_text_and_valid_json(tmp_path: Path, texts: tuple[str, ...]) -> None:
    """Both forms; in the JSON every token and lemma stands at its place."""
    paths = write(tmp_path, *texts)
    code, out, _ = run(*paths)
    assert (code, bool(out.strip())) == (0, True)
    code, out, _ = run(*paths, "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert all(document["text"][token["start"] : token["end"]] == token["text"] for token in document["tokens"])
    for unit in document["apparatus"]:
        assert [r["text"] for r in unit["readings"] if r["lemma"]] == [document["text"][unit["start"] : unit["end"]]]


def test_an_empty_copy_is_left_out_and_one_alone_is_an_error(tmp_path: Path) -> None:
    """4 beside a copy with text, which comes back; 1 where nothing is left."""
    paths = write(tmp_path, STORY, " \n\n ")
    assert run(*paths)[:2] == (4, STORY + "\n")
    code, out, message = run(paths[1])
    assert (code, out) == (1, "")
    assert "it is empty" in message


def test_copies_of_another_article_are_named(tmp_path: Path) -> None:
    """The message says which copies do not belong; the text is the others'."""
    code, out, message = run(*write(tmp_path, STORY, SPUN, STORY, OTHER))
    assert (code, out) == (0, STORY + "\n")
    assert "Not a copy of this article: " in message
    assert "3.txt" in message


def test_a_word_is_explained(tmp_path: Path) -> None:
    """As text and as JSON; what no copy has ends with 3, and asking for nothing with 2."""
    paths = write(tmp_path, STORY, SPUN, STORY)
    code, out, _ = run(*paths, "--explain", "voted")
    assert code == 0
    assert "[voted]" in out
    assert "casted a ballot: held by B" in out
    (found,) = json.loads(run(*paths, "--explain", "voted", "--format", "json")[1])["explanations"]
    assert STORY[found["start"] : found["end"]] == found["text"]
    at = run(*paths, "--explain", str(STORY.index("voted")), "-f", "json")[1]
    assert json.loads(at)["explanations"] == [found]
    assert run(*paths, "--explain", "penguin")[0] == 3
    assert run(*paths, "--explain", "100000")[0] == 3
    assert run(*paths, "--explain", " ")[0] == 2


def test_conjectures_are_shown_in_brackets_on_request(tmp_path: Path) -> None:
    """A half-spelt number is the only thing that one copy without a store lets suppose."""
    damaged = "Some two,500 of them came to the bridge on Monday, the mayor said."
    (path,) = write(tmp_path, damaged)
    assert run(path)[1] == damaged + "\n"
    assert run(path, "--conjectures")[1] == damaged.replace("two,500", "two,500 [2,500? 97%]") + "\n"
    (found,) = json.loads(run(path, "-f", "json")[1])["conjectures"]
    assert damaged[found["start"] : found["end"]] == "two,500"
