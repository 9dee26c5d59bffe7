"""Bodies unpacked under a limit: no answer, however small on the wire, makes more bytes than were asked for."""

import sys
import zlib
from typing import Protocol

import brotli

from pipeline.errors import Malformed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = "gzip, deflate, br, zstd"
"""What `Inflater` unpacks, as an Accept-Encoding header says it."""

_STEP = 65_536
_UNPACKED = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
_UNKNOWN = frozenset({"compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_LARGEST_WINDOW = 23
"""Of zstd, as a power of two: 8 MB, the most that a sender may ask for on the web (RFC 9659)."""


class _Stream(Protocol):
    """One packed stream: bytes in, at most so many bytes out."""

    ended: bool
    rest: bytes
    """What follows the stream's end."""

    def step(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        """What `chunk` gives, about `most` bytes, and what of it is still to be given."""

    @property
    def holds_more(self) -> bool:
        """Whether there is more to be had without more being given."""


class _Zlib:
    holds_more = False

    def __init__(self, window: int) -> None:
        self._stream = zlib.decompressobj(window)
        self.ended = False
        self.rest = b""

    def step(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        made = self._stream.decompress(chunk, most)
        self.ended, self.rest = self._stream.eof, self._stream.unused_data
        return made, self._stream.unconsumed_tail


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.ended = False
        self.rest = b""

    def step(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        made = self._stream.process(chunk, output_buffer_limit=most)
        self.ended = self._stream.is_finished()
        return made, b""

    @property
    def holds_more(self) -> bool:
        return not self.ended and not self._stream.can_accept_more_data()


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})
        self.ended = False
        self.rest = b""

    def step(self, chunk: bytes, most: int) -> tuple[bytes, bytes]:
        made = self._stream.decompress(chunk, most)
        self.ended, self.rest = self._stream.eof, self._stream.unused_data
        return made, b""

    @property
    def holds_more(self) -> bool:
        return not self.ended and not self._stream.needs_input


class Inflater:
    """The inflated bytes of one body, at most `limit` of them.

    `content_encoding` is the header; words in it that name no packing (servers send charsets there) are passed over,
    and a packing that was not asked for raises Malformed. A body that says gzip or zstd and is not, from its first bytes on,
    is given as it came: servers that mislabel plain text are many.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        words = [word.strip().lower() for word in content_encoding.split(",")]
        packings = [word for word in words if word in _UNPACKED or word in _UNKNOWN]
        if len(packings) > 1 or any(word in _UNKNOWN for word in packings):
            raise Malformed(f"the body is packed as {', '.join(packings)}, which was not asked for")
        self._packing = packings[0].removeprefix("x-") if packings else ""
        self._left = limit
        self._stream: _Stream | None = None
        self._head = b""
        self.is_full = False
        """True once there was more than `limit`: nothing more needs to be fed."""

    @property
    def is_complete(self) -> bool:
        """True where the packed stream has come to its end, or there is none."""
        return not self._packing or self._stream is None or self._stream.ended

    def feed(self, chunk: bytes) -> bytes:
        """What `chunk` inflates to, up to the limit; raises Malformed where the stream is broken."""
        if self._packing and self._stream is None:
            self._head += chunk
            if len(self._head) < len(_MAGIC.get(self._packing, b"12")):
                return b""
            chunk, self._head = self._head, b""
            if not chunk.startswith(_MAGIC.get(self._packing, b"")):
                self._packing = ""
            else:
                self._stream = self._open(chunk)
        if not self._packing:
            return self._take(chunk)
        made: list[bytes] = []
        while (chunk or self._holds_more) and not self.is_full:
            chunk = self._inflate(chunk, made)
        return b"".join(made)

    def finish(self) -> bytes:
        """What was held back of a body that is shorter than any packing's mark."""
        held, self._head = self._head, b""
        return self._take(held)

    @property
    def _holds_more(self) -> bool:
        return self._stream is not None and self._stream.holds_more

    def _open(self, head: bytes) -> _Stream:
        if self._packing == "br":
            return _Brotli()
        if self._packing == "zstd":
            return _Zstd()
        if self._packing == "gzip":
            return _Zlib(31)
        # "deflate" means zlib's format (RFC 9110, 8.4.1.2), but some servers send the bare stream.
        has_header = head[0] & 0x0F == 8 and (head[0] * 256 + head[1]) % 31 == 0
        return _Zlib(15 if has_header else -15)

    def _inflate(self, chunk: bytes, made: list[bytes]) -> bytes:
        """One step: appends to `made` and gives what of `chunk` is still to be read."""
        stream = self._stream
        if stream is None or stream.ended:
            if not chunk.startswith(_MAGIC.get(self._packing, b"\0")[:1]) or self._packing not in _MAGIC:
                return b""  # zeros or rubbish after the end, which servers pad with
            stream = self._stream = self._open(chunk)
        try:
            part, chunk = stream.step(chunk, self._left + 1)
        except (zlib.error, brotli.error, zstd.ZstdError) as error:
            raise Malformed(f"the body is no proper {self._packing}: {error}") from error
        made.append(self._take(part))
        return stream.rest if stream.ended else chunk

    def _take(self, made: bytes) -> bytes:
        if len(made) > self._left:
            self.is_full = True
            made = made[: self._left]
        self._left -= len(made)
        return made


def inflate(body: bytes, content_encoding: str, limit: int) -> tuple[bytes, bool]:
    """All of a body at once: its inflated bytes, and whether it was cut at `limit`."""
    inflater = Inflater(content_encoding, limit)
    # In steps, for each of many small gzip members copies what is left of the step.
    steps = (body[start : start + _STEP] for start in range(0, len(body), _STEP))
    made = b"".join(inflater.feed(step) for step in steps)
    return made + inflater.finish(), inflater.is_full
