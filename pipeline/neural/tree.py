"""A question as tokens: the text as a trunk, and every reading that is not in it as a branch that hangs on the trunk."""

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from pipeline.neural.bytepairs import BytePairs
from pipeline.philology.question import Question, Site

# Words after a reading that have a say on it.
AFTER = 5
# Characters that a word beside a site may have: what is longer is no word, and the site is not judged.
MOST_CHARACTERS = 60
_AFTER = regex.compile(rf"(?:[^\S\n]*+\S{{1,{MOST_CHARACTERS}}}+(?!\S)){{1,{AFTER}}}")
_BEFORE = regex.compile(rf"(?r)(?:^|\s)\S{{0,{MOST_CHARACTERS}}}$")


@dataclass(frozen=True, slots=True)
class Hung:
    """One reading: `targets` follow one another from trunk token `first` on, and leave the trunk after `kept` of them.

    The branch holds `targets[kept:-1]`, on trunk token `first + kept`: nothing is asked after the last.
    """

    first: int
    kept: int
    targets: tuple[int, ...]

    @property
    def parent(self) -> int:
        """The trunk token that the branch hangs on."""
        return self.first + self.kept

    @property
    def branch(self) -> tuple[int, ...]:
        """The tokens of the branch."""
        return self.targets[self.kept : -1]


@dataclass(frozen=True, slots=True)
class Tree:
    """`trunk[0]` opens the text; `hung[site]` holds the readings of a site, the trunk's own first; None: it is not read."""

    trunk: tuple[int, ...]
    hung: tuple[tuple[Hung, ...] | None, ...]


def tree_of(question: Question, pairs: BytePairs, opening: int, longest: int) -> Tree:
    """The tree of a question, its trunk at most `longest` tokens long; sites beyond that are None.

    Readings are cut into tokens together with the words around them, from a blank to a blank, so that a branch reads as the
    same text would by itself.
    """
    spans = [_stretch(question.text, site) for site in question.sites]
    bounds = sorted({0, *(at for span in spans if span for at in span)})
    trunk, index = [opening], {}
    for start, end in zip(bounds, [*bounds[1:], len(question.text)], strict=True):
        index[start] = len(trunk)
        if len(trunk) < longest:
            trunk.extend(pairs.encode(question.text[start:end]))
    index[len(question.text)] = len(trunk)
    hung: list[tuple[Hung, ...] | None] = []
    for site, span in zip(question.sites, spans, strict=True):
        if span is None or index[span[1]] > longest:
            hung.append(None)
            continue
        before, after = question.text[span[0] : site.start], question.text[site.end : span[1]]
        hung.append(_hang(index[span[0]], [pairs.encode(f"{before}{reading}{after}") for reading in site.readings]))
    return Tree(tuple(trunk[:longest]), tuple(hung))


def _stretch(text: str, site: Site) -> tuple[int, int] | None:
    """The bounds of what is read anew with every reading: from the blank before the word before it to a blank after it."""
    before = _BEFORE.search(text, 0, site.start)
    after = _AFTER.match(text, site.end)
    if before is None or (after is None and text[site.end :].strip()):
        return None
    start = before.start()
    while start and text[start - 1].isspace():
        start -= 1
    return start, after.end() if after else site.end


def _hang(start: int, every: Sequence[Sequence[int]]) -> tuple[Hung, ...] | None:
    """The readings of a site, whose tokens `every` stand from trunk token `start` on, the trunk's own first."""
    common = min(_shared(every[0], tokens) for tokens in every)
    common = min(common, *(len(tokens) - 1 for tokens in every))
    if common < 0:
        return None
    own = every[0][common:]
    return tuple(
        Hung(start - 1 + common, min(_shared(own, tokens[common:]), len(tokens) - common - 1), tuple(tokens[common:]))
        for tokens in every
    )


def _shared(one: Sequence[int], two: Sequence[int]) -> int:
    """Length of the beginning that both have."""
    found = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        found += 1
    return found
