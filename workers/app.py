"""The Celery application. A message is a doorbell: it carries a stage and an id, and Postgres holds the truth.

Redis may lose any message: the sweep rings again for rows that wait. So messages are acknowledged as they are taken,
nothing waits in an ETA, and no result is stored.
"""

from typing import Any

import structlog
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError

from pipeline.settings import Settings
from pipeline.stages.outcome import Bell
from pipeline.store.tables import Stage

FETCH, DEDUPE = "fetch", "dedupe"
QUEUES = {
    Stage.FETCH: FETCH,
    Stage.EXTRACT: FETCH,
    Stage.READ_SOURCE: FETCH,
    Stage.PLACE: DEDUPE,
    Stage.COLLATE: DEDUPE,
    Stage.RECOVER: DEDUPE,
    Stage.DISCOVER: FETCH,
}
TASKS = {stage: f"wirecopy.{stage}" for stage in Stage}
TICK, SWEEP, KEEP = "wirecopy.tick", "wirecopy.sweep", "wirecopy.keep"
# Beat's messages that no worker takes are dropped after this, so that they do not pile up. Sender and taker compare their own
# clocks here: it is far more than clocks differ by.
MESSAGE_LIFETIME = 600.0

app = Celery("wirecopy", include=["workers.fetch", "workers.dedupe", "workers.schedule"])
app.conf.update(
    task_queues=[Queue(FETCH), Queue(DEDUPE)],
    task_default_queue=FETCH,
    task_create_missing_queues=False,
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    # A broker that is away must not hold up a face or a worker: a lost bell is found by the sweep.
    broker_transport_options={
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "max_retries": 1,
        "interval_start": 0.1,
        "interval_step": 0.1,
    },
    task_publish_retry=False,
    enable_utc=True,
    timezone="UTC",
)


def configure(settings: Settings) -> None:
    """Let the application talk to the settings' Redis, and beat tick, sweep and keep as they say."""
    app.conf.update(broker_url=settings.broker_url)
    app.conf.beat_schedule = {
        "tick": {"task": TICK, "schedule": settings.tick, "options": {"expires": MESSAGE_LIFETIME}},
        "sweep": {"task": SWEEP, "schedule": settings.sweep, "options": {"expires": MESSAGE_LIFETIME}},
        "keep": {"task": KEEP, "schedule": settings.sweep, "options": {"expires": MESSAGE_LIFETIME}},
    }


def ring(bell: Bell) -> None:
    """Send a bell to the workers. Where Redis is away it is lost with a line in the log: the row waits for the sweep."""
    args = () if bell.stage is Stage.FETCH else bell.subjects
    try:
        app.send_task(TASKS[bell.stage], args=args, queue=QUEUES[bell.stage])
    except OperationalError as error:
        structlog.get_logger().warning("bell lost", stage=bell.stage, subjects=bell.subjects, why=str(error))


def depth(queue: str) -> int:
    """How many messages wait in a queue."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        # Not passive: a queue without messages is no key in Redis, and asking for it passively is an error.
        return int(channel.queue_declare(queue).message_count)
