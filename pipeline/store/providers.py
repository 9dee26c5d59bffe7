"""The books of discovery's providers: whose turn it is, who has failed, and what was answered before.

One row a provider, changed by single statements under its lock, so that no number of processes asks it more often than one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store.tables import ProviderAnswer, ProviderBooks
from pipeline.store.values import span, storable

# Failures in a row that open the breaker, how long it stays open for the first time, and the longest: each time twice as long.
BREAKER_FAILURES, FIRST_BREAK, LONGEST_BREAK = 3, 300.0, 86_400.0
MOST_SAID = 500
# Larger answers are not kept.
LARGEST = 4_000_000
_TAKE = text("""
UPDATE provider_books p
SET free_at = greatest(old.free_at, now()) + make_interval(secs => :interval), day = current_date,
    spent = CASE WHEN old.day = current_date THEN old.spent + 1 ELSE 1 END
FROM (SELECT * FROM provider_books WHERE name = :name FOR UPDATE) old
WHERE p.name = old.name AND old.free_at <= now() + make_interval(secs => :patience)
  AND (old.open_until IS NULL OR old.open_until <= now())
  AND (old.day IS DISTINCT FROM current_date OR old.spent < :budget)
RETURNING CAST(extract(epoch FROM greatest(old.free_at - now(), interval '0')) AS float8)
""")
_WAITS = text("""
SELECT CAST(extract(epoch FROM free_at - now()) AS float8), CAST(extract(epoch FROM open_until - now()) AS float8),
       day = current_date AND spent >= :budget,
       CAST(extract(epoch FROM date_trunc('day', now()) + interval '1 day' - now()) AS float8), last_failure
FROM provider_books WHERE name = :name
""")
_FAILED = text("""
UPDATE provider_books
SET failures = failures + 1, last_failure = :why, failed_at = now(),
    free_at = greatest(free_at, now() + make_interval(secs => :pause)),
    open_until = CASE WHEN failures + 1 >= :limit THEN now() + make_interval(secs => greatest(
        :pause, least(CAST(:first AS float8) * power(2, least(failures + 1 - :limit, 20)), :longest))) END
WHERE name = :name
""")


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a provider may not be asked now, and for how many seconds."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Books:
    """A provider's state, as of now."""

    name: str
    spent: int
    """Requests today (UTC)."""
    failures: int
    """In a row."""
    open_for: float | None
    """Seconds until its breaker lets a request through; None where it is closed."""
    rests_for: float
    """Seconds until its next turn."""
    last_failure: str | None
    failed_at: datetime | None
    answered_at: datetime | None


def take(session: Session, name: str, *, interval: float, budget: int, patience: float) -> float | Denied:
    """Seconds to wait before the request that is hereby booked, or why none may be made within `patience` seconds."""
    session.execute(insert(ProviderBooks).values(name=name).on_conflict_do_nothing())
    asked = {"name": name, "interval": interval, "budget": budget, "patience": patience}
    wait = session.scalar(_TAKE, asked)
    if wait is not None:
        return float(wait)
    free, opens, spent, tomorrow, said = session.execute(_WAITS, {"name": name, "budget": budget}).one()
    if opens is not None and opens > 0:
        return Denied(f"its circuit breaker is open after failures: {said}", float(opens))
    if spent:
        return Denied(f"its {budget:,} requests of today (UTC) are spent", float(tomorrow))
    return Denied(f"its turn comes in {free:.0f} s", max(float(free), 0.0))


def succeeded(session: Session, name: str) -> None:
    """Note a good answer: the failures are forgotten, and the breaker closes."""
    values = {"failures": 0, "open_until": None, "answered_at": func.now()}
    noted = insert(ProviderBooks).values(name=name, **values)
    session.execute(noted.on_conflict_do_update(index_elements=["name"], set_=values))


def failed(session: Session, name: str, why: str, pause: float | None) -> None:
    """Note a failure: the provider is let alone for `pause` seconds, and after several in a row for longer and longer."""
    session.execute(insert(ProviderBooks).values(name=name).on_conflict_do_nothing())
    limits = {"limit": BREAKER_FAILURES, "first": FIRST_BREAK, "longest": LONGEST_BREAK}
    session.execute(_FAILED, {"name": name, "why": storable(why)[:MOST_SAID], "pause": pause or 0.0, **limits})


def recall(session: Session, name: str, key: str) -> bytes | None:
    """A kept answer that is still fresh."""
    fresh = (ProviderAnswer.provider == name) & (ProviderAnswer.key == key) & (ProviderAnswer.kept_until > func.now())
    return session.scalar(select(ProviderAnswer.body).where(fresh))


def remember(session: Session, name: str, key: str, body: bytes, seconds: float) -> None:
    """Keep an answer for so long; the stale ones go."""
    session.execute(delete(ProviderAnswer).where(ProviderAnswer.kept_until <= func.now()))
    if len(body) <= LARGEST:
        values = {"body": body, "kept_until": func.now() + span(seconds)}
        kept = insert(ProviderAnswer).values(provider=name, key=key, **values)
        session.execute(kept.on_conflict_do_update(index_elements=["provider", "key"], set_=values))


def forget_answers(session: Session) -> None:
    """Drop every kept answer: one of them may show what a page said."""
    session.execute(delete(ProviderAnswer))


def books(session: Session, names: Collection[str]) -> dict[str, Books]:
    """The books of those of these providers that have any."""
    opens = func.extract("epoch", ProviderBooks.open_until - func.now())
    free = func.extract("epoch", ProviderBooks.free_at - func.now())
    today = ProviderBooks.day == func.current_date()
    rows = session.execute(select(ProviderBooks, opens, free, today).where(ProviderBooks.name.in_(names)))
    return {
        row.name: Books(
            name=row.name,
            spent=row.spent if is_today else 0,
            failures=row.failures,
            open_for=float(open_for) if open_for is not None and open_for > 0 else None,
            rests_for=max(float(rests), 0.0),
            last_failure=row.last_failure,
            failed_at=row.failed_at,
            answered_at=row.answered_at,
        )
        for row, open_for, rests, is_today in rows
    }
