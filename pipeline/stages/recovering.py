"""Recover: the collation of a story becomes a recovery, stored as a new version where it says something new."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy.orm import Session

from pipeline.exports.recovery_json import to_document
from pipeline.neural.presence import judge_of
from pipeline.philology.collation import Collation, from_data
from pipeline.philology.question import Opinion, noted
from pipeline.philology.recovery import Evidence, Kind, LearnedPair, Recovery, recover
from pipeline.settings import Settings
from pipeline.stages.claims import claim
from pipeline.stages.outcome import Bell, Outcome
from pipeline.store import recoveries, stories, witnesses
from pipeline.store.engine import SessionFactory
from pipeline.store.tables import Stage, StoredCollation, StoredWitness, Story

log = structlog.get_logger()

# A substitution may be of several words; what stands in the witnesses is looked up in phrases of up to this many.
LONGEST_PHRASE = 4
# A rate from a handful of tokens says nothing about a site.
FEWEST_COMPARED = 50
# Copies of another kind do not show what their site does to agency copy word by word.
TELLING = frozenset({Kind.VERBATIM, Kind.EDITED, Kind.TRUNCATED, Kind.SPUN})


def recover_story(factory: SessionFactory, story_id: int, settings: Settings, worker: str) -> Outcome:
    """Recover the wording from the story's newest collation, with what other stories teach, and keep what this one teaches."""
    with factory() as session:
        story = session.get(Story, story_id)
        if story is None or story.recovered >= story.collated:
            return Outcome("recovered already")
    with claim(factory, Stage.RECOVER, story_id, worker, settings) as held:
        if held is None:
            return Outcome("taken")
        with factory.begin() as session:
            stored = recoveries.newest_collation(session, story_id)
            if stored is None:
                return held.finish(session, Outcome("nothing collated"))
            try:
                collation = load(session, stored)
            except ValueError:
                # It was made by a wirecopy that cut texts into other tokens: it is made again, and this bell comes again.
                stories.make_due(session, story_id)
                return held.finish(session, Outcome("to be collated again", (story_id,), (Bell(Stage.COLLATE, story_id),)))
            evidence = evidence_now(session, story_id, collation)
        opinions: list[Opinion] = []
        judge = judge_of(settings, _warn)
        recovery = recover(collation, evidence, judge=noted(judge, opinions) if judge else None)
        state = state_of(evidence) | ({"opinions": opinions_to_data(opinions)} if opinions else {})
        with factory.begin() as session:
            outcome = _store(session, story_id, stored, collation, recovery, state)
            return held.finish(session, outcome)


def _warn(message: str) -> None:
    log.warning("neural model", trouble=message)


def load(session: Session, stored: StoredCollation) -> Collation:
    """The collation as a value. Raises ValueError where its witnesses no longer have the text that was collated."""
    rows = [session.get_one(StoredWitness, id_) for id_ in dict.fromkeys(stored.witness_ids)]
    return from_data(stored.columns, [witness for witness, _ in witnesses.as_values(rows)])


def evidence_now(session: Session, story_id: int, collation: Collation) -> Evidence:
    """What the other stories teach about this one as they stand."""
    return recoveries.evidence_for(session, story_id, _language(collation), _hosts(collation), _phrases(collation))


def _store(
    session: Session,
    story_id: int,
    stored: StoredCollation,
    collation: Collation,
    recovery: Recovery,
    state: dict[str, Any],
) -> Outcome:
    story = stories.lock(session, story_id)
    version = recoveries.put_recovery(session, story_id, stored.id, to_document(recovery), state)
    story.recovered = max(story.recovered, stored.revision)
    story.title = recovery.title or story.title
    story.language = recovery.language or story.language
    ids = dict(zip(collation.sigla, stored.witness_ids, strict=True))
    shown = _shown(collation)
    if {stranger.source for stranger in recovery.strangers} & {
        w.source for w in collation.witnesses if not witnesses.is_second(w)
    }:
        story.unproven = True  # they are given a story of their own before the next collation
        stories.make_due(session, story_id)
    rows: dict[int | None, StoredWitness] = {}
    for attestation in recovery.witnesses:
        if attestation.siglum not in shown:
            continue  # what is stored of a copy is said of the text that its page shows
        row = session.get_one(StoredWitness, ids[attestation.siglum])
        row.kind, row.error_rate, row.coverage = attestation.kind, attestation.error_rate, attestation.coverage
        row.exemplar, row.lineage = attestation.exemplar, attestation.lineage
        rows[row.id] = row
    for row in rows.values():
        if row.twin_of in rows:
            row.lineage = rows[row.twin_of].lineage  # one text has one vote in every story, also where nothing is disputed
    rates = _rates(collation, recovery)
    recoveries.put_lessons(session, story_id, _language(collation), rates, recovery.learned)
    return Outcome("unchanged" if version is None else f"version {version}", (story_id,))


def _shown(collation: Collation) -> dict[str, str | None]:
    """Siglum → site of the texts that pages show; second texts are left out."""
    named = zip(collation.sigla, collation.witnesses, strict=True)
    return {name: witness.site for name, witness in named if not witnesses.is_second(witness)}


def _rates(collation: Collation, recovery: Recovery) -> list[tuple[str, float, float]]:
    """(site, tokens wrong, tokens compared) of the copies that tell something of their site; a story of one tells nothing."""
    sites = _shown(collation)
    if len(sites) < 3:
        return []
    found: dict[str, tuple[float, float]] = {}
    for attestation in recovery.witnesses:
        site, compared = sites.get(attestation.siglum), attestation.coverage * len(recovery.tokens)
        if site is None or compared < FEWEST_COMPARED or attestation.kind not in TELLING:
            continue
        wrong, total = found.get(site, (0.0, 0.0))
        found[site] = wrong + attestation.error_rate * compared, total + compared
    return [(site, wrong, total) for site, (wrong, total) in sorted(found.items())]


def state_of(evidence: Evidence) -> dict[str, Any]:
    """The evidence as JSON-able data: what a recovery records of other stories."""
    return {
        "error_rates": {site: list(rate) for site, rate in sorted(evidence.error_rates.items())},
        "pairs": [[pair.original, pair.spun, pair.stories] for pair in evidence.pairs],
    }


def evidence_of(state: Mapping[str, Any]) -> Evidence:
    """The evidence that `state_of` wrote."""
    return Evidence(
        error_rates={site: (wrong, compared) for site, (wrong, compared) in state.get("error_rates", {}).items()},
        pairs=tuple(LearnedPair(original, spun, stories) for original, spun, stories in state.get("pairs", [])),
    )


def opinions_to_data(opinions: Iterable[Opinion]) -> list[Any]:
    """What the neural model said, as JSON-able data; so that a recovery can be repeated and explained without it."""
    return [[opinion.before, list(opinion.readings), list(opinion.log_probabilities)] for opinion in opinions]


def opinions_of(state: Mapping[str, Any]) -> list[Opinion]:
    """The opinions of a recovery's state: none where the neural model took no part."""
    return [
        Opinion(before, tuple(readings), tuple(log_probabilities))
        for before, readings, log_probabilities in state.get("opinions", [])
    ]


def _language(collation: Collation) -> str:
    codes = [witness.language for witness in collation.witnesses if witness.language]
    return max(sorted(set(codes)), key=codes.count) if codes else "und"


def _hosts(collation: Collation) -> list[str]:
    return sorted({witness.site for witness in collation.witnesses if witness.site})


def _phrases(collation: Collation) -> list[str]:
    return sorted({phrase for witness in collation.witnesses for phrase in _windows(witness.text.split())})


def _windows(words: list[str]) -> Iterable[str]:
    for length in range(1, LONGEST_PHRASE + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length]).strip(",.;:!?\"'“”‘’()").lower()
