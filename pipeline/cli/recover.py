"""recover: copies in, recovery out; no database."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.doubt import with_conjectures
from pipeline.cli.messages import say
from pipeline.cli.output import is_terminal, print_witnesses, to_json, versions_line, write
from pipeline.errors import Malformed, Misuse
from pipeline.exports.recovery_json import to_document
from pipeline.neural.presence import judge_of
from pipeline.philology.collation import collate
from pipeline.philology.recovery import Evidence, Recovery
from pipeline.philology.recovery import recover as recover_wording
from pipeline.philology.witness import Witness
from pipeline.stages.copies import LARGEST, read_copies

PARTLY = 4
STREAM = Path("-")


def recover(
    ctx: typer.Context,
    copies: Annotated[list[Path], typer.Argument(metavar="COPY…", help="Text, HTML or WARC files, folders of them, or -.")],
    format_: Annotated[
        Literal["text", "json"] | None, typer.Option("--format", "-f", help="text (the default) or json, schema 1.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write there instead of to stdout.")] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION|WORD",
            help="Print, in place of the text, why a word stands in it: by its offset in the text, or every place of a word.",
        ),
    ] = None,
    conjectures: Annotated[
        bool,
        typer.Option("--conjectures", help="Show in brackets what may have stood there though no copy has it."),
    ] = False,
) -> None:
    """Recover the wording of one article from its copies.

    A copy that holds no article is left out: exit 4, and 1 where none is left.

    Example: wirecopy recover copies/*.html --format json -o recovery.json
    """
    witnesses, left_out = _read(copies)
    if output is not None and output != STREAM:
        _check(output, witnesses)
    collation = collate(witnesses)
    context: Context = ctx.obj
    judge = judge_of(context.settings, say)
    if explain is not None:
        from pipeline.cli.accounts import accounts_at, write_accounts  # noqa: PLC0415 - numpy, which one copy need not wait for

        accounts = accounts_at(collation, Evidence(), explain, judge)
        _put(write_accounts(accounts, as_json=format_ == "json"), output)
    else:
        recovery = recover_wording(collation, Evidence(), judge=judge)
        document = to_document(recovery)
        text = with_conjectures(recovery.text, document["conjectures"]) if conjectures else recovery.text
        if output is None or output == STREAM:
            _print(document, text, format_)
        else:
            _put(_as_json(document) if format_ == "json" else text, output)
        if format_ is None:
            _tell(recovery, document)
    if left_out:
        raise typer.Exit(PARTLY)


def _put(text: str, output: Path | None) -> None:
    """Write the text to the file, or to stdout where none is named."""
    if output is None or output == STREAM:
        write(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise Misuse(f"Cannot write {output}: {error.strerror or error}.") from error
    say(f"Written to {output}.")


def _read(copies: list[Path]) -> tuple[list[Witness], bool]:
    """(the witnesses, whether copies were left out)."""
    found = read_copies(copies, sys.stdin.buffer.read(LARGEST + 1) if STREAM in copies else b"")
    if not found.witnesses and len(found.left_out) == 1:
        raise Malformed(printable.line(found.left_out[0]))
    for why in found.left_out:
        say(f"Left out: {printable.line(why)}")
    if not found.witnesses:
        raise Malformed("None of the copies holds an article.")
    return list(found.witnesses), bool(found.left_out)


def _check(output: Path, witnesses: list[Witness]) -> None:
    """Raise Misuse before the work where its result cannot be kept, or would take the place of a copy."""
    try:
        if output.is_dir():
            raise Misuse(f"Cannot write {output}: it is a folder. Name a file in it.")
        if not output.absolute().parent.is_dir():
            raise Misuse(f"Cannot write {output}: there is no folder {output.absolute().parent}.")
        if output.exists() and any(Path(witness.source).exists() and output.samefile(witness.source) for witness in witnesses):
            raise Misuse(f"{output} is one of the copies, and would be lost: take another -o.")
    except OSError as error:
        raise Misuse(f"Cannot write {output}: {error.strerror or error}.") from error


def _print(document: dict[str, Any], text: str, format_: Literal["text", "json"] | None) -> None:
    if format_ == "json":
        write(to_json(document, indent=1))
    else:
        write(printable.lines(text) if is_terminal() else text)


def _as_json(document: dict[str, Any]) -> str:
    return printable.escape_json(json.dumps(document, ensure_ascii=False, indent=1))


def _tell(recovery: Recovery, document: dict[str, Any]) -> None:
    """The table of witnesses and what is to be known of the text, to stderr: stdout is the text alone, piped or not."""
    print_witnesses(document)
    say(f"Confidence {recovery.confidence:.1%}; {len(recovery.apparatus)} variation units; {len(recovery.omitted)} omitted.")
    versions = versions_line(document)
    if versions is not None:
        say(versions)
    turned = Counter(passage.siglum for passage in recovery.unscrambled)
    for siglum, count in turned.items():
        say(f"{siglum}: {count} passages are printed scrambled (ROT47) and were turned back.")
    for stranger in recovery.strangers:
        say(f"Not a copy of this article: {printable.line(stranger.source)}: {stranger.why}")
