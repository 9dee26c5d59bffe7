"""What speaks for a reading before anybody is asked: fluency in its context, its shape, the article's own words."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipeline.philology.language import Fluency
from pipeline.philology.tokens import QUOTES, Shape, fold, shape_of, unspaced
from pipeline.philology.units import Candidate

# One weight a feature of `features`: log-odds, fitted by bench/recovery_fit.py on units whose original is known; those of
# damaged numbers and of learned pairs, which the fitted cases lack, are set. A word speaks for itself by what its context
# adds to its frequency: some spinners like rare words, others common ones.
WEIGHTS: tuple[float, ...] = (
    0.394,
    -0.45,
    -2.15,
    -4.4,
    0.162,
    0.53,
    2.1,
    -1.2,
    -1.5,
    1.1,
    3.45,
    -4.7,
    2.75,
    1.8,
    -5.0,
    1.0,
)
NAMES: tuple[str, ...] = (
    "in context",
    "by itself",
    "rare",
    "words",
    "letters",
    "known elsewhere",
    "pair known elsewhere",
    "empty",
    "empty beside several words",
    "marks",
    "quotes",
    "lower case opens a sentence",
    "capitals",
    "apostrophes",
    "damaged",
    "learned",
)
# A word with a log frequency below this is rare: misspelt, a name, or inflected by a machine (goed, maked).
RARE = -16.5

_HALF_SPELT = re.compile(r"^[^\W\d_]{3,}[.,]\d|\d[.,][^\W\d_]{3,}$")
_ENDS = frozenset(".!?")


@lru_cache(maxsize=65_536)
def spoken(text: str) -> tuple[str, ...]:
    """The words of a token as a language model knows them: lower case, hyphens undone; none for punctuation."""
    if shape_of(text) is Shape.PUNCTUATION:
        return ()
    return tuple(part for part in fold(text).split("-") if part)


def context_before(texts: Sequence[str]) -> list[str]:
    """The last two words, or the opening of a sentence."""
    words: list[str] = []
    for text in reversed(texts):
        if text[0] in _ENDS:
            words.append("<s>")
            break
        words.extend(reversed(spoken(text)))
        if len(words) >= 2:
            break
    else:
        words.append("<s>")
    return words[:2][::-1]


def context_after(texts: Sequence[str]) -> list[str]:
    """The next two words, or the end of the sentence."""
    words: list[str] = []
    for text in texts:
        if text[0] in _ENDS:
            words.append("</s>")
            break
        words.extend(spoken(text))
        if len(words) >= 2:
            break
    return words[:2]


def log_fluency(words: Sequence[str], before: Sequence[str], after: Sequence[str], fluency: Fluency) -> float:
    """Log probability of the words between what stands before and after them, the words after them included."""
    line = [*before, *words, *after]
    return sum(fluency(line[max(0, at - 2) : at + 1]) for at in range(len(before), len(line)))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What readings of a story are judged with.

    `fluency` judges words in context, `frequency` by themselves; `words` and `pairs` count the folded words, and neighbours of
    words, on which all witnesses agree elsewhere in the story; `learned` says how much more often a reading was the
    original's than the spinner's in other stories.
    """

    fluency: Fluency
    frequency: Fluency
    words: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    learned: Mapping[tuple[str, ...], float]


def features(
    candidate: Candidate,
    before: Sequence[str],
    after: Sequence[str],
    around: Surroundings,
    longest: int,
    worn: bool = False,
) -> list[float]:
    """The features of one reading between the tokens before and after it, in the order of NAMES.

    `longest` is the number of tokens of the longest reading of the place; `worn` says that the reading is another one of the
    place that lost a blank or a comma (wear.py).
    """
    return features_in(candidate, context_of(before, after), around, longest, worn)


@dataclass(frozen=True, slots=True)
class Context:
    """What the readings of a place are judged between: the words before and after, and whether a sentence opens there."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    opening: bool


def context_of(before: Sequence[str], after: Sequence[str]) -> Context:
    """The context between the tokens before and after."""
    opening = not before or before[-1][0] in _ENDS or (before[-1] in QUOTES and len(before) > 1 and before[-2][0] in _ENDS)
    return Context(tuple(context_before(before)), tuple(context_after(after)), opening)


def features_in(candidate: Candidate, context: Context, around: Surroundings, longest: int, worn: bool = False) -> list[float]:
    """What `features` gives, where the context of a place is known."""
    texts, opening = candidate.texts, context.opening
    form = _form_of(texts)
    words = form.words
    alone = [around.frequency([word]) for word in words]
    line = [*context.left[-1:], *words, *context.right[:1]]
    known = [math.log1p(around.words.get(word, 0)) for word in words]
    return [
        log_fluency(words, context.left, context.right, around.fluency),
        sum(alone),
        float(sum(value < RARE for value in alone)),
        float(len(words)),
        form.letters,
        sum(known) / max(1, len(known)),
        float(sum(min(1, around.pairs.get(pair, 0)) for pair in pairwise(line))) / max(1, len(line) - 1),
        float(not texts),
        float(min(3, longest - 1)) if not texts else 0.0,
        form.marks,
        form.quotes,
        float(bool(opening and texts and texts[0][0].islower())),
        float(any(text[0].isupper() for text in (texts[1:] if opening else texts))),
        form.apostrophes,
        float(worn or form.damaged),
        around.learned.get(form.folded, 0.0) if around.learned else 0.0,
    ]


@dataclass(frozen=True, slots=True)
class _Form:
    """What a reading shows by itself."""

    words: tuple[str, ...]
    folded: tuple[str, ...]
    letters: float
    marks: float
    quotes: float
    apostrophes: float
    damaged: bool


@lru_cache(maxsize=8_192)
def _form_of(texts: tuple[str, ...]) -> _Form:
    words = tuple(_words(texts))
    marks = [text for text in texts if shape_of(text) is Shape.PUNCTUATION]
    quotes = sum(text in QUOTES for text in marks)
    folded = tuple(map(fold, texts))
    return _Form(
        words=words,
        folded=folded,
        letters=float(sum(map(len, words))),
        marks=float(len(marks) - quotes),
        quotes=float(quotes),
        apostrophes=float(any("'" in text[1:] for text in folded)),
        damaged=any(_damaged(text) for text in texts),
    )


def _words(texts: Sequence[str]) -> list[str]:
    """The words of a reading; tokens of a script without blanks that stand together are one."""
    found: list[str] = []
    together = False
    for text in texts:
        if together and unspaced(text):
            found[-1] += fold(text)
        else:
            found.extend(spoken(text))
        together = unspaced(text)
    return found


def _damaged(text: str) -> bool:
    """Whether a number is half spelt out: two,500 or 8.Eight."""
    return _HALF_SPELT.search(text) is not None


def learned_directions(pairs: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, ...], float]:
    """Folded reading → log-odds of being the original's, from (original, spun, stories) of other stories."""
    right: Counter[tuple[str, ...]] = Counter()
    wrong: Counter[tuple[str, ...]] = Counter()
    for original, spun, stories in pairs:
        right[tuple(fold(original).split())] += stories
        wrong[tuple(fold(spun).split())] += stories
    return {words: float((right[words] - wrong[words]) / (right[words] + wrong[words] + 1)) for words in right | wrong}
