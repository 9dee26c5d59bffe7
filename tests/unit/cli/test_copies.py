"""Files that people hand over, the odd ones above all."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Misuse
from pipeline.exports.warc import Exchange, write_exchange, write_information
from pipeline.stages.copies import LARGEST, read_copies

TEXT = "Ferry stranded, all safe\n\nA ferry ran aground on Friday, the coastguard said. “Nobody was hurt,” said Zoë.\n"
PARAGRAPH = TEXT.split("\n\n")[1].strip()
PAGE = (
    "<!-- saved --><!DOCTYPE html><html lang=en><head><title>Ferry</title></head><body><article>"
    + f"<p>{PARAGRAPH} {PARAGRAPH} {PARAGRAPH}</p>" * 4
    + "</article></body></html>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_read_in_the_encodings_that_editors_write(tmp_path: Path, encoding: str) -> None:
    """The same text comes out of each encoding, headline and paragraph apart."""
    (tmp_path / "copy.txt").write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    copies = read_copies([tmp_path / "copy.txt"])
    assert copies.left_out == ()
    assert [(witness.title, witness.paragraphs) for witness in copies.witnesses] == [("Ferry stranded, all safe", (PARAGRAPH,))]


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("empty.txt", b"", "it is empty"),
        ("blank.txt", b"\xef\xbb\xbf \n\n\t\n", "it is empty"),
        ("report.txt", b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        ("report", b"PK\x03\x04\x14\x00", "office file"),
        ("nul.txt", b"A fer\0ry.", "NUL"),
        ("half.txt", b"\xff\xfeA\x00B", "UTF-16"),
        ("unmarked.txt", "A ferry.".encode("utf-16-be"), "NUL"),
        ("empty.html", b"", "empty"),
        ("menu.html", b"<html><body><nav>Home</nav></body></html>", "article"),
        ("large.txt", b"word " * (LARGEST // 5 + 1), "10 MB"),
    ],
)
def test_what_holds_no_article_is_left_out_with_the_reason(tmp_path: Path, name: str, body: bytes, why: str) -> None:
    """One bad file costs none of the others, and its line names it and says why."""
    (tmp_path / name).write_bytes(body)
    (tmp_path / "good.txt").write_text(TEXT, "utf-8")
    copies = read_copies([tmp_path / name, tmp_path / "good.txt"])
    assert [witness.source for witness in copies.witnesses] == [str(tmp_path / "good.txt")]
    (line,) = copies.left_out
    assert line.startswith(str(tmp_path / name))
    assert why in line


def test_a_page_is_told_by_its_start(tmp_path: Path) -> None:
    """A page saved as .txt, or piped in, is read as a page; a text that speaks of HTML is not."""
    (tmp_path / "saved.txt").write_text(PAGE, "utf-8")
    (tmp_path / "about.txt").write_text("On <html>\n\nThe tag <html> begins a page.", "utf-8")
    saved, piped, about = read_copies([tmp_path / "saved.txt", Path("-"), tmp_path / "about.txt"], PAGE.encode()).witnesses
    assert not any("<" in paragraph for witness in (saved, piped) for paragraph in witness.paragraphs)
    assert about.paragraphs == ("The tag <html> begins a page.",)


@pytest.mark.parametrize(
    ("name", "head", "slug"),
    [
        (
            "a.html",
            '<link rel="canonical" href="https://news.example/2024/ferry-stranded-all-safe-1234567.html">',
            "ferry stranded all safe",
        ),
        (
            "a.html",
            '<meta property="og:url" content="https://news.example/ferry-stranded-all-safe/">',
            "ferry stranded all safe",
        ),
        (
            "ferry-runs-aground-off-cape.html",
            '<link rel="canonical" href="https://news.example/">',
            "ferry runs aground off cape",
        ),
        ("ferry-\udcff-runs-aground.html", "", "ferry runs aground"),
        ("copy 2.html", "", None),
    ],
)
def test_a_page_says_what_its_address_spells(tmp_path: Path, name: str, head: str, slug: str | None) -> None:
    """The address that a page declares, or else the name that it was saved under, is a witness of its headline."""
    (tmp_path / name).write_text(PAGE.replace("<title>", f"{head}<title>"), "utf-8")
    (witness,) = read_copies([tmp_path / name]).witnesses
    assert witness.slug == slug


def test_files_of_one_name_are_two_copies_and_one_file_is_one(tmp_path: Path) -> None:
    """The folder tells copies of the same name apart; a file named beside its folder is misuse, as are two `-`."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "copy.txt").write_text(TEXT, "utf-8")
    assert len(read_copies([tmp_path / "one", tmp_path / "two"]).witnesses) == 2
    with pytest.raises(Misuse, match=r"copy\.txt is named twice"):
        read_copies([tmp_path / "one", tmp_path / "one" / "copy.txt"])
    with pytest.raises(Misuse, match="- is named twice"):
        read_copies([Path("-"), Path("-")], TEXT.encode())


def test_paths_that_cannot_be_read_are_misuse(tmp_path: Path) -> None:
    """No file, a name that is too long, a kind that is none, a folder without copies: each named."""
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    for path in (tmp_path / "none.txt", tmp_path / ("n" * 300), tmp_path / "photo.jpg", tmp_path):
        with pytest.raises(Misuse) as caught:
            read_copies([path])
        assert str(path) in str(caught.value)


def exchange(url: str, body: bytes, *, status: int = 200, media: str = "text/html", packing: str | None = None) -> Exchange:
    headers = (("Content-Type", media), *((("Content-Encoding", packing),) if packing else ()))
    return Exchange(url, datetime(2026, 11, 22, tzinfo=UTC), status, headers, body)


def warc(path: Path, *exchanges: Exchange) -> Path:
    with path.open("wb") as file:
        write_information(file, path.name, {"software": "a test"})
        for one in exchanges:
            write_exchange(file, one)
    return path


def test_each_page_of_a_warc_file_is_a_copy(tmp_path: Path) -> None:
    """Under its URL, a second capture with its date; redirects, pictures and robots.txt are none, a menu is told."""
    path = warc(
        tmp_path / "copies.warc.gz",
        exchange("https://one.example/robots.txt", b"User-agent: *"),
        exchange("https://one.example/ferry", PAGE.encode()),
        exchange("https://one.example/old", b"", status=301),
        exchange("https://one.example/ferry.png", b"\x89PNG", media="image/png"),
        exchange("https://two.example/menu", b"<html><body><nav>Home</nav></body></html>"),
        exchange("https://one.example/ferry", PAGE.encode()),
    )
    copies = read_copies([path])
    assert [witness.source for witness in copies.witnesses] == [
        "https://one.example/ferry",
        "https://one.example/ferry (2026-11-22T00:00:00.000000Z)",
    ]
    assert all(PARAGRAPH in witness.paragraphs[0] for witness in copies.witnesses)
    (line,) = copies.left_out
    assert line.startswith("https://two.example/menu: ")
    assert read_copies([tmp_path]).witnesses == copies.witnesses


def wire_record(url: str, wire: bytes, *headers: bytes) -> bytes:
    """A response record as crawlers write it that keep what came over the wire; the record itself is not packed."""
    answer = b"\r\n".join((b"HTTP/1.1 200 OK", b"Content-Type: text/html", *headers, b"", wire))
    return (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: %b\r\nWARC-Date: 2026-11-22T00:00:00Z\r\n"
        b"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000000>\r\n"
        b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%b\r\n\r\n"
        % (url.encode(), len(answer), answer)
    )


def test_a_warc_file_of_another_crawler_is_read_as_it_came_over_the_wire(tmp_path: Path) -> None:
    """Bodies that are chunked and packed."""
    packed = gzip.compress(PAGE.encode())
    wire = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    record = wire_record("https://one.example/a", wire, b"Content-Encoding: gzip", b"Transfer-Encoding: chunked")
    (tmp_path / "wire.warc").write_bytes(record)
    (witness,) = read_copies([tmp_path / "wire.warc"]).witnesses
    assert (witness.source, PARAGRAPH in witness.paragraphs[0]) == ("https://one.example/a", True)


@pytest.mark.parametrize("body", [b"", b"no archive", b"\x1f\x8b\x08garbage", b"WARC/1.0\r\nContent-Length: x\r\n\r\n"])
def test_a_file_that_is_no_warc_file_is_left_out(tmp_path: Path, body: bytes) -> None:
    """With its name and a reason."""
    (tmp_path / "bad.warc.gz").write_bytes(body)
    copies = read_copies([tmp_path / "bad.warc.gz"])
    assert copies.witnesses == ()
    (line,) = copies.left_out
    assert line.startswith(str(tmp_path / "bad.warc.gz"))


def test_the_pages_before_a_break_are_kept(tmp_path: Path) -> None:
    """A download that stopped anywhere in the second page gives the first one, and says that it stopped."""
    path = warc(tmp_path / "cut.warc.gz", exchange("https://one.example/a", PAGE.encode()))
    first = len(path.read_bytes())
    warc(path, exchange("https://one.example/a", PAGE.encode()), exchange("https://one.example/b", PAGE.encode()))
    whole = path.read_bytes()
    for length in (first + 5, *range(first + 20, len(whole), 60)):
        path.write_bytes(whole[:length])
        copies = read_copies([path])
        assert [witness.source for witness in copies.witnesses] == ["https://one.example/a"]
        assert len(copies.left_out) == 1


def test_a_body_that_inflates_without_end_is_left_out(tmp_path: Path) -> None:
    """A gzip bomb costs its limit, and the page after it is read."""
    bomb = gzip.compress(b"<html>" + b" " * (3 * LARGEST))
    records = (
        wire_record(f"https://one.example/{name}", body, b"Content-Encoding: gzip")
        for name, body in (("bomb", bomb), ("ferry", gzip.compress(PAGE.encode())))
    )
    (tmp_path / "bomb.warc").write_bytes(b"".join(records))
    copies = read_copies([tmp_path / "bomb.warc"])
    assert [witness.source for witness in copies.witnesses] == ["https://one.example/ferry"]
    (line,) = copies.left_out
    assert line.startswith("https://one.example/bomb: more than 10 MB")


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_broken_warc_file_never_raises(data: st.DataObject) -> None:
    """Bytes changed, taken out and put in anywhere: pages or reasons come back, nothing else."""
    body = bytearray(
        wire_record("https://one.example/a", gzip.compress(PAGE.encode()), b"Content-Encoding: gzip")
        + wire_record("https://one.example/b", PAGE.encode(), b"Transfer-Encoding: chunked")
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "broken.warc"
        path.write_bytes(bytes(body))
        copies = read_copies([path])
    assert copies.witnesses or copies.left_out


def test_a_url_is_no_file() -> None:
    """The message says which command fetches it."""
    with pytest.raises(Misuse, match="wirecopy add URL --wait"):
        read_copies([Path("https://one.example/ferry.html")])
