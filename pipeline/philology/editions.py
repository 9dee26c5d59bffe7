"""The recoveries of an agency's versions as one: the text of the version most followed, and all of them beside it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.philology.collation import Collation
from pipeline.philology.recovered import Attestation, LearnedPair, Omission, Recovery, Version


def put_together(collation: Collation, recoveries: Sequence[Recovery], taken: int) -> Recovery:
    """The recovery at index `taken`, with what the others say of their witnesses, and every version's text.

    `recoveries` are those of the versions, the earliest first; every witness of the collation is in one of them.
    """
    rows: dict[str, Attestation] = {}
    edges = {edge.copy: edge for recovery in recoveries for edge in recovery.stemma}
    omitted: dict[Omission, None] = dict.fromkeys(recoveries[taken].omitted)
    learned: Counter[tuple[str, str]] = Counter()
    lineages = 0
    for number, recovery in enumerate(recoveries, 1):
        for row in recovery.witnesses:
            rows[row.siglum] = replace(row, lineage=lineages + row.lineage, version=number)
        lineages = max(row.lineage for row in rows.values())
        omitted.update(dict.fromkeys(recovery.omitted))
        for pair in recovery.learned:
            learned[pair.original, pair.spun] = max(learned[pair.original, pair.spun], pair.stories)
    return replace(
        recoveries[taken],
        witnesses=tuple(rows[siglum] for siglum in collation.sigla),
        stemma=tuple(edges[siglum] for siglum in collation.sigla if siglum in edges),
        omitted=tuple(omitted),
        learned=tuple(LearnedPair(original, spun, count) for (original, spun), count in sorted(learned.items())),
        versions=tuple(
            Version(tuple(row.siglum for row in recovery.witnesses), recovery.text, recovery.tokens, recovery.apparatus)
            for recovery in recoveries
        ),
    )
