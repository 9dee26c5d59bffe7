"""What beat sends: tick and sweep. What is due is decided in Postgres, so two beats do no harm."""

from dataclasses import replace

from pipeline.stages.outcome import Outcome
from pipeline.stages.sweeping import sweep, tick
from workers import presence
from workers.app import DEDUPE, FETCH, QUEUES, SWEEP, TICK, app, depth
from workers.runtime import Runtime, perform

MOST_WAITING = 50


@app.task(name=TICK)
def ring_for_due() -> None:
    """Ring for what is due now."""
    perform("tick", None, lambda at: tick(at.factory, at.settings))


@app.task(name=SWEEP)
def ring_for_lost() -> None:
    """End the claims of the dead, and ring for what got lost."""
    perform("sweep", None, _sweep)


def _sweep(at: Runtime) -> Outcome:
    """The sweep's bells, but for a queue that is still full of bells: what waits there is late, not lost."""
    outcome = sweep(at.factory, at.settings, presence.is_gone)
    full = {queue for queue in (FETCH, DEDUPE) if depth(queue) > MOST_WAITING}
    return replace(outcome, next=tuple(bell for bell in outcome.next if QUEUES[bell.stage] not in full))
