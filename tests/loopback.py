"""A real web on loopback addresses for the tests: pages by path, and a record of who asked for what, when."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_WAIT = 25.0


@dataclass(frozen=True)
class Reply:
    """What a path answers: `hold` seconds after the request, or when `until` is set; `begins` is set by the request."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    begins: threading.Event | None = None
    until: threading.Event | None = None


@dataclass(frozen=True)
class Asked:
    """One request: monotonic seconds of its begin and its end."""

    path: str
    begun: float
    ended: float


class Site:
    """One host. `pages` may be changed while it serves; what it lacks is 404, and so is its robots.txt."""

    def __init__(self, address: str) -> None:
        self.pages: dict[str, Reply | list[Reply]] = {}
        self.asked: list[Asked] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                begun = time.monotonic()
                reply = site.reply(self.path)
                if reply.begins:
                    reply.begins.set()
                time.sleep(reply.hold)
                if reply.until:
                    reply.until.wait(LONGEST_WAIT)
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except ConnectionError:
                    pass  # whoever asked was killed by the test
                site.asked.append(Asked(self.path, begun, time.monotonic()))

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.host = f"{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def reply(self, path: str) -> Reply:
        """The reply to a path; of a list of replies the next one, the last one for ever."""
        found = self.pages.get(path, Reply(status=404))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://{self.host}{path}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(count: int = 1) -> Iterator[list[Site]]:
    """So many hosts, each on an address of its own where the system has more than one loopback address."""
    sites: list[Site] = []
    try:
        for number in range(count):
            try:
                sites.append(Site(f"127.0.0.{10 + number}"))
            except OSError:
                sites.append(Site("127.0.0.1"))
        yield sites
    finally:
        for site in sites:
            site.close()
