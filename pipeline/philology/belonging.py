"""The witnesses, and the passages of them, that a recovered text rests on."""

from pipeline.philology.cohesion import foreign_passages
from pipeline.philology.collation import Collation, without
from pipeline.philology.language import frequency_of
from pipeline.philology.looseness import anchored
from pipeline.philology.retelling import retold
from pipeline.philology.strangers import set_apart, strangers_of, without_foreign
from pipeline.philology.versions import most_followed, versions_of


def language_of(collation: Collation) -> str | None:
    """The language that most witnesses name, the first in order on a tie."""
    named = [witness.language for witness in collation.witnesses if witness.language]
    return min(named, key=lambda code: (-named.count(code), code), default=None)


def belonging(collation: Collation) -> Collation:
    """The collation that the recovered text is drawn from.

    It has no strangers, no passages of other texts, no witness that tells the matter in a text of its own, one version alone,
    and no say for a witness where that is worded anew.
    """
    strange = strangers_of(collation)
    if strange:
        return belonging(set_apart(collation, strange))
    foreign = foreign_passages(collation, frequency_of(language_of(collation)))
    collation = without_foreign(collation, foreign) if foreign else collation
    others = retold(collation)
    collation = set_apart(collation, others) if others else collation
    groups = versions_of(collation)
    return anchored(of_version(collation, groups[most_followed(groups)]) if groups else collation)[0]


def of_version(collation: Collation, group: list[int]) -> Collation:
    """The collation of the witnesses of one version."""
    return without(collation, frozenset(range(len(collation.sigla))) - set(group))
