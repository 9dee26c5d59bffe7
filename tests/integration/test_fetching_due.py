"""When the next visit may begin, found by index: the same as by looking at everything."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import func, insert, text, update
from sqlalchemy.orm import Session

from pipeline.settings import Settings
from pipeline.stages.admission import admit
from pipeline.store import hosts
from pipeline.store.tables import Address, FrontierRow, Host, Visit

WITHIN = 10.0
SECONDS = st.sampled_from([-60, -1, 0, 1, 2, 3, 5, 8, 11, 3600])
STATES = st.sampled_from([Visit.WAITING, Visit.WAITING, Visit.CAPTURED])


@given(
    of_hosts=st.lists(st.tuples(SECONDS, st.sampled_from(["192.0.2.1", "192.0.2.2", None])), min_size=4, max_size=4),
    urls=st.lists(st.tuples(st.integers(0, 3), SECONDS, STATES), max_size=8),
    of_addresses=st.tuples(SECONDS, SECONDS),
    by_address=st.booleans(),
)
@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_due_next_is_the_least_of_all(
    session: Session,
    settings: Settings,
    of_hosts: list[tuple[int, str | None]],
    urls: list[tuple[int, int, Visit]],
    of_addresses: tuple[int, int],
    *,
    by_address: bool,
) -> None:
    """The least, over all URLs that wait, of the last of the three times; none where that lies past what was asked for."""
    with session.begin_nested() as undone:
        lines = [f"http://host{host}.example/{number}" for number, (host, _, _) in enumerate(urls)]
        admit(session, lines, settings.model_copy(update={"contact": "desk@example.com"}), found_by="hand")
        free = {f"host{number}.example": seconds for number, (seconds, _) in enumerate(of_hosts)}
        addresses = dict(zip(("192.0.2.1", "192.0.2.2"), of_addresses, strict=True))
        for number, (seconds, address) in enumerate(of_hosts):
            values = {"free_at": func.now() + timedelta(seconds=seconds), "address": address}
            session.execute(update(Host).where(Host.name == f"host{number}.example").values(**values))
        for line, (_, seconds, state) in zip(lines, urls, strict=True):
            values = {"next_attempt_at": func.now() + timedelta(seconds=seconds), "state": state}
            session.execute(update(FrontierRow).where(FrontierRow.url == line).values(**values))
        for address, seconds in addresses.items():
            session.execute(insert(Address).values(address=address, free_at=func.now() + timedelta(seconds=seconds)))
        session.flush()
        times = [
            max(
                0,
                seconds,
                free[f"host{host}.example"],
                addresses.get(of_hosts[host][1] or "", 0) if by_address else 0,
            )
            for host, seconds, state in urls
            if state is Visit.WAITING
        ]
        expected = min((time for time in times if time <= WITHIN), default=None)
        found = hosts.next_due(session, WITHIN, by_address=by_address)
        assert found == (expected if expected is None else pytest.approx(expected, abs=1e-3))
        undone.rollback()


@pytest.mark.parametrize("by_address", [False, True])
def test_no_part_reads_a_whole_table(session: Session, by_address: bool) -> None:
    """Where the planner may not scan tables it need not: an index leads to each row that is looked at."""
    statement = hosts._NEXT_DUE_BY_ADDRESS if by_address else hosts._NEXT_DUE
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = "\n".join(session.scalars(text(f"EXPLAIN {statement.text}"), {"within": WITHIN}))
    assert "Seq Scan" not in plan
    assert {"ix_frontier_next", "ix_hosts_free_at"} <= {word for word in plan.split() if word.startswith("ix_")}
