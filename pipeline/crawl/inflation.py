"""Bodies unpacked under a limit: no answer, however small on the wire, makes more bytes than were asked for."""

import zlib

from pipeline.errors import Malformed

ENCODINGS = "gzip, deflate"
"""What `Inflater` unpacks, as an Accept-Encoding header says it."""

_STEP = 65_536
_PACKED = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})


class Inflater:
    """The inflated bytes of one body, at most `limit` of them.

    `content_encoding` is the header; words in it that name no packing (servers send charsets there) are passed over,
    and a packing that was not asked for raises Malformed. A body that says gzip and is not, from its first bytes on, is
    given as it came: servers that mislabel plain text are many.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        words = [word.strip().lower() for word in content_encoding.split(",")]
        packings = [word for word in words if word in {"gzip", "x-gzip", "deflate"} or word in _PACKED]
        if len(packings) > 1 or any(word in _PACKED for word in packings):
            raise Malformed(f"the body is packed as {', '.join(packings)}, which was not asked for")
        self._packing = packings[0].removeprefix("x-") if packings else ""
        self._left = limit
        self._stream: zlib._Decompress | None = None
        self._head = b""
        self._started = False
        self.is_full = False
        """True once there was more than `limit`: nothing more needs to be fed."""

    @property
    def is_complete(self) -> bool:
        """True where the packed stream has come to its end, or there is none."""
        return not self._packing or self._stream is None or self._stream.eof

    def feed(self, chunk: bytes) -> bytes:
        """What `chunk` inflates to, up to the limit; raises Malformed where the stream is broken."""
        if self._packing and not self._started:
            self._head += chunk
            if len(self._head) < 2:
                return b""
            chunk, self._head = self._head, b""
            self._open(chunk)
        if not self._packing:
            return self._take(chunk)
        made: list[bytes] = []
        while chunk and not self.is_full:
            chunk = self._inflate(chunk, made)
        return b"".join(made)

    def finish(self) -> bytes:
        """What was held back of a body shorter than two bytes."""
        held, self._head = self._head, b""
        return self._take(held)

    def _open(self, head: bytes) -> None:
        self._started = True
        if self._packing == "gzip":
            if head[:2] == b"\x1f\x8b":
                self._stream = zlib.decompressobj(31)
            else:
                self._packing = ""
        else:
            # "deflate" means zlib's format (RFC 9110, 8.4.1.2), but some servers send the bare stream.
            has_header = head[0] & 0x0F == 8 and (head[0] * 256 + head[1]) % 31 == 0
            self._stream = zlib.decompressobj(15 if has_header else -15)

    def _inflate(self, chunk: bytes, made: list[bytes]) -> bytes:
        """One step: appends to `made` and gives what of `chunk` is still to be read."""
        stream = self._stream
        if stream is None or stream.eof:
            if self._packing != "gzip" or chunk[:1] != b"\x1f":
                return b""  # zeros or rubbish after the end, which servers pad with
            stream = self._stream = zlib.decompressobj(31)
        try:
            made.append(self._take(stream.decompress(chunk, self._left + 1)))
        except zlib.error as error:
            raise Malformed(f"the body is no proper {self._packing}: {error}") from error
        return stream.unused_data if stream.eof else stream.unconsumed_tail

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
