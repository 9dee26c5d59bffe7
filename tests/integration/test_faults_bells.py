"""Bells on a real Redis that is empty, emptied or away."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from redis import Redis

from pipeline.settings import Settings, as_environment
from pipeline.stages.outcome import Bell
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredWitness
from workers.app import DEDUPE, FETCH, app, configure, depth, ring
from workers.runtime import Runtime
from workers.schedule import MOST_WAITING, _sweep


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """The Redis that bells are rung on, emptied before and after."""
    app.pool.force_close_all()
    configure(settings)
    with Redis.from_url(settings.redis_url) as found:
        found.flushall()
        yield found
        found.flushall()
    app.pool.force_close_all()


@pytest.fixture
def lost(factory: SessionFactory, settings: Settings) -> Runtime:
    """A runtime on a store where a witness lost its bell long ago."""
    with factory.begin() as session:
        session.add(StoredWitness(id=7, source="http://a.example/", text="x", created_at="2026-01-01T00:00:00Z"))
    at = Runtime(settings, os.getpid())
    at.__dict__["factory"] = factory
    return at


def test_the_sweep_rings_where_the_queues_are_empty(redis: Redis, lost: Runtime) -> None:
    """A queue without messages does not exist for Redis: that is no reason to leave lost work lost."""
    assert (depth(FETCH), depth(DEDUPE)) == (0, 0)
    assert _sweep(lost).next == (Bell(Stage.PLACE, 7),)


def test_the_sweep_leaves_a_full_queue_alone(redis: Redis, lost: Runtime) -> None:
    """Bells that wait are late, not lost: no second bell is rung for them."""
    for _ in range(MOST_WAITING + 1):
        ring(Bell(Stage.RECOVER, 1))
    assert depth(DEDUPE) == MOST_WAITING + 1
    assert _sweep(lost).next == ()


def test_bells_ring_again_after_everything_in_redis_was_deleted(redis: Redis) -> None:
    """FLUSHALL takes the queues' bindings as well; the next bell arrives all the same."""
    ring(Bell(Stage.PLACE, 1))
    redis.flushall()
    ring(Bell(Stage.PLACE, 2))
    assert depth(DEDUPE) == 1


AWAY = """
from pipeline.settings import load
from pipeline.stages.outcome import Bell
from pipeline.store.tables import Stage
from workers.processes import ringer, write_logs

write_logs()
ringer(load().settings)(Bell(Stage.PLACE, 7))
"""


def test_a_bell_that_cannot_be_rung_is_no_failure_of_the_work(settings: Settings) -> None:
    """Where nothing answers, ringing comes back with a warning: the effects of the work are committed already."""
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    environment = {**os.environ, **as_environment(away)}
    done = subprocess.run(
        [sys.executable, "-c", AWAY], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "'bell lost'" in done.stderr
    assert "subjects=(7,)" in done.stderr
