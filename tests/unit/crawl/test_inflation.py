"""Inflating under a limit."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.inflation import Inflater, inflate
from pipeline.errors import Malformed

TEXT = b"the wording that the agency sent out " * 40


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (TEXT, "utf-8"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), " X-GZip "),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), "gzip"),
        (gzip.compress(TEXT) + b"\0" * 9, "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (bare_deflate(TEXT), "deflate"),
        (TEXT, "gzip"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_body_is_unpacked(packed: bytes, encoding: str, step: int) -> None:
    """Whatever the cut of the chunks: members in a row, padding, bare deflate, and text mislabelled as gzip."""
    inflater = Inflater(encoding, 1_000_000)
    made = b"".join(inflater.feed(packed[i : i + step]) for i in range(0, len(packed), step)) + inflater.finish()
    assert (made, inflater.is_full, inflater.is_complete) == (TEXT, False, True)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "gzip, gzip", "compress"])
def test_a_packing_that_was_not_asked_for_is_malformed(encoding: str) -> None:
    """Accept-Encoding named neither it nor a packing inside another."""
    with pytest.raises(Malformed, match="not asked for"):
        Inflater(encoding, 10)


def test_a_damaged_body_is_malformed() -> None:
    """A stream that breaks says so."""
    packed = bytearray(gzip.compress(TEXT))
    packed[12] ^= 0xFF
    with pytest.raises(Malformed, match="no proper gzip"):
        inflate(bytes(packed), "gzip", 1_000_000)


def test_a_stream_that_ends_early_is_not_complete() -> None:
    """The caller is told, so that it can mark the page."""
    inflater = Inflater("gzip", 1_000_000)
    inflater.feed(gzip.compress(TEXT)[:-20])
    assert inflater.is_complete is False


@given(st.integers(0, 3000), st.sampled_from(["gzip", "deflate", ""]), st.integers(1, 500))
def test_no_more_than_the_limit_comes_out(limit: int, encoding: str, step: int) -> None:
    """What comes out is the body's beginning, at most `limit` bytes; full if and only if there was more."""
    packed = {"gzip": gzip.compress(TEXT), "deflate": zlib.compress(TEXT), "": TEXT}[encoding]
    inflater = Inflater(encoding, limit)
    made = b"".join(inflater.feed(packed[i : i + step]) for i in range(0, len(packed), step))
    assert made == TEXT[:limit]
    assert inflater.is_full is (len(TEXT) > limit)


def test_a_bomb_is_stopped_at_the_limit() -> None:
    """50 MB out of 50 kB, and a bomb inside a second member, give the limit and no more."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert inflate(bomb, "gzip", 1000) == (b"\0" * 1000, True)
    assert inflate(gzip.compress(b"a") + bomb, "gzip", 1000) == (b"a" + b"\0" * 999, True)


def test_many_empty_members_end() -> None:
    """100,000 members of nothing are read in one pass."""
    assert inflate(gzip.compress(b"") * 20_000, "gzip", 1000) == (b"", False)
