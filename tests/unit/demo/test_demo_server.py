import socket
import threading
from contextlib import closing

import httpx
import pytest

from pipeline.demo.server import Answer, Request, listening, serving


def echo(request: Request) -> Answer:
    return Answer(200, f"{request.method} {request.target}".encode(), (("Content-Type", "text/plain"),))


@pytest.fixture
def address():
    with listening(1) as (opened,):
        where = opened.getsockname()
        with serving((opened,), echo):
            yield where


def exchange(address: tuple[str, int], sent: bytes) -> bytes:
    """Everything that the server says to `sent` until it closes."""
    with closing(socket.create_connection(address, timeout=10)) as talk:
        talk.sendall(sent)
        received = b""
        while piece := talk.recv(65_536):
            received += piece
        return received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET http://elsewhere.example/ HTTP/1.1\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"GET /" + b"a" * 70_000, 431),
    ],
)
def test_what_cannot_be_served_is_refused_and_the_connection_ends(address, sent, status):
    """Garbage, an unknown method, an endless head: one answer that says so, then the end."""
    answer = exchange(address, sent)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer


def test_a_connection_serves_many_requests(address):
    """Two requests sent at once are answered in order; `Connection: close` ends it; HEAD has the length and no body."""
    answer = exchange(
        address, b"GET /one?x=1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"GET /one?x=1HTTP/1.1" in answer
    assert answer.endswith(b"Content-Length: 9\r\nConnection: close\r\n\r\n")


def test_a_client_that_leaves_harms_nobody(address):
    """Half a request and a hang-up leave the server answering."""
    with closing(socket.create_connection(address, timeout=10)) as talk:
        talk.sendall(b"GET /half HTTP/1.1\r\nHo")
    assert httpx.get(f"http://{address[0]}:{address[1]}/whole", trust_env=False).text == "GET /whole"


def test_a_slow_answer_holds_up_nobody_else():
    """While one answer waits, another request of the same host is answered; the end does not wait for the slow one."""
    arrived = threading.Event()

    def answer(request: Request) -> Answer:
        if request.target == "/slow":
            arrived.set()
            return Answer(200, b"slow", delay=3600)
        return Answer(200, b"quick")

    with listening(1) as (opened,):
        host, port = opened.getsockname()
        with closing(socket.create_connection((host, port), timeout=10)) as talk, serving((opened,), answer):
            talk.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
            assert arrived.wait(10)
            assert httpx.get(f"http://{host}:{port}/quick", trust_env=False).text == "quick"


def test_every_host_has_its_own_address_on_one_port():
    """Where the network is there, hosts differ by address; where it is not, by the port of 127.0.0.1."""
    with listening(3) as sockets:
        hosts, ports = zip(*(opened.getsockname() for opened in sockets), strict=True)
    assert hosts == ("127.0.0.2", "127.0.0.3", "127.0.0.4") or set(hosts) == {"127.0.0.1"}
    assert len(set(zip(hosts, ports, strict=True))) == 3
    # 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    with listening(3, network="192.0.2") as sockets:
        hosts, ports = zip(*(opened.getsockname() for opened in sockets), strict=True)
    assert set(hosts) == {"127.0.0.1"}
    assert len(set(ports)) == 3


def test_nothing_is_left_behind():
    """After the block the thread has ended and the address refuses."""
    before = threading.active_count()
    with listening(2) as sockets:
        where = sockets[1].getsockname()
        with serving(sockets, echo), httpx.Client(trust_env=False) as client:
            client.get(f"http://{where[0]}:{where[1]}/")
            assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=10)
