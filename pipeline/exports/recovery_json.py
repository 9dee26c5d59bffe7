"""A recovery as `wirecopy recover --format json` prints it and the store keeps it: schema 1.

Numbers are rounded to six places, so that a recovery that is made again and comes out the same is the same document.
"""

from dataclasses import asdict
from typing import Any

from pipeline.philology.recovery import Recovery

SCHEMA = 1
PLACES = 6


def to_document(recovery: Recovery) -> dict[str, Any]:
    """The recovery as plain data, JSON-able; probabilities within a unit still sum to one within rounding."""
    document = plain(asdict(recovery))
    document.pop("learned")
    return {"schema": SCHEMA, **document}


def plain(value: Any) -> Any:
    """The value as JSON has it: lists, strings without their enumeration, rounded numbers."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, PLACES)
    return str(value) if isinstance(value, str) else value
