"""Pages that an archive answered with: stored as captures of their URLs, without a visit."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pipeline.discovery.runner import Find
from pipeline.settings import Settings
from pipeline.stages.keeping import bodies_under
from pipeline.stages.outcome import Bell
from pipeline.store import attempts, captures, frontier
from pipeline.store.captures import NewCapture
from pipeline.store.discoveries import LOST
from pipeline.store.tables import AttemptEnd, FrontierRow, Stage, Visit
from pipeline.store.values import storable

LEASE = 60.0
# A page that was never asked for waits; one that ended in these gave no text.
OPEN = frozenset({Visit.WAITING, *LOST})


def take_in(session: Session, found: Sequence[tuple[Find, int]], settings: Settings) -> list[Bell]:
    """Store what the archives have of pages that gave no text: bells for their captures to be read.

    `found` are finds with the frontier rows of their pages; those that no archive answered with are passed over, and so is a
    page that was visited with success, or that somebody is visiting.
    """
    bells: list[Bell] = []
    for find, row_id in found:
        page = find.candidate.archived
        if page is None:
            continue
        row = session.get_one(FrontierRow, row_id, with_for_update=True)
        if row.state not in OPEN:
            continue
        attempt = attempts.begin(session, Stage.FETCH, row_id, f"archive {find.provider}", LEASE)
        if attempt is None:
            continue
        said = f"read out of {find.provider}, which captured it on {page.captured_at:%Y-%m-%d %H:%M:%S} UTC"
        attempts.finish(session, attempt, AttemptEnd.DONE, said, {"archive": find.provider, "status": page.status})
        capture = NewCapture(
            attempt_id=attempt,
            frontier_id=row_id,
            url=row.url,
            status=page.status,
            headers=[{"name": storable(name.lower()), "value": storable(value)} for name, value in page.headers],
            body_sha256=bodies_under(settings).put(session, page.body),
            kept=True,
            truncated=page.truncated,
            wire_bytes=len(page.body),
            finding=None,
        )
        ids = captures.put(session, [capture], to_archive=False)
        frontier.end_visit(session, row_id, Visit.CAPTURED, said)
        bells += [Bell(Stage.EXTRACT, id_) for id_ in ids.values()]
    return bells
