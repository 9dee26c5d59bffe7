"""The recovered text of a story, with the evidence for every word."""

from pipeline.philology.collation import Collation
from pipeline.philology.language import Fluency, fluency_of, frequency_of
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
    Version,
)
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
    "Version",
    "recover",
]


def recover(collation: Collation, evidence: Evidence, fluency: Fluency | None = None) -> Recovery:
    """The recovered text of the collation's witnesses.

    One witness comes back as it is, without its site furniture; none gives an empty recovery; a witness of another text is set
    apart as a stranger. `fluency` judges readings
    in their context; by default the best model at hand for the witnesses' language.
    """
    if len(collation.witnesses) < 2:
        return recover_single(collation)
    # numpy, and the language model behind `fluency_of`, are loaded when there is something to weigh
    from pipeline.philology.cohesion import foreign_passages  # noqa: PLC0415
    from pipeline.philology.strangers import reported, set_apart, strangers_of, told, without_foreign  # noqa: PLC0415

    strange = strangers_of(collation)
    if strange:
        return reported(recover(set_apart(collation, strange), evidence, fluency), collation, strange)
    language = language_of(collation)
    foreign = foreign_passages(collation, frequency_of(language))
    if not foreign:
        return _weighed(collation, evidence, fluency, language)
    return told(_weighed(without_foreign(collation, foreign), evidence, fluency, language), collation, foreign)


def _weighed(collation: Collation, evidence: Evidence, fluency: Fluency | None, language: str | None) -> Recovery:
    from pipeline.philology.analysis import analyse  # noqa: PLC0415
    from pipeline.philology.composition import compose  # noqa: PLC0415

    analysis = analyse(collation, evidence, fluency or fluency_of(language), frequency_of(language))
    return compose(collation, analysis, language)


def language_of(collation: Collation) -> str | None:
    """The language that most witnesses name, the first in order on a tie."""
    named = [witness.language for witness in collation.witnesses if witness.language]
    return min(named, key=lambda code: (-named.count(code), code), default=None)
