"""GDELT's quadgrams: every four words in a row of the world's online news, by the minute, to join on here. No key, no query.

Two files a minute, as blog.gdeltproject.org/?p=24262 describes them: `…/YYYYMMDDHHMM00.ngrams.txt.gz`, lines of document,
quadgram and count between tabs, and `….toc.json.gz`, a JSON object a line. The latter's fields (ID, date, img, lang, title,
url) are not in that page; they were taken from two independent public readers of these files, which agree. Files come in bursts
of a quarter of an hour, so that most minutes have none: 404 is no failure. Each pair has some 20 MB and 4,000 articles; they
are read as they come, and nothing of them is kept but what joins.
"""

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.passages import Sort, read_sentences
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import Query, QueryKind, count_bits, weigh
from pipeline.discovery.web import Reply, Web, date_of, expect, text_of, url_of
from pipeline.errors import Malformed
from pipeline.settings import Settings

NAME = "gdelt-ngrams"
WHAT = "GDELT's n-gram files"
INTERVAL, BUDGET = 0.5, 5_000
GRAM = 4
MOST_GRAMS = 200
FEWEST_BITS = 16.0
"""A quadgram that tells less joins too much."""
FEWEST_SHARED = 3
"""Quadgrams that a document shares with the seed, at the least."""
LATEST = timedelta(minutes=5)
"""Files are out two minutes after their minute, at the latest five."""
PROBES_A_FILE = 15
"""Minutes that are asked for to find one file, at the most: a burst comes every quarter of an hour."""
MOST_INFLATED = 2_000_000_000
LONGEST_LINE = 100_000
GZIP = 31
_WORD = re.compile(r"[^\W_]+")


def make(settings: Settings) -> Provider:
    """The files under `gdelt_ngrams_url`, `gdelt_ngrams_files` of them a discovery."""

    async def ask(query: Query, wanted: Wanted, web: Web) -> Sequence[Candidate]:  # noqa: ARG001 - the whole text is joined
        grams = rare_grams(wanted)
        found: list[Candidate] = []
        files = probes = 0
        for minute in _minutes(wanted):
            if files >= settings.gdelt_ngrams_files or probes >= settings.gdelt_ngrams_files * PROBES_A_FILE or not grams:
                break
            probes += 1
            stem = f"{settings.gdelt_ngrams_url.rstrip('/')}/{minute:%Y%m%d%H%M}00"
            join = Join(grams)
            if not await _pour(f"{stem}.ngrams.txt.gz", join.take_line, web):
                continue
            files += 1
            if documents := join.documents():
                contents = Contents(documents)
                if await _pour(f"{stem}.toc.json.gz", contents.take_line, web):
                    found += contents.candidates
        return found

    off = None if settings.gdelt_ngrams_files and settings.gdelt_ngrams_url else "set gdelt_ngrams_files above 0"
    return Provider(NAME, frozenset({QueryKind.TEXT}), ask, INTERVAL, BUDGET, off)


def rare_grams(wanted: Wanted) -> dict[str, float]:
    """The quadgrams that are most likely to be in other copies and in nothing else, with the bits that each tells."""
    found: dict[str, tuple[float, float]] = {}
    for sentence in read_sentences(wanted.seed.paragraphs, wanted.rarity, wanted.seed.doubts):
        for at in range(len(sentence.words) - GRAM + 1):
            words = sentence.words[at : at + GRAM]
            gram = fold_gram(" ".join(word.text for word in words))
            if count_bits(words) >= FEWEST_BITS and gram.count(" ") == GRAM - 1:
                firm = sum(word.sort in (Sort.NAME, Sort.NUMBER) for word in words)
                found.setdefault(gram, (weigh(words) + firm, count_bits(words)))
    best = sorted(found, key=lambda gram: -found[gram][0])[:MOST_GRAMS]
    return {gram: found[gram][1] for gram in best}


def fold_gram(text: str) -> str:
    """Small letters and digits, single blanks: both sides of the join."""
    return " ".join(_WORD.findall(text.lower()))


class Join:
    """The documents of one file that share rare quadgrams with the seed."""

    def __init__(self, grams: dict[str, float]) -> None:
        self._grams = grams
        self._shared: dict[str, set[str]] = defaultdict(set)

    def take_line(self, line: bytes) -> None:
        """Take in one line of the file; what is no line of it is passed over."""
        document, tab, rest = line.partition(b"\t")
        if not tab:
            return
        gram = fold_gram(rest.partition(b"\t")[0].decode("utf-8", "replace"))
        if gram in self._grams:
            self._shared[document.decode("ascii", "replace").strip()].add(gram)

    def documents(self) -> dict[str, list[str]]:
        """Document → the quadgrams it shares, those that share enough."""
        return {document: sorted(grams) for document, grams in self._shared.items() if len(grams) >= FEWEST_SHARED}


class Contents:
    """The candidates that a file's table of contents makes of documents."""

    def __init__(self, documents: dict[str, list[str]]) -> None:
        self._documents = documents
        self.candidates: list[Candidate] = []

    def take_line(self, line: bytes) -> None:
        """Take in one line of the table; what is no entry is passed over."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return
        grams = self._documents.get(str(row.get("ID"))) if isinstance(row, dict) else None
        if grams and (url := url_of(row)) is not None:
            why = f"{len(grams)} rare runs of four words, such as “{grams[0]}”"
            self.candidates.append(
                Candidate(url, why, text_of(row, "title"), " … ".join(grams), date_of(row, "date"), holds_phrase=True)
            )


def _minutes(wanted: Wanted) -> Iterator[datetime]:
    """Minutes from the one in which the article was published outwards, the later of two first, as far as there are files."""
    last = (wanted.now - LATEST).replace(second=0, microsecond=0)
    start = min(wanted.published or last, last).replace(second=0, microsecond=0)
    yield start
    for minutes in range(1, 3 * 24 * 60):
        for minute in (start + timedelta(minutes=minutes), start - timedelta(minutes=minutes)):
            if minute <= last:
                yield minute


async def _pour(url: str, take_line: Callable[[bytes], None], web: Web) -> bool:
    """Hand the lines of a gzipped file over; False where there is no such file. Raises Malformed for a damaged one."""
    lines = Lines(take_line)
    reply: Reply = await web.pour(url, lines.take)
    if reply.status == 404:
        return False
    expect(reply, WHAT)
    lines.close()
    return True


class Lines:
    """The lines of a gzipped file, inflated as it comes; of one that breaks off, those that were whole."""

    def __init__(self, take_line: Callable[[bytes], None]) -> None:
        self._take_line = take_line
        self._inflate = zlib.decompressobj(GZIP)
        self._rest = b""
        self._size = 0
        self._plain: bool | None = None
        self._wrong: str | None = None

    def take(self, piece: bytes) -> bool:
        """Take in a piece; False where it is damaged, or more comes out than any such file has."""
        if self._plain is None:
            # Where the service said that it was packed for the way, the fetcher has inflated it already.
            self._plain = not piece.startswith(b"\x1f\x8b")
            self._wrong = "it is HTML" if piece.lstrip().startswith(b"<") else None
        while piece and self._wrong is None:
            text, piece = (piece, b"") if self._plain else self._open(piece)
            self._size += len(text)
            *lines, self._rest = (self._rest + text).split(b"\n")
            for line in lines:
                self._take_line(line)
            if len(self._rest) > LONGEST_LINE or self._size > MOST_INFLATED:
                self._wrong = f"a line has more than {LONGEST_LINE:,} bytes, or the file more than {MOST_INFLATED:,}"
        return self._wrong is None

    def close(self) -> None:
        """Take in the last line, where it has no end. Raises Malformed where something was wrong."""
        if self._wrong is not None:
            raise Malformed(f"{WHAT}: {self._wrong}; the service may have changed.")
        if self._rest and (self._plain or self._inflate.eof):
            self._take_line(self._rest)

    def _open(self, piece: bytes) -> tuple[bytes, bytes]:
        """What comes out of a piece, and what of it is still to be inflated."""
        if self._inflate.eof:  # a file may be several gzips in a row
            self._inflate = zlib.decompressobj(GZIP)
        try:
            text = self._inflate.decompress(piece, 1_000_000)
        except zlib.error as error:
            self._wrong = f"the file is no gzip, or damaged ({error})"
            return b"", b""
        return text, self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
