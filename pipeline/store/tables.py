"""The tables. Every time is aware and UTC; every lease and due time is compared with the database's own clock."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
    }


class Purpose(StrEnum):
    """Why a URL is in the frontier."""

    ARTICLE = "article"
    SOURCE = "source"
    REVISIT = "revisit"
    """A later version of an article: `same_as` is the article's row."""


class Visit(StrEnum):
    """The state of a frontier row; docs/architecture.md draws the diagram.

    WAITING and CAPTURED move on by themselves; every other state is an end state.
    """

    WAITING = "waiting"
    CAPTURED = "captured"
    WITNESS = "witness"
    UNCHANGED = "unchanged"
    SAME = "same"
    NOT_ARTICLE = "not_article"
    REFUSED = "refused"
    GONE = "gone"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


OPEN_VISITS = (Visit.WAITING, Visit.CAPTURED)


class Stage(StrEnum):
    """A piece of work that is attempted, counted and put in quarantine when it keeps failing."""

    FETCH = "fetch"
    EXTRACT = "extract"
    READ_SOURCE = "read_source"
    PLACE = "place"
    COLLATE = "collate"
    RECOVER = "recover"
    DISCOVER = "discover"


class AttemptEnd(StrEnum):
    """How an attempt ended; ERROR and DIED are failures of our own and count towards quarantine."""

    DONE = "done"
    FAILED = "failed"
    ERROR = "error"
    DIED = "died"


def _values(states: type[StrEnum], column: str) -> str:
    return f"{column} IN ({', '.join(repr(state.value) for state in states)})"


class Host(Table):
    """A host as politeness knows it: name, with the port where it is not the scheme's own.

    `free_at` is the lease: nobody may send the host a request before it. A worker that takes the host moves it to the
    end of its hold, and on release to the end of the host's interval. `least_interval` is what a source of it asks for.
    """

    __tablename__ = "hosts"
    __table_args__ = (Index("ix_hosts_free_at", "free_at"), Index("ix_hosts_address", "address"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    free_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease: Mapped[UUID | None]
    interval: Mapped[float | None]
    least_interval: Mapped[float | None]
    points: Mapped[int] = mapped_column(server_default="0")
    address: Mapped[str | None]
    """The address that it was last connected to at; known where hosts that share one share a lease."""


class Address(Table):
    """An address that hosts share a lease on: as with a host's `free_at`, nobody may send it a request before then."""

    __tablename__ = "addresses"
    __table_args__ = (Index("ix_addresses_free_at", "free_at"),)

    address: Mapped[str] = mapped_column(primary_key=True)
    free_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease: Mapped[UUID | None]
    """The token of the host's lease that holds it."""


class RobotsFile(Table):
    """The robots.txt of an origin (scheme and host) as last answered; `status` is null where nobody answered."""

    __tablename__ = "robots_files"

    origin: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int | None]
    body: Mapped[str] = mapped_column(server_default="")
    fetched_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Source(Table):
    """A feed, sitemap or section page that is polled on a schedule: what a person wants of it, and what came of it last.

    `interval` (seconds) or `cron` (in `time_zone`) is its schedule; with neither it is polled as often as it brings something
    new. `discover` lets the copies of what it brings be looked for, `host_interval` is the least pause, in seconds, that its
    host is left, `links` the pattern of a section page's links, which with `other_hosts` may lead elsewhere. `asleep_at` is
    set where it has failed for so long that it is polled no more.
    """

    __tablename__ = "sources"
    __table_args__ = (CheckConstraint("kind IN ('feed', 'sitemap', 'section')", name="kind"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    url: Mapped[str]
    interval: Mapped[float | None]
    cron: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    discover: Mapped[bool] = mapped_column(server_default=text("false"))
    host_interval: Mapped[float | None]
    links: Mapped[str | None]
    other_hosts: Mapped[bool] = mapped_column(server_default=text("false"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    polls: Mapped[int] = mapped_column(server_default="0")
    last_read_at: Mapped[datetime | None]
    last_outcome: Mapped[str | None]
    asleep_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Listing(Table):
    """A URL that a source polls: its own, and each sitemap that its index names (`parent_id` is the index's row).

    What stands here is remembered of its polls (crawl/schedule.py); when it is due stands in its frontier row. `wait` is how
    many seconds its next poll waits before its host's other listings are thought of, `why` the reason, for a person.
    `changed_at` is the last change that the index names, `whole_at` when it last gave a body; `distrusted` one that answers
    "not modified" to what has changed.
    """

    __tablename__ = "listings"

    frontier_id: Mapped[int] = mapped_column(ForeignKey("frontier.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("frontier.id", ondelete="CASCADE"), index=True)
    depth: Mapped[int] = mapped_column(server_default="0")
    changed_at: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    items: Mapped[float] = mapped_column(server_default="0")
    seconds: Mapped[float] = mapped_column(server_default="0")
    new_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[datetime | None]
    ttl: Mapped[float | None]
    whole_at: Mapped[datetime | None]
    distrusted: Mapped[bool] = mapped_column(server_default=text("false"))
    wait: Mapped[float | None]
    why: Mapped[str | None]


class FrontierRow(Table):
    """A URL and what is due for it.

    `url` is what was asked for; `visit_url` is the hop that is due (each redirect is a visit of its own, under the lease,
    robots.txt and address check of its own host) and `host_id` is that hop's host.
    """

    __tablename__ = "frontier"
    __table_args__ = (
        CheckConstraint(_values(Purpose, "purpose"), name="purpose"),
        CheckConstraint(_values(Visit, "state"), name="state"),
        UniqueConstraint("purpose", "key"),
        Index(
            "ix_frontier_due",
            "host_id",
            text("priority DESC"),
            "next_attempt_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_frontier_next", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_frontier_state", "state", "updated_at"),
        Index("ix_frontier_source", "source_id"),
        Index("ix_frontier_revisit", "same_as", postgresql_where=text("purpose = 'revisit'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    purpose: Mapped[str]
    url: Mapped[str]
    key: Mapped[str]
    visit_url: Mapped[str]
    host_id: Mapped[int] = mapped_column(ForeignKey("hosts.id"))
    state: Mapped[str] = mapped_column(server_default=Visit.WAITING.value)
    reason: Mapped[str | None]
    priority: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    points: Mapped[int] = mapped_column(server_default="0")
    first_failed_at: Mapped[datetime | None]
    hops: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    body_sha256: Mapped[str | None]
    same_as: Mapped[int | None] = mapped_column(ForeignKey("frontier.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    found_by: Mapped[str]
    discover: Mapped[bool] = mapped_column(server_default=text("false"))
    """True where other copies of its text are to be looked for once it is placed."""
    admitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Attempt(Table):
    """One try at one piece of work, written before the work begins; the ledger that `jobs show` reads.

    `subject_id` is a frontier row (fetch), capture (extract, read_source), witness (place), story (collate, recover) or
    discovery (discover).
    At most one attempt a subject and stage is open: that is the claim on the work.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint(_values(Stage, "stage"), name="stage"),
        CheckConstraint(f'"end" IS NULL OR {_values(AttemptEnd, chr(34) + "end" + chr(34))}', name="end"),
        Index("ix_attempts_open", "stage", "subject_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_attempts_subject", "stage", "subject_id", "begun_at"),
        Index("ix_attempts_lease", "lease_until", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    stage: Mapped[str]
    subject_id: Mapped[int]
    url: Mapped[str | None]
    worker: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lease_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end: Mapped[str | None]
    outcome: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class Body(Table):
    """The bytes of captures, once each, compressed; `data` is null where they lie in a file (store/bodies.py)."""

    __tablename__ = "bodies"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes | None]
    size: Mapped[int]


class WarcFile(Table):
    """A WARC file that captures are written to as they come in, in the folder of one machine (`place`).

    `size` is what of it is committed: bytes behind it were left by a process that died, and are cut off before the next
    record. `closed_at` is null for the one that grows.
    """

    __tablename__ = "warc_files"
    __table_args__ = (
        Index("ix_warc_files_open", "place", unique=True, postgresql_where=text("closed_at IS NULL")),
        UniqueConstraint("place", "name"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    place: Mapped[str]
    name: Mapped[str]
    size: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed_at: Mapped[datetime | None]


class Capture(Table):
    """The answer to one fetch.

    `kept` is false where there is no body: the page asked not to be archived, it was no page, or its time is over; hash and
    headers stay. `to_archive` is true until it is written to a WARC file, which `warc_file_id` then names.
    """

    __tablename__ = "captures"
    __table_args__ = (
        Index("ix_captures_unread", "id", postgresql_where=text("read_at IS NULL")),
        Index("ix_captures_to_archive", "id", postgresql_where=text("to_archive")),
        Index("ix_captures_kept", "fetched_at", postgresql_where=text("kept")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), unique=True)
    frontier_id: Mapped[int] = mapped_column(ForeignKey("frontier.id"), index=True)
    url: Mapped[str]
    status: Mapped[int]
    headers: Mapped[list[dict[str, Any]]]
    body_sha256: Mapped[str] = mapped_column(index=True)
    kept: Mapped[bool] = mapped_column(server_default=text("true"))
    truncated: Mapped[bool]
    wire_bytes: Mapped[int]
    fetched_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    finding: Mapped[str | None]
    to_archive: Mapped[bool] = mapped_column(server_default=text("false"))
    warc_file_id: Mapped[int | None] = mapped_column(ForeignKey("warc_files.id"), index=True)


class Story(Table):
    """The witnesses that descend from one article.

    `revision` counts the changes of its witnesses; `collated` and `recovered` are the revisions that collation and recovery
    have seen. `due_at` is when it is to be collated next, null when nothing is to be done. `forgotten_versions` is the number
    of the last recovery that was deleted on request: no later one is given a number that another text had. `merged_into` is the
    story that its witnesses went to, which answers in its place. `unproven` says that its witnesses are to be compared again
    before they are collated: one that held them together is gone, or a recovery named strangers.
    """

    __tablename__ = "stories"
    __table_args__ = (
        Index("ix_stories_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_stories_collated", "id", postgresql_where=text("collated > recovered")),
        Index("ix_stories_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    title: Mapped[str | None]
    language: Mapped[str | None]
    revision: Mapped[int] = mapped_column(server_default="0")
    collated: Mapped[int] = mapped_column(server_default="0")
    recovered: Mapped[int] = mapped_column(server_default="0")
    forgotten_versions: Mapped[int] = mapped_column(server_default="0")
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("stories.id"))
    unproven: Mapped[bool] = mapped_column(server_default=text("false"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StoredWitness(Table):
    """A witness: what was read out of a capture, or pasted in, and where it was placed.

    `text` is its paragraphs separated by blank lines, `partial` why it may go on behind them; `second_text` is what the page's
    JSON-LD gives as its text, where that differs, `slug` the headline that its URL spells. `origins` are what the page declares
    (crawl/pages.py), `canonical_key` the sameness key of its canonical address, where that is believed. `twin_of` is the first
    witness of its story with the same text, `thin` why it is in no story. `part` counts the parts of a page that holds several
    stories from 1; 0 is the page as a whole.
    """

    __tablename__ = "witnesses"
    __table_args__ = (
        Index("ix_witnesses_story_id_source", "story_id", "source"),
        Index("ix_witnesses_text", text("md5(text)"), postgresql_where=text("story_id IS NOT NULL AND twin_of IS NULL")),
        Index("ix_witnesses_twin_of", "twin_of", "id", postgresql_where=text("twin_of IS NOT NULL")),
        Index("ix_witnesses_search", "search", postgresql_using="gin"),
        Index("ix_witnesses_unplaced", "id", postgresql_where=text("placed_at IS NULL")),
        UniqueConstraint("story_id", "siglum"),
        UniqueConstraint("capture_id", "part"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    capture_id: Mapped[int | None] = mapped_column(ForeignKey("captures.id"))
    part: Mapped[int] = mapped_column(server_default="0")
    frontier_id: Mapped[int | None] = mapped_column(ForeignKey("frontier.id"), index=True)
    source: Mapped[str]
    host: Mapped[str | None] = mapped_column(index=True)
    title: Mapped[str | None]
    byline: Mapped[str | None]
    dateline: Mapped[str | None]
    language: Mapped[str | None]
    published_at: Mapped[datetime | None]
    text: Mapped[str]
    partial: Mapped[str | None]
    second_text: Mapped[str | None]
    slug: Mapped[str | None]
    origins: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    canonical_key: Mapped[str | None] = mapped_column(index=True)
    thin: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    placed_at: Mapped[datetime | None]
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id"))
    twin_of: Mapped[int | None] = mapped_column(ForeignKey("witnesses.id"))
    relation: Mapped[str | None]
    relation_evidence: Mapped[dict[str, Any] | None]
    siglum: Mapped[str | None]
    kind: Mapped[str | None]
    error_rate: Mapped[float | None]
    coverage: Mapped[float | None]
    exemplar: Mapped[str | None]
    lineage: Mapped[int | None]
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        # A tsvector holds a megabyte at the most; what stands behind the first 200,000 characters is not indexed.
        Computed("to_tsvector('english', coalesce(title, '') || ' ' || left(text, 200000))", persisted=True),
        deferred=True,
    )


class Bond(StrEnum):
    """How two stories are bound to each other by two of their witnesses."""

    EXCERPT = "excerpt"
    SAME_TEMPLATE = "same_template"
    OTHER_LANGUAGE = "other_language"
    PARTED = "parted"
    """They were one story and were split: what is a copy of both does not make them one again."""


class StoryLink(Table):
    """A relation between two witnesses of different stories that is no reason to join them; their stories are linked by it."""

    __tablename__ = "story_links"
    __table_args__ = (CheckConstraint(_values(Bond, "kind"), name="kind"),)

    witness_id: Mapped[int] = mapped_column(ForeignKey("witnesses.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("witnesses.id", ondelete="CASCADE"), primary_key=True, index=True)
    kind: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StoryChange(StrEnum):
    """What late evidence did to a story."""

    MERGED = "merged"
    """The witnesses of the other story came to it."""
    SPLIT = "split"
    """Some of its witnesses went to the other story, which was opened for them."""


class StoryEvent(Table):
    """A change of a story by late evidence: which witnesses moved, from or to which story, and why."""

    __tablename__ = "story_events"
    __table_args__ = (CheckConstraint(_values(StoryChange, "change"), name="change"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), index=True)
    change: Mapped[str]
    witness_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    sigla: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The sigla that left the story with them: not given there again."""
    evidence: Mapped[dict[str, Any]]
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Feature(Table):
    """A feature of a placed witness's fingerprint, one of those that are looked up; a twin has none of its own.

    Rows refer to their witness without a foreign key: a hundred checks a witness would cost more than placing it.
    """

    __tablename__ = "features"
    __table_args__ = (
        # Rows lie in the order in which their witnesses were placed, which makes an index by blocks enough to delete them.
        Index("ix_features_witness_id", "witness_id", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
    )

    feature: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    witness_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class CommonFeature(Table):
    """A feature that many stories hold, and about how many: estimated from a sample (store/features.py)."""

    __tablename__ = "common_features"

    feature: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stories: Mapped[int]


class Placings(Table):
    """One row: how many witnesses were placed with a fingerprint, and how many when common features were last counted."""

    __tablename__ = "placings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    counted: Mapped[int] = mapped_column(server_default="0")


class StoredCollation(Table):
    """The alignment of a story's witnesses at one revision; `columns` as pipeline.philology.collation.to_data gives it."""

    __tablename__ = "collations"
    __table_args__ = (UniqueConstraint("story_id", "revision"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"))
    revision: Mapped[int]
    witness_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    columns: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StoredRecovery(Table):
    """One version of a story's recovered text, stored when it differs from the one before.

    `document` is `recover --format json`, schema 1, without the apparatus, which has a table of its own; `evidence` says
    what of other stories was used.
    """

    __tablename__ = "recoveries"
    __table_args__ = (
        UniqueConstraint("story_id", "version"),
        Index("ix_recoveries_search", "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"))
    version: Mapped[int]
    collation_id: Mapped[int] = mapped_column(ForeignKey("collations.id"))
    title: Mapped[str | None]
    text: Mapped[str]
    confidence: Mapped[float]
    document: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    search: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('english', left(text, 200000))", persisted=True), deferred=True
    )


class ApparatusEntry(Table):
    """One variation unit of a recovery; `readings` as in `recover --format json`."""

    __tablename__ = "apparatus"

    recovery_id: Mapped[int] = mapped_column(ForeignKey("recoveries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    readings: Mapped[list[dict[str, Any]]]


class SiteError(Table):
    """What one story says of a site's error rate: `wrong` of `compared` tokens; a site's rate is the sum over stories."""

    __tablename__ = "site_errors"

    host: Mapped[str] = mapped_column(primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True, index=True)
    wrong: Mapped[float]
    compared: Mapped[float]


class StoredPair(Table):
    """A substitution that one story's recovery settled; a pair counts once a story."""

    __tablename__ = "learned_pairs"
    __table_args__ = (Index("ix_learned_pairs_spun", "language", "spun"),)

    language: Mapped[str] = mapped_column(primary_key=True)
    original: Mapped[str] = mapped_column(primary_key=True)
    spun: Mapped[str] = mapped_column(primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True, index=True)


class Tombstone(Table):
    """A page that was deleted on request and is not to come back: the hash of its sameness key, for its URL is deleted, too."""

    __tablename__ = "tombstones"

    digest: Mapped[str] = mapped_column(primary_key=True)
    forgotten_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Job(Table):
    """What somebody asked for in one go; its progress is that of its frontier rows and their stories."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    note: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    cancelled_at: Mapped[datetime | None]


class JobItem(Table):
    """A frontier row that a job waits for."""

    __tablename__ = "job_items"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    frontier_id: Mapped[int] = mapped_column(ForeignKey("frontier.id", ondelete="CASCADE"), primary_key=True, index=True)


class Discovery(Table):
    """A search for the other copies of a story, or of a witness that is still to be placed in one.

    `due_at` is when it is run next; a run that had to leave out a provider for its manners' sake is followed by another.
    `missed` are the providers that have not answered yet, with what they or we said; `reports` says of each query what it
    brought.
    """

    __tablename__ = "discoveries"
    __table_args__ = (Index("ix_discoveries_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), index=True)
    witness_id: Mapped[int | None] = mapped_column(ForeignKey("witnesses.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    why: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    runs: Mapped[int] = mapped_column(server_default="0")
    outcome: Mapped[str | None]
    missed: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    reports: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))


class StoredFind(Table):
    """A page that a discovery found: who named it for which query, how likely it is a copy, and whether it was admitted."""

    __tablename__ = "finds"
    __table_args__ = (UniqueConstraint("discovery_id", "key"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    discovery_id: Mapped[int] = mapped_column(ForeignKey("discoveries.id", ondelete="CASCADE"))
    frontier_id: Mapped[int | None] = mapped_column(ForeignKey("frontier.id", ondelete="CASCADE"), index=True)
    url: Mapped[str]
    key: Mapped[str] = mapped_column(index=True)
    provider: Mapped[str]
    kind: Mapped[str]
    """Of the query."""
    query: Mapped[str]
    title: Mapped[str | None]
    snippet: Mapped[str | None]
    published_at: Mapped[datetime | None]
    score: Mapped[float]
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProviderBooks(Table):
    """How a provider has answered, and when it may be asked again.

    `free_at` is its limiter, as a host's; `spent` counts the requests of `day` (UTC); `failures` those in a row, and from a
    few on its circuit breaker is open until `open_until`.
    """

    __tablename__ = "provider_books"

    name: Mapped[str] = mapped_column(primary_key=True)
    free_at: Mapped[datetime] = mapped_column(server_default=func.now())
    day: Mapped[date | None]
    spent: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    open_until: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    failed_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class ProviderAnswer(Table):
    """An answer of a provider, kept so that the same question costs nothing; `key` is a hash of what was asked for."""

    __tablename__ = "provider_answers"

    provider: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]
    kept_until: Mapped[datetime] = mapped_column(index=True)


class QuarantinedWork(Table):
    """Work that has failed for good, with its history, until a person retries or discards it."""

    __tablename__ = "quarantine"
    __table_args__ = (
        CheckConstraint(_values(Stage, "stage"), name="stage"),
        Index("ix_quarantine_open", "stage", "subject_id", unique=True, postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    stage: Mapped[str]
    subject_id: Mapped[int]
    label: Mapped[str]
    reason: Mapped[str]
    history: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
