"""A recovery put together from an analysis."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.philology.accounts import attestations, learned_pairs, stemma_of
from pipeline.philology.analysis import Analysis
from pipeline.philology.blocks import Verdict, holders, printed
from pipeline.philology.calibration import calibrated
from pipeline.philology.collation import Collation
from pipeline.philology.frontmatter import front_matter
from pipeline.philology.headline import byline_of
from pipeline.philology.printing import PARAGRAPH, Chosen, blanks_before
from pipeline.philology.recovered import Omission, Reading, Reason, Recovery, Token, Unit
from pipeline.philology.reliability import SAME_ERROR
from pipeline.philology.tokens import Role
from pipeline.philology.units import ABSENT, Candidate, Place


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen at one place: the number of the reading, its raw probability (its block's included), and why."""

    place: int
    reading: int
    raw: float
    reason: Reason

    @property
    def odds(self) -> float:
        """The raw probability as log-odds."""
        bounded = min(1 - 1e-12, max(1e-12, self.raw))
        return math.log(bounded / (1 - bounded))

    @property
    def probability(self) -> float:
        """The calibrated probability."""
        return calibrated(self.odds, self.reason)


def compose(collation: Collation, analysis: Analysis, language: str | None) -> Recovery:
    """The recovery that an analysis gives."""
    decisions = decide(analysis)
    chosen: list[Chosen] = []
    owner: list[int] = []
    for number, decision in enumerate(decisions):
        candidate = analysis.places[decision.place].candidates[decision.reading]
        chosen.extend(Chosen(text, column) for text, column in zip(candidate.texts, candidate.columns, strict=True))
        owner.extend([number] * len(candidate.texts))
    blanks = blanks_before(collation, chosen)
    tokens: list[Token] = []
    parts: list[str] = []
    offset = 0
    for token, blank, number in zip(chosen, blanks, owner, strict=True):
        parts.extend((blank, token.text))
        start = offset + len(blank)
        offset = start + len(token.text)
        decision = decisions[number]
        tokens.append(Token(token.text, start, offset, decision.probability, decision.reason))
    text = "".join(parts)
    matter = front_matter(text.split(PARAGRAPH), _roles(collation, chosen, blanks))
    stemma = stemma_of(collation, analysis)
    return Recovery(
        text=text,
        title=matter.title,
        byline=matter.byline or byline_of(collation, analysis.voices),
        dateline=matter.dateline,
        language=language,
        confidence=sum(token.probability for token in tokens) / len(tokens) if tokens else 0.0,
        witnesses=attestations(collation, analysis, decisions, stemma),
        tokens=tuple(tokens),
        apparatus=_apparatus(collation, analysis, decisions, owner, tokens, text),
        omitted=_omitted(collation, analysis.verdicts),
        stemma=stemma,
        learned=learned_pairs(analysis, decisions),
    )


def decide(analysis: Analysis) -> list[Decision]:
    """The reading chosen at every place of the blocks that are kept, in order."""
    share = len(analysis.weighed) / max(1, len(analysis.places))
    found: list[Decision] = []
    verdicts = iter(analysis.verdicts)
    verdict = next(verdicts, None)
    for at, place in enumerate(analysis.places):
        while verdict is not None and place.first >= verdict.block.last:
            verdict = next(verdicts, None)
        if verdict is None or not verdict.kept:
            continue
        if at in analysis.posteriors:
            found.append(_disputed(analysis, at, verdict.probability))
        elif place.candidates and place.candidates[0].texts:
            found.append(_agreed(analysis, at, share, verdict.probability))
    return found


def _disputed(analysis: Analysis, at: int, kept: float) -> Decision:
    place = analysis.places[at]
    posterior = analysis.posteriors[at]
    reading = posterior.index(max(posterior))
    votes: Counter[int] = Counter()
    for lineage, choice in {(analysis.solution.lineages[w], choice) for w, choice in enumerate(place.choice)}:
        if choice != ABSENT and lineage >= 0:
            votes[choice] += 1
    most = max(votes.values())
    voted = votes[reading] == most and sum(count == most for count in votes.values()) == 1
    return Decision(at, reading, posterior[reading] * kept, Reason.VOTED if voted else Reason.FLUENCY)


def _agreed(analysis: Analysis, at: int, share: float, kept: float) -> Decision:
    place = analysis.places[at]
    best: dict[int, float] = {}
    voters = 0
    for w, choice in enumerate(place.choice):
        if choice != ABSENT:
            voters += 1
            lineage = analysis.solution.lineages[w]
            best[lineage] = min(best.get(lineage, 1.0), analysis.rates[w])
    wrong = 1 / SAME_ERROR
    right = 1.0
    for rate in best.values():
        error = min(0.5, max(1e-3, rate * share))
        wrong *= error * SAME_ERROR
        right *= 1 - error
    return Decision(at, 0, right / (right + wrong) * kept, Reason.AGREED if voters > 1 else Reason.SINGLE)


def _apparatus(
    collation: Collation,
    analysis: Analysis,
    decisions: Sequence[Decision],
    owner: Sequence[int],
    tokens: Sequence[Token],
    text: str,
) -> tuple[Unit, ...]:
    extent: dict[int, tuple[int, int]] = {}
    for number, token in zip(owner, tokens, strict=True):
        start = extent[number][0] if number in extent else token.start
        extent[number] = (start, token.end)
    units: list[Unit] = []
    offset = 0
    for number, decision in enumerate(decisions):
        start, end = extent.get(number, (offset, offset))
        offset = end
        if decision.place in analysis.posteriors:
            place = analysis.places[decision.place]
            posterior = analysis.posteriors[decision.place]
            units.append(Unit(start, end, _readings(collation, place, decision, posterior, text[start:end])))
    return tuple(units)


def _readings(
    collation: Collation, place: Place, decision: Decision, posterior: Sequence[float], lemma: str
) -> tuple[Reading, ...]:
    sure = decision.probability
    rest = sum(value for at, value in enumerate(posterior) if at != decision.reading)
    found: list[Reading] = []
    for at, candidate in enumerate(place.candidates):
        attesting = [w for w, choice in enumerate(place.choice) if choice == at]
        if at == decision.reading:
            probability, wording = sure, lemma
        else:
            part = posterior[at] / rest if rest > 0 else 1 / (len(place.candidates) - 1)
            probability, wording = (1 - sure) * part, _wording(collation, candidate, attesting)
        found.append(Reading(wording, tuple(collation.sigla[w] for w in attesting), probability, at == decision.reading))
    return tuple(sorted(found, key=lambda reading: (not reading.lemma, -reading.probability, reading.text)))


def _wording(collation: Collation, candidate: Candidate, attesting: Sequence[int]) -> str:
    if not attesting or not candidate.texts:
        return " ".join(candidate.texts)
    tokens = collation.tokens[attesting[0]]
    indices = [collation.columns[attesting[0]][column] for column in candidate.columns]
    if -1 in indices:
        return " ".join(candidate.texts)
    parts = [tokens.texts[indices[0]]]
    for before, index in pairwise(indices):
        parts.append(tokens.blank_before(index) if index == before + 1 and not tokens.opens(index) else " ")
        parts.append(tokens.texts[index])
    return "".join(parts)


def _omitted(collation: Collation, verdicts: Sequence[Verdict]) -> tuple[Omission, ...]:
    found: list[Omission] = []
    previous: Verdict | None = None
    for verdict in verdicts:
        if verdict.kept:
            previous = None
            continue
        have = holders(collation, verdict.block)
        if not have:
            continue
        sigla = tuple(collation.sigla[w] for w in have)
        wording = printed(collation, verdict.block, have[0])
        opens = collation.tokens[have[0]].opens(
            next(i for i in collation.columns[have[0]][verdict.block.first : verdict.block.last] if i >= 0)
        )
        if previous is not None and found and not opens and found[-1].sigla == sigla:
            last = found.pop()
            found.append(Omission(sigla, f"{last.text} {wording}", last.why))
        else:
            found.append(Omission(sigla, wording, verdict.why))
        previous = verdict
    return tuple(found)


def _roles(collation: Collation, chosen: Sequence[Chosen], blanks: Sequence[str]) -> list[Role]:
    roles: list[Role] = []
    for token, blank in zip(chosen, blanks, strict=True):
        if roles and blank != PARAGRAPH:
            continue
        named = Counter(
            tokens.roles[tokens.places[row[token.column]]]
            for row, tokens in zip(collation.columns, collation.tokens, strict=True)
            if row[token.column] >= 0
        )
        roles.append(min(named, key=lambda role: (-named[role], role)))
    return roles
