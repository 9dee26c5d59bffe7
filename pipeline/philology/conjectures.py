"""Conjectures: readings that no witness attests, from substitutions that other stories settled; offered, never applied.

A copy that nobody contradicts keeps its machine's words. Where other stories have shown that "in keeping with" stood for
"according to", that is told of this one with a probability. What a spinner did to a number (two,500) is undone by itself.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.philology.calibration import interpolated
from pipeline.philology.language import Fluency, fluency_of, frequency_of
from pipeline.philology.prior import context_after, context_before, log_fluency, spoken
from pipeline.philology.recovered import Conjecture, LearnedPair, Recovery
from pipeline.philology.tokens import fold

# A conjecture is offered from this probability on.
LEAST = 0.9
# Of what fewer stories settled, the surest conjectures are right no oftener than nine times in ten.
LEAST_STORIES = 10
# Of the originals that a word has stood for only the most frequent are weighed.
MOST_ORIGINALS = 6
LONGEST = 4
CONTEXT = 4

NAMES: tuple[str, ...] = (
    "bias", "stories with the pair", "share of the pair", "stories with the spun side", "originals unseen",
    "stories with it as original", "frequency of the spun", "frequency of the original", "context", "tokens of the spun",
    "tokens of the original", "difference in tokens", "plain share", "plain share by stories",
    "spun words in the text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds that the original stood there, one a feature, and what they turned out to mean.

    `first` is used before it is known how many spun words the text has, and lacks the last feature; `table` holds pairs of raw
    log-odds and the share right on articles held apart, as in calibration.py.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]
    table: tuple[tuple[float, float], ...]


# Fitted by bench/conjectures.py on stories whose original is known.
WEIGHTS = Weights(
    first=(-3.449, -0.47, -1.122, 0.957, -0.117, 0.018, -0.431, 0.246, 0.294, -2.098, -3.449, 1.351, 1.982, 0.792),
    second=(-1.769, -0.384, -0.954, 1.047, 0.048, 0.039, -0.449, 0.254, 0.273, -1.259, -1.769, 0.51, 2.599, 0.616, 0.966),
    table=(
        (-8.0, 0.0),
        (-1.35, 0.1655),
        (-0.99, 0.2627),
        (-0.58, 0.4309),
        (-0.1, 0.596),
        (0.73, 0.6536),
        (1.67, 0.8273),
        (2.53, 0.9185),
        (4.27, 0.9438),
    ),
)

# A digit spelt out inside a number is the machine's; that it is the same digit is next to sure.
REPAIRED = 0.97
_DIGITS = {name: str(digit) for digit, name in enumerate(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)}  # fmt: skip
_THOUSANDS = re.compile(rf"({'|'.join(_DIGITS)})((?:,\d{{2,3}})+(?:\.\d+)?)", re.IGNORECASE)
_DECIMALS = re.compile(rf"(\d+\.)({'|'.join(_DIGITS)})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Learned:
    """The pairs of other stories by their spun side, folded: (original, stories), the most frequent first."""

    originals: Mapping[tuple[str, ...], tuple[tuple[tuple[str, ...], int], ...]]
    kept: Mapping[tuple[str, ...], int]
    """Stories in which a wording was the original's."""


def learned(pairs: Iterable[LearnedPair]) -> Learned:
    """The pairs, made ready for looking up."""
    by_spun: dict[tuple[str, ...], Counter[tuple[str, ...]]] = defaultdict(Counter)
    kept: Counter[tuple[str, ...]] = Counter()
    for pair in pairs:
        original, spun = tuple(map(fold, pair.original.split())), tuple(map(fold, pair.spun.split()))
        if original != spun and len(spun) <= LONGEST:
            by_spun[spun][original] += pair.stories
            kept[original] += pair.stories
    ranked = {spun: tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))) for spun, found in by_spun.items()}
    return Learned(ranked, kept)


@dataclass(frozen=True, slots=True)
class Guess:
    """One original for the tokens first … last - 1 of a text, with what speaks for it, in the order of NAMES but the last."""

    first: int
    last: int
    original: tuple[str, ...]
    features: tuple[float, ...]


def guesses(
    texts: Sequence[str], opens: Sequence[bool], known: Learned, fluency: Fluency, frequency: Fluency
) -> Iterator[Guess]:
    """Every original that the pairs of other stories hold for a run of tokens; `opens` says where paragraphs begin."""
    folds = [fold(text) for text in texts]
    for first in range(len(texts)):
        for last in range(first + 1, min(first + LONGEST, len(texts)) + 1):
            if last - first > 1 and opens[last - 1]:
                break
            spun = tuple(folds[first:last])
            originals = known.originals.get(spun, ())
            if not originals or originals[0][1] < LEAST_STORIES:
                continue
            before, after = context_before(texts[max(0, first - CONTEXT) : first]), context_after(texts[last : last + CONTEXT])
            words = [word for text in spun for word in spoken(text)]
            alone, inside = _by_itself(words, frequency), log_fluency(words, before, after, fluency)
            stories = sum(count for _, count in originals)
            for original, count in originals[:MOST_ORIGINALS]:
                if count < LEAST_STORIES:
                    break
                proposed = [word for text in original for word in spoken(text)]
                yield Guess(
                    first,
                    last,
                    original,
                    (
                        1.0,
                        math.log(count),
                        math.log(count / stories),
                        math.log1p(stories),
                        math.log(len(originals) / (stories + 1)),
                        math.log1p(known.kept.get(spun, 0)),
                        alone,
                        _by_itself(proposed, frequency),
                        log_fluency(proposed, before, after, fluency) - inside,
                        float(last - first),
                        float(len(original)),
                        float(abs(last - first - len(original))),
                        count / stories,
                        count / stories * math.log(count),
                    ),
                )


def _by_itself(words: Sequence[str], frequency: Fluency) -> float:
    return sum(frequency([word]) for word in words)


def spun_words(found: Sequence[Guess], tokens: int, weights: Sequence[float]) -> float:
    """The last feature: log of how many of the text's tokens are expected to be spun, by the weights of the first round."""
    expected = sum(1 / (1 + math.exp(-max(-30.0, min(30.0, _odds(weights, guess.features))))) for guess in found)
    return math.log((expected + 1) / (tokens + 50))


def _odds(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def conjectures(
    recovery: Recovery,
    pairs: Sequence[LearnedPair],
    fluency: Fluency | None = None,
    doubts: Sequence[float] = (),
    weights: Weights = WEIGHTS,
) -> tuple[Conjecture, ...]:
    """What may have stood in the text where nobody attests it, in the order of the text; none overlaps another.

    `fluency` judges words in context, by default the best model at hand for the text's language. `doubts` gives for every token
    the log-odds by which its witnesses make a machine's doing less likely than one copy alone would; without it there is one
    copy, or one lineage.
    """
    tokens = recovery.tokens
    doubts = doubts or [0.0] * len(tokens)
    opens = [at == 0 or "\n" in recovery.text[tokens[at - 1].end : token.start] for at, token in enumerate(tokens)]
    texts = [token.text for token in tokens]
    found: list[Guess] = []
    if pairs:
        fluency, frequency = fluency or fluency_of(recovery.language), frequency_of(recovery.language)
        found.extend(guesses(texts, opens, learned(pairs), fluency, frequency))
    level = spun_words(found, len(tokens), weights.first)
    offered: list[tuple[float, int, int, str]] = []
    for guess in found:
        odds = _odds(weights.second, (*guess.features, level)) - max(doubts[guess.first : guess.last])
        text = cased(texts[guess.first : guess.last], guess.original)
        offered.append((interpolated(odds, weights.table), guess.first, guess.last, text))
    offered += [(REPAIRED, at, at + 1, whole) for at, text in enumerate(texts) if (whole := repaired(text))]
    attested = [(unit.start, unit.end, {fold(reading.text) for reading in unit.readings}) for unit in recovery.apparatus]
    taken: set[int] = set()
    chosen: list[Conjecture] = []
    for probability, first, last, text in sorted(offered, key=lambda one: (-one[0], one[1], one[2], one[3])):
        start, end = tokens[first].start, tokens[last - 1].end
        if probability < LEAST:
            break
        if taken.isdisjoint(range(first, last)) and not _attested(attested, start, end, text):
            taken.update(range(first, last))
            chosen.append(Conjecture(start, end, text, probability))
    return tuple(sorted(chosen, key=lambda one: one.start))


def _attested(units: Sequence[tuple[int, int, set[str]]], start: int, end: int, text: str) -> bool:
    return any(left < end and start < right and fold(text) in readings for left, right, readings in units)


def cased(spun: Sequence[str], original: Sequence[str]) -> str:
    """The original with the capitals of what stands there: all, the first one, or none."""
    whole, text = "".join(spun), " ".join(original)
    if whole.isupper() and sum(map(str.isalpha, whole)) > 1:
        return text.upper()
    return text[:1].upper() + text[1:] if whole[:1].isupper() else text


def repaired(text: str) -> str | None:
    """The number whose digit a machine spelt out, "two,500" or "8.Eight"; None for any other token."""
    if found := _THOUSANDS.fullmatch(text):
        return _DIGITS[found[1].lower()] + found[2]
    if found := _DECIMALS.fullmatch(text):
        return found[1] + _DIGITS[found[2].lower()]
    return None
