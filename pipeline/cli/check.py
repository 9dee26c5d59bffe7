"""check: which stored stories a text uses."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import printable
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, Format, FormatOption, as_mapping, is_terminal, percent, write_rows
from pipeline.crawl import urls
from pipeline.errors import Malformed, Misuse, NotFound
from pipeline.philology.witness import Witness
from pipeline.stages.checking import StoryUse, stored_text
from pipeline.stages.checking import check as find_uses
from pipeline.stages.copies import LARGEST, read_copies

STREAM = "-"
STORIES = (
    Column("story_id", "story", right=True),
    Column("title", least=20),
    Column("relation", show=lambda relation: relation.replace("_", " ")),
    Column("text_share", "of the text", right=True, show=percent),
    Column("story_share", "of the story", right=True, show=percent),
    Column("words", right=True),
)
PASSAGES = (
    Column("story_id", "story", right=True),
    Column("words", right=True),
    Column("same", right=True, show=percent),
    Column("text", "passage", least=32),
    Column("source", "as in", least=20, spare=True),
)


def check(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE|URL|-", help="Text or HTML; a page that is stored; standard input.")],
    format_: FormatOption = None,
) -> None:
    """Find the stored stories that a text uses: how much of it is theirs, how much of them it has, and which passages.

    A URL is not fetched: its stored text is checked. Exit 3 where no story is found.

    Example: wirecopy check suspicious.html
    """
    context: Context = ctx.obj
    given = None if what.lower().startswith(("http:/", "https:/")) else _read(what)
    with context.services() as services, services.factory() as session:
        text = given or stored_text(session, _url(what))
        found = find_uses(session, text)
    _write(found, format_)
    if not found:
        raise NotFound(
            "No stored story uses this text, nor does it use one. `wirecopy status` says how many stories there are."
        )


def _url(what: str) -> urls.Url:
    try:
        return urls.parse(what)
    except Malformed as error:
        raise Misuse(str(error)) from error


def _read(what: str) -> Witness:
    found = read_copies([Path(what)], sys.stdin.buffer.read(LARGEST + 1) if what == STREAM else b"")
    if len(found.witnesses) > 1:
        raise Misuse(f"{what} holds {len(found.witnesses)} texts: check takes one.")
    if not found.witnesses:
        raise Malformed(printable.line(found.left_out[0]))
    return found.witnesses[0]


def _write(found: tuple[StoryUse, ...], format_: Format | None) -> None:
    write_rows(found, STORIES, format_)
    if found and (format_ or (Format.TABLE if is_terminal() else Format.JSONL)) is Format.TABLE:
        rows = [as_mapping(passage) | {"story_id": use.story_id} for use in found for passage in use.passages]
        write_rows(rows, PASSAGES, Format.TABLE)
    for use in found[:1]:
        share = f"{percent(use.text_share)} of the text is story {use.story_id}'s, {percent(use.story_share)} of which it has"
        say(f"{share}; `wirecopy story show {use.story_id}` shows the story.")
