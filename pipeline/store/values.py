"""Values as PostgreSQL takes them."""

from typing import Any

from sqlalchemy import func


def span(seconds: Any) -> Any:
    """A span of time to add to the database's clock; `seconds` is a number or an expression of one."""
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def storable(text: str) -> str:
    """Text without what PostgreSQL cannot hold: NULs and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
