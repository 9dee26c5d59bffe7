"""The state of everything in one look, and whether the numbers add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

# One statement, so that all numbers are of one moment however many workers are busy.
STATUS = text("""
SELECT
  (SELECT count(*) FROM frontier WHERE purpose = 'article') AS urls,
  (SELECT coalesce(jsonb_object_agg(state, number), '{}') FROM (
      SELECT state, count(*) AS number FROM frontier WHERE purpose = 'article' GROUP BY state) f) AS frontier,
  (SELECT count(*) FROM frontier WHERE purpose = 'article' AND state = 'waiting' AND next_attempt_at <= now()) AS due,
  (SELECT count(*) FROM sources) AS sources,
  (SELECT count(*) FROM sources WHERE enabled) AS sources_enabled,
  (SELECT count(*) FROM sources WHERE enabled AND asleep_at IS NOT NULL) AS sources_asleep,
  (SELECT count(*) FROM listings l JOIN sources s ON s.id = l.source_id
      WHERE l.parent_id IS NULL AND l.failures > 0 AND s.enabled AND s.asleep_at IS NULL) AS sources_failing,
  (SELECT count(*) FROM frontier WHERE purpose = 'revisit' AND state = 'waiting') AS revisits,
  (SELECT count(*) FROM captures) AS captures,
  (SELECT count(*) FROM captures WHERE read_at IS NULL) AS captures_unread,
  (SELECT count(*) FROM witnesses) AS witnesses,
  (SELECT count(*) FROM witnesses WHERE story_id IS NOT NULL) AS witnesses_in_stories,
  (SELECT count(*) FROM witnesses WHERE placed_at IS NOT NULL AND story_id IS NULL) AS witnesses_thin,
  (SELECT count(*) FROM witnesses WHERE placed_at IS NULL) AS witnesses_unplaced,
  (SELECT count(*) FROM stories WHERE merged_into IS NULL) AS stories,
  (SELECT count(*) FROM stories WHERE due_at IS NOT NULL OR collated < revision) AS stories_to_collate,
  (SELECT count(*) FROM stories WHERE due_at IS NULL AND collated = revision AND recovered < collated) AS stories_to_recover,
  (SELECT count(*) FROM stories
      WHERE merged_into IS NULL AND due_at IS NULL AND collated = revision AND recovered >= collated) AS stories_settled,
  (SELECT count(*) FROM stories s WHERE merged_into IS NULL
      AND EXISTS (SELECT FROM recoveries r WHERE r.story_id = s.id)) AS stories_recovered,
  (SELECT count(*) FROM recoveries) AS recoveries,
  (SELECT count(*) FROM quarantine WHERE resolved_at IS NULL) AS quarantine,
  (SELECT coalesce(jsonb_object_agg(stage, number), '{}') FROM (
      SELECT stage, count(*) AS number FROM quarantine WHERE resolved_at IS NULL GROUP BY stage) q) AS quarantine_by_stage,
  (SELECT count(*) FROM hosts) AS hosts,
  (SELECT count(*) FROM hosts WHERE lease IS NOT NULL AND free_at > now()) AS hosts_leased,
  (SELECT count(*) FROM hosts WHERE lease IS NULL AND free_at > now()) AS hosts_resting,
  (SELECT count(*) FROM attempts WHERE ended_at IS NULL) AS attempts_open,
  (SELECT max(begun_at) FROM attempts) AS last_attempt_at,
  (SELECT count(*) FROM frontier f WHERE f.purpose = 'article' AND f.state = 'witness'
      AND NOT EXISTS (SELECT FROM witnesses w WHERE w.frontier_id = f.id)) AS witness_without_text,
  (SELECT count(*) FROM frontier f WHERE f.state = 'captured'
      AND NOT EXISTS (SELECT FROM captures c WHERE c.frontier_id = f.id AND c.read_at IS NULL)) AS captured_without_capture,
  (SELECT count(*) FROM captures c JOIN frontier f ON f.id = c.frontier_id
      WHERE c.read_at IS NULL AND f.state NOT IN ('captured', 'quarantined')) AS unread_captures_astray,
  (SELECT count(*) FROM frontier f WHERE f.state = 'quarantined' AND NOT EXISTS (
      SELECT FROM quarantine q WHERE q.resolved_at IS NULL AND (
          (q.stage = 'fetch' AND q.subject_id = f.id) OR (q.stage IN ('extract', 'read_source') AND q.subject_id IN (
              SELECT c.id FROM captures c WHERE c.frontier_id = f.id))))) AS quarantined_without_entry
""")


@dataclass(frozen=True, slots=True)
class Check:
    """Two counts that have to be the same."""

    what: str
    counted: int
    expected: int

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.counted == self.expected


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of one moment. The frontier's are of articles; the URLs of sources are counted as sources."""

    urls: int
    frontier: Mapping[str, int]
    """Articles' URLs by state."""
    due: int
    """Waiting URLs whose time has come; their host may still rest."""
    sources: int
    sources_enabled: int
    sources_asleep: int
    """Those that failed for so long that they are polled no more."""
    sources_failing: int
    """Those whose last poll failed."""
    revisits: int
    """Pages that will be looked at again."""
    captures: int
    captures_unread: int
    witnesses: int
    witnesses_in_stories: int
    witnesses_thin: int
    """In no story, with the reason."""
    witnesses_unplaced: int
    stories: int
    stories_to_collate: int
    stories_to_recover: int
    stories_settled: int
    stories_recovered: int
    """Stories with a recovery, be it of an earlier revision."""
    recoveries: int
    """Versions of recovered texts, over all stories."""
    quarantine: int
    quarantine_by_stage: Mapping[str, int]
    hosts: int
    hosts_leased: int
    hosts_resting: int
    attempts_open: int
    last_attempt_at: datetime | None
    checks: tuple[Check, ...]

    @property
    def adds_up(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def status(session: Session) -> Status:
    """Everything counted at one moment."""
    counted: dict[str, Any] = dict(session.execute(STATUS).mappings().one())
    astray = [
        ("URLs that gave a witness but have no text", counted.pop("witness_without_text")),
        ("captured URLs without an unread capture", counted.pop("captured_without_capture")),
        ("unread captures of URLs that went on without them", counted.pop("unread_captures_astray")),
        ("URLs in quarantine without an entry there", counted.pop("quarantined_without_entry")),
    ]
    placed = counted["witnesses_in_stories"] + counted["witnesses_thin"] + counted["witnesses_unplaced"]
    steps = counted["stories_to_collate"] + counted["stories_to_recover"] + counted["stories_settled"]
    checks = (
        Check("URLs by state, and URLs admitted", sum(counted["frontier"].values()), counted["urls"]),
        Check("witnesses in stories, thin and unplaced, and witnesses", placed, counted["witnesses"]),
        Check("stories to collate, to recover and settled, and stories", steps, counted["stories"]),
        Check(
            "work in quarantine by stage, and in quarantine",
            sum(counted["quarantine_by_stage"].values()),
            counted["quarantine"],
        ),
        *(Check(what, number, 0) for what, number in astray),
    )
    return Status(**counted, checks=checks)
