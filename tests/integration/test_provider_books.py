"""The providers' books: limiter, budget, circuit breaker and kept answers, in Postgres."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.store import providers
from pipeline.store.providers import BREAKER_FAILURES, FIRST_BREAK, LONGEST_BREAK, Denied
from pipeline.store.tables import ProviderAnswer, ProviderBooks


def take(session: Session, *, interval: float = 10.0, budget: int = 100, patience: float = 25.0) -> float | Denied:
    return providers.take(session, "any", interval=interval, budget=budget, patience=patience)


def shift(session: Session, **columns: float) -> None:
    """Move these times into the past, by seconds."""
    for column, seconds in columns.items():
        moved = getattr(ProviderBooks, column) - timedelta(seconds=seconds)
        session.execute(update(ProviderBooks).values({column: moved}))


def test_turns_are_an_interval_apart(session: Session) -> None:
    """Each request is booked behind the last one; who would wait too long is told for how long, and books nothing."""
    assert [take(session) for _ in range(3)] == pytest.approx([0.0, 10.0, 20.0], abs=0.5)
    denied = take(session)
    assert isinstance(denied, Denied)
    assert denied.seconds == pytest.approx(30.0, abs=0.5)
    shift(session, free_at=30.0)
    assert take(session) == pytest.approx(0.0, abs=0.5)
    assert providers.books(session, ["any"])["any"].spent == 4


def test_a_day_has_its_budget(session: Session) -> None:
    """What is spent is spent until the next day (UTC)."""
    assert [take(session, interval=0.0, budget=2) for _ in range(2)] == [0.0, 0.0]
    denied = take(session, interval=0.0, budget=2)
    assert isinstance(denied, Denied)
    assert "2 requests of today" in denied.why
    assert 0 < denied.seconds <= 86_400
    session.execute(update(ProviderBooks).values(day=func.current_date() - 1))
    assert take(session, interval=0.0, budget=2) == 0.0
    assert providers.books(session, ["any"])["any"].spent == 1


def test_the_breaker_opens_and_closes(session: Session) -> None:
    """After failures in a row nobody asks for a while; then one request goes through, and decides."""
    for number in range(BREAKER_FAILURES):
        assert take(session, interval=0.0) == 0.0
        providers.failed(session, "any", f"failure {number}", None)
    denied = take(session, interval=0.0)
    assert isinstance(denied, Denied)
    assert denied.seconds == pytest.approx(FIRST_BREAK, abs=1)
    assert denied.why == "its circuit breaker is open after failures: failure 2"
    shift(session, open_until=FIRST_BREAK + 1)
    assert take(session, interval=0.0) == 0.0
    providers.failed(session, "any", "again", None)
    found = providers.books(session, ["any"])["any"]
    assert found.open_for == pytest.approx(2 * FIRST_BREAK, abs=1)
    shift(session, open_until=3 * FIRST_BREAK)
    assert take(session, interval=0.0) == 0.0
    providers.succeeded(session, "any")
    found = providers.books(session, ["any"])["any"]
    assert (found.failures, found.open_for) == (0, None)


def test_no_break_is_longer_than_a_day(session: Session) -> None:
    """However often it has failed."""
    for _ in range(40):
        providers.failed(session, "any", "down", None)
    assert providers.books(session, ["any"])["any"].open_for == pytest.approx(LONGEST_BREAK, abs=1)


def test_retry_after_is_obeyed(session: Session) -> None:
    """One failure opens no breaker, but the pause that it asked for is kept."""
    take(session, interval=0.0)
    providers.failed(session, "any", "429", 77.0)
    denied = take(session, interval=0.0)
    assert isinstance(denied, Denied)
    assert denied.seconds == pytest.approx(77.0, abs=1)
    assert take(session, interval=0.0, patience=90.0) == pytest.approx(77.0, abs=1)


def test_an_answer_is_kept_for_its_time(session: Session) -> None:
    """It is there while it is fresh, its successor takes its place, and what is stale goes with the next one kept."""
    providers.remember(session, "any", "key", b"one", 60.0)
    providers.remember(session, "any", "key", b"two", 60.0)
    assert providers.recall(session, "any", "key") == b"two"
    assert providers.recall(session, "other", "key") is None
    session.execute(update(ProviderAnswer).values(kept_until=func.now()))
    assert providers.recall(session, "any", "key") is None
    providers.remember(session, "any", "new", b"three", 60.0)
    assert session.scalars(select(ProviderAnswer.key)).all() == ["new"]


def test_what_a_service_says_is_stored_whatever_it_is(session: Session) -> None:
    """NULs, half characters and novels are cut down to what a database and a person can take."""
    providers.failed(session, "any", "\0\ud800" + "x" * 9_000, None)
    said = providers.books(session, ["any"])["any"].last_failure
    assert said is not None
    assert len(said) == providers.MOST_SAID
