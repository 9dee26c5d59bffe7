"""Which blocks of a collation belong to the recovered text: passages that some witnesses hold and others lack."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.philology.collation import Block, Collation, State
from pipeline.philology.furniture import Furniture, dateline_of, furniture_of, looks_like_byline
from pipeline.philology.tokens import Shape

NAMES: tuple[str, ...] = (
    "bias", "one lineage holds it", "lineages holding it", "lineages spanning it without", "lineages ending before it",
    "reliability of the holders", "reliability of those without", "whole paragraphs", "opens a holder", "closes a holder",
    "promotion or comment", "credit", "byline", "dateline", "length", "words known elsewhere", "inside a sentence",
)  # fmt: skip
# Log-odds of belonging to the text, fitted by bench/recovery.py --fit.
WEIGHTS: tuple[float, ...] = (
    -4.067, -0.781, 2.559, -1.205, -1.032, 1.061, -0.222, 0.408, -3.797, -1.340, -5.445, -2.629, -4.184, -0.462, 1.982, 0.458, -1.082,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a block is kept, how sure that is, and what is said where it is not."""

    block: Block
    probability: float
    why: str

    @property
    def kept(self) -> bool:
        """Whether the block is part of the recovered text."""
        return self.probability >= 0.5


def holders(collation: Collation, block: Block) -> list[int]:
    """Witnesses that have at least one token in the block."""
    return [
        w
        for w, state in enumerate(block.states)
        if state in (State.PRESENT, State.MOVED) and any(index >= 0 for index in collation.columns[w][block.first : block.last])
    ]


def disputed(block: Block) -> bool:
    """Whether some witness lacks the block."""
    return State.MISSING in block.states or State.OUTSIDE in block.states


def judge(
    collation: Collation, lineages: Sequence[int], rates: Sequence[float], weights: Sequence[float] = WEIGHTS
) -> list[Verdict]:
    """A verdict for every block, in order; a block that all hold is kept."""
    words = shared_words(collation)
    verdicts: list[Verdict] = []
    for block in collation.blocks:
        if not disputed(block):
            verdicts.append(Verdict(block, 1.0, ""))
            continue
        row = block_features(collation, block, lineages, rates, words)
        odds = sum(weight * value for weight, value in zip(weights, row, strict=True))
        verdicts.append(Verdict(block, 1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), _why(row)))
    return verdicts


def shared_words(collation: Collation) -> Mapping[str, int]:
    """Folded words of the story → number of blocks that hold them."""
    counts: Counter[str] = Counter()
    for block in collation.blocks:
        found: set[str] = set()
        for w in holders(collation, block):
            tokens = collation.tokens[w]
            found.update(tokens.folds[index] for index in collation.columns[w][block.first : block.last] if index >= 0)
        counts.update(found)
    return counts


def block_features(
    collation: Collation, block: Block, lineages: Sequence[int], rates: Sequence[float], words: Mapping[str, int]
) -> list[float]:
    """What speaks for and against a block, in the order of NAMES."""
    have = holders(collation, block)
    lack = [w for w, state in enumerate(block.states) if state == State.MISSING]
    beyond = [w for w, state in enumerate(block.states) if state == State.OUTSIDE]
    holding = {lineages[w] for w in have}
    lacking = {lineages[w] for w in lack} - holding
    ending = {lineages[w] for w in beyond} - holding - lacking
    best = min(have, key=lambda w: (rates[w], w)) if have else -1
    shape = _shape(collation, block, best) if have else {}
    text = printed(collation, block, best) if have else ""
    kind = furniture_of(text) if shape.get("opens") else None
    tokens = collation.tokens[best] if have else None
    inner = [index for index in collation.columns[best][block.first : block.last] if index >= 0] if tokens else []
    spoken = [tokens.folds[index] for index in inner if tokens.shapes[index] is not Shape.PUNCTUATION] if tokens else []
    known = sum(words[word] > 1 for word in spoken) / max(1, len(spoken))
    return [
        1.0,
        float(len(holding) == 1),
        math.log1p(len(holding)),
        math.log1p(len(lacking)),
        math.log1p(len(ending)),
        1 - min((rates[w] for w in have), default=1.0),
        1 - min((rates[w] for w in lack), default=1.0),
        float(shape.get("opens", False) and shape.get("closes", False)),
        float(shape.get("first", False)),
        float(shape.get("last", False)),
        float(kind in (Furniture.PROMOTION, Furniture.COMMENT)),
        float(kind is Furniture.CREDIT),
        float(bool(shape.get("opens")) and looks_like_byline(text)),
        float(bool(shape.get("opens")) and not shape.get("closes") and dateline_of(text + " ") is not None),
        math.log1p(len(inner)),
        known,
        float(not shape.get("begins", False)) + float(not shape.get("ends", False)),
    ]


def printed(collation: Collation, block: Block, w: int) -> str:
    """The block as the witness prints it."""
    indices = [index for index in collation.columns[w][block.first : block.last] if index >= 0]
    parts: list[str] = []
    tokens = collation.tokens[w]
    for before, index in zip([-2, *indices[:-1]], indices, strict=True):
        if parts:
            parts.append("\n\n" if tokens.opens(index) else (tokens.blank_before(index) if index == before + 1 else " "))
        parts.append(tokens.texts[index])
    return "".join(parts)


def _shape(collation: Collation, block: Block, w: int) -> dict[str, bool]:
    tokens = collation.tokens[w]
    indices = [index for index in collation.columns[w][block.first : block.last] if index >= 0]
    first, last = indices[0], indices[-1]
    return {
        "opens": tokens.opens(first),
        "closes": tokens.closes(last),
        "first": first == 0,
        "last": last + 1 == len(tokens),
        "begins": tokens.opens(first) or tokens.folds[first - 1] in _ENDS,
        "ends": tokens.closes(last) or tokens.folds[last] in _ENDS,
    }


_ENDS = frozenset({".", "!", "?", '"', "...", "…"})


def _why(row: Sequence[float]) -> str:
    named = dict(zip(NAMES, row, strict=True))
    if named["promotion or comment"]:
        return "promotion"
    if named["credit"]:
        return "credit"
    if named["byline"]:
        return "byline"
    if named["dateline"]:
        return "dateline"
    return "one lineage only" if named["one lineage holds it"] else "lacking in most witnesses"
