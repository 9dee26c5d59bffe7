"""How many stored texts hold a word."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

# A word that so many texts hold is common enough; counting on would cost more than it tells.
MOST_COUNTED = 2_000
_TEXTS = text("SELECT CAST(greatest(reltuples, 0) AS bigint) FROM pg_class WHERE oid = 'witnesses'::regclass")
_HOLDING = text("""
SELECT w.word, (SELECT count(*) FROM (SELECT FROM witnesses
                WHERE search @@ plainto_tsquery('english', w.word) LIMIT :most) AS held) AS number
FROM unnest(CAST(:words AS text[])) AS w(word)
WHERE numnode(plainto_tsquery('english', w.word)) > 0
""")


def count_holding(session: Session, words: Collection[str]) -> tuple[dict[str, int], int]:
    """Word → how many texts hold it, as the index knows words, `MOST_COUNTED` at the most; and how many texts there are.

    The number of texts is what PostgreSQL's statistics say: near enough, and free.
    """
    texts = session.scalar(_TEXTS) or 0
    found = session.execute(_HOLDING, {"words": sorted(words), "most": MOST_COUNTED}).all() if words and texts else []
    return {row.word: row.number for row in found}, int(texts)
