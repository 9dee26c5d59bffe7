"""All reads for the faces: functions that take a Session and return frozen values, straight from SQL.

Nothing here writes. What is not stored raises NotFound, what cannot be asked Misuse; both say what to do next.
"""

from pipeline.store.queries.finds import FoundBy
from pipeline.store.queries.history import Arrival, Step, UrlHistory, url_history
from pipeline.store.queries.holding import StoredHit, holding
from pipeline.store.queries.jobs import JobItemView, JobProgress, job, job_items, jobs
from pipeline.store.queries.quarantine import QuarantineEntry, quarantine_entries, quarantine_entry
from pipeline.store.queries.search import SearchFilter, StoryHit, search
from pipeline.store.queries.sources import SourceView, sources
from pipeline.store.queries.status import Check, Status, status
from pipeline.store.queries.stories import Change, Copy, RecoveryView, StoryView, copies, story
from pipeline.store.queries.texts import texts_settled

__all__ = [
    "Arrival",
    "Change",
    "Check",
    "Copy",
    "FoundBy",
    "JobItemView",
    "JobProgress",
    "QuarantineEntry",
    "RecoveryView",
    "SearchFilter",
    "SourceView",
    "Status",
    "Step",
    "StoredHit",
    "StoryHit",
    "StoryView",
    "UrlHistory",
    "copies",
    "holding",
    "job",
    "job_items",
    "jobs",
    "quarantine_entries",
    "quarantine_entry",
    "search",
    "sources",
    "status",
    "story",
    "texts_settled",
    "url_history",
]
