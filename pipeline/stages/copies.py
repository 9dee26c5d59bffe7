"""Copies that somebody hands over as files: read into witnesses, without a database."""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.crawl.extraction import read_page
from pipeline.errors import Malformed, Misuse
from pipeline.philology.witness import Witness

HTML = frozenset({".html", ".htm", ".xhtml"})
TEXT = frozenset({".txt", ".text", ".md", ""})
LARGEST = 50_000_000
# A first line longer than this, or one that ends a sentence, is no headline.
LONGEST_HEADLINE = 200


def read_copies(paths: Iterable[Path], stdin: bytes = b"") -> Iterator[Witness]:
    """The witnesses in files and folders; `-` is what was read from standard input.

    In a text file a blank line separates paragraphs, and a first line that does not end a sentence is the headline. Raises
    Misuse for a path that cannot be read and Malformed for a file that holds no article.
    """
    for path in paths:
        if str(path) == "-":
            yield read_text("-", stdin)
        elif path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.is_file() and file.suffix.lower() in HTML | TEXT - {""})
            if not inside:
                raise Misuse(f"The folder {path} holds no .txt or .html file.")
            yield from read_copies(inside)
        else:
            yield _read_file(path)


def _read_file(path: Path) -> Witness:
    kind = path.suffix.lower()
    if kind not in HTML | TEXT:
        raise Misuse(f"{path} is neither text nor HTML: give .txt or .html files, folders of them, or - for standard input.")
    try:
        if path.stat().st_size > LARGEST:
            raise Misuse(f"{path} has more than {LARGEST // 1_000_000} MB: that is no article.")
        body = path.read_bytes()
    except OSError as error:
        raise Misuse(f"Cannot read {path}: {error.strerror or error}.") from error
    return read_html(str(path), body) if kind in HTML else read_text(str(path), body)


def read_html(source: str, body: bytes) -> Witness:
    """The witness in a page. Raises Malformed, with the reason, where it holds no article."""
    page = read_page(body, "https://local.invalid/", [])
    if page.why is not None:
        raise Malformed(f"{source}: {page.why}.")
    return Witness(source, page.paragraphs, page.title, page.byline, page.dateline, page.language, published=page.published)


def read_text(source: str, body: bytes) -> Witness:
    """The witness in a plain text in UTF-8 (or else Windows-1252, which every sequence of bytes is)."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    texts = ["\n".join(part) for part in paragraphs if part]
    headline = texts[0] if len(texts) > 1 and _is_headline(texts[0]) else None
    return Witness(source, tuple(texts[1:] if headline else texts), title=headline)


def _is_headline(text: str) -> bool:
    return (
        len(text) <= LONGEST_HEADLINE and "\n" not in text and not text.rstrip().endswith((".", "!", ":", ";", ",", "”", '"'))
    )
