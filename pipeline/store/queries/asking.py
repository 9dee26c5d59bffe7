"""What may be asked: limits, ids and texts that PostgreSQL can take."""

from pipeline.errors import Misuse, NotFound

MOST_ROWS = 10_000
LARGEST_ID = 2**63 - 1


def checked_limit(limit: int) -> int:
    """The limit, where it is one. Raises Misuse."""
    if not 1 <= limit <= MOST_ROWS:
        raise Misuse(f"A limit of {limit} is not possible: give a number from 1 to {MOST_ROWS:,}.")
    return limit


def checked_text(text: str, what: str) -> str:
    """The text, where PostgreSQL can hold it. Raises Misuse for NUL characters and lone surrogates."""
    if "\0" in text:
        raise Misuse(f"The {what} holds a NUL character, which no stored text has: leave it out.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Misuse(f"The {what} is no valid Unicode text ({error.reason}): write it in UTF-8.") from error
    return text


def checked_id(id_: int, what: str, hint: str) -> int:
    """The id, where a row could have it. Raises NotFound."""
    if not 1 <= id_ <= LARGEST_ID:
        raise not_found(id_, what, hint)
    return id_


def not_found(id_: int, what: str, hint: str) -> NotFound:
    """The error for an id that no row has."""
    return NotFound(f"There is no {what} {id_}. {hint}")
