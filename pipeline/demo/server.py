"""A real HTTP/1.1 server on many loopback addresses, run by one thread.

GET and HEAD, persistent connections, answers with a length. Whoever serves hands in one function from request to answer; it
is called in the server's thread and may not block. No line of a request is trusted: what cannot be read is answered 400, 405
or 431 and the connection is closed.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from threading import Thread

from pipeline.errors import Unavailable

HEAD_BYTES = 32_768
TRIES = 20

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Request:
    """What one request asks for; header names are in small letters."""

    address: Address
    """The address that was connected to, whatever the Host header says."""
    method: str
    target: str
    """Path and query as sent."""
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, after `delay` seconds."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0


@contextmanager
def listening(count: int, network: str = "127.0.0") -> Iterator[tuple[socket.socket, ...]]:
    """Listening sockets: 127.0.0.2, 127.0.0.3 … on one free port, or as many ports of 127.0.0.1 where that is all there is.

    `network` holds the first three numbers of the addresses to try. Linux answers on all of 127/8; macOS has 127.0.0.1 alone
    unless somebody adds more. The sockets are closed with the block. Raises Unavailable where nothing on loopback can be
    listened on.
    """
    try:
        sockets = _listen_on_one_port(count, network) or _listen([("127.0.0.1", 0)] * count)
    except OSError as error:
        raise Unavailable(
            f"The example pages cannot be served, no loopback address can be listened on ({error}); "
            "allow programs to listen on 127.0.0.1 and try again."
        ) from error
    try:
        yield sockets
    finally:
        for opened in sockets:
            opened.close()


def _listen_on_one_port(count: int, network: str) -> tuple[socket.socket, ...] | None:
    """A socket for each address, or None where there are no such addresses."""
    for _ in range(TRIES):
        try:
            first = socket.create_server((f"{network}.2", 0))
        except OSError:
            return None
        port = first.getsockname()[1]
        try:
            return (first, *_listen([(f"{network}.{host}", port) for host in range(3, count + 2)]))
        except OSError as error:
            first.close()
            # Somebody may hold the port on one of the other addresses: another port is tried then.
            if error.errno != errno.EADDRINUSE:
                return None
    return None


def _listen(addresses: list[Address]) -> tuple[socket.socket, ...]:
    """A listening socket for each address, or none at all and the error."""
    with ExitStack() as undo:
        sockets = tuple(undo.enter_context(socket.create_server(address)) for address in addresses)
        undo.pop_all()
    return sockets


@contextmanager
def serving(sockets: tuple[socket.socket, ...], answer: Callable[[Request], Answer]) -> Iterator[None]:
    """The server while the block runs; afterwards its thread has ended and every socket is closed."""
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    loop, stop = runner.get_loop(), asyncio.Event()

    def run() -> None:
        with runner:
            runner.run(_serve(sockets, answer, stop))

    thread = Thread(target=run, name="demo-site", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(sockets: tuple[socket.socket, ...], answer: Callable[[Request], Answer], stop: asyncio.Event) -> None:
    """Answers until `stop` is set; conversations that are still open then are cancelled by the runner."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A client may leave in the middle of anything.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await _talk(reader, writer, answer)
            writer.close()
        except asyncio.CancelledError:
            # Nobody is waited for at the end, not even one who stopped reading.
            writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()

    servers = [await asyncio.start_server(talk, sock=sock, limit=HEAD_BYTES) for sock in sockets]
    await stop.wait()
    for server in servers:
        server.close()
    # A conversation accepted in this very round begins, so that its cancelling finds a transport to close.
    await asyncio.sleep(0)


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Callable[[Request], Answer]) -> None:
    """Answers one connection's requests until either side has enough."""
    host, port = writer.get_extra_info("sockname")[:2]
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            request, reply = None, Answer(431)
        else:
            request = _read_head((host, port), head)
            reply = _reply(request, answer)
        await asyncio.sleep(reply.delay)
        stays = request is not None and reply.status != 405 and request.headers.get("connection", "").lower() != "close"
        writer.write(_head(reply, stays=stays))
        if request is None or request.method != "HEAD":
            writer.write(reply.body)
        await writer.drain()
        if not stays:
            return


def _reply(request: Request | None, answer: Callable[[Request], Answer]) -> Answer:
    if request is None:
        return Answer(400)
    if request.method not in {"GET", "HEAD"}:
        # Its body, if there is one, is never read: the connection ends with this answer.
        return Answer(405, headers=(("Allow", "GET, HEAD"),))
    return answer(request)


def _read_head(address: Address, head: bytes) -> Request | None:
    """The request that `head` holds, or None where it holds none."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        return None
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    return Request(address, words[0], words[1], headers)


def _head(reply: Answer, *, stays: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += [f"Content-Length: {len(reply.body)}", f"Connection: {'keep-alive' if stays else 'close'}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
