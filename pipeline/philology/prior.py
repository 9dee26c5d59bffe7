"""What speaks for a reading before anybody is asked: fluency in its context, its shape, the article's own words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.philology.language import Fluency
from pipeline.philology.tokens import Shape, fold, shape_of
from pipeline.philology.units import Candidate

# One weight a feature of `features`: log-odds, fitted by bench/recovery.py --fit on units whose original is known.
WEIGHTS: tuple[float, ...] = (
    0.266, -1.078, -1.776, 0.245, 1.247, 3.570, -5.249, 3.018, 1.975, 0.000, 0.000,
)  # fmt: skip
NAMES: tuple[str, ...] = (
    "trigrams",
    "words",
    "empty",
    "repeated",
    "marks",
    "quotes",
    "lower case opens a sentence",
    "capitals",
    "apostrophes",
    "damaged number",
    "learned",
)

_ENDS = frozenset(".!?")
_QUOTES = frozenset('"“”„«»')


def spoken(text: str) -> list[str]:
    """The words of a token as a language model knows them: lower case, hyphens undone; none for punctuation."""
    if shape_of(text) is Shape.PUNCTUATION:
        return []
    return [part for part in fold(text).split("-") if part]


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


def features(
    candidate: Candidate,
    before: Sequence[str],
    after: Sequence[str],
    fluency: Fluency,
    vocabulary: Mapping[str, int],
    learned: Mapping[tuple[str, ...], float],
) -> list[float]:
    """The features of one reading, in the order of NAMES.

    `before` and `after` are the tokens around it; `vocabulary` counts the folded words on which all witnesses agree
    elsewhere in the story; `learned` says how much more often a reading was the original's than the spinner's.
    """
    words = [word for text in candidate.texts for word in spoken(text)]
    opening = not before or before[-1][0] in _ENDS or (before[-1] in _QUOTES and len(before) > 1 and before[-2][0] in _ENDS)
    first = candidate.texts[0] if candidate.texts else ""
    inner = candidate.texts[1:] if opening else candidate.texts
    marks = [text for text in candidate.texts if shape_of(text) is Shape.PUNCTUATION]
    return [
        log_fluency(words, context_before(before), context_after(after), fluency),
        float(len(words)),
        float(not candidate.texts),
        float(sum(min(2, vocabulary.get(word, 0)) for word in words)) / max(1, len(words)),
        float(len(marks) - sum(text in _QUOTES for text in marks)),
        float(sum(text in _QUOTES for text in marks)),
        float(bool(opening and first[:1].islower())),
        float(any(text[0].isupper() for text in inner)),
        float(any("'" in fold(text)[1:] for text in candidate.texts)),
        float(
            any(
                text[0].isdigit() != text[-1].isdigit()
                for text in candidate.texts
                if len(text) > 1 and any(c in ",." for c in text)
            )
        ),
        learned.get(tuple(map(fold, candidate.texts)), 0.0),
    ]


def learned_directions(pairs: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, ...], float]:
    """Folded reading → log-odds of being the original's, from (original, spun, stories) of other stories."""
    right: Counter[tuple[str, ...]] = Counter()
    wrong: Counter[tuple[str, ...]] = Counter()
    for original, spun, stories in pairs:
        right[tuple(fold(original).split())] += stories
        wrong[tuple(fold(spun).split())] += stories
    return {words: float((right[words] - wrong[words]) / (right[words] + wrong[words] + 1)) for words in right | wrong}
