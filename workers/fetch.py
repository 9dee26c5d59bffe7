"""Tasks of the queue `fetch`: the web comes in."""

from pipeline.stages.extraction import extract
from pipeline.stages.fetching import fetch
from pipeline.stages.outcome import Outcome
from pipeline.stages.reading import read_source
from pipeline.store.tables import Stage
from workers.app import TASKS, app, ring
from workers.runtime import Runtime, end_round, perform, stopping, take_round


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
def extract_capture(capture_id: int) -> None:
    """Read the page out of a capture."""
    perform(Stage.EXTRACT, capture_id, lambda at: extract(at.factory, capture_id, at.extractor, at.settings, at.worker))


@app.task(name=TASKS[Stage.READ_SOURCE])
def read_captured_source(capture_id: int) -> None:
    """Admit what a captured feed or sitemap lists."""
    perform(Stage.READ_SOURCE, capture_id, lambda at: read_source(at.factory, capture_id, at.settings, at.worker))
