"""What a provider may ask of the web, and how answers are read; the requests are made by whoever hands the web in."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pipeline.errors import Malformed, Refused, Unavailable

JSON = "application/json, */*;q=0.1"
BUSY_PAUSE = 60.0
"""Seconds that a service which says 429 without saying for how long is let alone."""
MOST_SAID = 200
Take = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of several of one name the first."""
    body: bytes
    truncated: bool = False
    retry_after: float | None = None
    """Seconds that it asks to be let alone, where it does."""


class Web(Protocol):
    """Requests, made politely. Both raise Unavailable where there is no answer, or where none may be asked for now."""

    async def get(self, url: str, headers: Mapping[str, str] | None = None, *, accept: str = JSON, keep: float = 0.0) -> Reply:
        """The answer to a GET; a good one is kept for `keep` seconds, and a kept one costs nothing."""

    async def pour(self, url: str, take: Take) -> Reply:
        """The answer without its body, whose inflated pieces are handed to `take` as they come."""


def expect(reply: Reply, what: str) -> Reply:
    """The reply, where it is a good one. Raises Unavailable, Refused or Malformed, each with what the service says."""
    if 200 <= reply.status < 300:
        return reply
    said = " ".join(reply.body[:MOST_SAID].decode("utf-8", "replace").split())
    message = f"{what} answers {reply.status}" + (f": {said}" if said and not said.startswith("<") else "")
    if reply.status in {408, 425, 429} or reply.status >= 500:
        pause = reply.retry_after if reply.retry_after is not None else BUSY_PAUSE if reply.status == 429 else None
        raise Unavailable(message, pause)
    if reply.status in {401, 402, 403, 407}:
        raise Refused(f"{message}. Look at its key and its settings.")
    raise Malformed(message)


def read_json(reply: Reply, what: str) -> Any:
    """The JSON in a reply. Raises Malformed for what is none: HTML, half an answer, bytes."""
    text = reply.body.decode("utf-8-sig", "replace").strip()
    if reply.truncated:
        raise Malformed(f"{what}: the answer breaks off after {len(reply.body):,} bytes.")
    if text.startswith("<"):
        raise Malformed(f"{what}: the answer is HTML where JSON was expected.")
    try:
        # Some services put bare control characters into strings.
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        said = " ".join(text[:MOST_SAID].split())
        raise Malformed(f"{what}: the answer is no JSON: {said!r}.") from error


def mapping_of(value: object, what: str) -> Mapping[str, Any]:
    """The value, where it is an object. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed(f"{what}: an object was expected, and it is {type(value).__name__}.")
    return value


def rows_of(value: object, key: str, what: str, *, least: bool = False) -> list[Mapping[str, Any]]:
    """The objects in the list under `key`; with `least`, an answer without that list is none at all, and Malformed."""
    inside = mapping_of(value, what)
    if key not in inside and not least:
        return []
    rows = inside.get(key)
    if not isinstance(rows, list):
        raise Malformed(f"{what}: {key!r} is no list; the service may have changed.")
    return [row for row in rows if isinstance(row, dict)]


def text_of(row: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these that is a text with something in it, blanks squeezed, NULs left out."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, str) and (squeezed := " ".join(value.replace("\0", "").split())):
            return squeezed[:2_000]
    return None


def url_of(row: Mapping[str, Any], key: str = "url") -> str | None:
    """The URL under `key`, where it is one of the web's."""
    value = row.get(key)
    return value.strip() if isinstance(value, str) and value.strip().lower().startswith(("http://", "https://")) else None


def date_of(row: Mapping[str, Any], *keys: str) -> datetime | None:
    """The first of these that is a date: ISO 8601, or GDELT's and the archives' digits. Aware, UTC."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, str) and (when := read_date(value)) is not None:
            return when
    return None


def read_date(text: str) -> datetime | None:
    """A date in ISO 8601, or as 20230918T031500Z or 20230918031500; None for anything else."""
    digits = text.strip().replace("T", "").replace("Z", "")
    try:
        if digits.isascii() and digits.isdigit() and len(digits) in {8, 12, 14}:
            when = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            when = datetime.fromisoformat(text.strip())
            when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if when.year >= 1990 else None
