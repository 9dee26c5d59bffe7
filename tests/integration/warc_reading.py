"""WARC files as others read them."""

import io
from pathlib import Path
from types import SimpleNamespace

from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker


def records(content: bytes) -> list[tuple[str, str | None]]:
    """(type, URL) of every record, each digest checked."""
    found = []
    for record in ArchiveIterator(io.BytesIO(content), check_digests="raise"):
        record.content_stream().read()
        found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI")))
    return found


def passes_check(path: Path) -> bool:
    """What `warcio check` says, without a process of its own."""
    return bool(Checker(SimpleNamespace(inputs=[str(path)], verbose=False)).process_all() == 0)
