"""What beat sends: tick and sweep. What is due is decided in Postgres, so two beats do no harm."""

from pipeline.stages.sweeping import sweep, tick
from workers.app import SWEEP, TICK, app
from workers.runtime import perform


@app.task(name=TICK)
def ring_for_due() -> None:
    """Ring for what is due now."""
    perform("tick", None, lambda at: tick(at.factory))


@app.task(name=SWEEP)
def ring_for_lost() -> None:
    """End the claims of the dead, and ring for what got lost."""
    perform("sweep", None, lambda at: sweep(at.factory, at.settings))
