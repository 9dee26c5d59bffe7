"""The whole way over real news pages: fetched from loopback hosts by real workers, extracted, placed, recovered, stored.

    python bench/walk.py [--pages FOLDER] [--fetch-processes N]

FOLDER holds truth.jsonl (file, url, text) and the gzipped pages that it names; it is not part of the project. Every page is
served under its own path, the pages of one publisher on one loopback address. Marks that forbid archiving are ignored for
this run. Prints what became of every page, the token F1 of the witnesses beside trafilatura's alone, pages a second, and
the CPU share of each stage.
"""

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import trafilatura
from extraction import score
from sqlalchemy import select

from pipeline.cli.context import Context
from pipeline.cli.wiring import Wiring
from pipeline.demo.server import Answer, Request, listening, serving
from pipeline.settings import Loaded, load
from pipeline.stages.admission import admit
from pipeline.stages.outcome import Bell
from pipeline.store import jobs, overdue, queries
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import FrontierRow, Stage, StoredWitness
from workers.processes import fleet, ringer, run_beat, run_worker

PAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "pages"
NEEDED = 305
LONGEST = 900.0
ROLES = {
    "fetch": ("worker", "fetch"),
    "dedupe": ("worker", "dedupe"),
    "beat": ("workers.console", "beat"),
    "extract": ("pipeline.crawl.extraction_process",),
    "PostgreSQL": ("postgres",),
    "Valkey": ("valkey",),
}


class Cpu:
    """CPU seconds of every process below this one, by what it is, ended ones included as last seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        for process in psutil.process_iter(["pid", "create_time", "cmdline", "cpu_times", "name"]):
            words = " ".join(process.info["cmdline"] or [process.info["name"] or ""])
            role = next((role for role, marks in ROLES.items() if all(mark in words for mark in marks)), None)
            if role and process.info["cpu_times"]:
                times = process.info["cpu_times"]
                self._seen[process.info["pid"], process.info["create_time"]] = role, times.user + times.system

    def shares(self) -> dict[str, float]:
        sums: dict[str, float] = defaultdict(float)
        for role, seconds in self._seen.values():
            sums[role] += seconds
        return dict(sums)


def read_truths(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]


def lay_out(
    truths: list[dict[str, Any]], sockets: Any, folder: Path
) -> tuple[dict[str, dict[str, Any]], dict[tuple[Any, str], bytes]]:
    """URL → truth, and (address, path) → body: a publisher an address, a page under the path that it had."""
    addresses: dict[str, Any] = {}
    truth_of: dict[str, dict[str, Any]] = {}
    bodies: dict[tuple[Any, str], bytes] = {}
    for truth in truths:
        parts = urlsplit(truth["url"])
        if parts.netloc not in addresses:
            addresses[parts.netloc] = sockets[len(addresses) % len(sockets)].getsockname()
        address = addresses[parts.netloc]
        target = f"/{len(bodies)}{parts.path or '/'}"
        bodies[address, target] = gzip.decompress((folder / truth["file"]).read_bytes())
        truth_of[f"http://{address[0]}:{address[1]}{target}"] = truth
    return truth_of, bodies


def run(truth_of: Mapping[str, Any], settings: Any, cpu: Cpu) -> tuple[Any, float]:
    """Walk all of the URLs; (what the store says then, seconds)."""
    context = Context(Loaded(settings, {}), Wiring(ringer, fleet, run_worker, run_beat))
    with context.services() as services, ExitStack() as stack:
        with services.factory.begin() as session:
            admission = admit(session, truth_of, services.settings, found_by="hand")
            jobs.add_items(session, jobs.open_job(session, "add", "bench"), admission.admitted.ids)
        ids = admission.admitted.ids
        assert len(ids) == len(truth_of), f"{len(truth_of)} URLs became {len(ids)} rows: {admission.malformed[:3]}"
        watched = stack.enter_context(context.wiring.fleet(services.settings))
        began = time.monotonic()
        context.wiring.ring(services.settings)(Bell(Stage.FETCH))
        while time.monotonic() - began < LONGEST:
            cpu.look()
            watched.check()
            with services.factory() as session:
                left = overdue.unfinished(session, LONGEST)
            if not left:
                break
            time.sleep(0.5)
        seconds = time.monotonic() - began
        cpu.look()
        return collect(services.factory), seconds


def collect(factory: SessionFactory) -> Any:
    with factory() as session:
        rows = {row.url: row for row in session.scalars(select(FrontierRow))}
        texts = {row.source: row for row in session.scalars(select(StoredWitness))}
        status = queries.status(session)
    return rows, texts, status


def report(truth_of: Mapping[str, Any], bodies: Mapping[Any, bytes], found: Any, seconds: float, cpu: Cpu) -> bool:
    rows, texts, status = found
    states = Counter(row.state for row in rows.values())
    print(
        f"\n{len(truth_of)} pages in {seconds:.1f} s: {len(truth_of) / seconds:.1f} pages a second, first bell to last recovery"
    )
    print("what became of them: " + ", ".join(f"{count} {state}" for state, count in states.most_common()))
    for url, row in rows.items():
        if row.state != "witness":
            print(f"  {row.state}: {row.reason} — {truth_of[url]['file']}")
    ours, theirs, worse = [], [], []
    for url, truth in truth_of.items():
        if url not in texts:
            continue
        body = next(body for (address, target), body in bodies.items() if url == f"http://{address[0]}:{address[1]}{target}")
        alone = trafilatura.extract(body) or ""
        ours.append(score(texts[url].text, truth["text"]))
        theirs.append(score(alone, truth["text"]))
        if ours[-1] < theirs[-1] - 1e-9:
            worse.append((theirs[-1] - ours[-1], truth["file"]))
    print(
        f"witnesses: {len(ours)}; token F1 mean {sum(ours) / len(ours):.4f}, trafilatura alone {sum(theirs) / len(theirs):.4f}"
    )
    print(f"no worse than trafilatura alone on {len(ours) - len(worse)} pages; worse on {len(worse)}:")
    for loss, file in sorted(worse, reverse=True):
        print(f"  by {loss:.4f} {file}")
    print("status adds up: " + ("yes" if status.adds_up else "NO"))
    shares = cpu.shares()
    total = sum(shares.values())
    print(
        "CPU: "
        + ", ".join(
            f"{role} {spent:.1f} s ({spent / total:.0%})" for role, spent in sorted(shares.items(), key=lambda item: -item[1])
        )
    )
    joined = Counter(row.story_id for row in texts.values() if row.story_id is not None)
    for story_id, count in joined.items():
        if count > 1:
            print(f"joined in one story: {[row.source for row in texts.values() if row.story_id == story_id]}")
    return len(ours) >= NEEDED and states.total() == len(truth_of)


def stage_cpu(log: Path) -> None:
    """CPU seconds of the tasks of each stage, as the workers' lines tell; extraction's own process is not in them."""
    sums: dict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    for line in log.read_text("utf-8", "replace").splitlines():
        fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
        if "cpu" in fields and "event" in fields:
            sums[fields["event"].strip("'")] += float(fields["cpu"])
            counts[fields["event"].strip("'")] += 1
    for event, spent in sorted(sums.items(), key=lambda item: -item[1]):
        print(f"  task {event}: {counts[event]} times, {spent:.1f} s CPU, {1000 * spent / counts[event]:.1f} ms each")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, default=PAGES)
    parser.add_argument("--fetch-processes", type=int, default=3)
    wanted = parser.parse_args()
    if not (wanted.pages / "truth.jsonl").is_file():
        print(f"Skipped: there are no pages in {wanted.pages}; name their folder with --pages.")
        return 0
    truths = read_truths(wanted.pages)
    publishers = len({urlsplit(truth["url"]).netloc for truth in truths})
    with tempfile.TemporaryDirectory(prefix="wirecopy-bench-") as folder, listening(min(publishers, 250)) as sockets:
        truth_of, bodies = lay_out(truths, sockets, wanted.pages)

        def answer(request: Request) -> Answer:
            body = bodies.get((request.address, request.target))
            return Answer(404) if body is None else Answer(200, body, (("Content-Type", "text/html"),))

        flags = {
            "data_dir": folder,
            "allow_private_addresses": True,
            "obey_noarchive": False,
            "fetch_interval": 0.05,
            "fetch_processes": wanted.fetch_processes,
        }
        cpu = Cpu()
        with serving(sockets, answer):
            found, seconds = run(truth_of, load(flags, {}).settings, cpu)
        enough = report(truth_of, bodies, found, seconds, cpu)
        stage_cpu(Path(folder) / "logs" / "workers.log")
    print("enough" if enough else f"NOT ENOUGH: at least {NEEDED} pages are to become witnesses")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
