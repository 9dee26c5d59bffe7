"""Discover: a story → queries → providers → candidates, the likely ones admitted with how they were found.

A run holds no transaction while it asks. Answers are kept, so that a run which is done again (its worker died, a provider had
to rest) asks what is new alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.crawl.urls import parse
from pipeline.discovery.candidates import Candidate
from pipeline.discovery.provider import Provider, Wanted
from pipeline.discovery.queries import QUOTED, Query
from pipeline.discovery.ranking import DROPPED
from pipeline.discovery.runner import Find, Findings, Resting, Search
from pipeline.errors import Malformed, Misuse
from pipeline.settings import Settings
from pipeline.stages import archives, provider_list
from pipeline.stages.admission import admit, need_contact
from pipeline.stages.claims import claim
from pipeline.stages.outcome import Bell, Outcome
from pipeline.stages.reaching import Reach
from pipeline.stages.seeds import read_wanted
from pipeline.store import discoveries, jobs, providers, queries, stories
from pipeline.store.discoveries import NewFind
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Discovery, FrontierRow, Purpose, Stage
from pipeline.store.values import storable

# Share of the claim's time that a run may take: the rest is for writing it down, and for others' work in between.
LEASE_USED = 0.5
# Runs of one discovery, and the longest pause between two of them: who rests longer is not waited for.
MOST_RUNS, LONGEST_PAUSE = 6, 3_600.0


async def discover(factory: SessionFactory, discovery_id: int, reach: Reach, settings: Settings, worker: str) -> Outcome:
    """Look for a story's other copies, and admit the pages that look like some.

    A provider that does not answer fails nothing: where it only rests, the discovery is run again when its turn has come.
    """
    with factory() as session:
        row = session.get(Discovery, discovery_id)
        if row is None or row.done_at is not None or row.story_id is None:
            return Outcome("over already")
    with claim(factory, Stage.DISCOVER, discovery_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        missed = set(row.missed) if row.runs else None
        with factory() as session:
            story_id = stories.home_of(session, row.story_id)
            wanted = read_wanted(session, story_id, datetime.now(UTC))
            known = discoveries.known_keys(session, story_id)
        if wanted is None:
            findings, why = Findings(), "the story has no text to look for"
        else:
            findings, why = await _search(factory, wanted, known, reach, settings, missed)
        with factory.begin() as session:
            row = session.get_one(Discovery, discovery_id, with_for_update=True)
            return held.finish(session, _store(session, row, findings, why, known, settings))


async def _search(
    factory: SessionFactory, wanted: Wanted, known: set[str], reach: Reach, settings: Settings, missed: set[str] | None
) -> tuple[Findings, str]:
    """What was found, and why nothing could be, where that is so. `missed` are those that did not answer the run before."""

    def read(query: Query) -> Sequence[Candidate]:
        with factory() as session:
            hits = queries.holding(session, query.words)
        return [
            Candidate(hit.url, query.text, hit.title, hit.snippet, hit.published_at, holds_phrase=query.kind in QUOTED)
            for hit in hits
        ]

    every = provider_list.list_providers(settings, read)
    asked = [provider for provider in every if provider.off is None]
    answered = set() if missed is None else {provider.name for provider in asked} - missed
    search = Search(wanted, asked, reach.web_of, Desk(factory, settings.discovery_patience), _key_of, known, answered)
    try:
        async with asyncio.timeout(settings.work_lease * LEASE_USED):
            await search.run(settings.discovery_queries)
    except TimeoutError:
        return search.break_off(), ""
    return search.findings, ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The providers' books in the store, each entry a short transaction."""

    factory: SessionFactory
    patience: float

    def take(self, provider: Provider) -> float:
        """As `runner.Desk.take`."""
        with self.factory.begin() as session:
            wait = providers.take(
                session, provider.name, interval=provider.interval, budget=provider.budget, patience=self.patience
            )
        if isinstance(wait, providers.Denied):
            raise Resting(wait.why, wait.seconds)
        return wait

    def succeeded(self, provider: Provider) -> None:
        """As `runner.Desk.succeeded`."""
        with self.factory.begin() as session:
            providers.succeeded(session, provider.name)

    def failed(self, provider: Provider, why: str, retry_after: float | None) -> None:
        """As `runner.Desk.failed`."""
        with self.factory.begin() as session:
            providers.failed(session, provider.name, why, retry_after)

    def recall(self, provider: Provider, key: str) -> bytes | None:
        """As `runner.Desk.recall`."""
        with self.factory() as session:
            return providers.recall(session, provider.name, key)

    def remember(self, provider: Provider, key: str, body: bytes, seconds: float) -> None:
        """As `runner.Desk.remember`."""
        with self.factory.begin() as session:
            providers.remember(session, provider.name, key, body, seconds)


def _key_of(url: str) -> str | None:
    try:
        return parse(url).key
    except Malformed:
        return None


def _store(session: Session, row: Discovery, findings: Findings, why: str, known: set[str], settings: Settings) -> Outcome:
    """Store the finds, admit the likely ones, and say when the next run is due."""
    likely = [find for find in findings.finds if find.likeness.score >= DROPPED and find.key not in known]
    chosen = sorted(likely, key=lambda find: -find.likeness.score)[: settings.discovery_candidates]
    rows, unasked = _admit(session, chosen, settings)
    bells = archives.take_in(session, [(find, rows[find.key]) for find in chosen if find.key in rows], settings)
    discoveries.put_finds(session, row.id, [_new_find(find, rows.get(find.key)) for find in findings.finds])
    if row.job_id is not None:
        jobs.add_items(session, row.job_id, rows.values())
    again = findings.again_in
    if again is not None and (row.runs + 1 >= MOST_RUNS or again > LONGEST_PAUSE):
        again = None
    said = why or f"{len(findings.reports)} queries, {len(findings.finds)} pages, {len(rows)} of them admitted"
    said += f", {unasked} not, for no contact is set" if unasked else ""
    reports = [
        {
            "query": storable(report.query.text),
            "kind": report.query.kind,
            "page": report.query.page,
            "hits": report.hits,
            "likely": report.likely,
            "new": report.new,
            "silent": list(report.silent),
        }
        for report in findings.reports
    ]
    missed = {name: storable(said_) for name, said_ in findings.missed.items()}
    discoveries.end_run(session, row.id, said, reports, missed, again)
    next_ = (*bells, Bell(Stage.FETCH)) if rows else ()
    return Outcome(said, (row.id, *rows.values()), next_)


def _admit(session: Session, chosen: Sequence[Find], settings: Settings) -> tuple[dict[str, int], int]:
    """Sameness key → frontier row of the pages that were let in; and how many were not, for we have to say who asks."""
    by_finder: dict[str, list[str]] = {}
    unasked = 0
    for find in chosen:
        try:
            need_contact(parse(find.candidate.url).host, settings)
        except Misuse:
            unasked += 1
            continue
        by_finder.setdefault(f"discovery: {find.provider}, {find.query.kind}", []).append(find.candidate.url)
    for found_by, given in by_finder.items():
        admit(session, given, settings, found_by=found_by, reopen=False)
    keys = [find.key for find in chosen]
    held = select(FrontierRow.key, FrontierRow.id).where(FrontierRow.purpose == Purpose.ARTICLE, FrontierRow.key.in_(keys))
    return {row.key: row.id for row in session.execute(held)}, unasked


def _new_find(find: Find, frontier_id: int | None) -> NewFind:
    candidate = find.candidate
    return NewFind(
        url=storable(candidate.url),
        key=find.key,
        provider=find.provider,
        kind=find.query.kind,
        query=storable(candidate.why or find.query.text),
        title=storable(candidate.title) if candidate.title else None,
        snippet=storable(candidate.snippet) if candidate.snippet else None,
        published_at=candidate.published,
        score=find.likeness.score,
        frontier_id=frontier_id,
    )
