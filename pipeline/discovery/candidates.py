"""What a provider answers with: pages that may hold a copy."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page as an archive has it, for one that is read out of the archive and not fetched."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    captured_at: datetime
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page that may hold a copy."""

    url: str
    why: str
    """What it answers to, for a person: `"killed 14 people" (phrase)`."""
    title: str | None = None
    snippet: str | None = None
    """What the provider shows of its text; fragments are separated by an ellipsis."""
    published: datetime | None = None
    """Aware, UTC."""
    holds_phrase: bool = False
    """True where the provider says that the page has the quoted words in this order."""
    archived: ArchivedPage | None = None
