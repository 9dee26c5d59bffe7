"""The values of an explanation: what speaks for each reading of a place, and for the passage it is part of.

Everything is in log-odds (natural logarithm) as the expectation-maximisation used it: of a disputed place the prior of a
reading and the contributions of the lineages to it add up to its score, and the scores' softmax over the wordings is the
probability of its wording. House style, a headline taken whole, the passage's own probability and the calibration come after
that, in this order.
"""

from dataclasses import dataclass

from pipeline.philology.recovered import Reason


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that was measured: what it came to, and the log-odds that it gave."""

    name: str
    value: float
    log_odds: float


@dataclass(frozen=True, slots=True)
class ReadingAccount:
    """What speaks for one reading of a place; `prior` and `contributions` are those of its wording."""

    text: str
    sigla: tuple[str, ...]
    lemma: bool
    features: tuple[Feature, ...]
    """What the prior was made of, before it was brought to a sum of one over the readings; those of 0 left out."""
    prior: float
    """Log prior of the wording, as it was weighed: with what readings like it lent it, where people slipped."""
    contributions: tuple[float, ...]
    """What each of the explanation's lineages adds, in their order."""
    weighed: float
    """Probability of the wording: the softmax over the wordings of prior and contributions."""
    dealt: float
    """Probability of the reading after house style and headline were chosen for the whole text."""
    probability: float
    """As in the apparatus: the passage's and the calibration counted."""

    @property
    def score(self) -> float:
        """Prior and contributions added up."""
        return self.prior + sum(self.contributions)


@dataclass(frozen=True, slots=True)
class LineageAccount:
    """Witnesses with one vote, and the error rate with which they were weighed."""

    number: int
    sigla: tuple[str, ...]
    error_rate: float


@dataclass(frozen=True, slots=True)
class WitnessAccount:
    """One witness at the place."""

    siglum: str
    source: str
    reading: int | None
    """Number of its reading in the explanation's list, counted from 0; None where it has no vote here."""
    lineage: int
    weight: float
    """Log-odds that its word adds to its reading against another; where it has kin, for what their common exemplar had."""
    stands: str
    """present, moved, missing or outside: how it stands to the passage."""


@dataclass(frozen=True, slots=True)
class AlternativeAccount:
    """The next best solution: other lineages, and what it makes of the place."""

    lineages: tuple[tuple[str, ...], ...]
    text: str
    probability: float
    """Of the wording it prefers, before house style, passage and calibration."""
    agrees: bool
    fluency: float
    """Mean prior of the readings it chooses over the whole text; the solution that was kept has `kept_fluency`."""
    kept_fluency: float


@dataclass(frozen=True, slots=True)
class PassageAccount:
    """Why the passage that the place is part of was kept, or left out."""

    kept: bool
    probability: float
    why: str
    """What is said of it where it is left out."""
    holders: tuple[str, ...]
    missing: tuple[str, ...]
    """Witnesses that span the passage and lack it."""
    outside: tuple[str, ...]
    """Witnesses that begin after it or end before it."""
    features: tuple[Feature, ...]
    """Log-odds of belonging to the text; none where nobody lacks the passage and nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The account of one place of the text; `text[start:end]` of the recovery is its lemma."""

    start: int
    end: int
    text: str
    before: str
    after: str
    """The text on either side, a few words."""
    probability: float
    raw: float
    """The lemma's probability times the passage's, before calibration."""
    reason: Reason
    decided_by: str
    """What had the last word: agreement, weights, house style, headline, or nobody else."""
    readings: tuple[ReadingAccount, ...]
    lineages: tuple[LineageAccount, ...]
    witnesses: tuple[WitnessAccount, ...]
    alternative: AlternativeAccount | None
    passage: PassageAccount
