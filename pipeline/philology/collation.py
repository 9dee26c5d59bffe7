"""A collation: the witnesses of a story, aligned, one column a place in the text."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.philology.ordering import arrange, majority_order, paragraph_clusters, turns_of
from pipeline.philology.tokens import Tokens, tokens_of, without_paragraphs
from pipeline.philology.witness import Witness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.philology.tabulation import Table


class State(StrEnum):
    """How a witness stands to a block of columns."""

    PRESENT = "p"
    """It holds the block, or has nothing there that could count as a passage left out."""
    MOVED = "m"
    """It holds the block at another place of its own text."""
    MISSING = "x"
    """It spans the block and lacks it: a passage left out here, or put in by the others."""
    OUTSIDE = "o"
    """Its text begins after the block or ends before it."""
    LOOSE = "l"
    """It words the block in a way of its own that does not align with the others: it has no say there."""


@dataclass(frozen=True, slots=True)
class Block:
    """Columns first … last - 1, in which every witness has one state; `states` holds one letter a witness."""

    first: int
    last: int
    states: str


@dataclass(frozen=True)  # no slots: the table is kept beside the fields
class Collation:
    """The witnesses with their sigla and the columns.

    `columns[w][c]` is the index of the token of witness w (of `tokens[w]`) in column c, or -1 for a gap. Every token of a
    witness stands in exactly one column; a siglum read down the columns gives its paragraphs back, moved ones in the order
    of the majority. The blocks cover the columns in order.
    """

    witnesses: tuple[Witness, ...]
    sigla: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    blocks: tuple[Block, ...]
    tokens: tuple[Tokens, ...] = field(repr=False, compare=False)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns[0]) if self.columns else 0

    @cached_property
    def table(self) -> "Table":
        """The columns as arrays, made when they are first asked for."""
        from pipeline.philology.tabulation import tabulate  # noqa: PLC0415  (numpy, which one witness does without)

        return tabulate(self.columns, self.tokens)


def collate(witnesses: Sequence[Witness]) -> Collation:
    """The witnesses aligned. The order in which they are handed over does not matter.

    Sigla go by date of publication (undated ones last), then by source.
    """
    named = sorted(witnesses, key=_seniority)
    tokens = tuple(tokens_of(witness) for witness in named)
    sigla = tuple(siglum(number) for number in range(len(named)))
    if len(named) > 1:
        return _of_table(tuple(named), sigla, _aligned(tokens), tokens)
    columns = tuple(tuple(range(len(row))) for row in tokens)
    return Collation(tuple(named), sigla, columns, _blocks_of_one(columns), tokens)


def repeated(collation: Collation, twins: Iterable[tuple[Witness, str]]) -> Collation:
    """The collation with more witnesses, each with the source of one in it whose text it has; nothing is aligned again.

    Sigla are given anew, in the order of `collate`.
    """
    place = {witness.source: w for w, witness in enumerate(collation.witnesses)}
    rows = [(witness, w) for w, witness in enumerate(collation.witnesses)]
    rows += [(witness, place[source]) for witness, source in twins]
    rows.sort(key=lambda row: _seniority(row[0]))
    return Collation(
        witnesses=tuple(witness for witness, _ in rows),
        sigla=tuple(map(siglum, range(len(rows)))),
        columns=tuple(collation.columns[w] for _, w in rows),
        blocks=tuple(Block(block.first, block.last, "".join(block.states[w] for _, w in rows)) for block in collation.blocks),
        tokens=tuple(collation.tokens[w] for _, w in rows),
    )


def siglum(number: int) -> str:
    """The letters A to Z for 0 to 25, then AA, AB and so on."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def to_data(collation: Collation) -> dict[str, object]:
    """The sigla, columns and blocks as JSON-able values; the witnesses are kept elsewhere, under `sources`, in this order."""
    return {
        "sigla": list(collation.sigla),
        "sources": [witness.source for witness in collation.witnesses],
        "columns": [list(row) for row in collation.columns],
        "blocks": [[block.first, block.last, block.states] for block in collation.blocks],
    }


def from_data(data: dict[str, object], witnesses: Sequence[Witness]) -> Collation:
    """The collation that `to_data` wrote, with its witnesses, in any order; ValueError where they are not the same ones."""
    by_source = {witness.source: witness for witness in witnesses}
    sources, sigla, columns, blocks = (data[key] for key in ("sources", "sigla", "columns", "blocks"))
    if not (isinstance(sources, list) and isinstance(sigla, list) and isinstance(columns, list) and isinstance(blocks, list)):
        message = "not a collation: sources, sigla, columns and blocks are lists; collate the witnesses again"
        raise ValueError(message)  # noqa: TRY004  (stored data that is no collation: one error for the caller)
    if set(sources) - set(by_source):
        message = "the collation names witnesses that were not handed over; collate the witnesses again"
        raise ValueError(message)
    named = tuple(by_source[source] for source in sources)
    tokens = tuple(tokens_of(witness) for witness in named)
    if any(sum(index >= 0 for index in row) != len(own) for row, own in zip(columns, tokens, strict=True)):
        message = "the witnesses' text has changed since they were collated; collate them again"
        raise ValueError(message)
    return Collation(
        witnesses=named,
        sigla=tuple(sigla),
        columns=tuple(tuple(row) for row in columns),
        blocks=tuple(Block(first, last, states) for first, last, states in blocks),
        tokens=tokens,
    )


def without(collation: Collation, dropped: frozenset[int]) -> Collation:
    """The collation of the other witnesses, which keep their sigla; columns that only the dropped ones had are gone."""
    kept = [w for w in range(len(collation.sigla)) if w not in dropped]
    return _of_table(
        tuple(collation.witnesses[w] for w in kept),
        tuple(collation.sigla[w] for w in kept),
        _without_gaps(collation.table.indices[kept]),
        tuple(collation.tokens[w] for w in kept),
    )


def without_passages(collation: Collation, passages: Mapping[int, Collection[int]]) -> Collation:
    """The collation without some paragraphs, given as witness → indices in its `tokens[w].paragraphs`.

    Columns that only these had are gone. The witnesses stay as they are; their tokens are those of the paragraphs left.
    """
    tokens = list(collation.tokens)
    table = collation.table.indices.copy()
    for w, gone in passages.items():
        places = tokens[w].places
        number = {index: at for at, index in enumerate(i for i, place in enumerate(places) if place not in gone)}
        table[w] = [number.get(index, -1) for index in table[w].tolist()]
        tokens[w] = without_paragraphs(tokens[w], gone)
    return _of_table(collation.witnesses, collation.sigla, _without_gaps(table), tuple(tokens))


_UNDATED = datetime.max.replace(tzinfo=UTC)


def _seniority(witness: Witness) -> tuple[datetime, str, str, str]:
    return (witness.published or _UNDATED, witness.source, witness.title or "", witness.text)


def _aligned(tokens: Sequence[Tokens]) -> "NDArray[np.int32]":
    # numba is loaded when there is something to align, so that importing this module stays cheap
    import numpy as np  # noqa: PLC0415

    from pipeline.philology.profile import Profile, Row  # noqa: PLC0415
    from pipeline.philology.resemblance import centrality  # noqa: PLC0415
    from pipeline.philology.succession import succeeded  # noqa: PLC0415
    from pipeline.philology.vocabulary import Vocabulary, runs_by_paragraph  # noqa: PLC0415

    vocabulary = Vocabulary()
    runs = runs_by_paragraph(tokens, vocabulary)
    turns = turns_of(runs, centrality([vocabulary.of(row) for row in tokens]))
    numbers = paragraph_clusters([runs[at] for at in turns])
    order = majority_order(numbers)
    profile = Profile()
    for turn, at in enumerate(turns):
        profile.add(Row(tokens[at], arrange(numbers[turn], order), vocabulary))
    positions = profile.table
    table = np.full(positions.shape, -1, dtype=np.int32)
    for at, row, line in zip(turns, profile.rows, positions, strict=True):
        held = line >= 0
        table[at, held] = row.indices[line[held]]
    return succeeded(table, tokens)


def _without_gaps(table: "NDArray[np.int32]") -> "NDArray[np.int32]":
    """The columns in which a witness has anything."""
    return table[:, (table >= 0).any(axis=0)]


def _of_table(
    witnesses: tuple[Witness, ...], sigla: tuple[str, ...], table: "NDArray[np.int32]", tokens: tuple[Tokens, ...]
) -> Collation:
    """The collation of witnesses whose tokens stand in these columns."""
    columns = tuple(map(tuple, table.tolist()))
    if len(columns) < 2:
        return Collation(witnesses, sigla, columns, _blocks_of_one(columns), tokens)
    from pipeline.philology.passages import states_of, stretches  # noqa: PLC0415  (numba, as above)

    found = stretches(states_of(table, tokens), table, tokens) if table.size else ()
    return Collation(witnesses, sigla, columns, tuple(Block(first, last, states) for first, last, states in found), tokens)


def _blocks_of_one(columns: Sequence[Sequence[int]]) -> tuple[Block, ...]:
    return (Block(0, len(columns[0]), State.PRESENT),) if columns and columns[0] else ()
