"""Tombstones: pages that were deleted on request and are not to come back.

A tombstone is the hash of a page's sameness key: the request to forget a URL is not itself a list of what was forgotten.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store.tables import Tombstone


def put(session: Session, keys: Iterable[str]) -> None:
    """Let the pages of these keys not be admitted again."""
    values = [{"digest": digest} for digest in sorted(set(map(_digest, keys)))]
    if values:
        session.execute(insert(Tombstone).on_conflict_do_nothing(), values)


def standing(session: Session, keys: Iterable[str]) -> dict[str, datetime]:
    """Those of the keys whose pages were forgotten, and when."""
    by_digest = {_digest(key): key for key in keys}
    found = session.execute(select(Tombstone.digest, Tombstone.forgotten_at).where(Tombstone.digest.in_(by_digest)))
    return {by_digest[digest]: when for digest, when in found}


def lift(session: Session, key: str) -> bool:
    """Let a page be admitted again; False where it was not forgotten."""
    lifted = session.execute(delete(Tombstone).where(Tombstone.digest == _digest(key)).returning(Tombstone.digest))
    return lifted.first() is not None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
