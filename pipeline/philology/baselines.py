"""What a reader would do without a recovery, and how far a text is from the original."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from pipeline.philology.collation import Collation
from pipeline.philology.printing import Chosen, assembled
from pipeline.philology.tokens import tokenize, tokens_of
from pipeline.philology.witness import Witness


def longest(witnesses: Sequence[Witness]) -> str:
    """The text of the witness with the most tokens; empty where there is none."""
    return max((_text(witness) for witness in witnesses), key=lambda text: (len(words_of(text)), text), default="")


def medoid(witnesses: Sequence[Witness]) -> str:
    """The text of the witness that is nearest to all others, by word edits over the longer length."""
    texts = sorted(_text(witness) for witness in witnesses)
    rows = [words_of(text) for text in texts]
    far = [sum(Levenshtein.normalized_distance(row, other) for other in rows) for row in rows]
    return texts[far.index(min(far))] if texts else ""


def majority(collation: Collation) -> str:
    """What most witnesses have in every column, a gap counting as a vote; on a tie a token, then the first in order."""
    chosen: list[Chosen] = []
    for column in range(collation.width):
        votes: Counter[str] = Counter()
        for row, tokens in zip(collation.columns, collation.tokens, strict=True):
            votes[tokens.texts[row[column]] if row[column] >= 0 else ""] += 1
        best = min(votes, key=lambda text: (-votes[text], not text, text))
        if best:
            chosen.append(Chosen(best, column))
    return assembled(collation, chosen)


def token_error_rate(text: str, original: str) -> float:
    """Word edits (put in, left out, replaced) over the number of tokens of the original; case and punctuation count.

    0 is the original itself; the rate may exceed 1. Without an original it is 0 for an empty text, else 1.
    """
    ours, theirs = words_of(text), words_of(original)
    if not theirs:
        return float(bool(ours))
    return Levenshtein.distance(ours, theirs) / len(theirs)


def words_of(text: str) -> list[str]:
    """The tokens of a text, NFC, paragraphs ignored."""
    return list(tokenize((unicodedata.normalize("NFC", text),)).texts)


def _text(witness: Witness) -> str:
    return "\n\n".join(paragraph for paragraph in tokens_of(witness).paragraphs if paragraph)
