"""Taking leases among 100,000 hosts: seconds of one batch, with the index on the hosts that are free and without it.

    python bench/leases.py [--hosts 100000] [--urls 5] [--takes 30]

Each host has so many URLs. Measured are three states of the frontier: every URL is due, one in a thousand hosts has a due URL,
none is due. A take is one transaction of `take_leases` for 64 hosts that is undone, so that each finds the same; next to it
stands what the hosts that share an address cost. The plans' scans of whole tables are named.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from pipeline.embedded import attach_or_start
from pipeline.store import hosts, schema
from pipeline.store.engine import SessionFactory, connect, sessions

COUNT = 64
STATES = {
    "all URLs due": "now()",
    "one host in a thousand has a due URL": "CASE WHEN host_id % 1000 = 0 THEN now() ELSE now() + interval '1 hour' END",
    "no URL due": "now() + interval '1 hour'",
}
INDEXES = {"without the index": "DROP INDEX ix_hosts_free_at", "with it": "CREATE INDEX ix_hosts_free_at ON hosts (free_at)"}


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


def prepare(factory: SessionFactory, statement: str, *further: str) -> None:
    with factory().get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # type: ignore[union-attr]
        for one in (statement, *further, "VACUUM ANALYZE"):
            connection.execute(text(one))


def take(factory: SessionFactory, takes: int, *, by_address: bool) -> tuple[list[float], int]:
    """Seconds of each take, and the leases of one."""
    seconds, found = [], 0
    for _ in range(takes):
        with factory() as session:
            session.connection()
            began = time.perf_counter()
            found = len(hosts.take_leases(session, COUNT, 60, "bench", by_address=by_address))
            seconds.append(time.perf_counter() - began)
            session.rollback()
    return seconds, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--urls", type=int, default=5)
    parser.add_argument("--takes", type=int, default=30)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wirecopy-bench-") as folder,
        attach_or_start(Path(folder), database_url=None, redis_url=None) as servers,
    ):
        engine = connect(servers.database_url)
        schema.upgrade(engine)
        factory = sessions(engine)
        fill(factory, given.hosts, given.urls)
        print(f"{given.hosts:,} hosts, {given.hosts * given.urls:,} URLs; milliseconds of a take, median and worst")
        for state, due in STATES.items():
            for index, statement in INDEXES.items():
                prepare(factory, f"UPDATE frontier SET next_attempt_at = {due}", statement)
                for by_address in (False, True):
                    seconds, found = take(factory, given.takes, by_address=by_address)
                    kind = "by address" if by_address else "by host"
                    median, worst = 1000 * statistics.median(seconds), 1000 * max(seconds)
                    print(f"  {state}, {index}, {kind}: {found} leases, {median:.1f} ({worst:.1f})", flush=True)
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
