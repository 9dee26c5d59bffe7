"""A recovery put together from an analysis."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.philology.accounts import attestations, learned_pairs, stemma_of
from pipeline.philology.analysis import Analysis
from pipeline.philology.blocks import Verdict, holders, printed
from pipeline.philology.calibration import calibrated
from pipeline.philology.collation import Block, Collation, State
from pipeline.philology.frontmatter import front_matter
from pipeline.philology.headline import byline_of
from pipeline.philology.printing import PARAGRAPH, Chosen, blanks_before
from pipeline.philology.recovered import Omission, Reading, Reason, Recovery, Token, Unit
from pipeline.philology.reliability import SAME_ERROR, gain
from pipeline.philology.tokens import Role
from pipeline.philology.units import ABSENT, Candidate, Place

# Shorter stretches that a witness words anew, where nobody else has anything, are not told.
LEAST_OMITTED = 3


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


@dataclass(frozen=True, slots=True)
class Layout:
    """The text of a list of decisions: its tokens, what is printed before each, and the number of the decision of each."""

    text: str
    tokens: tuple[Token, ...]
    chosen: tuple[Chosen, ...]
    blanks: tuple[str, ...]
    owner: tuple[int, ...]

    def extents(self, decisions: Sequence[Decision]) -> list[tuple[int, int]]:
        """Start and end in the text of every decision; both are the end of what stands before where nothing was chosen."""
        held: dict[int, tuple[int, int]] = {}
        for number, token in zip(self.owner, self.tokens, strict=True):
            held[number] = (held[number][0] if number in held else token.start, token.end)
        found: list[tuple[int, int]] = []
        for number in range(len(decisions)):
            offset = found[-1][1] if found else 0
            found.append(held.get(number, (offset, offset)))
        return found


def lay_out(collation: Collation, analysis: Analysis, decisions: Sequence[Decision]) -> Layout:
    """The text that the decisions give."""
    chosen: list[Chosen] = []
    owner: list[int] = []
    known: dict[tuple[float, Reason], float] = {}
    sure: list[float] = []
    for number, decision in enumerate(decisions):
        candidate = analysis.places[decision.place].candidates[decision.reading]
        chosen.extend(Chosen(text, column) for text, column in zip(candidate.texts, candidate.columns, strict=True))
        owner.extend([number] * len(candidate.texts))
        # most words have the same few witnesses, and are as sure as each other
        key = (decision.raw, decision.reason)
        if key not in known:
            known[key] = decision.probability
        sure.append(known[key])
    blanks = blanks_before(collation, chosen)
    tokens: list[Token] = []
    parts: list[str] = []
    offset = 0
    for token, blank, number in zip(chosen, blanks, owner, strict=True):
        parts.extend((blank, token.text))
        start = offset + len(blank)
        offset = start + len(token.text)
        tokens.append(Token(token.text, start, offset, sure[number], decisions[number].reason))
    return Layout("".join(parts), tuple(tokens), tuple(chosen), tuple(blanks), tuple(owner))


def compose(collation: Collation, analysis: Analysis, language: str | None) -> Recovery:
    """The recovery that an analysis gives."""
    decisions = decide(analysis)
    layout = lay_out(collation, analysis, decisions)
    text, tokens = layout.text, layout.tokens
    matter = front_matter(text.split(PARAGRAPH), _roles(collation, layout.chosen, layout.blanks))
    stemma = stemma_of(collation, analysis)
    return Recovery(
        text=text,
        title=matter.title,
        byline=matter.byline or byline_of(collation, analysis.voices),
        dateline=matter.dateline,
        language=language,
        confidence=sum(token.probability for token in tokens) / len(tokens) if tokens else 0.0,
        witnesses=attestations(collation, analysis, decisions, stemma),
        tokens=tokens,
        apparatus=_apparatus(collation, analysis, decisions, layout),
        omitted=_omitted(collation, analysis.verdicts),
        stemma=stemma,
        learned=learned_pairs(analysis, decisions),
    )


def doubts_of(analysis: Analysis) -> list[float]:
    """For every token of the text the log-odds of the lineages that have it, beyond the one that counts least.

    What one spun copy alone shows is a machine's sooner than what several that do not depend on each other have in common.
    """
    gains = gain(analysis.solution.lineage_rates)
    found: list[float] = []
    for decision in decide(analysis):
        place = analysis.places[decision.place]
        having = {analysis.solution.lineages[w] for w, choice in enumerate(place.choice) if choice == decision.reading}
        own = sorted(float(gains[lineage]) for lineage in having)
        found.extend([sum(own[1:])] * len(place.candidates[decision.reading].texts))
    return found


def decide(analysis: Analysis) -> list[Decision]:
    """The reading chosen at every place of the blocks that are kept, in order."""
    agreed: Agreed = {}
    found = (decision_at(analysis, at, verdict, agreed) for at, verdict in verdicts_of(analysis) if verdict.kept)
    return [decision for decision in found if decision is not None]


def verdicts_of(analysis: Analysis) -> Iterator[tuple[int, Verdict]]:
    """Every place, by its number, with the verdict on the block that it is part of."""
    verdicts = iter(analysis.verdicts)
    verdict = next(verdicts, None)
    for at, place in enumerate(analysis.places):
        while verdict is not None and place.first >= verdict.block.last:
            verdict = next(verdicts, None)
        if verdict is not None:
            yield at, verdict


Agreed = dict[tuple[int, ...], tuple[float, Reason]]
"""How sure the only reading of a place is, and why, by the choices of the witnesses: most places have the same ones."""


def decision_at(analysis: Analysis, at: int, verdict: Verdict, agreed: Agreed | None = None) -> Decision | None:
    """The reading that is the likeliest at the place; None where nobody has anything there."""
    if at in analysis.posteriors:
        return _disputed(analysis, at, verdict.probability)
    place = analysis.places[at]
    if not place.candidates or not place.candidates[0].texts:
        return None
    agreed = {} if agreed is None else agreed
    if place.choice not in agreed:
        agreed[place.choice] = _agreed(analysis, place)
    sure, reason = agreed[place.choice]
    return Decision(at, 0, sure * verdict.probability, reason)


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


def _agreed(analysis: Analysis, place: Place) -> tuple[float, Reason]:
    wrong = 1 / SAME_ERROR
    right = 1.0
    for error in errors_of(analysis, place).values():
        wrong *= error * SAME_ERROR
        right *= 1 - error
    pages = {analysis.disputes.pages[w] for w, choice in enumerate(place.choice) if choice != ABSENT}
    return right / (right + wrong), Reason.AGREED if len(pages) > 1 else Reason.SINGLE


def errors_of(analysis: Analysis, place: Place) -> dict[int, float]:
    """For every lineage that is at the place the chance that its best witness is wrong at any word of the story."""
    share = len(analysis.weighed) / max(1, len(analysis.places))
    best: dict[int, float] = {}
    for w, choice in enumerate(place.choice):
        if choice != ABSENT:
            lineage = analysis.solution.lineages[w]
            best[lineage] = min(best.get(lineage, 1.0), analysis.rates[w])
    return {lineage: min(0.5, max(1e-3, rate * share)) for lineage, rate in best.items()}


def _apparatus(collation: Collation, analysis: Analysis, decisions: Sequence[Decision], layout: Layout) -> tuple[Unit, ...]:
    units: list[Unit] = []
    for decision, (start, end) in zip(decisions, layout.extents(decisions), strict=True):
        if decision.place in analysis.posteriors:
            place = analysis.places[decision.place]
            posterior = analysis.posteriors[decision.place]
            units.append(Unit(start, end, _readings(collation, place, decision, posterior, layout.text[start:end])))
    return tuple(units)


def _readings(
    collation: Collation, place: Place, decision: Decision, posterior: Sequence[float], lemma: str
) -> tuple[Reading, ...]:
    found: list[Reading] = []
    shares = shares_of(decision, posterior)
    votes: list[list[int]] = [[] for _ in place.candidates]
    for w, choice in enumerate(place.choice):
        if choice != ABSENT:
            votes[choice].append(w)
    for at, (candidate, attesting) in enumerate(zip(place.candidates, votes, strict=True)):
        wording = lemma if at == decision.reading else wording_of(collation, candidate, attesting)
        found.append(Reading(wording, tuple(collation.sigla[w] for w in attesting), shares[at], at == decision.reading))
    return tuple(sorted(found, key=lambda reading: (not reading.lemma, -reading.probability, reading.text)))


def shares_of(decision: Decision, posterior: Sequence[float]) -> list[float]:
    """The probability of every reading of the place: the lemma's is calibrated, the others share what it leaves."""
    sure = decision.probability
    rest = sum(value for at, value in enumerate(posterior) if at != decision.reading)
    return [
        sure if at == decision.reading else (1 - sure) * (value / rest if rest > 0 else 1 / (len(posterior) - 1))
        for at, value in enumerate(posterior)
    ]


def wording_of(collation: Collation, candidate: Candidate, attesting: Sequence[int]) -> str:
    """The reading as the first of those that attest it prints it."""
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
        have = holders(collation, verdict.block)
        if not have:
            found.extend(_muted(collation, verdict.block))
            continue
        if verdict.kept:
            previous = None
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


def _muted(collation: Collation, block: Block) -> Iterator[Omission]:
    """What witnesses that have no say in the block, and nobody else, print there."""
    for siglum, state, row, tokens in zip(collation.sigla, block.states, collation.columns, collation.tokens, strict=True):
        indices = [index for index in row[block.first : block.last] if index >= 0]
        if state == State.LOOSE and len(indices) >= LEAST_OMITTED:
            yield Omission((siglum,), " ".join(tokens.texts[index] for index in indices), "worded anew")


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
