"""The text of a page's bytes, whatever its charset, and whatever its server says that is.

The order is a byte order mark, UTF-8 that proves itself, the header, the page's own declaration, and detection. UTF-8 comes
before what is declared, for text of another charset that happens to be valid UTF-8 hardly exists, and pages whose server
declares Latin-1 over UTF-8 are many.
"""

import codecs

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF16_LE, "utf-16-le"),
          (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip
# What Python knows as encodings and no page is written in; some are slow on purpose-made input.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "raw_unicode_escape", "undefined",
                          "unicode-escape", "unicode_escape", "utf-7", "utf_7"})  # fmt: skip
_SAMPLE = 20_000
_FEW = 30
"""Bytes past ASCII below which nothing can be told from them, and the web's own default (Windows-1252) is taken."""
_BEARABLE = 0.01
"""The share of characters that may be undecodable before a charset counts as the wrong one."""


def decode(body: bytes, content_type: str | None = None) -> str:
    """The text of `body`, without NULs; what no charset explains is U+FFFD. Never raises."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return _clean(body[len(mark) :].decode(charset, "replace"))
    wide = _find_wide(body)
    if wide:
        return _clean(body.decode(wide, "replace"))
    declared = [http_content_type_encoding(content_type), html_body_declared_encoding(body)]
    if not body.isascii() or not any(declared):
        try:
            # Not final, for a page that was cut inside a character is still UTF-8.
            return _clean(codecs.getincrementaldecoder("utf-8")().decode(body))
        except UnicodeDecodeError:
            pass  # one wrong byte is enough: Latin-1 with few accents looks like that
    for charset in filter(None, declared):
        text = _try(body, resolve_encoding(charset) or "utf-8")
        if text is not None:
            return _clean(text)
    return _clean(_detect(body))


def _find_wide(body: bytes) -> str | None:
    """UTF-16 without a mark: markup is ASCII, so every other byte of it is nought."""
    head = body[:400]
    if len(head) < 4:
        return None
    even, odd = head[::2].count(0) / len(head), head[1::2].count(0) / len(head)
    if max(even, odd) < 0.3 or min(even, odd) > 0.1:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _try(body: bytes, charset: str) -> str | None:
    """The text, or None where the charset is unknown or does not fit; a page cut inside a character still fits."""
    if charset in _NO_CHARSETS:
        return None
    try:
        text = body.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return None
    foreign = max(sum(byte > 0x7F for byte in body[:_SAMPLE]), 1)
    wrong = text[:_SAMPLE].count("\ufffd")
    return text if wrong <= 2 or wrong <= _BEARABLE * foreign else None


def _detect(body: bytes) -> str:
    if sum(byte > 0x7F for byte in body[:_SAMPLE]) < _FEW:
        return body.decode("cp1252", "replace")
    best = from_bytes(body[:_SAMPLE] + body[-_SAMPLE:] if len(body) > 2 * _SAMPLE else body).best()
    charset = best.encoding if best else "cp1252"
    try:
        return body.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return body.decode("cp1252", "replace")


def _clean(text: str) -> str:
    return text.replace("\0", "")
