"""Files that people hand over, the odd ones above all."""

from pathlib import Path

import pytest

from pipeline.errors import Misuse
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
