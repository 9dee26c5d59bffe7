"""What pages that were made to harm cost the process that reads them: seconds, peak memory, and whether the text came out.

    python bench/bad_pages.py

Each page is read by a process of its own, as the stage extract reads it, after one small page has loaded what is loaded late.
CPU seconds and the peak of resident memory are that process's, from /proc. The bounds are those of the acceptance list: 5 s of
CPU and 500 MB a page. Exit 1 where one is broken, or where a page that holds an article does not give its text.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.crawl.extractor import Extractor
from pipeline.crawl.pages import ExtractionFailure

SECONDS, MEGABYTES = 5.0, 500.0
SENTENCES = tuple(
    f"The minister said on Monday that {thing} would be sent to the coast before the winter storms began, and that no "
    f"village there would have to wait for {thing} any longer than a week; the café at Zürich's quay stays closed."
    for thing in ("food", "fuel", "tents", "doctors", "blankets", "sandbags")
)  # fmt: skip
BODY = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


@dataclass(frozen=True, slots=True)
class BadPage:
    name: str
    body: bytes
    holds_text: bool = False
    """True where it holds an article that has to come out."""
    media: str = "text/html"


def page(body: str = BODY, head: str = "") -> str:
    head = f"<title>Minister sends food</title>{head}"
    return f"<!DOCTYPE html><html lang=en><head>{head}</head><body><article>{body}</article></body></html>"


def bad_pages() -> Iterator[BadPage]:
    """The list of the acceptance criteria, and variants of it."""
    for depth in (300, 1_000, 5_000):
        body = page("<div>" * depth + BODY + "</div>" * depth).encode()
        yield BadPage(f"depth {depth:,}", body, holds_text=depth <= 1_000)
    attributes = " ".join(f"a{number}=x" for number in range(100_000))
    yield BadPage("100,000 attributes", page(f"<div {attributes}>{BODY}</div>").encode(), holds_text=True)
    links = "".join(f"<a href=/{number}>link {number}</a> " for number in range(200_000))
    yield BadPage("200,000 links", page(BODY + links).encode())
    script = '<script type="application/ld+json">{' + '"author":1,' * 19_500 + "</script>"
    yield BadPage("JSON-LD of 214 KB, unparseable", page(head=script).encode(), holds_text=True)
    nested = '<script type="application/ld+json">' + "[" * 200_000 + "</script>"
    yield BadPage("JSON-LD, 200,000 deep", page(head=nested).encode(), holds_text=True)
    yield BadPage("20 MB of one paragraph", page("<p>" + "word " * 4_000_000 + "</p>").encode())
    yield BadPage("10 MB of one word", page("<p>" + "x" * 10_000_000 + "</p>").encode())
    entities = "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a0 "ha">{entities}]><html><body><p>&a11;</p>{BODY}</body></html>'
    yield BadPage("XML bomb", bomb.encode())
    yield BadPage("NULs between the letters", page().replace("minister", "mini\0ster").encode(), holds_text=True)
    yield BadPage("nothing but NULs", b"\0" * 1_000_000)
    yield BadPage("UTF-16 with a mark", page().encode("utf-16"), holds_text=True)
    yield BadPage("UTF-16 without one", page().encode("utf-16-le"), holds_text=True)
    yield BadPage(
        "Latin-1 that says UTF-8", page(head="<meta charset=utf-8>").encode("latin-1"), True, "text/html; charset=utf-8"
    )
    yield BadPage("UTF-8 that says Latin-1", page().encode(), True, "text/html; charset=iso-8859-1")
    yield BadPage("a charset that is none", page().encode("latin-1"), True, "text/html; charset=x-none")
    yield BadPage("PDF as HTML", b"%PDF-1.7\n" + os.urandom(1_000_000))
    yield BadPage("PNG as HTML", b"\x89PNG\r\n\x1a\n" + os.urandom(1_000_000))
    yield BadPage("noise as HTML", os.urandom(1_000_000))
    yield BadPage("empty", b"")
    yield BadPage("50,000 tables in each other", page("<table><tr><td>" * 50_000 + BODY).encode())
    yield BadPage("100,000 tags that do not close", page("<b><i><p>" * 33_000 + BODY).encode())
    yield BadPage("1 MB of title", page(head="<title>" + "x - " * 250_000 + "</title>").encode(), holds_text=True)


def spent(pid: int) -> tuple[float, float]:
    """(CPU seconds, peak of resident memory in MB) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return ticks / os.sysconf("SC_CLK_TCK"), int(status["VmHWM"].split()[0]) / 1024


def main() -> int:
    broken = 0
    print(f"{'page':34} {'CPU s':>7} {'peak MB':>8}  what came of it")
    for bad in bad_pages():
        with Extractor(seconds=60.0) as extractor:
            extractor.extract(page().encode())
            pid = extractor.pid or 0
            before, base = spent(pid)
            found = extractor.extract(bad.body, "https://news.example/story", [("content-type", bad.media)])
            if isinstance(found, ExtractionFailure):
                said, whole, cpu, peak = f"{found.kind}: {found.message}", False, 60.0, 0.0
            else:
                after, peak = spent(pid)
                cpu = after - before
                whole = all(sentence in found.text for sentence in SENTENCES)
                said = found.why or ("the article" if whole else f"{len(found.text):,} characters")
        wrong = cpu > SECONDS or peak > MEGABYTES or (bad.holds_text and not whole) or isinstance(found, ExtractionFailure)
        broken += wrong
        print(f"{bad.name:34} {cpu:7.2f} {peak:8.0f}  {said[:60]}{'   <-- out of bounds' if wrong else ''}")
    print(f"a process that has read one small page: {base:.0f} MB; {broken} out of bounds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
