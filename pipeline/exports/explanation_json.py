"""Explanations as `wirecopy recover --explain … --format json` prints them: schema 1, the fields of Explanation."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pipeline.exports.recovery_json import plain
from pipeline.philology.explained import Explanation

SCHEMA = 1


def to_document(explanations: Iterable[Explanation]) -> dict[str, Any]:
    """The explanations as plain data, JSON-able; numbers are rounded to six places, so that sums hold within that."""
    return {"schema": SCHEMA, "explanations": [plain(asdict(explanation)) for explanation in explanations]}
