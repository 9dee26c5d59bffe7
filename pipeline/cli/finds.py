"""How pages were found, as faces say it."""

from collections.abc import Sequence

from pipeline.cli.output import shown
from pipeline.store.queries import FoundBy


def how_found(found: Sequence[FoundBy]) -> str:
    """Which provider named a page and for which query, in a line; each way once."""
    return shown(list(dict.fromkeys(f"{one.provider}: {one.query}" for one in found)))
