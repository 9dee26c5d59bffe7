"""export: stories in the formats of others."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.errors import Misuse, NotFound
from pipeline.stages import archiving
from pipeline.store import queries
from pipeline.store.queries import SearchFilter

PARTLY = 4
MOST_FOUND = 10_000


class ExportFormat(StrEnum):
    """What a story is written as."""

    WARC = "warc"


def export(
    ctx: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Stories, as `wirecopy search` numbers them.")] = None,
    query: Annotated[str | None, typer.Option("--query", metavar="Q", help="Every story that a search finds.")] = None,
    format_: Annotated[
        ExportFormat, typer.Option("--format", "-f", help="warc: the captures that the stories rest on.")
    ] = ExportFormat.WARC,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write there instead of to stdout.")] = None,
) -> None:
    """Write stories in a format of others.

    Exit 4 where bodies of captures are no longer kept: their records hold the headers alone.

    Example: wirecopy export 12 13 --format warc -o stories.warc.gz
    """
    context: Context = ctx.obj
    if bool(ids) == (query is not None):
        raise Misuse("Say which stories: their numbers, or --query Q for all that a search finds.")
    to_stdout = output is None or str(output) == "-"
    if to_stdout and sys.stdout.isatty():
        raise Misuse(f"{format_.value} is not for reading on a terminal: name a file with -o, or pipe it on.")
    with context.services() as services, services.factory() as session:
        if query is not None:
            ids = [hit.id for hit in queries.search(session, SearchFilter(query), MOST_FOUND)]
            if not ids:
                raise NotFound(f"No story matches {query!r}: try `wirecopy search` with fewer words.")
        chosen = list(dict.fromkeys(queries.story(session, id_).id for id_ in ids or ()))
        with _target(None if to_stdout else output) as stream:
            told = [archiving.export_story(session, stream, id_, services.settings) for id_ in chosen]
    captured, missing = (sum(column) for column in zip(*told, strict=True))
    say(f"{captured} captures of {len(chosen)} stories written{'' if to_stdout else f' to {output}'}.")
    if missing:
        say(f"{missing} of them without their body, which is no longer kept (body_lifetime).")
        raise typer.Exit(PARTLY)


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Where to write: standard output, or a file that takes its name when it is whole. Raises Misuse where that cannot be."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=output.absolute().parent, prefix=".", suffix=".draft", delete=False) as file:
            draft = Path(file.name)
            yield file
        draft.replace(output)
    except OSError as error:
        raise Misuse(f"Cannot write {output}: {error.strerror or error}. Name another file.") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
