"""Copies that somebody hands over as files: read into witnesses, without a database."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipeline.crawl.pages import Page
from pipeline.crawl.urls import parse, slug_headline
from pipeline.errors import Malformed, Misuse
from pipeline.philology.witness import Witness

HTML = frozenset({".html", ".htm", ".xhtml"})
TEXT = frozenset({".txt", ".text", ".md", ""})
WARC = (".warc", ".warc.gz")
LARGEST = 10_000_000
# The address of a page that does not say its own.
NOWHERE = "https://local.invalid/"
# A first line longer than this, or one that ends a sentence, is no headline.
LONGEST_HEADLINE = 200
# The marks that text begins with where it is not in UTF-8; UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What files of other kinds begin with, whatever they are called.
OTHER_KINDS = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP or office file"),
    (b"{\\rtf", "an RTF"),
    (b"\xd0\xcf\x11\xe0", "an office file"),
)
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Copies:
    """The witnesses in what was handed over, and why the rest gave none: a line for each, with its source."""

    witnesses: tuple[Witness, ...]
    left_out: tuple[str, ...]


def read_copies(paths: Iterable[Path], stdin: bytes = b"") -> Copies:
    """The witnesses in files and folders; `-` is what was read from standard input. A page is told by its name or its start.

    In a text file a blank line separates paragraphs, and a first line that does not end a sentence is the headline. Of a WARC
    file each page is a witness, under its URL. Raises Misuse for a path that cannot be read, or is named twice.
    """
    witnesses: list[Witness] = []
    left_out: list[str] = []
    files = list(_files(paths))
    for path in files:
        if files.count(path) > 1:
            raise Misuse(f"The copy {path} is named twice, by itself or with its folder: name it once.")
    for path in files:
        if path.name.lower().endswith(WARC):
            _read_warc(path, witnesses, left_out)
            continue
        try:
            witnesses.append(_read_body("-", "", stdin) if str(path) == "-" else _read_file(path))
        except Malformed as error:
            left_out.append(str(error))
    return Copies(tuple(witnesses), tuple(left_out))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            if str(path) == "-" or not path.is_dir():
                yield path
                continue
            inside = sorted(file for file in path.iterdir() if file.is_file() and _is_copy(file))
        except OSError as error:
            raise Misuse(f"Cannot read {path}: {error.strerror or error}.") from error
        if not inside:
            raise Misuse(f"The folder {path} holds no .txt, .html or .warc.gz file.")
        yield from inside


def _is_copy(file: Path) -> bool:
    return file.suffix.lower() in HTML | TEXT - {""} or file.name.lower().endswith(WARC)


def _read_warc(path: Path, witnesses: list[Witness], left_out: list[str]) -> None:
    from pipeline.stages.archived_copies import archived_pages  # noqa: PLC0415 - warcio, which other copies need not wait for

    sources = {witness.source for witness in witnesses}
    found = 0
    try:
        for page in archived_pages(path, LARGEST):
            found += 1
            source = f"{page.url} ({page.when})" if page.url in sources else page.url
            sources.add(source)
            try:
                _refuse_large(source, page.body)
                witnesses.append(read_html(source, page.body, page.url, page.headers))
            except Malformed as error:
                left_out.append(str(error))
    except Malformed as error:
        left_out.append(str(error))
        return
    if not found:
        left_out.append(f"{path}: it holds no page that was answered with.")


def _read_file(path: Path) -> Witness:
    kind = path.suffix.lower()
    if str(path).lower().startswith(("http:/", "https:/")):
        raise Misuse(f"{path} is a URL: `wirecopy add URL --wait` fetches it, and recover reads what is on this machine.")
    if kind not in HTML | TEXT:
        raise Misuse(
            f"{path} is neither text nor HTML: give .txt, .html or .warc.gz files, folders of them, or - for standard input."
        )
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)  # a pipe or a device has no size to look at before
    except OSError as error:
        raise Misuse(f"Cannot read {path}: {error.strerror or error}.") from error
    return _read_body(str(path), kind, body)


def _read_body(source: str, kind: str, body: bytes) -> Witness:
    _refuse_large(source, body)
    return read_html(source, body) if kind in HTML or _PAGE.match(body[:10_000]) else read_text(source, body)


def _refuse_large(source: str, body: bytes) -> None:
    if len(body) > LARGEST:
        raise Malformed(f"{source}: more than {LARGEST // 1_000_000} MB are no article.")


def read_html(source: str, body: bytes, url: str | None = None, headers: Iterable[tuple[str, str]] = ()) -> Witness:
    """The witness in a page. Raises Malformed, with the reason, where it holds no article."""
    from pipeline.crawl.extraction import read_page  # noqa: PLC0415 - half a second, which copies in plain text need not wait

    page = read_page(body, url or NOWHERE, headers)
    if page.why is not None:
        raise Malformed(f"{source}: {page.why}.")
    return Witness(
        source,
        page.paragraphs,
        page.title,
        page.byline,
        page.dateline,
        page.language,
        published=page.published,
        slug=_slug(page, url, Path(source).name),
    )


def _slug(page: Page, url: str | None, name: str) -> str | None:
    """The headline that the page's address spells: its own, else a declared one, else the name that it was saved under."""
    declared = (page.canonical, *(origin.value for origin in page.origins if origin.kind == "og_url"))
    saved_as = None if url else NOWHERE + quote(name, errors="replace")
    for address in filter(None, (url, *declared, saved_as)):
        try:
            spelt = slug_headline(parse(address))
        except Malformed:
            continue
        if spelt is not None:
            return spelt
    return None


def read_text(source: str, body: bytes) -> Witness:
    """The witness in a plain text: in UTF-8, in UTF-16 or UTF-32 with their mark, or else in Windows-1252.

    Raises Malformed for what is empty or no text.
    """
    lines = unicodedata.normalize("NFC", _decode(source, body)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    texts = ["\n".join(part) for part in paragraphs if part]
    if not texts:
        raise Malformed(f"{source}: it is empty.")
    headline = texts[0] if len(texts) > 1 and _is_headline(texts[0]) else None
    return Witness(source, tuple(texts[1:] if headline else texts), title=headline)


def _decode(source: str, body: bytes) -> str:
    for start, kind in OTHER_KINDS:
        if body.startswith(start):
            raise Malformed(f"{source}: it is {kind}, not text; save it as text or HTML.")
    mark = next((name for start, name in MARKS if body.startswith(start)), None)
    try:
        text = body.decode(mark or "utf-8-sig")
    except UnicodeDecodeError as error:
        if mark:
            raise Malformed(f"{source}: it is no {mark.upper()}, with whose mark it begins; save it in UTF-8.") from error
        text = body.decode("cp1252", "replace")
    if "\0" in text:
        raise Malformed(
            f"{source}: it holds NUL characters, so it is no text, or text in an unmarked UTF-16; save it in UTF-8."
        )
    return text


def _is_headline(text: str) -> bool:
    return (
        len(text) <= LONGEST_HEADLINE and "\n" not in text and not text.rstrip().endswith((".", "!", ":", ";", ",", "”", '"'))
    )
