"""Whether the Redis or Valkey of the settings answers, asked without importing a client."""

import socket
from urllib.parse import unquote, urlsplit

from pipeline.cli.configuration import hide_password
from pipeline.errors import Misuse, Unavailable
from pipeline.settings import Settings

PING_WITHIN = 5.0


def check_broker(settings: Settings) -> None:
    """Return where workers can reach their queues. Raises Unavailable, and Misuse for a URL that is none."""
    if urlsplit(settings.redis_url).scheme == "rediss":
        return  # spoken to over TLS, which is the workers' client's to do
    try:
        ping(settings.broker_url)
    except OSError as error:
        raise Unavailable(
            f"No answer from Redis at {hide_password(settings.redis_url)}: {error.strerror or error}. Start the "
            "server, or mend redis_url and redis_password_file (`wirecopy config show`)."
        ) from error


def ping(url: str) -> None:
    """Return when the Redis or Valkey at the URL says PONG. Raises OSError and Misuse."""
    try:
        parts = urlsplit(url)
        address = parts.hostname or "127.0.0.1", parts.port or 6379
    except ValueError as error:
        raise Misuse(f"redis_url is no URL: {error}. Write redis://:password@host:6379/0.") from error
    if parts.scheme not in {"redis", "unix", "redis+socket"}:
        raise Misuse(
            f"redis_url begins with {parts.scheme or 'nothing'}:, and only redis:// and unix:// can be looked at here."
        )
    connection: socket.socket
    if parts.scheme == "redis":
        connection = socket.create_connection(address, PING_WITHIN)
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PING_WITHIN)
    with connection:
        if parts.scheme != "redis":
            connection.connect(unquote(parts.path))
        credentials = [unquote(part) for part in (parts.username, parts.password) if part]
        commands = ([["AUTH", *credentials]] if parts.password else []) + [["PING"]]
        connection.sendall(b"".join(map(_command, commands)))
        reply = b""
        while reply.count(b"\r\n") < len(commands) and (more := connection.recv(1024)):
            reply += more
    if not reply.endswith(b"+PONG\r\n"):
        raise ConnectionError(f"the server says {reply.decode(errors='replace').strip() or 'nothing'}")


def _command(words: list[str]) -> bytes:
    """A command in Redis' protocol (RESP): an array of bulk strings."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
