"""Archive: captures as WARC, written as they come in, or handed out for a story.

A capture is written once its page was read, for only then is it known whether it may be archived. Rows decide what a file
holds: records are written and put on the disk before the transaction that says so, and what a process that died left behind
the committed size is cut off before the next record. So each capture stands in the files once, whatever dies.
"""

import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session
from warcio.archiveiterator import ArchiveIterator

from pipeline.exports.warc import Exchange, Revisited, dated, write_exchange, write_information
from pipeline.settings import Settings
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Outcome
from pipeline.store import archive, captures
from pipeline.store.archive import Captured
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Capture, WarcFile

# Captures written in one transaction.
BATCH = 200
# What is added to the name of a file that still grows, as other crawlers do.
GROWING = ".open"


def archive_captures(factory: SessionFactory, settings: Settings, stopping: Callable[[], bool] = lambda: False) -> Outcome:
    """Write what waits to be archived to this machine's WARC files; one process of all does it at a time.

    Raises OSError where the folder cannot be written: the captures wait, and are written when it can.
    """
    written = 0
    while not stopping():
        with factory.begin() as session:
            if not archive.lock(session, wait=False):
                return Outcome("taken")
            file = archive.open_file(session, place_of(settings))
            if file is not None and (file.size >= settings.warc_size or not settings.warc):
                _close(session, file, settings)
                file = None
            batch = archive.waiting(session, BATCH)
            if batch:
                _write(session, file or _open(session, settings), batch, settings)
        written += len(batch)
        if len(batch) < BATCH:
            break
    return Outcome(f"{written} captures archived")


def place_of(settings: Settings) -> str:
    """The name of this machine's folder of WARC files; others may have one at the same path."""
    return f"{socket.gethostname()}:{settings.warc_folder}"


def export_story(session: Session, stream: IO[bytes], story_id: int, settings: Settings) -> tuple[int, int]:
    """Write the captures that a story's witnesses were read out of as WARC: (records of answers, bodies no longer kept)."""
    found = archive.of_story(session, story_id)
    write_information(stream, f"story-{story_id}.warc.gz", _about(settings) | {"description": f"captures of story {story_id}"})
    missing = 0
    for captured in found:
        body = captures.body_of(session, captured.capture, bodies_under(settings))
        missing += body is None
        write_exchange(stream, _exchange(captured, body, None))
    return len(found), missing


def forget_records(
    session: Session, files: Iterable[WarcFile], gone: frozenset[tuple[str, datetime]], settings: Settings
) -> list[str]:
    """Rewrite WARC files without the records of these (URL, time); the files that are not on this machine, as place/name.

    The caller holds the lock and commits: each file is replaced by a whole new one before that, so that a transaction that is
    undone after it loses nothing but what was to be forgotten.
    """
    elsewhere: list[str] = []
    for file in files:
        path = _path(file, settings)
        if file.place != place_of(settings) or path is None:
            elsewhere.append(f"{file.place}/{file.name}")
            continue
        file.size = _rewrite(path, file.size, {(url, dated(when)) for url, when in gone})
        session.flush()
    return elsewhere


def _open(session: Session, settings: Settings) -> WarcFile:
    now = datetime.now(UTC)
    name = f"wirecopy-{now:%Y%m%dT%H%M%S%f}Z.warc.gz"
    file = WarcFile(place=place_of(settings), name=name)
    session.add(file)
    session.flush()
    settings.warc_folder.mkdir(parents=True, exist_ok=True)
    return file


def _close(session: Session, file: WarcFile, settings: Settings) -> None:
    growing = settings.warc_folder / (file.name + GROWING)
    if growing.exists():
        os.truncate(growing, file.size)
        growing.replace(settings.warc_folder / file.name)
    archive.close(session, file)


def _path(file: WarcFile, settings: Settings) -> Path | None:
    paths = (settings.warc_folder / (file.name + GROWING), settings.warc_folder / file.name)
    return next((path for path in paths if path.exists()), None)


def _write(session: Session, file: WarcFile, batch: list[Captured], settings: Settings) -> None:
    bodies = bodies_under(settings)
    path = settings.warc_folder / (file.name + GROWING)
    with _appending(path, file.size) as stream:
        if not stream.tell():
            write_information(stream, file.name, _about(settings))
        for captured in batch:
            capture = captured.capture
            if _may_not_be_kept(capture):
                archive.mark(session, [capture.id], None)
                continue
            body = captures.body_of(session, capture, bodies)
            first = archive.first_of_its_bytes(session, capture)
            write_exchange(stream, _exchange(captured, body, first))
            archive.mark(session, [capture.id], file.id)
        file.size = stream.tell()
    session.flush()


@contextmanager
def _appending(path: Path, size: int) -> Iterator[IO[bytes]]:
    """The file, open behind its first `size` bytes, and on the disk when the context ends."""
    with path.open("ab") as made:
        os.truncate(made.fileno(), size)
    with path.open("r+b") as stream:
        stream.seek(size)
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _may_not_be_kept(capture: Capture) -> bool:
    """Whether the page's body was dropped when it was read, because it asked not to be archived."""
    return not capture.kept and 200 <= capture.status < 300


def _exchange(captured: Captured, body: bytes | None, first: Capture | None) -> Exchange:
    capture, detail = captured.capture, captured.attempt.detail
    return Exchange(
        url=capture.url,
        when=capture.fetched_at,
        status=capture.status,
        headers=tuple((header["name"], header["value"]) for header in capture.headers),
        body=body,
        truncated=capture.truncated,
        http_version=str(detail.get("http", "1.1")),
        address=detail.get("address"),
        request=tuple((str(name), str(value)) for name, value in detail.get("sent", {}).items()),
        revisits=None if first is None else Revisited(first.url, first.fetched_at),
    )


def _about(settings: Settings) -> dict[str, str]:
    about = {"software": f"wirecopy {version('wirecopy')}", "robots": "obey"}
    return about | ({"operator": settings.contact} if settings.contact else {})


def _rewrite(path: Path, size: int, gone: set[tuple[str, str]]) -> int:
    """Replace a file by one without the records of these (URL, date); its new size. What stands behind `size` is left out."""
    os.truncate(path, size)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".draft", delete=False) as new:
        try:
            with path.open("rb") as old:
                for start, length in list(_others(old, gone)):
                    old.seek(start)
                    new.write(old.read(length))
            new.flush()
            os.fsync(new.fileno())
            left = new.tell()
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
    return left


def _others(stream: IO[bytes], gone: set[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """(start, length) of every record that is none of these (URL, date)."""
    records = ArchiveIterator(stream)
    for record in records:
        named = record.rec_headers.get_header("WARC-Target-URI"), record.rec_headers.get_header("WARC-Date")
        start = records.get_record_offset()
        length = records.get_record_length()
        if named not in gone:
            yield start, length
