"""A provider: somebody who answers queries with candidates. One module each, in pipeline/discovery/providers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.discovery.candidates import Candidate
from pipeline.discovery.passages import Rarity
from pipeline.discovery.queries import Query, QueryKind, Seed
from pipeline.discovery.web import Web

WORDS = frozenset({QueryKind.HEADLINE, QueryKind.QUOTATION, QueryKind.PHRASE, QueryKind.NET})
"""What search engines answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: the copies of one article."""

    seed: Seed
    rarity: Rarity
    now: datetime
    """Aware, UTC."""
    published: datetime | None = None
    """When a copy was first published, as far as is known."""
    language: str | None = None
    addresses: tuple[str, ...] = ()
    """URLs of its copies, which may have said something else before."""
    lost: tuple[str, ...] = ()
    """URLs that looked like copies and gave no text."""


Ask = Callable[[Query, Wanted, Web], Awaitable[Sequence[Candidate]]]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is asked, for what, how often.

    `ask` raises WirecopyError where there is no answer that can be used; no answers are an empty sequence.
    """

    name: str
    answers: frozenset[QueryKind]
    ask: Ask
    interval: float = 1.0
    """Seconds between two requests, over all processes."""
    budget: int = 1_000
    """Requests a day."""
    off: str | None = None
    """Why it is not asked, and what would change that; None where it is."""
    private: bool = False
    """True where the operator has said that it stands in a private network."""
