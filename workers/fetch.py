"""Tasks of the queue `fetch`: the web comes in."""

from pipeline.stages.discovering import discover
from pipeline.stages.extraction import extract
from pipeline.stages.fetching import fetch
from pipeline.stages.outcome import Outcome
from pipeline.stages.reading import read_source
from pipeline.store.tables import Stage
from workers.app import TASKS, app, ring
from workers.runtime import Runtime, end_round, perform, perform_each, stopping, take_round


@app.task(name=TASKS[Stage.FETCH])
def fetch_due() -> None:
    """Visit the hosts that are due, for one round, unless another process of this worker is at it."""
    perform(Stage.FETCH, None, _round)


def _round(at: Runtime) -> Outcome:
    if not take_round():
        return Outcome("taken")
    try:
        fetcher = at.fetcher
        return at.loop.run(fetch(at.factory, fetcher, at.settings, worker=at.worker, ring=ring, stopping=stopping))
    finally:
        end_round()


@app.task(name=TASKS[Stage.EXTRACT])
def extract_captures(*capture_ids: int) -> None:
    """Read the pages out of captures."""
    perform_each(Stage.EXTRACT, capture_ids, lambda at, id_: extract(at.factory, id_, at.extractor, at.settings, at.worker))


@app.task(name=TASKS[Stage.READ_SOURCE])
def read_captured_sources(*capture_ids: int) -> None:
    """Admit what captured feeds and sitemaps list."""
    perform_each(Stage.READ_SOURCE, capture_ids, lambda at, id_: read_source(at.factory, id_, at.settings, at.worker))


@app.task(name=TASKS[Stage.DISCOVER])
def discover_copies(discovery_id: int) -> None:
    """Look for the other copies of a story."""
    perform(
        Stage.DISCOVER,
        discovery_id,
        lambda at: at.loop.run(discover(at.factory, discovery_id, at.reach, at.settings, at.worker)),
    )
