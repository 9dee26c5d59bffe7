"""Rows and records on stdout: a table on a terminal, JSON lines when piped, or as --format says.

stdout carries data only. Nothing is cut: what is too wide for the terminal is folded, columns that are left out are
named on stderr, and rows that would be folded beyond reading are printed as records, one field a line.
"""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.cli import printable
from pipeline.cli.messages import say
from pipeline.errors import WirecopyError

GAP = 2
NOTHING = "–"


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"


FormatOption = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="How to print; by default a table on a terminal, JSON lines when piped."),
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; the other formats print every field of a row, under its own name."""

    key: str
    title: str = ""
    least: int = 8
    """Narrower than this it is not folded; a column whose values are narrower needs no more than they do."""
    right: bool = False
    spare: bool = False
    """Left out where the terminal is too narrow; a line on stderr says so."""
    show: Callable[[Any], str] | None = None


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def stdout() -> Console:
    """A console on stdout that prints text as it is. Colours only on a terminal, and none where NO_COLOR is set."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a character that the terminal cannot show ends no command
    return Console(highlight=False, emoji=False, markup=False)


def write(text: str) -> None:
    """Text to stdout as it is, with a line end. Raises WirecopyError where stdout cannot take it; a closed pipe stays one."""
    file = stdout().file
    try:
        file.write(text + "\n")
        file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # what is left unwritten must not fail again at the exit
        raise WirecopyError(f"Cannot write the output: {error.strerror}.") from error


def write_rows(rows: Iterable[object], columns: Sequence[Column], format_: Format | None) -> None:
    """Print rows: dataclasses or mappings, all of one shape."""
    wanted = format_ or (Format.TABLE if is_terminal() else Format.JSONL)
    if wanted is Format.JSONL:
        for row in rows:
            write(to_json(as_mapping(row)))
    elif wanted is Format.JSON:
        write(to_json([as_mapping(row) for row in rows], indent=2 if is_terminal() else None))
    elif wanted is Format.TABLE:
        _write_table([as_mapping(row) for row in rows], columns, stdout(), fold=is_terminal())
    else:
        _write_separated([as_mapping(row) for row in rows], columns, wanted)


def write_record(record: object, format_: Format | None) -> None:
    """Print one thing: in a table one field a line, else as a single row."""
    fields_ = as_mapping(record)
    if (format_ or (Format.TABLE if is_terminal() else Format.JSONL)) is Format.TABLE:
        _write_records([fields_], [Column(name, name.replace("_", " ")) for name in fields_], stdout())
    elif format_ is Format.JSON:
        write(to_json(fields_, indent=2 if is_terminal() else None))
    else:
        write_rows([fields_], [Column(name) for name in fields_], format_)


def as_mapping(row: object) -> dict[str, Any]:
    """The fields of a row by name."""
    if isinstance(row, Mapping):
        return dict(row)
    if not is_dataclass(row):
        raise TypeError(f"{type(row).__name__} is no row")
    return {field.name: getattr(row, field.name) for field in fields(row)}


def to_json(value: object, indent: int | None = None) -> str:
    """JSON in UTF-8 that a terminal can print; times as ISO 8601 in UTC."""
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    return printable.escape_json(json.dumps(value, default=_plain, ensure_ascii=ascii_only, indent=indent, allow_nan=False))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping) or is_dataclass(value):
        return as_mapping(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def shown(value: object) -> str:
    """A value as a person reads it, on one line."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, Mapping):
        return ", ".join(f"{shown(name)} {shown(item)}" for name, item in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value) or NOTHING
    return printable.line(str(value))


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return NOTHING if value is None else f"{value:.1%}"


WITNESSES = (
    Column("siglum"),
    Column("source", least=24),
    Column("kind"),
    Column("error_rate", "error", right=True, show=percent),
    Column("coverage", right=True, show=percent),
    Column("exemplar", "from"),
    Column("lineage", right=True, spare=True),
)
VERSION = Column("version", right=True)


def print_witnesses(document: Mapping[str, Any]) -> None:
    """The witnesses of a recovery (`recover --format json`) as a table on stderr, beside the text on stdout."""
    console = Console(stderr=True, highlight=False, emoji=False, markup=False)
    columns = (*WITNESSES, VERSION) if document.get("versions") else WITNESSES
    _write_table([dict(witness) for witness in document["witnesses"]], columns, console, fold=console.is_terminal)


def versions_line(document: Mapping[str, Any]) -> str | None:
    """Which copies follow which version of the agency's text, in a sentence; None where there is one text alone."""
    versions = document.get("versions")
    if not versions:
        return None
    taken = next(number for number, version in enumerate(versions, 1) if version["text"] == document["text"])
    listed = "; ".join(f"version {number}: {', '.join(version['sigla'])}" for number, version in enumerate(versions, 1))
    return f"The agency sent {len(versions)} versions, the text is version {taken} ({listed})."


def _write_separated(rows: list[dict[str, Any]], columns: Sequence[Column], format_: Format) -> None:
    names = list(rows[0]) if rows else [column.key for column in columns]
    text = io.StringIO()
    if format_ is Format.CSV:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(row[name]) for name in names] for row in rows)
    else:
        for cells in (names, *([_cell(row[name]) for name in names] for row in rows)):
            text.write("\t".join(_without_tabs(cell) for cell in cells) + "\n")
    stdout().file.write(printable.lines(text.getvalue()) if is_terminal() and format_ is Format.CSV else text.getvalue())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, date):  # a datetime, too
        return str(_plain(value))
    return to_json(value)


def _without_tabs(cell: str) -> str:
    """A TSV cell: as PostgreSQL's COPY writes it, with backslashes for what would end the cell or the line."""
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        cell = cell.replace(plain, escaped)
    return printable.line(cell) if is_terminal() else cell


def _write_table(rows: list[dict[str, Any]], columns: Sequence[Column], console: Console, *, fold: bool) -> None:
    """The rows as a table: folded to the console's width, or on long lines, which is what other programs can read."""
    if not rows:
        return
    laid = [_lay_out(rows, column) for column in columns]
    left_out: list[str] = []
    if fold:
        while sum(column.floor for column in laid) + GAP * (len(laid) - 1) > console.width:
            spare = [at for at, column in enumerate(laid) if column.spare]
            if not spare:
                _write_records(rows, columns, console)
                return
            left_out.insert(0, laid.pop(spare[-1]).title)
        widths = fit([(column.width, column.floor) for column in laid], console.width - GAP * (len(laid) - 1))
    else:
        widths = [column.width for column in laid]
        console.width = sum(widths) + GAP * len(widths)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, width in zip(laid, widths, strict=True):
        table.add_column(Text(column.title), justify="right" if column.right else "left", width=width, overflow="fold")
    for cells in zip(*(column.cells for column in laid), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)
    if left_out:
        say(f"Too narrow for {', '.join(left_out)}: a wider terminal shows them, or --format json.")


@dataclass(frozen=True, slots=True)
class _Laid:
    """A column with its cells as they are printed."""

    title: str
    cells: list[str]
    width: int
    floor: int
    right: bool
    spare: bool


def _lay_out(rows: list[dict[str, Any]], column: Column) -> _Laid:
    title = column.title or column.key
    cells = [(column.show or shown)(row[column.key]) for row in rows]
    widest = max(map(cell_len, cells))
    width = max(widest, cell_len(title))
    return _Laid(title, cells, width, max(min(widest, column.least), cell_len(title)), column.right, column.spare)


def fit(sizes: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Widths that fit the room, from (width, floor) of each column whose floors do; the widest gives way first."""
    fitted = [width for width, _ in sizes]
    over = sum(fitted) - room
    while over > 0:
        at = max((at for at, (_, floor) in enumerate(sizes) if fitted[at] > floor), key=fitted.__getitem__)
        fitted[at] -= 1
        over -= 1
    return fitted


def _write_records(rows: list[dict[str, Any]], columns: Sequence[Column], console: Console) -> None:
    for number, row in enumerate(rows):
        if number:
            console.print()
        grid = Table.grid(padding=(0, GAP, 0, 0))
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(overflow="fold")
        for column in columns:
            grid.add_row(Text(column.title or column.key), Text((column.show or shown)(row[column.key])))
        console.print(grid)
