"""Copies in WARC files (ISO 28500:2017): each page that was answered with is one."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from pipeline.crawl.inflation import Inflater
from pipeline.errors import Malformed, Misuse

_PIECE = 1 << 16
_PAGES = ("text/html", "application/xhtml+xml", "")


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page as it was answered with: status 200, HTML or of an unnamed type."""

    url: str
    when: str
    """WARC-Date, as written."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Inflated, one byte more than the limit where it is longer."""


def archived_pages(path: Path, limit: int) -> Iterator[ArchivedPage]:
    """The pages of a WARC file, packed or not, in its order; of a body no more than `limit` bytes and one are read.

    Other answers (redirects, errors, pictures, robots.txt, revisits) are passed over. Raises Misuse for a file that cannot be
    read, Malformed for one that is no WARC file or breaks off, after the pages before that.
    """
    try:
        with path.open("rb") as file:
            records = _Records(file)
            for record in records:
                page = _page(record, limit)
                records.read_to_end()
                _refuse_cut(cut=record.rec_headers.get_header("Content-Length") is None or record.raw_stream.limit > 0)
                if page is not None:
                    yield page
            _refuse_cut(cut=records.cut)
    except OSError as error:
        raise Misuse(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError, TypeError) as error:  # of warcio, for broken headers
        why = " ".join(str(error).split())[:120]
        raise Malformed(f"{path}: it is no WARC file, or breaks off ({why}); `warcio check` says where.") from error


class _Records(ArchiveIterator):  # type: ignore[misc]  # warcio has no types
    """Records, and whether the last is packed and not whole: warcio takes the end of the file for the end of the packing."""

    cut = False

    def close(self) -> None:
        self.cut = bool(self.reader and self.reader.decompressor and not self.reader.decompressor.eof)
        super().close()


def _refuse_cut(*, cut: bool) -> None:
    if cut:
        raise EOFError("a record is shorter than it says")


def _page(record: ArcWarcRecord, limit: int) -> ArchivedPage | None:
    if record.rec_type != "response" or record.http_headers is None or record.http_headers.get_statuscode() != "200":
        return None
    media = (record.http_headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    if media not in _PAGES or url.partition("?")[0].endswith("/robots.txt"):
        return None
    return ArchivedPage(
        url=url,
        when=record.rec_headers.get_header("WARC-Date") or "",
        headers=tuple(record.http_headers.headers),
        body=_body(record, limit),
    )


def _body(record: ArcWarcRecord, limit: int) -> bytes:
    """The body inflated; where its packing is broken, what came before that."""
    stream = record.raw_stream
    if (record.http_headers.get_header("Transfer-Encoding") or "").strip().lower() == "chunked":
        # archives that keep bodies as they came over the wire, and those that only kept the header
        stream = ChunkedDataReader(stream)
    made: list[bytes] = []
    with suppress(Malformed):
        inflater = Inflater(record.http_headers.get_header("Content-Encoding") or "", limit + 1)
        while not inflater.is_full:
            piece = stream.read(_PIECE)
            if not piece:
                made.append(inflater.finish())
                break
            made.append(inflater.feed(piece))
    return b"".join(made)
