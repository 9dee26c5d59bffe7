"""What finding candidates and placing cost with ten thousand, a hundred thousand and a million stored witnesses.

    python -m bench.placing_scale --folder EMPTY_FOLDER [--stored 10000 100000] [--plot docs/placing-scale.svg] [--peers]

The private PostgreSQL of a `wirecopy up`, with its settings, holds synthetic witnesses: short texts, with features as frequent
as those of real pages are (`ANCHORS`, `SHINGLES`); and among them the articles of cases/fit.jsonl with all they have. Newcomers
are copies of those articles (bench/placing_pairs.py), strangers (real pages), and the worst case: a text of nothing but
the commonest features. `--peers` measures designs that were not taken, on the same rows, too: one GIN index over arrays,
asked for arrays that overlap, or for one feature after the other. A million witnesses need 14 GB and ten minutes.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import text

from bench.copies.originals import DATA
from bench.placing_pairs import list_case_pairs, list_made_pairs, pages
from pipeline.embedded import attach_or_start
from pipeline.philology.fingerprint import fingerprint
from pipeline.philology.rarity import choose
from pipeline.philology.witness import Witness
from pipeline.settings import load
from pipeline.stages.placing import place
from pipeline.stages.relatives import ANCHORS as MOST_ANCHORS
from pipeline.stages.relatives import MOST_LOOKED_UP, looked_up
from pipeline.stages.relatives import SHINGLES as MOST_SHINGLES
from pipeline.store import features, schema
from pipeline.store.engine import SessionFactory, connect, sessions
from pipeline.store.tables import StoredWitness

Rows = NDArray[np.int64]
# Rarity of features as a Pareto distribution over ranks: exponent, and the rank at which it bends. Fitted on 343 real texts: of
# the anchors of 200 of them 93 % differ, the commonest stands in a tenth; of the shingles 99 %, the commonest in a fiftieth.
ANCHORS, SHINGLES = (0.05, 62.0), (0.03, 252.0)
BLOCK = 4_000
SEED = 20
ASKED = 240
PLACED = 80
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, b"\xff\xff"
GIN = """SELECT id FROM peer WHERE features && %(f)s::bigint[]
ORDER BY cardinality(ARRAY(SELECT unnest(features) INTERSECT SELECT unnest(%(f)s::bigint[]))) DESC, id LIMIT 6"""
GIN_ONE_BY_ONE = """SELECT h.id FROM unnest(%(f)s::bigint[]) q(f), LATERAL (
SELECT id FROM peer WHERE features @> ARRAY[q.f] LIMIT 32) h GROUP BY h.id ORDER BY count(*) DESC LIMIT 6"""


def scatter(ranks: NDArray[np.uint64]) -> Rows:
    """A feature for each rank (the finaliser of splitmix64)."""
    x = ranks.copy()
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x ^ (x >> np.uint64(31))).view(np.int64)


def commonest(number: int, sort: int) -> Rows:
    """The commonest features of a sort (1 anchors, 2 shingles)."""
    return scatter(np.arange(1, number + 1, dtype=np.uint64) + np.uint64(sort << 61))


def draw(rng: np.random.Generator, count: int) -> Rows:
    """Features of `count` synthetic witnesses, one a row, each once in its row."""
    drawn = []
    for sort, width, (exponent, bend) in ((1, MOST_ANCHORS, ANCHORS), (2, MOST_SHINGLES, SHINGLES)):
        with np.errstate(over="ignore"):
            ranks = bend * (rng.random((count, width)) ** (-1 / exponent) - 1)
        unique = ranks > 2**60
        rows = scatter(np.where(unique, 0, ranks).astype(np.uint64) + np.uint64((sort << 61) + 1))
        rows[unique] = rng.integers(-(2**63), 2**63 - 1, int(unique.sum()))
        drawn.append(rows)
    found = np.sort(np.concatenate(drawn, axis=1), axis=1)
    twice = np.zeros(found.shape, dtype=np.bool_)
    twice[:, 1:] = found[:, 1:] == found[:, :-1]
    found[twice] = rng.integers(-(2**63), 2**63 - 1, int(twice.sum()))
    return found


def blocks(stored: int, planted: dict[int, tuple[int, ...]]) -> Iterator[tuple[Rows, Rows]]:
    """(ids, features) of all witnesses, some thousands at a time; those planted keep theirs and fill up with synthetic ones."""
    rng = np.random.default_rng(SEED)
    for start in range(1, stored + 1, BLOCK):
        ids = np.arange(start, min(start + BLOCK, stored + 1))
        rows = draw(rng, len(ids))
        for id_, own in planted.items():
            if start <= id_ < start + len(ids):
                rows[id_ - start, : len(own)] = own
        yield ids, rows


def copy(connection: psycopg.Connection[Any], table: str, chunks: Iterable[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
        stream.write(HEADER)
        for chunk in chunks:
            stream.write(chunk)
        stream.write(TRAILER)


def pairs_of(ids: Rows, rows: Rows) -> bytes:
    """(feature, witness) as COPY reads them."""
    packed = np.zeros(rows.shape, np.dtype([("n", ">i2"), ("a", ">i4"), ("feature", ">i8"), ("b", ">i4"), ("id", ">i8")]))
    packed["n"], packed["a"], packed["b"], packed["feature"], packed["id"] = 2, 8, 8, rows, ids[:, None]
    return packed.tobytes()


def arrays_of(ids: Rows, rows: Rows) -> bytes:
    """(id, features) as COPY reads them."""
    width = rows.shape[1]
    value = np.dtype([("length", ">i4"), ("value", ">i8")])
    head = [(name, ">i4") for name in ("b", "dimensions", "nulls", "type", "width", "first")]
    packed = np.zeros(len(ids), np.dtype([("n", ">i2"), ("a", ">i4"), ("id", ">i8"), *head, ("values", value, (width,))]))
    packed["n"], packed["a"], packed["id"], packed["b"], packed["dimensions"] = 2, 8, ids, 20 + 12 * width, 1
    packed["type"], packed["width"], packed["first"] = 20, width, 1
    packed["values"]["length"], packed["values"]["value"] = 8, rows
    return packed.tobytes()


def fill(
    connection: psycopg.Connection[Any], stored: int, planted: dict[int, Witness], prints: dict[int, tuple[int, ...]]
) -> None:
    """Witnesses with a story each, and their features; indexes over the features are built afterwards."""
    connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
    connection.execute("TRUNCATE witnesses, stories, features, common_features, placings, attempts RESTART IDENTITY CASCADE")
    connection.execute(f"INSERT INTO stories (revision) SELECT 0 FROM generate_series(1, {stored})")
    connection.execute(f"""INSERT INTO witnesses (source, text, story_id, relation, placed_at)
        SELECT 'http://synthetic.example/' || i, 'synthetic ' || i, i, 'copy', now() FROM generate_series(1, {stored}) AS i""")
    for id_, witness in planted.items():
        connection.execute("UPDATE witnesses SET text = %s WHERE id = %s", [witness.text, id_])
    connection.execute("ALTER TABLE features DROP CONSTRAINT pk_features; DROP INDEX ix_features_witness_id")
    copy(connection, "features", (pairs_of(ids, rows) for ids, rows in blocks(stored, prints)))
    connection.execute("ALTER TABLE features ADD CONSTRAINT pk_features PRIMARY KEY (feature, witness_id)")
    connection.execute("CREATE INDEX ix_features_witness_id ON features USING brin (witness_id) WITH (autosummarize = on)")
    connection.execute(f"INSERT INTO placings (id, number) VALUES (1, {stored})")
    connection.execute("VACUUM ANALYZE features")
    connection.execute("ANALYZE witnesses")
    connection.execute("SET session_replication_role = origin")


def spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum in milliseconds."""
    ordered = sorted(1000 * one for one in seconds)
    return ordered[len(ordered) // 2], ordered[int(0.95 * len(ordered))], ordered[-1]


def timed(work: Callable[[Any], Any], things: Iterable[Any]) -> tuple[list[float], list[Any]]:
    """Seconds by the clock for each thing, and what came of it."""
    seconds, results = [], []
    for thing in things:
        begun = time.perf_counter()
        results.append(work(thing))
        seconds.append(time.perf_counter() - begun)
    return seconds, results


def show(title: str, seconds: Sequence[float], more: str = "") -> tuple[float, float, float]:
    numbers = spread(seconds)
    print(f"  {title}: p50 {numbers[0]:.1f}, p95 {numbers[1]:.1f}, longest {numbers[2]:.1f} ms{more}", flush=True)
    return numbers


def measure_candidates(
    factory: SessionFactory, newcomers: list[tuple[Witness, int]], rng: np.random.Generator
) -> dict[str, float]:
    """Prints what finding candidates takes, by kind of newcomer; the 95th percentiles."""
    asked = [(looked_up(fingerprint(witness)), wanted) for witness, wanted in newcomers]
    strangers = [tuple(map(int, row)) for row in draw(rng, ASKED)]
    worst = tuple(map(int, (*commonest(MOST_ANCHORS, 1), *commonest(MOST_SHINGLES, 2))))
    with factory() as session:

        def find(own: tuple[int, ...]) -> list[int]:
            common = features.frequencies(session, own)
            return [one.witness_id for one in features.candidates(session, choose(own, common, MOST_LOOKED_UP))]

        floor, _ = timed(lambda _: session.execute(text("SELECT 1")), range(ASKED))
        show("floor, SELECT 1", floor)
        timed(find, (own for own, _ in asked[: ASKED // 4]))
        seconds, found = timed(find, (own for own, _ in asked))
        first = sum(ids[:1] == [wanted] for ids, (_, wanted) in zip(found, asked, strict=True)) / len(asked)
        six = sum(wanted in ids[:6] for ids, (_, wanted) in zip(found, asked, strict=True)) / len(asked)
        copies = show("candidates of copies", seconds, f"; the right one first {first:.3f}, among six {six:.3f}")
        novel = show("candidates of strangers", timed(find, strangers)[0])
        hostile = show("candidates of nothing but common features", timed(find, [worst] * 20)[0])
    return {"floor": spread(floor)[1], "copies": copies[1], "strangers": novel[1], "common": hostile[1]}


def measure_placing(factory: SessionFactory, title: str, newcomers: list[Witness]) -> float:
    """Prints the processor time of this process for a placement; the median in milliseconds."""
    settings = load({"settle": 3600.0}, {}).settings
    with factory.begin() as session:
        rows = [StoredWitness(source=f"http://{title}.example/{n}", text=one.text) for n, one in enumerate(newcomers)]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
    place(factory, ids.pop(0), settings, "bench")
    spent, states = [], []
    for id_ in ids:
        begun = time.process_time()
        states.append(place(factory, id_, settings, "bench").state)
        spent.append(time.process_time() - begun)
    joined = sum(state.startswith("joined") for state in states)
    return show(f"processor time of placing {title}", spent, f"; {joined} of {len(ids)} joined")[0]


def measure_peers(
    connection: psycopg.Connection[Any], stored: int, newcomers: list[tuple[Witness, int]], prints: dict[int, tuple[int, ...]]
) -> None:
    connection.execute("DROP TABLE IF EXISTS peer; CREATE TABLE peer (id bigint, features bigint[])")
    copy(connection, "peer", (arrays_of(ids, rows) for ids, rows in blocks(stored, prints)))
    connection.execute("CREATE INDEX peer_features ON peer USING gin (features) WITH (fastupdate = off)")
    connection.execute("VACUUM ANALYZE peer")
    connection.execute("SET jit = off")
    size = connection.execute("SELECT pg_relation_size('peer'), pg_indexes_size('peer')").fetchone()
    print(
        f"  GIN over arrays: bytes a witness {size[0] / stored:.0f} in the table, {size[1] / stored:.0f} in the index"
        if size
        else ""
    )
    for name, query in (("GIN, arrays that overlap", GIN), ("GIN, one feature after the other", GIN_ONE_BY_ONE)):
        connection.execute("SET enable_seqscan = off")
        asked = [list(looked_up(fingerprint(witness))) for witness, _ in newcomers[: ASKED // 4]]
        show(f"{name}, copies", timed(lambda f, query=query: connection.execute(query, {"f": f}).fetchall(), asked)[0])  # type: ignore[misc]
        novel = [row.tolist() for row in draw(np.random.default_rng(SEED + 1), 30)]
        show(f"{name}, strangers", timed(lambda f, query=query: connection.execute(query, {"f": f}).fetchall(), novel)[0])  # type: ignore[misc]
    connection.execute("DROP TABLE peer")


def plot(path: Path, rows: list[dict[str, float]]) -> None:
    """Milliseconds by witnesses stored, both axes logarithmic, with what is aimed at."""
    import matplotlib as mpl  # noqa: PLC0415 (an extra)

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "wirecopy"
    from matplotlib import pyplot as plt  # noqa: PLC0415 (the backend is chosen first)

    figure, panel = plt.subplots(figsize=(6, 3.6), layout="constrained")
    stored = [row["stored"] for row in rows]
    lines = (
        ("strangers", "candidates of a stranger, p95", "o-", "#1b5e8c"),
        ("copies", "candidates of a copy, p95", "s-", "#a0522d"),
        ("common", "only common features, p95", "^-", "#6b8e23"),
        ("placed copies", "CPU of placing a copy, median", "v--", "#a0522d"),
        ("placed strangers", "CPU of placing a stranger, median", "v--", "#1b5e8c"),
        ("floor", "SELECT 1, p95", ":", "#555555"),
    )
    for key, label, style, colour in lines:
        panel.loglog(stored, [row[key] for row in rows], style, color=colour, label=label)
    aims = {10_000: 20, 100_000: 30, 1_000_000: 50}
    panel.loglog(list(aims), list(aims.values()), "kx", label="aim for candidates, p95")
    panel.set_xlabel("witnesses stored")
    panel.set_ylabel("milliseconds")
    panel.grid(visible=True, alpha=0.3)
    panel.legend(fontsize=7, ncols=2)
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--stored", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--peers", type=int, default=0, metavar="N", help="measure the peers up to N stored witnesses")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    if not (DATA / "cases").is_dir():
        print(f"placing_scale: skipped, no data in {DATA}")
        return 0
    rng = random.Random(SEED)
    copies = [*list_case_pairs("fit"), *list_made_pairs("fit", rng)]
    originals = {pair.member.source: pair.member for pair in copies}
    strangers = [page for page in pages() if not any(name in page.source for name in originals)]
    made = [(pair.newcomer, pair.member.source) for pair in rng.sample(copies, len(copies)) if "excerpt" not in pair.row][
        :ASKED
    ]
    results = []
    with attach_or_start(options.folder, database_url=None, redis_url=None) as servers:
        engine = connect(servers.database_url)
        schema.upgrade(engine)
        host = servers.database_url.partition("?host=")[2]
        connection = psycopg.connect(host=host, port=5432, user="wirecopy", dbname="wirecopy", autocommit=True)
        for stored in options.stored:
            places = rng.sample(range(1, stored + 1), len(originals))
            planted = dict(zip(places, originals.values(), strict=True))
            prints = {at: looked_up(fingerprint(witness)) for at, witness in planted.items()}
            at_of = {witness.source: at for at, witness in planted.items()}
            newcomers = [(witness, at_of[source]) for witness, source in made]
            begun = time.monotonic()
            fill(connection, stored, planted, prints)
            sizes = "pg_table_size('features'), pg_indexes_size('features')"
            table, index = connection.execute(f"SELECT {sizes}").fetchone() or (0, 0)
            print(
                f"{stored:,} stored in {time.monotonic() - begun:.0f} s: {(table + index) / stored:,.0f} bytes a witness, ",
                end="",
            )
            print(f"{table / stored:,.0f} of them in the table, {index / stored:,.0f} in the index")
            factory = sessions(engine)
            begun = time.perf_counter()
            with factory.begin() as session:
                counted = features.count_common(session)
            print(f"  common features counted in {1000 * (time.perf_counter() - begun):.0f} ms: {counted}")
            row = {"stored": float(stored), **measure_candidates(factory, newcomers, np.random.default_rng(SEED + 1))}
            row["placed copies"] = measure_placing(factory, "copies", [one for one, _ in newcomers[:PLACED]])
            row["placed strangers"] = measure_placing(factory, "strangers", rng.sample(strangers, PLACED))
            results.append(row)
            if stored <= options.peers:
                measure_peers(connection, stored, newcomers, prints)
        connection.close()
        engine.dispose()
    if options.plot:
        plot(options.plot, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
