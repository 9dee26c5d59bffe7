"""What the URLs of pages spell of a headline, as evidence of its words: a spun page often keeps the first headline in its slug.

Slugs leave words out and have neither marks nor capitals, so none of them says how a headline was printed. They only choose
among readings that witnesses print; and a slug speaks only where it is older than its page's headline, which shows in that
it spells what another page prints and its own does not. Then the page has one vote, and it is the slug's.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz.distance import LCSseq

from pipeline.philology.collation import Collation
from pipeline.philology.housestyle import wordings
from pipeline.philology.reliability import Disputes, Solution, contributions, gain
from pipeline.philology.titles import ALIKE, Titles
from pipeline.philology.units import ABSENT, Candidate, Place

# Of a slug's words so many stand in its headline, whatever it is, or it is a slug of something else.
FEWEST = 3
# Chance that a slug that is older than its page's headline spells a word that the agency's headline did not have: papers word
# slugs for search engines, too.
SLUG_ERROR = 0.1
# A probability that evidence can still raise.
LEAST = 1e-9

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slug:
    """A slug that speaks: the witness whose headline it is the most like, and the readings that it spells.

    `says[at]` are the candidates of a place that have the words spelt there; they differ in marks and capitals alone.
    """

    nearest: int
    says: Mapping[int, frozenset[int]]


def slugs_of(collation: Collation, titles: Titles, places: Sequence[Place]) -> dict[int, Slug]:
    """The slugs that speak, by witness."""
    if all(collation.witnesses[w].slug is None for w in titles.words):
        return {}
    inside = [(at, place) for at, place in enumerate(places) if titles.columns.issuperset(range(place.first, place.last))]
    printed = {w: [_plain(collation.tokens[w].folds[index]) for index in span] for w, span in titles.spans.items()}
    vocabulary = {word for words in printed.values() for word in words}
    found: dict[int, Slug] = {}
    for w in titles.words:
        words = _fitted((collation.witnesses[w].slug or "").split(), vocabulary)
        matched = {v: _matched(words, own) for v, own in printed.items()}
        near = {v: own for v, own in matched.items() if len(own) >= max(FEWEST, ALIKE * len(words))}
        if not near or len(matched[w]) == len(words):  # all of it stands in its own page's headline
            continue
        says = {at: spelt for at, place in inside if (spelt := _spelt(collation, place, near))}
        if w not in near or any(places[at].choice[w] not in {ABSENT, *spelt} for at, spelt in says.items()):
            found[w] = Slug(max(near, key=lambda v: (len(near[v]), v == w, -v)), says)
    return found


def with_slugs(
    slugs: Mapping[int, Slug],
    places: Sequence[Place],
    posteriors: Mapping[int, tuple[float, ...]],
    weighed: Sequence[int],
    disputes: Disputes,
    solution: Solution,
) -> dict[int, tuple[float, ...]]:
    """The probabilities of the readings once every page whose slug speaks votes for what that spells.

    `weighed[row]` is the place of a row of the disputes. Slugs of one lineage share its vote.
    """
    found = dict(posteriors)
    spoken = {at for slug in slugs.values() for at in slug.says}
    rows = [row for row, at in enumerate(weighed) if at in spoken]
    if not rows:
        return found
    those = replace(disputes, choice=disputes.choice[rows], prior=disputes.prior[rows])
    printed = contributions(those, solution)
    added = float(gain(np.array([SLUG_ERROR]))[0])
    for number, row in enumerate(rows):
        at = weighed[row]
        form = wordings(places[at])
        speaking: dict[int, list[Collection[int]]] = defaultdict(list)
        for w, slug in sorted(slugs.items()):
            if at in slug.says:
                speaking[solution.lineages[w]].append({form[candidate] for candidate in slug.says[at]})
        moved = np.zeros(printed.shape[2])
        for lineage, spelt in speaking.items():
            moved -= printed[lineage, number]
            for forms in spelt:
                moved[list(forms)] += added / len(spelt)
        scores = np.log(np.maximum(found[at], LEAST)) + moved[list(form)]
        weights = np.exp(scores - scores.max())
        found[at] = tuple(map(float, weights / weights.sum()))
    return found


def votes_of(slugs: Mapping[int, Slug], voices: Sequence[float], lineages: Sequence[int]) -> list[float]:
    """The weight of every witness where the agency's headline is chosen: that of a lineage whose slugs speak is theirs."""
    speakers = [lineages[w] for w in slugs]
    return [
        1 / speakers.count(lineage) if w in slugs else 0.0 if lineage in speakers else voice
        for w, (voice, lineage) in enumerate(zip(voices, lineages, strict=True))
    ]


def _plain(fold: str) -> str:
    """A folded word as URLs have it: its letters and digits, without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", fold) if letter.isalnum())


def _fitted(words: Sequence[str], vocabulary: Collection[str]) -> list[str]:
    """The slug's words, those put together again that it cuts at a mark: `u-s`, `china-s`, `high-profile`."""
    found: list[str] = []
    rest = [_plain(word) for word in words]
    while rest:
        size = next((n for n in (3, 2) if _was_cut(rest[:n], vocabulary)), 1)
        found.append("".join(rest[:size]))
        rest = rest[size:]
    return found


def _was_cut(words: Sequence[str], vocabulary: Collection[str]) -> bool:
    return "".join(words) in vocabulary and not all(word in vocabulary for word in words)


def _matched(slug: Sequence[str], printed: Sequence[str]) -> frozenset[int]:
    """Indices of the printed words that the slug spells, in order."""
    steps = [step for step in LCSseq.opcodes(slug, printed) if step.tag == "equal"]
    return frozenset(index for step in steps for index in range(step.dest_start, step.dest_end))


def _spelt(collation: Collation, place: Place, near: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """The candidates that the slug spells, given the words of headlines like it that it matches; empty where it is silent.

    A slug leaves words out: what it spells says nothing against a reading that has the same words and more.
    """
    words = [_words(candidate) for candidate in place.candidates]
    spelt = {
        words[place.choice[v]]
        for v, matched in near.items()
        if place.choice[v] != ABSENT and _is_spelt(collation, v, place.candidates[place.choice[v]], matched)
    }
    longest = max(spelt, key=len, default=())
    if not longest or any(other != longest and _holds(other, longest) for other in words) or not _agree(spelt, longest):
        return frozenset()
    return frozenset(number for number, own in enumerate(words) if own == longest)


def _agree(spelt: Collection[Words], longest: Words) -> bool:
    return all(_holds(longest, other) for other in spelt)


def _words(candidate: Candidate) -> Words:
    return tuple(word for text in candidate.texts if (word := _plain(text.casefold())))


def _is_spelt(collation: Collation, v: int, candidate: Candidate, matched: Collection[int]) -> bool:
    tokens, columns = collation.tokens[v], collation.columns[v]
    indices = [columns[column] for column in candidate.columns if columns[column] >= 0]
    wordy = [index for index in indices if _plain(tokens.folds[index])]
    return bool(wordy) and all(index in matched for index in wordy)


def _holds(words: Words, part: Words) -> bool:
    """Whether the words of `part` stand among the words, in order."""
    rest = iter(words)
    return all(word in rest for word in part)
