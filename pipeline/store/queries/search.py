"""Stories found by full text, with filters; or the newest ones where no text is asked for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, REGCONFIG
from sqlalchemy.orm import Session, aliased

from pipeline.errors import Misuse
from pipeline.philology.recovered import Kind
from pipeline.store.queries.asking import LARGEST_ID, checked_limit, checked_text
from pipeline.store.tables import StoredRecovery, StoredWitness, Story

# Of both columns that are searched (store/tables.py), and so of the query.
CONFIGURATION = cast(literal("english"), REGCONFIG)
# PostgreSQL refuses a word of 2,047 bytes; this many characters stay under it whatever they are.
LONGEST_QUERY = 500
# Divides a rank by 1 + the logarithm of the text's length, so that a long page does not win by its length.
BY_LENGTH = 1
PASSAGE = "StartSel='', StopSel='', MaxWords=30, MinWords=12, MaxFragments=1"
PASSAGE_OF_NO_QUERY = 200
ONE_DAY = timedelta(days=1)
MOST_COUNTED = 2**31 - 1  # what an integer of PostgreSQL holds


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """What a story has to have. `host`, `kind` and the dates are asked of one and the same copy.

    Raises Misuse where a value is none, or the days are the wrong way round.
    """

    query: str | None = None
    """As websearch_to_tsquery reads it: words, "a phrase", or, -not. None: the newest stories."""
    host: str | None = None
    """A host, or a domain whose hosts all count."""
    since: date | None = None
    """First day of publication, UTC."""
    until: date | None = None
    """Last day of publication, UTC; it counts as a whole."""
    language: str | None = None
    kind: str | None = None
    min_witnesses: int = 0
    """Pages at the least that hold a copy."""

    def __post_init__(self) -> None:
        for name in ("query", "host", "language"):
            if getattr(self, name) is not None:
                checked_text(getattr(self, name), name)
        if self.query is not None and not self.query.strip():
            raise Misuse("The query is empty: name a word or a phrase to look for.")
        if self.query is not None and len(self.query) > LONGEST_QUERY:
            raise Misuse(f"The query has {len(self.query):,} characters: shorten it to {LONGEST_QUERY} or fewer.")
        if self.kind is not None and self.kind not in set(Kind):
            raise Misuse(f"{self.kind!r} is no kind of copy: write {', '.join(Kind)}.")
        if self.since and self.until and self.since > self.until:
            raise Misuse(f"The first day, {self.since}, is after the last, {self.until}: exchange them.")
        if self.min_witnesses < 0:
            raise Misuse(f"{self.min_witnesses} witnesses are not possible: give 0 or more.")


@dataclass(frozen=True, slots=True)
class StoryHit:
    """A story that was found."""

    id: int
    title: str | None
    language: str | None
    copies: int
    """Pages that hold a copy."""
    hosts: int
    first_published: datetime | None
    last_published: datetime | None
    confidence: float | None
    """Of the newest recovery; None where the story has none yet."""
    version: int | None
    passage: str
    """Where the query was found, or the beginning of the text."""
    rank: float
    """0 where no text was asked for."""


def search(
    session: Session, wanted: SearchFilter, limit: int = 20, after: tuple[float, int] | None = None
) -> tuple[StoryHit, ...]:
    """The stories that a filter leaves, best first, or newest first without a query.

    A story is found where its newest recovered text or one of its copies matches the whole query. `after` is (rank, id)
    of the last story of the page before. Raises Misuse for a query of nothing but stop words.
    """
    checked_limit(limit)
    if after is not None and not 0 < after[1] <= LARGEST_ID:
        raise Misuse("That is no place to go on from: take the last story of the page before, or begin anew.")
    if wanted.query is not None and not session.scalar(select(func.numnode(_tsquery(wanted.query)))):
        raise Misuse(
            f"The query {wanted.query!r} holds no word to look for, only very common words or signs: add a word that is rarer."
        )
    ranked = _ranked(wanted.query)
    page = select(ranked.c.story_id, ranked.c.rank).join(Story, Story.id == ranked.c.story_id).where(*_conditions(wanted))
    if after is not None:
        page = page.where(
            tuple_(ranked.c.rank, ranked.c.story_id)
            < tuple_(literal(after[0], DOUBLE_PRECISION), literal(after[1], BigInteger))
        )
    page = page.order_by(ranked.c.rank.desc(), ranked.c.story_id.desc()).limit(limit)
    rows = session.execute(_described(page.subquery("page"), wanted.query)).all()
    return tuple(StoryHit(*row) for row in rows)


def _tsquery(query: str) -> ColumnElement[Any]:
    return func.websearch_to_tsquery(CONFIGURATION, query)


def _ranked(query: str | None) -> Subquery:
    """(story_id, rank) of every story that matches."""
    if query is None:
        return select(Story.id.label("story_id"), literal(0.0, DOUBLE_PRECISION).label("rank")).subquery("ranked")
    asked = _tsquery(query)
    found = union_all(
        select(StoredRecovery.story_id, func.ts_rank_cd(StoredRecovery.search, asked, BY_LENGTH).label("rank")).where(
            StoredRecovery.search.op("@@")(asked), _is_newest()
        ),
        select(StoredWitness.story_id, func.ts_rank_cd(StoredWitness.search, asked, BY_LENGTH)).where(
            StoredWitness.search.op("@@")(asked), StoredWitness.story_id.is_not(None)
        ),
    ).subquery("found")
    rank = cast(func.max(found.c.rank), DOUBLE_PRECISION)
    return select(found.c.story_id, rank.label("rank")).group_by(found.c.story_id).subquery("ranked")


def _is_newest() -> ColumnElement[bool]:
    newer = aliased(StoredRecovery)
    return ~select(newer.id).where(newer.story_id == StoredRecovery.story_id, newer.version > StoredRecovery.version).exists()


def _conditions(wanted: SearchFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Story.merged_into.is_(None)]
    if wanted.language:
        conditions.append(func.lower(Story.language) == wanted.language.lower())
    if wanted.min_witnesses:
        pages = select(func.count(distinct(StoredWitness.source))).where(_copy_of_story()).scalar_subquery()
        conditions.append(pages >= min(wanted.min_witnesses, MOST_COUNTED))
    of_one_copy: list[ColumnElement[bool]] = []
    if wanted.host:
        host = wanted.host.strip().lower()
        of_one_copy.append(or_(StoredWitness.host == host, StoredWitness.host.endswith(f".{host}", autoescape=True)))
    if wanted.kind:
        of_one_copy.append(StoredWitness.kind == wanted.kind)
    if wanted.since:
        of_one_copy.append(StoredWitness.published_at >= datetime.combine(wanted.since, time.min, UTC))
    if wanted.until and wanted.until < date.max:
        of_one_copy.append(StoredWitness.published_at < datetime.combine(wanted.until + ONE_DAY, time.min, UTC))
    if of_one_copy:
        conditions.append(select(StoredWitness.id).where(StoredWitness.story_id == Story.id, *of_one_copy).exists())
    return conditions


def _copy_of_story() -> ColumnElement[bool]:
    return (StoredWitness.story_id == Story.id) & (StoredWitness.relation == "copy")


def _described(page: Subquery, query: str | None) -> Select[Any]:
    """The columns of StoryHit for the stories of one page."""
    copy = (
        select(
            func.count(distinct(StoredWitness.source)).label("copies"),
            func.count(distinct(StoredWitness.host)).label("hosts"),
            func.min(StoredWitness.published_at).label("first_published"),
            func.max(StoredWitness.published_at).label("last_published"),
        )
        .where(_copy_of_story())
        .lateral("copy")
    )
    newest = (
        select(StoredRecovery.confidence, StoredRecovery.version)
        .where(StoredRecovery.story_id == Story.id)
        .order_by(StoredRecovery.version.desc())
        .limit(1)
        .lateral("newest")
    )
    return (
        select(
            Story.id,
            Story.title,
            Story.language,
            copy.c.copies,
            copy.c.hosts,
            copy.c.first_published,
            copy.c.last_published,
            newest.c.confidence,
            newest.c.version,
            func.coalesce(_passage(query), ""),
            page.c.rank,
        )
        .select_from(page)
        .join(Story, Story.id == page.c.story_id)
        .join(copy, literal(True))
        .outerjoin(newest, literal(True))
        .order_by(page.c.rank.desc(), page.c.story_id.desc())
    )


def _passage(query: str | None) -> ColumnElement[Any]:
    """The passage of the best matching text of a story; the recovered text before its copies where they match alike."""
    matches: ColumnElement[Any] = literal(0.0)
    if query is not None:
        asked = _tsquery(query)
        matches = func.ts_rank_cd(StoredRecovery.search, asked, BY_LENGTH)
    recovered = select(StoredRecovery.text, matches.label("rank"), literal(0).label("place")).where(
        StoredRecovery.story_id == Story.id, _is_newest()
    )
    if query is not None:
        matches = func.ts_rank_cd(StoredWitness.search, asked, BY_LENGTH)
    printed = select(StoredWitness.text, matches, StoredWitness.id).where(StoredWitness.story_id == Story.id)
    texts = union_all(recovered.correlate(Story), printed.correlate(Story)).subquery("texts")
    best = select(texts.c.text).order_by(texts.c.rank.desc(), texts.c.place).limit(1)
    if query is None:
        return func.left(best.scalar_subquery(), PASSAGE_OF_NO_QUERY)
    return func.ts_headline(CONFIGURATION, best.scalar_subquery(), asked, PASSAGE)
