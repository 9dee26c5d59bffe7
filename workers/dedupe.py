"""Tasks of the queue `dedupe`: witnesses become stories, and stories recoveries."""

from pipeline.stages.collating import collate_story
from pipeline.stages.placing import place
from pipeline.stages.recovering import recover_story
from pipeline.store.tables import Stage
from workers.app import TASKS, app
from workers.runtime import perform


@app.task(name=TASKS[Stage.PLACE])
def place_witness(witness_id: int) -> None:
    """Find the story that a witness belongs to."""
    perform(Stage.PLACE, witness_id, lambda at: place(at.factory, witness_id, at.settings, at.worker))


@app.task(name=TASKS[Stage.COLLATE])
def collate(story_id: int) -> None:
    """Align the copies of a story."""
    perform(Stage.COLLATE, story_id, lambda at: collate_story(at.factory, story_id, at.settings, at.worker))


@app.task(name=TASKS[Stage.RECOVER])
def recover(story_id: int) -> None:
    """Recover the wording of a story."""
    perform(Stage.RECOVER, story_id, lambda at: recover_story(at.factory, story_id, at.settings, at.worker))
