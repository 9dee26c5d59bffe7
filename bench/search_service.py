"""A search engine over a set of pages that answers as real ones do: ten results a page, snippets, quoted phrases, BM25.

`Engine` answers in this process; `serving` puts it on a loopback port, where it speaks SearXNG's JSON.
"""

import json
import math
import re
import threading
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np

A_PAGE = 10
K1, B = 1.2, 0.75
TITLE_TIMES = 2
"""A word of the title counts as so many of the text."""
FRAGMENT = 16
"""Words of a snippet's fragment; there are two of them where the words that were asked for lie apart."""
TOKEN = re.compile(r"\w+(?:['’]\w+)*")
QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Page:
    """What the engine knows of a page."""

    url: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """One answer: the number of the page, and what the engine shows of it."""

    page: int
    url: str
    title: str
    snippet: str


def tokens_of(text: str) -> list[str]:
    return [word.lower().replace("’", "'").removesuffix("'s") for word in TOKEN.findall(text)]


class Engine:
    """An index of pages."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        self.asked = 0
        self._words: list[list[str]] = []
        lengths = []
        counts: dict[str, dict[int, int]] = defaultdict(dict)
        for number, page in enumerate(pages):
            title, text = tokens_of(page.title), tokens_of(page.text)
            self._words.append([*title, "", *text])
            held = Counter(text)
            for word in title:
                held[word] += TITLE_TIMES
            lengths.append(sum(held.values()))
            for word, times in held.items():
                counts[word][number] = times
        norms = K1 * (1 - B + B * np.array(lengths) / (sum(lengths) / len(lengths)))
        self._postings: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._idf: dict[str, float] = {}
        for word, held_by in counts.items():
            ids = np.frombuffer(array("l", held_by.keys()), dtype=np.int64)
            times = np.array(list(held_by.values()), dtype=float)
            self._idf[word] = math.log(1 + (len(pages) - len(ids) + 0.5) / (len(ids) + 0.5))
            self._postings[word] = ids, self._idf[word] * times * (K1 + 1) / (times + norms[ids])

    def rank(self, query: str, most: int) -> list[int]:
        """Numbers of the pages that answer best; every quoted phrase has to stand on them."""
        phrases = [tokens_of(phrase) for phrase in QUOTED.findall(query)]
        words = tokens_of(query)
        scores = np.zeros(len(self.pages))
        for word in words:
            if word in self._postings:
                ids, weights = self._postings[word]
                scores[ids] += weights
        for phrase in phrases:
            holding = self._holding(phrase)
            kept = np.zeros(len(self.pages), dtype=bool)
            kept[holding] = True
            scores[~kept] = 0.0
        best = np.argsort(-scores, kind="stable")[:most]
        return [int(number) for number in best if scores[number] > 0]

    def search(self, query: str, page: int = 1) -> list[Result]:
        """The ten answers of that page."""
        self.asked += 1
        found = self.rank(query, A_PAGE * page)[A_PAGE * (page - 1) :]
        words = set(tokens_of(query))
        return [
            Result(number, self.pages[number].url, self.pages[number].title, self._snippet(number, words)) for number in found
        ]

    def _holding(self, phrase: list[str]) -> list[int]:
        if not phrase or any(word not in self._postings for word in phrase):
            return []
        rarest = min(phrase, key=lambda word: len(self._postings[word][0]))
        length = len(phrase)
        found = []
        for number in self._postings[rarest][0]:
            words = self._words[number]
            starts = (at for at, word in enumerate(words) if word == phrase[0])
            if any(words[at : at + length] == phrase for at in starts):
                found.append(int(number))
        return found

    def _snippet(self, number: int, asked: set[str]) -> str:
        """The fragments of the page's text that hold the most of what was asked for."""
        printed = list(TOKEN.finditer(self.pages[number].text))
        keys = [match[0].lower().replace("’", "'").removesuffix("'s") for match in printed]
        weights = [self._idf.get(key, 0.0) if key in asked else 0.0 for key in keys]
        first = self._best(keys, weights, asked, set())
        fragments = [first]
        left = asked - set(keys[first : first + FRAGMENT])
        if left & set(keys):
            second = self._best(keys, weights, left, set(range(first - FRAGMENT // 2, first + FRAGMENT)))
            if second not in range(first - FRAGMENT, first + FRAGMENT):
                fragments = sorted([first, second])
        text = self.pages[number].text
        shown = []
        for start in fragments:
            if printed:
                end = min(start + FRAGMENT, len(printed))
                shown.append(" ".join(text[printed[start].start() : printed[end - 1].end()].split()))
        return " … ".join(shown)

    @staticmethod
    def _best(keys: list[str], weights: list[float], asked: set[str], barred: set[int]) -> int:
        best, where = -1.0, 0
        for at in range(0, max(1, len(keys) - FRAGMENT + 1), 3):
            if at in barred:
                continue
            end = at + FRAGMENT
            held = {key: weight for key, weight in zip(keys[at:end], weights[at:end], strict=True) if key in asked}
            worth = sum(held.values())
            if worth > best + 1e-9:
                best, where = worth, at
        return where


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """The engine behind SearXNG's protocol (docs.searxng.org/dev/search_api); the base URL of the service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            query, page = asked.get("q", [""])[0], int(asked.get("pageno", ["1"])[0])
            results = [
                {"url": found.url, "title": found.title, "content": found.snippet, "engine": "local", "score": 1.0}
                for found in engine.search(query, page)
            ]
            body = json.dumps({"query": query, "results": results, "unresponsive_engines": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
