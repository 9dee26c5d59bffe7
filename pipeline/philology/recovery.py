"""The recovered text of a story, with the evidence for every word."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.philology.collation import Collation
from pipeline.philology.conjectures import conjectures
from pipeline.philology.language import Fluency, fluency_of, frequency_of, is_english
from pipeline.philology.question import Judge
from pipeline.philology.recovered import (
    Attestation,
    Conjecture,
    Edge,
    Evidence,
    Kind,
    LearnedPair,
    Omission,
    Reading,
    Reason,
    Recovery,
    Stranger,
    Token,
    Unit,
    Unscrambled,
    Version,
)
from pipeline.philology.scrambling import turn
from pipeline.philology.single import recover_single

__all__ = [
    "Attestation",
    "Conjecture",
    "Edge",
    "Evidence",
    "Kind",
    "LearnedPair",
    "Omission",
    "Reading",
    "Reason",
    "Recovery",
    "Stranger",
    "Token",
    "Unit",
    "Unscrambled",
    "Version",
    "recover",
]


def recover(collation: Collation, evidence: Evidence, fluency: Fluency | None = None, judge: Judge | None = None) -> Recovery:
    """The recovered text of the collation's witnesses.

    One witness comes back as it is, without its site furniture; none gives an empty recovery; a witness of another text is set
    apart as a stranger, a passage of another text left out. Where the agency sent several versions, each is recovered from its
    own witnesses. `fluency` judges readings in their context; by default the best model at hand for the witnesses' language.
    `judge` is asked about what stays in doubt in an English story.
    """
    if len(collation.witnesses) < 2:
        return _turned_back(_supposing(recover_single(collation), evidence, fluency), collation)
    # numpy, and the language model behind `fluency_of`, are loaded when there is something to weigh
    from pipeline.philology.belonging import language_of  # noqa: PLC0415
    from pipeline.philology.cohesion import foreign_passages  # noqa: PLC0415
    from pipeline.philology.strangers import reported, set_apart, strangers_of, told, without_foreign  # noqa: PLC0415

    strange = strangers_of(collation)
    if strange:
        return reported(recover(set_apart(collation, strange), evidence, fluency, judge), collation, strange)
    language = language_of(collation)
    foreign = foreign_passages(collation, frequency_of(language))
    own = without_foreign(collation, foreign) if foreign else collation
    recovery = _of_one_text(own, evidence, fluency, language, judge)
    return _turned_back(told(recovery, collation, foreign), collation)


def _of_one_text(
    collation: Collation, evidence: Evidence, fluency: Fluency | None, language: str | None, judge: Judge | None
) -> Recovery:
    from pipeline.philology.retelling import WHY, retold  # noqa: PLC0415
    from pipeline.philology.strangers import reported, set_apart  # noqa: PLC0415

    others = retold(collation)
    if not others:
        return _by_version(collation, evidence, fluency, language, judge)
    return reported(_by_version(set_apart(collation, others), evidence, fluency, language, judge), collation, others, WHY)


def _by_version(
    collation: Collation, evidence: Evidence, fluency: Fluency | None, language: str | None, judge: Judge | None
) -> Recovery:
    from pipeline.philology.belonging import of_version  # noqa: PLC0415
    from pipeline.philology.editions import put_together  # noqa: PLC0415
    from pipeline.philology.versions import most_followed, versions_of  # noqa: PLC0415

    groups = versions_of(collation)
    if not groups:
        return _weighed(collation, evidence, fluency, language, judge)
    recoveries = [_weighed(of_version(collation, group), evidence, fluency, language, judge) for group in groups]
    return put_together(collation, recoveries, most_followed(groups))


def _weighed(
    collation: Collation, evidence: Evidence, fluency: Fluency | None, language: str | None, judge: Judge | None
) -> Recovery:
    from pipeline.philology.analysis import analyse  # noqa: PLC0415
    from pipeline.philology.composition import compose, doubts_of  # noqa: PLC0415
    from pipeline.philology.looseness import anchored, named  # noqa: PLC0415

    collation, loose = anchored(collation)
    judge = judge if is_english(language) else None
    analysis = analyse(collation, evidence, fluency or fluency_of(language), frequency_of(language), judge=judge)
    doubts = doubts_of(analysis) if evidence.pairs else ()
    return _supposing(named(compose(collation, analysis, language), loose), evidence, fluency, doubts)


def _supposing(recovery: Recovery, evidence: Evidence, fluency: Fluency | None, doubts: Sequence[float] = ()) -> Recovery:
    """The recovery with what other stories let suppose of its words."""
    return replace(recovery, conjectures=conjectures(recovery, evidence.pairs, fluency, doubts))


def _turned_back(recovery: Recovery, collation: Collation) -> Recovery:
    """The recovery with what was printed scrambled in its witnesses."""
    found: list[Unscrambled] = []
    for siglum, tokens in zip(collation.sigla, collation.tokens, strict=True):
        for place, start, end in tokens.turned:
            text = tokens.paragraphs[place][start:end]
            found.append(Unscrambled(siglum, turn(text), text, "ROT47"))
    return replace(recovery, unscrambled=tuple(found))
