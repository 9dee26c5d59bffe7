"""Which blocks of a collation belong to the recovered text: passages that some witnesses hold and others lack."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.philology.collation import Block, Collation, State
from pipeline.philology.furniture import Furniture, dateline_of, furniture_of
from pipeline.philology.tabulation import Numbering, tabulated
from pipeline.philology.tokens import QUOTES, Role, Shape, Tokens, fold

NAMES: tuple[str, ...] = (
    "bias", "one lineage holds it", "lineages holding it", "lineages spanning it without", "lineages ending before it",
    "all have it", "reliability of the holders", "reliability of those without", "whole paragraphs", "opens a holder",
    "closes a holder", "pointer", "promotion or comment", "credit", "byline", "dateline", "length", "words known elsewhere",
    "inside a sentence", "paragraph is shared", "short paragraph", "witnesses holding it", "witnesses spanning it without",
    "share of the lineages", "share of the witnesses", "stands elsewhere in its holder", "long words known elsewhere",
    "speaks to the reader", "one witness holds it", "one lineage against lineages", "one witness against witnesses",
    "long words known elsewhere to one witness",
)  # fmt: skip
# Log-odds of belonging to the text, fitted by bench/recovery_fit.py.
WEIGHTS: tuple[float, ...] = (
    -2.155, -0.934, -0.243, -0.325, -0.534, 1.857, -0.494, 0.299, 0.937, -2.672, -0.755, -2.251,
    -1.622, 1.849, -1.019, -0.329, 1.840, -0.700, -1.075, 0.453, -1.341, 3.313, -2.077, -1.303,
    -1.788, -3.440, 2.635, -0.334, 2.064, -1.889, -0.184, -1.667,
)  # fmt: skip
# Stories of more blocks than this are not searched for doubled passages: every pair is compared.
MOST_COMPARED = 400
# A block that all witnesses have is questioned only up to this many tokens: their exemplar may have had a promotion line.
MOST_QUESTIONED = 45


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
    held = (collation.table.indices[:, block.first : block.last] >= 0).any(axis=1)
    return [w for w in np.flatnonzero(held).tolist() if block.states[w] in (State.PRESENT, State.MOVED)]


def disputed(block: Block) -> bool:
    """Whether some witness lacks the block."""
    return State.MISSING in block.states or State.OUTSIDE in block.states


def questioned(collation: Collation, block: Block) -> bool:
    """Whether the block may have to go: some witness lacks it, or it is a short paragraph worded like site furniture."""
    if disputed(block):
        return True
    have = holders(collation, block)
    if not have or block.last - block.first > MOST_QUESTIONED:
        return False
    shape = _shape(collation, block, have[0])
    return shape["opens"] and shape["closes"] and _kind(collation, block, have) is not None


def judge(
    collation: Collation,
    lineages: Sequence[int],
    rates: Sequence[float],
    weights: Sequence[float] = WEIGHTS,
) -> list[Verdict]:
    """A verdict for every block, in order; a block that all have is kept unless it is worded as furniture."""
    words = shared_words(collation)
    rows = [
        block_features(collation, block, lineages, rates, words) if questioned(collation, block) else None
        for block in collation.blocks
    ]
    verdicts: list[Verdict] = []
    for block, row in zip(collation.blocks, rows, strict=True):
        if row is None:
            verdicts.append(Verdict(block, 1.0, ""))
            continue
        odds = sum(weight * value for weight, value in zip(weights, row, strict=True))
        likely = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
        verdicts.append(Verdict(block, max(likely, _share_of_voices(collation, block, lineages)), _why(row)))
    return _once(collation, verdicts, lineages)


def _share_of_voices(collation: Collation, block: Block, lineages: Sequence[int]) -> float:
    """Share of the voices that hold a block which nobody spans without, one voice a lineage, if they are most.

    0 where it is no more than half, where a witness goes on without the block, and for what is worded as furniture: whoever
    starts later or ends sooner was cut.
    """
    have = holders(collation, block)
    if not have or State.OUTSIDE not in block.states or State.MISSING in block.states:
        return 0.0
    if _kind(collation, block, have) is not None:
        return 0.0
    voices = _voices(lineages)
    share = sum(voices[w] for w in have) / sum(voices)
    return share if share > 0.5 else 0.0


# A passage of this many tokens stands twice in a text that has this share of its runs of three words in the passage and again
# elsewhere: the entries of a list share fewer. Of the runs that a spun copy has changed two fifths are left.
LEAST_DOUBLED = 8
TWICE_SHARE = 0.9
DOUBLED_SHARE = 0.3


def _once(collation: Collation, verdicts: Sequence[Verdict], lineages: Sequence[int]) -> list[Verdict]:
    """The verdicts without doubles: a passage comes twice only where most of those that have it print it twice.

    Witnesses are counted by what they hold in the other kept blocks, one voice a lineage; where a passage stands at one place
    too many, that with the fewest voices is left out, the less sure one of two alike.
    """
    kept = [at for at, verdict in enumerate(verdicts) if verdict.kept and _size(verdict.block) >= LEAST_DOUBLED]
    found = list(verdicts)
    if len(kept) > MOST_COMPARED or not any(disputed(verdicts[at].block) for at in kept):
        return found
    voices = _voices(lineages)
    have = {at: holders(collation, verdicts[at].block) for at in kept}
    weight = {at: round(sum(voices[w] for w in have[at]), 9) for at in kept}
    standing = [_standing(collation, verdicts, w) for w in range(len(collation.sigla))]
    for at in sorted(kept, key=lambda index: (weight[index], verdicts[index].probability, index)):
        block = verdicts[at].block
        if not disputed(block):
            continue
        own = {w: _runs(collation.tokens[w].folds, collation.columns[w][block.first : block.last]) for w in have[at]}
        again = {w: _shared(runs, standing[w] - runs) for w, runs in own.items()}
        others = {
            w: max((_shared(runs, there) for runs in own.values()), default=0.0)
            for w, there in enumerate(standing)
            if w not in own
        }
        if max((*again.values(), *others.values()), default=0.0) < TWICE_SHARE:
            continue
        twice = sum(voices[w] for w, share in again.items() if share > DOUBLED_SHARE)
        once = sum(voices[w] for w, share in again.items() if share <= DOUBLED_SHARE)
        once += sum(voices[w] for w, share in others.items() if share > DOUBLED_SHARE)
        if once >= twice:
            found[at] = Verdict(block, 0.0, "stands elsewhere in the text")
            for w, runs in own.items():
                standing[w] -= runs
    return found


Run = tuple[str, ...]


def _voices(lineages: Sequence[int]) -> list[float]:
    """What every witness counts for where a lineage has one voice."""
    sizes = Counter(lineages)
    return [1 / sizes[lineage] for lineage in lineages]


def _standing(collation: Collation, verdicts: Sequence[Verdict], w: int) -> Counter[Run]:
    """The runs of three words that the witness has in the kept blocks."""
    line = collation.columns[w]
    kept = (verdict.block for verdict in verdicts if verdict.kept and verdict.block.states[w] in (State.PRESENT, State.MOVED))
    return _runs(collation.tokens[w].folds, [index for block in kept for index in line[block.first : block.last]])


def _runs(folds: Sequence[str], line: Sequence[int]) -> Counter[Run]:
    words = [folds[index] for index in line if index >= 0]
    return Counter(zip(words, words[1:], words[2:], strict=False))


def _shared(runs: Counter[Run], there: Counter[Run]) -> float:
    """Share of the runs that are there, too; 0 where the passage is too short to tell."""
    return sum(there[run] > 0 for run in runs) / len(runs) if len(runs) > LEAST_DOUBLED - 3 else 0.0


def _size(block: Block) -> int:
    return block.last - block.first


def shared_words(collation: Collation) -> Mapping[str, int]:
    """Folded words of the story → number of blocks that hold them."""
    names = Numbering()
    words = tabulated(collation, lambda text: names.of(fold(text)))
    counts = np.zeros(len(names.names) + 1, dtype=np.int64)
    for block in collation.blocks:
        # what nobody has counts under the last one
        counts[np.unique(words[holders(collation, block), block.first : block.last])] += 1
    return Counter(dict(zip(names.names, counts.tolist(), strict=False)))


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
    if best < 0:
        return [0.0] * len(NAMES)
    alone, only = float(len(holding) == 1), float(len(have) == 1)
    shape = _shape(collation, block, best)
    text = printed(collation, block, best)
    kind = _kind(collation, block, have)
    tokens = collation.tokens[best]
    inner = [index for index in collation.columns[best][block.first : block.last] if index >= 0]
    spoken = [tokens.folds[index] for index in inner if tokens.shapes[index] is not Shape.PUNCTUATION]
    known = sum(words[word] > 1 for word in spoken) / max(1, len(spoken))
    kinship = _kinship(tokens, inner, words)
    return [
        1.0,
        alone,
        math.log1p(len(holding)),
        math.log1p(len(lacking)),
        math.log1p(len(ending)),
        float(not lack and not beyond),
        1 - min((rates[w] for w in have), default=1.0),
        1 - min((rates[w] for w in lack), default=1.0),
        float(shape["opens"] and shape["closes"]),
        float(shape["first"]),
        float(shape["last"]),
        float(kind is Furniture.POINTER),
        float(kind in (Furniture.PROMOTION, Furniture.COMMENT)),
        float(kind is Furniture.CREDIT),
        float(kind is Furniture.BYLINE),
        float(shape["opens"] and not shape["closes"] and dateline_of(text + " ") is not None),
        math.log1p(len(inner)) * (kind is None),
        known,
        float(not shape["begins"]) + float(not shape["ends"]),
        _company(collation, block, best),
        float(shape["opens"] and shape["closes"] and len(inner) < SHORT),
        math.log1p(len(have)),
        math.log1p(len(lack)),
        len(holding) / (len(holding) + len(lacking)),
        len(have) / (len(have) + len(lack)),
        _doubled(collation, block, best),
        kinship,
        float(bool(_READER & set(spoken)) and not QUOTES & {tokens.texts[index] for index in inner}),
        only,
        alone * math.log1p(len(lacking)),
        only * math.log1p(len(lack)),
        only * kinship,
    ]


# What an agency's own sentences say in quotation marks only.
_READER = frozenset({"you", "your", "our", "we", "us", "my", "i", "click", "please"})
LONG = 5


def _kinship(tokens: Tokens, inner: Sequence[int], words: Mapping[str, int]) -> float:
    """Share of the block's long words that other blocks have too; a half where it has none."""
    long = {tokens.folds[index] for index in inner if len(tokens.folds[index]) >= LONG}
    return (sum(words[word] > 1 for word in long) + 0.5) / (len(long) + 1)


def _doubled(collation: Collation, block: Block, w: int) -> float:
    """Share of the block's runs of three words that the witness has at another place of its text, too."""
    folds, line = collation.tokens[w].folds, collation.columns[w]
    inner = [index for index in line[block.first : block.last] if index >= 0]
    own = set(zip(*(folds[inner[0] : inner[-1] + 1][shift:] for shift in range(3)), strict=False))
    if len(own) < LEAST_DOUBLED - 2:
        return 0.0
    rest = (folds[: inner[0]], folds[inner[-1] + 1 :])
    there = {run for part in rest for run in zip(part, part[1:], part[2:], strict=False) if run in own}
    return len(there) / len(own)


# Most promotion lines are shorter, in tokens; most paragraphs of an article are longer.
SHORT = 16


def _kind(collation: Collation, block: Block, have: Sequence[int]) -> Furniture | None:
    """What the paragraphs that the block is a part of are, if most of its holders print it in such a paragraph."""
    kinds: Counter[Furniture | None] = Counter()
    for w in have:
        tokens = collation.tokens[w]
        places = {tokens.places[index] for index in collation.columns[w][block.first : block.last] if index >= 0}
        kinds.update({furniture_of(tokens.paragraphs[place]) for place in places})
    return min(kinds, key=lambda kind: (-kinds[kind], kind is not None, kind or ""))


def _company(collation: Collation, block: Block, w: int) -> float:
    """Share of the rest of the block's paragraphs that other witnesses have too; 0 where the block is whole paragraphs."""
    tokens = collation.tokens[w]
    line = collation.columns[w]
    places = {tokens.places[index] for index in line[block.first : block.last] if index >= 0}
    first, last = block.first, block.last
    while first > 0 and (line[first - 1] < 0 or tokens.places[line[first - 1]] in places):
        first -= 1
    while last < len(line) and (line[last] < 0 or tokens.places[line[last]] in places):
        last += 1
    rest = [column for column in (*range(first, block.first), *range(block.last, last)) if line[column] >= 0]
    if not rest:
        return 0.0
    shared = 0
    for column in rest:
        shared += any(row[column] >= 0 for other, row in enumerate(collation.columns) if other != w)
    return shared / len(rest)


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
        "first": _leads(collation, w, first),
        "last": last + 1 == len(tokens),
        "begins": tokens.opens(first) or tokens.folds[first - 1] in _ENDS,
        "ends": tokens.closes(last) or tokens.folds[last] in _ENDS,
    }


def _leads(collation: Collation, w: int, first: int) -> bool:
    """Whether nothing of the body stands before the token, or lines of the witness's own alone under the page's title."""
    tokens = collation.tokens[w]
    if first == 0 or tokens.roles[0] is not Role.TITLE:
        return first == 0
    return not any(
        row[column] >= 0
        for column, index in enumerate(collation.columns[w])
        if 0 <= index < first and tokens.roles[tokens.places[index]] is not Role.TITLE
        for other, row in enumerate(collation.columns)
        if other != w
    )


_ENDS = frozenset({".", "!", "?", '"', "...", "…"})


def _why(row: Sequence[float]) -> str:
    named = dict(zip(NAMES, row, strict=True))
    if named["promotion or comment"] or named["pointer"]:
        return "promotion"
    if named["credit"]:
        return "credit"
    if named["byline"]:
        return "byline"
    if named["dateline"]:
        return "dateline"
    return "one lineage only" if named["one lineage holds it"] else "lacking in most witnesses"
