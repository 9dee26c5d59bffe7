"""Why a word stands in the recovered text: who attests which reading, what each witness weighs, the prior, the passage."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.philology import blocks
from pipeline.philology.analysis import Analysis, Floats, analyse, neighbours, surroundings
from pipeline.philology.belonging import belonging, language_of
from pipeline.philology.blocks import Verdict, holders, questioned
from pipeline.philology.collation import Collation, State
from pipeline.philology.composition import (
    Decision,
    Layout,
    decide,
    decision_at,
    errors_of,
    lay_out,
    shares_of,
    verdicts_of,
    wording_of,
)
from pipeline.philology.explained import (
    AlternativeAccount,
    Explanation,
    Feature,
    LineageAccount,
    PassageAccount,
    ReadingAccount,
    WitnessAccount,
)
from pipeline.philology.housestyle import wordings
from pipeline.philology.language import Fluency, fluency_of, frequency_of, is_english
from pipeline.philology.prior import NAMES, WEIGHTS, Surroundings, features
from pipeline.philology.question import Judge
from pipeline.philology.recovered import Evidence
from pipeline.philology.reliability import SAME_ERROR, contributions, gain
from pipeline.philology.single import recover_single
from pipeline.philology.tokens import fold, tokenize
from pipeline.philology.units import ABSENT, Candidate
from pipeline.philology.wear import worn

# Characters of the text shown on either side of a place.
SHOWN = 60
# What the judge of doubtful places adds to a prior, and what readings alike in letters do, is listed under these names.
JUDGE = "in the whole context"
ECHOES = "like what others have"
# Less log-odds than this are not told.
WORTH_TELLING = 0.01
_STANDS = {
    State.PRESENT: "present",
    State.MOVED: "moved",
    State.MISSING: "missing",
    State.OUTSIDE: "outside",
    State.LOOSE: "loose",
}


def explain(
    collation: Collation, evidence: Evidence, position: int, fluency: Fluency | None = None, judge: Judge | None = None
) -> Explanation | None:
    """The account of the word at a position (character offset) of the recovered text, or of the next one behind it.

    None where no word stands there or behind. The arguments are those that the text was recovered with.
    """
    if position < 0:
        return None
    collation = belonging(collation)
    if len(collation.witnesses) < 2:
        return next(iter(_of_single(collation, lambda start, end: start < end and position < end)), None)
    case = _case(collation, evidence, fluency, judge)
    number = next((at for at, (start, end) in enumerate(case.extents) if start < end and position < end), None)
    return None if number is None else _account(case, case.decisions[number], case.extents[number])


def explain_word(
    collation: Collation, evidence: Evidence, words: str, fluency: Fluency | None = None, judge: Judge | None = None
) -> tuple[Explanation, ...]:
    """The accounts of every place whose lemma holds the word, or begins these words.

    Where the text has them nowhere, the places where another reading has them, those of passages left out included. Letter case
    and the shapes of marks do not count.
    """
    wanted = tokenize((words,)).folds
    if not wanted:
        return ()
    collation = belonging(collation)
    if len(collation.witnesses) < 2:
        recovery = recover_single(collation)
        starts = {recovery.tokens[at].start for at in _runs([fold(token.text) for token in recovery.tokens], wanted)}
        return _of_single(collation, lambda start, _: start in starts)
    case = _case(collation, evidence, fluency, judge)
    tokens = case.layout.tokens
    found = dict.fromkeys(case.layout.owner[at] for at in _runs([fold(token.text) for token in tokens], wanted))
    if found:
        return tuple(_account(case, case.decisions[number], case.extents[number]) for number in found)
    return tuple(_rejected(case, wanted))


def _runs(folds: list[str], wanted: tuple[str, ...]) -> list[int]:
    size = len(wanted)
    return [at for at in range(len(folds) - size + 1) if tuple(folds[at : at + size]) == wanted]


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the accounts of one story are drawn from."""

    collation: Collation
    analysis: Analysis
    around: Surroundings
    decisions: list[Decision]
    layout: Layout
    extents: list[tuple[int, int]]
    verdicts: dict[int, Verdict]


def _case(collation: Collation, evidence: Evidence, fluency: Fluency | None, judge: Judge | None) -> _Case:
    language = language_of(collation)
    fluency, frequency = fluency or fluency_of(language), frequency_of(language)
    judge = judge if is_english(language) else None
    analysis = analyse(collation, evidence, fluency, frequency, judge=judge)
    decisions = decide(analysis)
    layout = lay_out(collation, analysis, decisions)
    around = surroundings(analysis.places, fluency, frequency, evidence)
    return _Case(collation, analysis, around, decisions, layout, layout.extents(decisions), dict(verdicts_of(analysis)))


def _rejected(case: _Case, wanted: tuple[str, ...]) -> list[Explanation]:
    """The places at which a reading that was not taken, or a passage that was left out, begins with the words."""
    extents = {decision.place: extent for decision, extent in zip(case.decisions, case.extents, strict=True)}
    found: list[Explanation] = []
    offset = 0
    for at, place in enumerate(case.analysis.places):
        offset = extents.get(at, (offset, offset))[1]
        decision = decision_at(case.analysis, at, case.verdicts[at]) if at in case.verdicts else None
        if decision is not None and any(_begins(case, at, candidate, wanted) for candidate in place.candidates):
            found.append(_account(case, decision, extents.get(at, (offset, offset))))
    return found


def _begins(case: _Case, at: int, candidate: Candidate, wanted: tuple[str, ...]) -> bool:
    """Whether the words stand in the reading, or begin in it and go on where its witnesses go on."""
    folds = tuple(map(fold, candidate.texts))
    if _runs(list(folds), wanted):
        return True
    rest = case.analysis.places[at + 1 : at + 1 + len(wanted)]
    following = [text for place in rest if place.candidates for text in place.candidates[0].texts]
    line = [*folds, *map(fold, following)]
    return any(start < len(folds) for start in _runs(line, wanted))


def _account(case: _Case, decision: Decision, extent: tuple[int, int]) -> Explanation:
    at = decision.place
    place = case.analysis.places[at]
    verdict = case.verdicts[at]
    start, end = extent
    text = case.layout.text
    numbers = sorted({case.analysis.solution.lineages[w] for w, choice in enumerate(place.choice) if choice != ABSENT})
    if at in case.analysis.posteriors:
        given = _disputed_readings(case, decision, numbers)
        order = sorted(range(len(given)), key=lambda n: (not given[n].lemma, -given[n].probability, given[n].text))
    else:
        given, order = [_agreed_reading(case, decision, numbers)], [0]
    return Explanation(
        start=start,
        end=end,
        text=text[start:end] if verdict.kept else given[order[0]].text,
        before=text[max(0, start - SHOWN) : start],
        after=text[end : end + SHOWN],
        probability=decision.probability if verdict.kept else verdict.probability,
        raw=decision.raw,
        reason=decision.reason,
        decided_by=_decided_by(case, at),
        readings=tuple(given[number] for number in order),
        lineages=tuple(_lineage(case, at, number) for number in numbers),
        witnesses=tuple(_witness(case, at, w, order) for w in range(len(case.collation.sigla))),
        alternative=_alternative(case, at, decision),
        passage=_passage(case, verdict),
    )


def _decided_by(case: _Case, at: int) -> str:
    analysis, place = case.analysis, case.analysis.places[at]
    if at not in analysis.posteriors:
        return "agreement"
    if analysis.headline is not None and analysis.headline.columns.issuperset(range(place.first, place.last)):
        whole = f"the headline of {case.collation.sigla[analysis.headline.witness]}, taken whole"
        return f"{whole}, as its URL spells it" if at in analysis.headline.spelt else whole
    if at in analysis.spelt:
        return "the headline as URLs spell it"
    form = wordings(place)
    taken = analysis.posteriors[at].index(max(analysis.posteriors[at]))
    return "house style" if at not in analysis.weighed or form.count(form[taken]) > 1 else "prior and witnesses"


def _disputed_readings(case: _Case, decision: Decision, numbers: list[int]) -> list[ReadingAccount]:
    analysis, at = case.analysis, decision.place
    place = analysis.places[at]
    form = wordings(place)
    shares = shares_of(decision, analysis.posteriors[at])
    before, after = neighbours(analysis.context, at, -1), neighbours(analysis.context, at, 1)
    longest = max(len(candidate.texts) for candidate in place.candidates)
    lost = worn([candidate.texts for candidate in place.candidates])
    row = analysis.weighed.index(at) if at in analysis.weighed else None
    added = None if row is None else _added(analysis, row)
    found: list[ReadingAccount] = []
    for reading, candidate in enumerate(place.candidates):
        attesting = [w for w, choice in enumerate(place.choice) if choice == reading]
        values = features(candidate, before, after, case.around, longest, lost[reading])
        found.append(
            ReadingAccount(
                text=wording_of(case.collation, candidate, attesting),
                sigla=tuple(case.collation.sigla[w] for w in attesting),
                lemma=reading == decision.reading,
                features=(*_named(NAMES, values, WEIGHTS), *_added_to_prior(analysis, row, form[reading])),
                prior=0.0 if row is None else float((analysis.disputes.prior + analysis.disputes.echoes)[row, form[reading]]),
                contributions=tuple(0.0 if added is None else float(added[number, form[reading]]) for number in numbers),
                weighed=1.0 if row is None else float(analysis.solution.posterior[row, form[reading]]),
                dealt=analysis.posteriors[at][reading],
                probability=shares[reading],
            )
        )
    return found


def _added_to_prior(analysis: Analysis, row: int | None, wording: int) -> tuple[Feature, ...]:
    """What the judge of doubtful places added, where it was asked, and the readings that are alike, where people slipped."""
    if row is None:
        return ()
    sources = ((JUDGE, analysis.heard), (ECHOES, analysis.disputes.echoes))
    told = [(name, table[row]) for name, table in sources if np.abs(table[row]).max() >= WORTH_TELLING]
    return tuple(Feature(name, float(line[wording]), float(line[wording])) for name, line in told)


def _added(analysis: Analysis, row: int) -> Floats:
    """What every lineage adds to each wording of one row."""
    one = slice(row, row + 1)
    disputes = analysis.disputes
    alone = replace(disputes, choice=disputes.choice[one], prior=disputes.prior[one], echoes=disputes.echoes[one])
    return contributions(alone, analysis.solution)[:, 0, :]


def _named(names: Sequence[str], values: Sequence[float], weights: Sequence[float]) -> tuple[Feature, ...]:
    return tuple(
        Feature(name, value, weight * value) for name, value, weight in zip(names, values, weights, strict=True) if value
    )


def _agreed_reading(case: _Case, decision: Decision, numbers: list[int]) -> ReadingAccount:
    place = case.analysis.places[decision.place]
    attesting = [w for w, choice in enumerate(place.choice) if choice != ABSENT]
    errors = errors_of(case.analysis, place)
    added = tuple(_gain(errors[number]) for number in numbers)
    # one wrong reading is always to be had; that all others have the same one is what each of them makes less likely
    prior = math.log(SAME_ERROR)
    weighed = 1 / (1 + math.exp(-(prior + sum(added))))
    return ReadingAccount(
        text=wording_of(case.collation, place.candidates[0], attesting),
        sigla=tuple(case.collation.sigla[w] for w in attesting),
        lemma=True,
        features=(),
        prior=prior,
        contributions=added,
        weighed=weighed,
        dealt=weighed,
        probability=decision.probability,
    )


def _lineage(case: _Case, at: int, number: int) -> LineageAccount:
    solution = case.analysis.solution
    if at in case.analysis.posteriors:
        rate = float(solution.lineage_rates[number])
    else:
        rate = errors_of(case.analysis, case.analysis.places[at])[number]
    members = (siglum for siglum, own in zip(case.collation.sigla, solution.lineages, strict=True) if own == number)
    return LineageAccount(number + 1, tuple(members), rate)


def _witness(case: _Case, at: int, w: int, order: Sequence[int]) -> WitnessAccount:
    solution, place = case.analysis.solution, case.analysis.places[at]
    choice, lineage = place.choice[w], solution.lineages[w]
    weight = 0.0
    if choice != ABSENT and at in case.analysis.weighed:
        alone = solution.lineages.count(lineage) == 1
        weight = _gain(float(solution.lineage_rates[lineage] if alone else solution.own_rates[w]))
    elif choice != ABSENT and at not in case.analysis.posteriors:
        kin = [v for v, own in enumerate(solution.lineages) if own == lineage and place.choice[v] != ABSENT]
        speaks = min(kin, key=lambda v: case.analysis.rates[v])
        weight = _gain(errors_of(case.analysis, place)[lineage]) if speaks == w else 0.0
    return WitnessAccount(
        siglum=case.collation.sigla[w],
        source=case.collation.witnesses[w].source,
        reading=None if choice == ABSENT else order.index(choice),
        lineage=lineage + 1,
        weight=weight,
        stands=_STANDS[State(case.verdicts[at].block.states[w])],
    )


def _gain(rate: float) -> float:
    return float(gain(np.array([rate]))[0])


def _alternative(case: _Case, at: int, decision: Decision) -> AlternativeAccount | None:
    analysis, place = case.analysis, case.analysis.places[at]
    other = analysis.alternative
    if other is None or at not in analysis.weighed:
        return None
    form = wordings(place)
    row = other.posterior[analysis.weighed.index(at)]
    preferred = int(row.argmax())
    reading = decision.reading if form[decision.reading] == preferred else form.index(preferred)
    attesting = [w for w, choice in enumerate(place.choice) if choice == reading]
    return AlternativeAccount(
        lineages=tuple(
            tuple(siglum for siglum, own in zip(case.collation.sigla, other.lineages, strict=True) if own == number)
            for number in range(max(other.lineages) + 1)
        ),
        text=wording_of(case.collation, place.candidates[reading], attesting),
        probability=float(row[preferred]),
        agrees=form[decision.reading] == preferred,
        fluency=other.fluency,
        kept_fluency=analysis.solution.fluency,
    )


def _passage(case: _Case, verdict: Verdict) -> PassageAccount:
    collation, block = case.collation, verdict.block
    values: Sequence[float] = ()
    if questioned(collation, block):
        words = blocks.shared_words(collation)
        values = blocks.block_features(collation, block, case.analysis.solution.lineages, case.analysis.rates, words)

    def named(state: State) -> tuple[str, ...]:
        return tuple(siglum for siglum, own in zip(collation.sigla, block.states, strict=True) if own == state)

    return PassageAccount(
        kept=verdict.kept,
        probability=verdict.probability,
        why="" if verdict.kept else verdict.why,
        holders=tuple(collation.sigla[w] for w in holders(collation, block)),
        missing=named(State.MISSING),
        outside=named(State.OUTSIDE),
        features=_named(blocks.NAMES, values, blocks.WEIGHTS) if values else (),
    )


def _of_single(collation: Collation, wanted: Callable[[int, int], bool]) -> tuple[Explanation, ...]:
    """The accounts of the wanted tokens (by start and end) of the only witness's text: nobody but it speaks for them."""
    recovery = recover_single(collation)
    found: list[Explanation] = []
    for token in recovery.tokens:
        if not wanted(token.start, token.end):
            continue
        sure = token.probability
        odds = math.log(sure / (1 - sure))
        siglum, source = collation.sigla[0], collation.witnesses[0].source
        found.append(
            Explanation(
                start=token.start,
                end=token.end,
                text=token.text,
                before=recovery.text[max(0, token.start - SHOWN) : token.start],
                after=recovery.text[token.end : token.end + SHOWN],
                probability=sure,
                raw=sure,
                reason=token.reason,
                decided_by="the only witness",
                readings=(ReadingAccount(token.text, (siglum,), True, (), odds, (0.0,), sure, sure, sure),),
                lineages=(LineageAccount(1, (siglum,), 1 - sure),),
                witnesses=(WitnessAccount(siglum, source, 0, 1, 0.0, "present"),),
                alternative=None,
                passage=PassageAccount(True, 1.0, "", (siglum,), (), (), ()),
            )
        )
    return tuple(found)
