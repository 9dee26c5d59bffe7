import csv
import io
import json
import os
import pty
import sys
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipeline.cli.output import Column, Format, fit, percent, print_witnesses, shown, to_json, write_record, write_rows


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    title: str | None
    seen_at: datetime | None
    rate: float | None
    parts: Mapping[str, int]


END = "\0"
ROWS = [
    Row(1, "Fähren stehen", datetime(2026, 5, 4, 14, 30, tzinfo=timezone(timedelta(hours=2))), 0.125, {"a": 3}),
    Row(2, None, None, None, {}),
]
COLUMNS = (Column("id", right=True), Column("title", least=10), Column("rate", "error", right=True, show=percent))
HOSTILE = "ring\a \x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x7f \u202eevil\u2066 tab\tline\nend\r [bold]x[/] :smile:"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """What a call prints on a real pseudo-terminal of 80 columns that is its stdout and its stderr."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    master, slave = pty.openpty()
    tty.setraw(slave)

    def print_there(*call: Any) -> str:
        with redirect_stdout(out), redirect_stderr(out):
            write_rows(*call)
        out.write(END)  # the terminal hands its input on when it likes, and in order
        out.flush()
        found = b""
        while not found.endswith(END.encode()):
            found += os.read(master, 65_536)
        return found.decode().removesuffix(END)

    with os.fdopen(slave, "w", encoding="utf-8") as out:
        yield print_there
    os.close(master)


def test_piped_rows_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line with every field, times in UTC, nothing folded."""
    write_rows(ROWS, COLUMNS, None)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "title": "Fähren stehen", "seen_at": "2026-05-04T12:30:00Z", "rate": 0.125, "parts": {"a": 3}},
        {"id": 2, "title": None, "seen_at": None, "rate": None, "parts": {}},
    ]
    assert "Fähren" in lines[0]


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """All rows as one list, an empty one for no rows; a record is an object."""
    write_rows(ROWS, COLUMNS, Format.JSON)
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [1, 2]
    write_rows([], COLUMNS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == []
    write_record(ROWS[0], Format.JSON)
    assert json.loads(capsys.readouterr().out)["title"] == "Fähren stehen"


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Commas, quotes and line ends survive; nested values are JSON; nothing is an empty cell; a header without rows."""
    write_rows([{"id": 1, "title": 'a,"b"\nc', "parts": {"x": 1}, "none": None}], COLUMNS, Format.CSV)
    text = capsys.readouterr().out
    assert list(csv.reader(io.StringIO(text))) == [["id", "title", "parts", "none"], ["1", 'a,"b"\nc', '{"x": 1}', ""]]
    write_rows([], COLUMNS, Format.CSV)
    assert capsys.readouterr().out == "id,title,rate\n"


@given(title=st.text(st.characters(exclude_categories=["Cs"])), number=st.integers())
def test_tsv_is_one_line_a_row(title: str, number: int) -> None:
    """Whatever a cell holds, a row is one line of as many cells, and the cell can be read back."""
    out = io.StringIO()
    original, sys.stdout = sys.stdout, out
    try:
        write_rows([{"id": number, "title": title}], COLUMNS, Format.TSV)
    finally:
        sys.stdout = original
    header, line, rest = out.getvalue().split("\n")
    assert (header, rest) == ("id\ttitle", "")
    cells = line.split("\t")
    escapes = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
    read, at = "", 0
    while at < len(cells[1]):
        pair = cells[1][at : at + 2]
        read += escapes.get(pair, cells[1][at])
        at += 2 if pair in escapes else 1
    assert (cells[0], read) == (str(number), title)


def test_a_terminal_gets_a_table(terminal: Callable[..., str]) -> None:
    """By default a table with its titles, numbers to the right, a dash for what is missing."""
    printed = terminal(ROWS, COLUMNS, None)
    lines = [line.rstrip() for line in printed.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()]
    assert lines == ["id  title          error", " 1  Fähren stehen  12.5%", " 2  –                  –"]


def test_a_piped_table_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    """--format table into a pipe keeps each row on one line, however long, without any escape sequence."""
    write_rows([{"id": 1, "title": "word " * 60, "rate": 0.5}], COLUMNS, Format.TABLE)
    header, line = capsys.readouterr().out.splitlines()
    assert line.split() == ["1", *["word"] * 60, "50.0%"]
    assert header.split() == ["id", "title", "error"]


@pytest.mark.parametrize("format_", [None, Format.JSON, Format.JSONL, Format.CSV, Format.TSV, Format.TABLE])
def test_nothing_from_the_web_drives_the_terminal(
    terminal: Callable[..., str], monkeypatch: pytest.MonkeyPatch, format_: Format | None
) -> None:
    """No escape, control or turn of direction of a cell reaches the terminal, in no format; markup is only text."""
    monkeypatch.setenv("TERM", "dumb")
    printed = terminal([{"id": 1, "title": HOSTILE, "rate": 0.5}], COLUMNS, format_)
    assert [char for char in printed if not char.isprintable() and char not in "\n\t"] == []
    assert "[bold]x[/] :smile:" in " ".join(printed.split())


def test_json_for_a_terminal_still_says_the_same(terminal: Callable[..., str]) -> None:
    """What is escaped for the terminal's sake is the same value when it is read."""
    assert json.loads(terminal([{"title": HOSTILE}], COLUMNS, Format.JSONL)) == {"title": HOSTILE}


def test_no_color_is_honoured(terminal: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a table holds no colour; without, its header is bold."""
    assert "\x1b[1m" in terminal(ROWS, COLUMNS, None)
    monkeypatch.setenv("NO_COLOR", "1")
    printed = terminal(ROWS, COLUMNS, None)
    assert not any(f"\x1b[{code}" in printed for code in range(30, 50))


def test_a_wide_table_is_folded_not_cut(terminal: Callable[..., str]) -> None:
    """At 80 columns no line is longer, and every word of a long cell is still there."""
    words = [f"word{number}" for number in range(60)]
    printed = terminal([{"id": 1, "title": " ".join(words), "rate": 0.5}], COLUMNS, None)
    assert max(map(cell_len, printed.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines())) <= 80
    assert [word for word in printed.split() if word.startswith("word")] == words


def test_spare_columns_that_do_not_fit_are_named(terminal: Callable[..., str]) -> None:
    """A spare column gives way to the others, and a line says which one did."""
    columns = [Column("a", least=50), Column("b", least=25), Column("c", least=30, spare=True)]
    row = {"a": "a" * 60, "b": "b" * 30, "c": "https://news.example/a/long/way/to/a/story"}
    printed = terminal([row], columns, None)
    assert "Too narrow for c: a wider terminal shows them, or --format json." in printed
    assert (printed.count("a" * 40) > 0, "news.example" in printed) == (True, False)


def test_what_cannot_be_folded_is_printed_as_records(terminal: Callable[..., str]) -> None:
    """Columns that need more room than there is: each row one field a line, nothing lost."""
    columns = [Column(name, least=40) for name in ("first", "second", "third")]
    lines = terminal([{name: name * 10 for name in ("first", "second", "third")}] * 2, columns, None).splitlines()
    assert len(lines) == 7
    assert all(name * 10 in line for name, line in zip(("first", "second", "third"), lines, strict=False))


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200)).map(lambda pair: (max(pair), min(pair))), min_size=1),
    st.data(),
)
def test_fit_keeps_its_floors(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    """Fitted widths fill the room at most, keep every floor, and grow no column."""
    room = data.draw(st.integers(sum(floor for _, floor in sizes), 10_000))
    fitted = fit(sizes, room)
    assert sum(fitted) <= max(room, 0)
    assert all(floor <= width <= natural for width, (natural, floor) in zip(fitted, sizes, strict=True))
    if sum(natural for natural, _ in sizes) <= room:
        assert fitted == [natural for natural, _ in sizes]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (0, "0"),
        (1.5, "1.5"),
        (2.0, "2"),
        ([1, 2], "1, 2"),
        ((), "–"),
        ({"gone": 2}, "gone 2"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02 03:04"),
        ("a\nb", "a b"),
    ],
)
def test_shown(value: object, text: str) -> None:
    """Values as a person reads them."""
    assert shown(value) == text


def test_to_json_refuses_what_has_no_form() -> None:
    """A set is no row's value, and not a number is no JSON."""
    with pytest.raises(TypeError, match="set"):
        to_json({"a": {1}})
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json(float("nan"))


def test_an_output_that_knows_no_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stdout is ASCII, JSON is escaped and a table shows escapes; no command ends for it."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_rows(ROWS[:1], COLUMNS, Format.JSONL)
    write_rows(ROWS[:1], COLUMNS, Format.CSV)
    sys.stdout.flush()
    json_line, *lines = raw.getvalue().decode("ascii").splitlines()
    assert json.loads(json_line)["title"] == "Fähren stehen"
    assert "F\\xe4hren" in lines[1]


def test_witnesses_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of witnesses stands beside the text, not in it."""
    witness = {
        "siglum": "A",
        "source": "a.txt",
        "kind": "spun",
        "error_rate": 0.2,
        "coverage": 1.0,
        "exemplar": None,
        "lineage": 1,
    }
    print_witnesses({"witnesses": [witness]})
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[1].split() == ["A", "a.txt", "spun", "20.0%", "100.0%", "–", "1"]
