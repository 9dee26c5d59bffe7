"""The tick and the sweep: what is due is rung for, what got lost is found again, what is common is counted.

The tick finds hosts with due URLs, stories that have settled and discoveries that are due. The sweep ends the claims of dead
processes and rings for whatever waits without a claim: a bell may be lost, a row is not.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from pipeline.settings import Settings
from pipeline.stages.claims import end_abandoned
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import discoveries, features, hosts, overdue, stories
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage

# More bells than the workers answer before the next sweep would only fill the queue.
MOST_BELLS = 500
# Sweeps after which a story that was rung for and is still due is rung for again.
RUNG_AGAIN = 4


def tick(factory: SessionFactory, settings: Settings) -> Outcome:
    """Bells for the hosts that have a due URL now, the stories that are to be collated and the discoveries that are due."""
    with factory.begin() as session:
        bells: list[Bell] = []
        if hosts.any_due(session):
            bells.append(Bell(Stage.FETCH))
        due_stories = stories.take_due(session, MOST_BELLS, again=settings.sweep * RUNG_AGAIN)
        bells += [Bell(Stage.COLLATE, story_id) for story_id in due_stories]
        due_searches = discoveries.take_due(session, MOST_BELLS, again=settings.work_lease)
        bells += [Bell(Stage.DISCOVER, discovery_id) for discovery_id in due_searches]
        return Outcome("ticked", next=tuple(bells))


def sweep(factory: SessionFactory, settings: Settings, is_gone: Callable[[str], bool] = lambda _: False) -> Outcome:
    """End the claims that ran out; bells for captures, witnesses and stories that wait and that nobody holds.

    `is_gone` says of a worker, by the name it claims under, whether it is known to have ended: its claims end at once.
    """
    with factory.begin() as session:
        died = end_abandoned(session, MOST_BELLS, settings.quarantine_after, is_gone)
        bells = _overdue(session, settings)
        return Outcome(f"{died} claims ended", next=tuple(bells))


def count_common_features(factory: SessionFactory) -> Outcome:
    """Count the features that many stories hold, where enough witnesses have come since the last time."""
    with factory.begin() as session:
        counted = features.count_common(session)
    return Outcome("common features as they were" if counted is None else f"{counted} common features")


def _overdue(session: Session, settings: Settings) -> list[Bell]:
    waited = settings.sweep
    bells = [Bell(Stage.EXTRACT, id_) for id_ in overdue.unread_articles(session, waited, MOST_BELLS)]
    bells += [Bell(Stage.READ_SOURCE, id_) for id_ in overdue.unread_sources(session, waited, MOST_BELLS)]
    bells += [Bell(Stage.PLACE, id_) for id_ in overdue.unplaced(session, waited, MOST_BELLS)]
    bells += [Bell(Stage.RECOVER, id_) for id_ in overdue.unrecovered(session, waited, MOST_BELLS)]
    return bells
