"""Lists of URLs as people's programs write them."""

import io
import sys
from pathlib import Path

import pytest

from pipeline.cli.intake import _lines
from pipeline.errors import Misuse

FROM_WINDOWS = (
    b"\xef\xbb\xbfhttps://a.example/1\r\n  https://a.example/2 \r\n\r\n# later\r\nhttps://a.example/\xe9\r\nhttps://a.example/3"
)
URLS = ["https://a.example/0", "https://a.example/1", "https://a.example/2", "https://a.example/\udce9", "https://a.example/3"]


def test_no_url_is_lost_to_the_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte order mark, CRLF, blanks and a line in another encoding cost no URL, by file or by stdin in any locale."""
    (tmp_path / "urls.txt").write_bytes(FROM_WINDOWS)
    assert list(_lines(URLS[:1], tmp_path / "urls.txt")) == URLS
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FROM_WINDOWS), encoding="ascii"))
    assert list(_lines(URLS[:1], Path("-"))) == URLS


def test_a_list_that_cannot_be_read_is_misuse(tmp_path: Path) -> None:
    """A folder or a name that is none is told with the reason, without error numbers."""
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(Misuse, match=f"^Cannot read URLs from {path}: {why}"):
            list(_lines([], path))
