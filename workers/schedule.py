"""What beat sends: tick, sweep and keep. What is due is decided in Postgres, so two beats do no harm."""

from dataclasses import replace

from pipeline.stages.archiving import archive_captures
from pipeline.stages.keeping import drop_old_bodies
from pipeline.stages.outcome import Outcome
from pipeline.stages.sweeping import count_common_features, sweep, tick
from workers import presence
from workers.app import DEDUPE, FETCH, KEEP, QUEUES, SWEEP, TICK, app, depth
from workers.runtime import Runtime, perform, stopping

MOST_WAITING = 50


@app.task(name=TICK)
def ring_for_due() -> None:
    """Ring for what is due now."""
    perform("tick", None, lambda at: tick(at.factory, at.settings))


@app.task(name=SWEEP)
def ring_for_lost() -> None:
    """End the claims of the dead, and ring for what got lost."""
    perform("sweep", None, _sweep)


@app.task(name=KEEP)
def keep() -> None:
    """Write to WARC files what waits for it, drop the bodies whose time is over, count what features are common."""
    perform("keep", None, _keep)


def _keep(at: Runtime) -> Outcome:
    archived = archive_captures(at.factory, at.settings, stopping)
    dropped = drop_old_bodies(at.factory, at.settings)
    counted = count_common_features(at.factory)
    return Outcome(f"{archived.state}; {dropped.state}; {counted.state}")


def _sweep(at: Runtime) -> Outcome:
    """The sweep's bells, but for a queue that is still full of bells: what waits there is late, not lost."""
    outcome = sweep(at.factory, at.settings, presence.is_gone)
    full = {queue for queue in (FETCH, DEDUPE) if depth(queue) > MOST_WAITING}
    return replace(outcome, next=tuple(bell for bell in outcome.next if QUEUES[bell.stage] not in full))
