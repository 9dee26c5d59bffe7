"""The values of a recovery: the text of a story with the evidence for every word."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was done to the text between the agency and a witness."""

    VERBATIM = "verbatim"
    EDITED = "edited"
    TRUNCATED = "truncated"
    SPUN = "spun"
    REWRITTEN = "rewritten"
    OTHER = "other"


class Reason(StrEnum):
    """Why a token stands in the recovered text."""

    AGREED = "agreed"
    VOTED = "voted"
    FLUENCY = "fluency"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class LearnedPair:
    """A substitution that other stories settled: `spun` stood where the recovery has `original`, in `stories` stories."""

    original: str
    spun: str
    stories: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What other stories teach about this one; plain values, so that a recovery can be repeated."""

    error_rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Site → (tokens in error, tokens compared) over the stories settled so far."""
    pairs: tuple[LearnedPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the recovered text; `text[start:end]` of the recovery is `text`."""

    text: str
    start: int
    end: int
    probability: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Reading:
    """One wording found at a variation unit; `text` is empty where its witnesses have nothing there."""

    text: str
    sigla: tuple[str, ...]
    probability: float
    lemma: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A variation unit: `text[start:end]` of the recovery is its lemma; the probabilities of its readings sum to one."""

    start: int
    end: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a recovery says of one witness."""

    siglum: str
    source: str
    kind: Kind
    error_rate: float
    """Share of its tokens, where it and the recovery both stand, that differ from the recovery by more than house style."""
    coverage: float
    """Share of the recovery's tokens that it holds a place for."""
    exemplar: str | None
    """Siglum of the witness that it was copied from, where the evidence says so."""
    lineage: int
    """Witnesses of one lineage count as one vote; numbered from 1."""
    evidence: str = ""
    """What the kind rests on, in words."""
    loose: float = 0.0
    """Share of its tokens that stand in stretches which do not align with the recovery: worded anew, they have no vote."""
    foreign: float = 0.0
    """Share of its tokens that stand in passages of another text; they were left out."""
    version: int | None = None
    """Number, from 1, of the version in `versions` that it follows; None where there is one text alone."""


@dataclass(frozen=True, slots=True)
class Omission:
    """A passage of some witnesses that was left out of the recovered text, and why."""

    sigla: tuple[str, ...]
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Unscrambled:
    """A passage that a witness prints scrambled, and as which it was read; `how` names the cipher."""

    siglum: str
    printed: str
    text: str
    how: str


@dataclass(frozen=True, slots=True)
class Conjecture:
    """A reading that no witness attests, offered for `text[start:end]` of the recovery; never applied."""

    start: int
    end: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of the stemma."""

    copy: str
    exemplar: str | None
    support: float


@dataclass(frozen=True, slots=True)
class Stranger:
    """A witness that does not belong to this article."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Version:
    """One of the texts that the agency sent out, where it sent more than one."""

    sigla: tuple[str, ...]
    text: str
    tokens: tuple[Token, ...]
    apparatus: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovered text and its evidence; the fields of `recover --format json`, schema 1."""

    text: str
    """Headline first where one was found; paragraphs separated by a blank line."""
    title: str | None
    byline: str | None
    """The line as it stands in the text, or the name that the pages' own fields give: then it is not in the text."""
    dateline: str | None
    language: str | None
    confidence: float
    """Mean probability of the tokens; 0 where there are none."""
    witnesses: tuple[Attestation, ...]
    tokens: tuple[Token, ...]
    apparatus: tuple[Unit, ...]
    omitted: tuple[Omission, ...] = ()
    conjectures: tuple[Conjecture, ...] = ()
    stemma: tuple[Edge, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    versions: tuple[Version, ...] = ()
    unscrambled: tuple[Unscrambled, ...] = ()
    """What of the witnesses' text was turned back before it was compared."""
    learned: tuple[LearnedPair, ...] = ()
    """Substitutions that this story settles with high confidence; what the stages keep for other stories."""
