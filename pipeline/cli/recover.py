"""recover: copies in, recovery out; no database."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import printable
from pipeline.cli.messages import say
from pipeline.errors import Misuse
from pipeline.exports.recovery_json import to_document
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery
from pipeline.philology.recovery import recover as recover_wording
from pipeline.stages.copies import read_copies


def recover(
    copies: Annotated[list[Path], typer.Argument(metavar="COPY…", help="Text or HTML files, folders of them, or -.")],
    format_: Annotated[
        Literal["text", "json"] | None, typer.Option("--format", help="text (the default) or json, schema 1.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write there instead of to stdout.")] = None,
) -> None:
    """Recover the wording of one article from its copies.

    Example: wirecopy recover copies/*.html --format json -o recovery.json
    """
    stdin = sys.stdin.buffer.read() if any(str(path) == "-" for path in copies) else b""
    witnesses = list(read_copies(copies, stdin))
    if len({witness.source for witness in witnesses}) < len(witnesses):
        raise Misuse("A copy was named twice.")
    recovery = recover_wording(collate(witnesses), Evidence())
    document = to_document(recovery)
    text = recovery.text if format_ != "json" else json.dumps(document, ensure_ascii=False, indent=1)
    if output is None:
        sys.stdout.write(text + "\n")
    else:
        try:
            output.write_text(text + "\n", "utf-8")
        except OSError as error:
            raise Misuse(f"Cannot write {output}: {error.strerror or error}.") from error
        say(f"Written to {output}.")
    if format_ is None:
        _show_witnesses(recovery)


def _show_witnesses(recovery: Recovery) -> None:
    """The table of witnesses, to stderr: stdout is the text alone, piped or not."""
    table = Table(box=None, pad_edge=False)
    for heading in ("copy", "kind", "errors", "coverage", "from", "source"):
        table.add_column(heading, overflow="fold")
    for witness in recovery.witnesses:
        rate, coverage = f"{witness.error_rate:.1%}", f"{witness.coverage:.0%}"
        table.add_row(witness.siglum, witness.kind, rate, coverage, witness.exemplar or "", printable.line(witness.source))
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(table)
    console.print(
        f"Confidence {recovery.confidence:.1%}; {len(recovery.apparatus)} variation units; {len(recovery.omitted)} omitted."
    )
    for stranger in recovery.strangers:
        console.print(f"Not a copy of this article: {printable.line(stranger.source)}: {stranger.why}")
