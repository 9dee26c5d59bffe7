"""Inflating under a limit."""

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.inflation import Inflater, inflate
from pipeline.errors import Malformed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"the wording that the agency sent out " * 40


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (TEXT, "utf-8"),
        (gzip.compress(TEXT, mtime=0), "gzip"),
        (gzip.compress(TEXT, mtime=0), " X-GZip "),
        (gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0), "gzip"),
        (gzip.compress(TEXT, mtime=0) + b"\0" * 9, "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (bare_deflate(TEXT), "deflate"),
        (TEXT, "gzip"),
        (brotli.compress(TEXT), "br"),
        (zstd.compress(TEXT), "zstd"),
        (zstd.compress(TEXT[:100]) + zstd.compress(TEXT[100:]), "zstd"),
        (TEXT, "zstd"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_body_is_unpacked(packed: bytes, encoding: str, step: int) -> None:
    """Whatever the cut of the chunks: members in a row, padding, bare deflate, and text mislabelled as gzip."""
    inflater = Inflater(encoding, 1_000_000)
    made = b"".join(inflater.feed(packed[i : i + step]) for i in range(0, len(packed), step)) + inflater.finish()
    assert (made, inflater.is_full, inflater.is_complete) == (TEXT, False, True)


@pytest.mark.parametrize("encoding", ["dcb", "dcz", "gzip, br", "zstd, gzip", "gzip, gzip", "compress"])
def test_a_packing_that_was_not_asked_for_is_malformed(encoding: str) -> None:
    """Accept-Encoding named neither it nor a packing inside another."""
    with pytest.raises(Malformed, match="not asked for"):
        Inflater(encoding, 10)


@pytest.mark.parametrize(("packing", "pack"), PACKERS.items())
def test_a_damaged_body_is_malformed(packing: str, pack: Callable[[bytes], bytes]) -> None:
    """A stream that breaks says so, and in what packing."""
    packed = bytearray(pack(TEXT))
    packed[5:20] = b"\xff" * 15
    with pytest.raises(Malformed, match=f"no proper {packing}"):
        inflate(bytes(packed), packing, 1_000_000)


def test_a_zstd_window_beyond_the_web_s_is_malformed() -> None:
    """A frame that wants 128 MB to look back into is not unpacked (RFC 9659 allows 8)."""
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(TEXT) + packer.flush()
    with pytest.raises(Malformed, match="no proper zstd"):
        inflate(packed, "zstd", 1_000_000)


@pytest.mark.parametrize(("packing", "pack"), PACKERS.items())
def test_a_stream_that_ends_early_is_not_complete(packing: str, pack: Callable[[bytes], bytes]) -> None:
    """The caller is told, so that it can mark the page."""
    inflater = Inflater(packing, 1_000_000)
    inflater.feed(pack(TEXT)[:-6])
    assert inflater.is_complete is False


@given(st.integers(0, 3000), st.sampled_from([*PACKERS, ""]), st.integers(1, 500))
def test_no_more_than_the_limit_comes_out(limit: int, encoding: str, step: int) -> None:
    """What comes out is the body's beginning, at most `limit` bytes; full if and only if there was more."""
    packed = PACKERS[encoding](TEXT) if encoding else TEXT
    inflater = Inflater(encoding, limit)
    made = b"".join(inflater.feed(packed[i : i + step]) for i in range(0, len(packed), step))
    assert made == TEXT[:limit]
    assert inflater.is_full is (len(TEXT) > limit)


@pytest.mark.parametrize(("packing", "pack"), PACKERS.items())
def test_a_bomb_is_stopped_at_the_limit(packing: str, pack: Callable[[bytes], bytes]) -> None:
    """50 MB out of some kB give the limit and no more, and are nowhere in memory meanwhile."""
    bomb = pack(b"\0" * 50_000_000)
    tracemalloc.start()
    try:
        assert inflate(bomb, packing, 1000) == (b"\0" * 1000, True)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_behind_another_member_is_stopped_too(packing: str) -> None:
    """The limit is the body's, whatever it is made of."""
    pack = PACKERS[packing]
    assert inflate(pack(b"a") + pack(b"\0" * 5_000_000), packing, 1000) == (b"a" + b"\0" * 999, True)


def test_many_empty_members_end() -> None:
    """100,000 members of nothing are read in one pass."""
    assert inflate(gzip.compress(b"") * 20_000, "gzip", 1000) == (b"", False)
