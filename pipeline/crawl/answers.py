"""What a fetch gives: an Answer, or a Failure to get one. Both are values; neither is an exception."""

from dataclasses import dataclass
from typing import Literal

from pipeline.crawl.urls import Url

FailureKind = Literal[
    "dead_name",
    "resolver",
    "refused_address",
    "connect",
    "tls",
    "timeout",
    "protocol",
    "encoding",
    "bad_redirect",
]
"""Why there is no answer:

dead_name        the name does not exist
resolver         the name could not be looked up now
refused_address  the name or the address is one that is not connected to
connect          nobody accepts the connection, or it broke off before an answer
tls              the certificate or the handshake is wrong
timeout          the answer did not come within the total time
protocol         what came is not HTTP, or its headers exceed 100 kB
encoding         the body is packed in a way that was not asked for, or is damaged from its start
bad_redirect     the redirect leads to what is no URL
"""


UNREAD_TYPES = ("audio/", "font/", "image/", "video/")
"""Beginnings of the content types whose bodies are not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, of one hop, whatever its status."""

    url: Url
    """What was asked for."""
    status: int
    headers: tuple[tuple[str, str], ...]
    """As sent, in order, names in lower case."""
    body: bytes
    """Inflated, at most the limit; empty where the type is not one that is read (sound, pictures, fonts)."""
    wire_bytes: int
    """Bytes of the body as they came over the wire."""
    address: str
    """The address that was connected to, without port."""
    elapsed: float
    """Seconds from the call to the last byte."""
    location: Url | None = None
    """Where a redirect (301, 302, 303, 307, 308) leads, absolute."""
    truncated: bool = False
    """True where the body goes on past what was read: a limit, or a connection that ended early."""
    http_version: str = "1.1"
    sent: tuple[tuple[str, str], ...] = ()
    """The headers of the request, as they went out."""

    def header(self, name: str) -> str | None:
        """The first header of that name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a fetch gave no answer."""

    url: Url
    kind: FailureKind
    message: str
    """What happened, for a person."""
    elapsed: float
    """Seconds from the call."""
    address: str | None = None
    """The address that was connected to or refused, where it came so far."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes a request conditional (RFC 9110, 13.1): sent back as they came, both where both are known."""

    etag: str | None = None
    last_modified: str | None = None
