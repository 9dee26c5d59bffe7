"""Claims whose worker or database goes away."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from pipeline.settings import Settings, as_environment
from pipeline.stages.claims import claim
from pipeline.stages.sweeping import sweep
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Attempt, AttemptEnd, QuarantinedWork, Stage, StoredWitness
from workers import presence

CLAIMED = """
import os, signal
from pipeline.settings import load
from pipeline.stages.claims import claim
from pipeline.store.engine import connect, sessions
from pipeline.store.tables import Stage
from workers import presence

settings = load().settings
with claim(sessions(connect(settings.database_url)), Stage.PLACE, 7, presence.name(os.getpid()), settings):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def witness(factory: SessionFactory) -> int:
    with factory.begin() as session:
        session.add(StoredWitness(id=7, source="http://a.example/", text="x"))
    return 7


def ends(factory: SessionFactory) -> list[str | None]:
    with factory() as session:
        return list(session.scalars(select(Attempt.end).order_by(Attempt.id)))


def test_the_claim_of_a_killed_process_ends_with_the_next_sweep(
    factory: SessionFactory, settings: Settings, witness: int
) -> None:
    """No lease of minutes is waited for where this machine can see that the process is gone."""
    environment = {**os.environ, **as_environment(settings)}
    assert subprocess.run([sys.executable, "-c", CLAIMED], env=environment, check=False, timeout=60).returncode == -9
    assert ends(factory) == [None]
    sweep(factory, settings, presence.is_gone)
    assert ends(factory) == [AttemptEnd.DIED]
    with claim(factory, Stage.PLACE, witness, "test", settings) as held:
        assert held


def test_the_claims_of_the_living_and_of_other_machines_stand(
    factory: SessionFactory, settings: Settings, witness: int
) -> None:
    """A process that is there keeps its claim; about another machine's process nobody here can say anything."""
    with factory.begin() as session:
        for subject, worker in enumerate((presence.name(os.getpid()), "elsewhere/12345678:999999", "no name of ours")):
            values = {"stage": Stage.PLACE, "subject_id": subject, "worker": worker}
            session.add(Attempt(**values, lease_until=func.now() + text("interval '1 hour'")))
    sweep(factory, settings, presence.is_gone)
    assert ends(factory) == [None, None, None]


def test_what_keeps_dying_is_quarantined_though_no_sweep_comes_between(
    factory: SessionFactory, settings: Settings, witness: int
) -> None:
    """Three leases that ran out put the work aside, also where bells come so often that no sweep sees an expired one."""
    for _ in range(3):
        with claim(factory, Stage.PLACE, witness, "elsewhere/1:1", settings) as held:
            assert held
            with factory.begin() as session:
                session.execute(update(Attempt).where(Attempt.ended_at.is_(None)).values(lease_until=func.now()))
    with claim(factory, Stage.PLACE, witness, "elsewhere/1:1", settings) as held:
        assert held is None
    assert ends(factory) == [AttemptEnd.DIED] * 3
    with factory() as session:
        assert session.scalars(select(QuarantinedWork.reason)).all() == ["the worker died or lost its lease"]


def test_a_database_that_goes_away_is_no_failure_of_the_work(factory: SessionFactory, settings: Settings, witness: int) -> None:
    """The connection is cut in the middle of the work: the claim is ended all the same, and not as our failure."""

    def work() -> None:
        with claim(factory, Stage.PLACE, witness, "test", settings), factory() as session:
            session.execute(select(1))
            cut_connections(factory)
            session.execute(select(1))

    with pytest.raises(OperationalError):
        work()
    assert ends(factory) == [AttemptEnd.FAILED]


def cut_connections(factory: SessionFactory) -> None:
    """What a restart does to every other connection."""
    with factory.begin() as session:
        others = "pid <> pg_backend_pid() AND application_name = 'wirecopy'"
        session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
