"""Taking leases among 100,000 hosts, and finding when the next one is due: milliseconds, by the state of the frontier.

    python bench/leases.py [--hosts 100000] [--urls 5] [--takes 30]

Each host has so many URLs, ten hosts an address. A take is one transaction of `take_leases` for 64 hosts that
is undone, so that each finds the same, by host and with the hosts that share an address; `next_due` is asked for the next 1.5
seconds, as a round does when nothing was to be taken. Where the hosts rest, none is free for a minute.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from served import serving
from sqlalchemy import text
from sqlalchemy.orm import Session

from pipeline.store import hosts
from pipeline.store.engine import SessionFactory

COUNT = 64
WITHIN = 1.5
DUE, LATER, RESTING = "now()", "now() + interval '1 hour'", "now() + interval '1 minute'"
# When URLs are due, when hosts are free; by SQL.
STATES = {
    "every URL is due": (DUE, DUE),
    "one host in a thousand has a due URL": (f"CASE WHEN host_id % 1000 = 0 THEN {DUE} ELSE {LATER} END", DUE),
    "no URL is due": (LATER, DUE),
    "every URL is due, every host rests": (DUE, RESTING),
    "half of the hosts rest, the others have no due URL": (
        f"CASE WHEN host_id % 2 = 0 THEN {DUE} ELSE {LATER} END",
        f"CASE WHEN id % 2 = 0 THEN {RESTING} ELSE {DUE} END",
    ),
}


def fill(factory: SessionFactory, count: int, urls: int) -> None:
    """So many hosts, ten to an address, each with so many URLs that wait."""
    with factory.begin() as session:
        session.execute(
            text(
                "INSERT INTO hosts (name, address) "
                "SELECT 'host' || n || '.example', '10.0.' || (n / 10) FROM generate_series(1, :count) n"
            ),
            {"count": count},
        )
        session.execute(text("INSERT INTO addresses (address) SELECT DISTINCT address FROM hosts"))
        session.execute(
            text(
                "INSERT INTO frontier (purpose, url, key, visit_url, host_id, found_by) "
                "SELECT 'article', 'http://' || name || '/' || n, name || '/' || n, 'http://' || name || '/' || n, id, 'bench' "
                "FROM hosts, generate_series(1, :urls) n"
            ),
            {"urls": urls},
        )


def prepare(factory: SessionFactory, *statements: str) -> None:
    with factory().get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # type: ignore[union-attr]
        for one in (*statements, "VACUUM ANALYZE"):
            connection.execute(text(one))


def timed(factory: SessionFactory, times: int, ask: Callable[[Session], object]) -> tuple[list[float], object]:
    """Milliseconds of each asking, in a transaction that is undone, and the last answer."""
    took: list[float] = []
    found: object = None
    for _ in range(times):
        with factory() as session:
            session.connection()
            began = time.perf_counter()
            found = ask(session)
            took.append(1000 * (time.perf_counter() - began))
            session.rollback()
    return took, found


def take(session: Session, *, by_address: bool) -> str:
    return f"{len(hosts.take_leases(session, COUNT, 60, 'bench', by_address=by_address))} leases"


def next_due(session: Session, *, by_address: bool) -> str:
    seconds = hosts.next_due(session, WITHIN, by_address=by_address)
    return "none" if seconds is None else f"in {seconds:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--urls", type=int, default=5)
    parser.add_argument("--takes", type=int, default=30)
    given = parser.parse_args()
    with serving() as (_, factory):
        fill(factory, given.hosts, given.urls)
        print(f"{given.hosts:,} hosts, {given.hosts * given.urls:,} URLs; milliseconds, median and worst")
        for state, (due, free) in STATES.items():
            prepare(
                factory,
                f"UPDATE frontier SET next_attempt_at = {due}",
                f"UPDATE hosts SET free_at = {free}",
                "UPDATE addresses SET free_at = now()",
            )
            for ask in (take, next_due):
                for by_address in (False, True):
                    took, found = timed(factory, given.takes, partial(ask, by_address=by_address))
                    kind = f"{ask.__name__} by {'address' if by_address else 'host'}"
                    print(f"  {state}, {kind}: {found}, {statistics.median(took):.1f} ({max(took):.1f})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
