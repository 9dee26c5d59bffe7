"""What others say of the same pairs: MinHash-LSH on word 5-grams and 3-grams, SimHash, Postgres full-text search, TF-IDF.

Each peer gives a pair a score; above its threshold it calls the two copies. The threshold is the one with the best F1 on the
pairs of part "fit", so that it is chosen as ours were.
"""

import hashlib
import math
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine, text

from bench.placing_pairs import Pair
from pipeline.embedded import attach_or_start
from pipeline.philology.witness import Witness

PERMUTATIONS = 128
WORD = re.compile(r"[^\W_]+")
LEXEMES = 120  # of a newcomer that the full-text query asks for, the rarest in the stored texts
Scores = Callable[[Sequence[Pair]], list[float]]


def list_words(witness: Witness) -> list[str]:
    return WORD.findall(witness.text.lower())


def list_grams(witness: Witness, size: int) -> set[str]:
    words = list_words(witness)
    return {" ".join(words[at : at + size]) for at in range(max(1, len(words) - size + 1))}


def score_minhash(pairs: Sequence[Pair], size: int) -> list[float]:
    """The Jaccard index of the texts' word n-grams as datasketch's MinHash of 128 permutations estimates it."""
    from datasketch import MinHash  # noqa: PLC0415 (an extra)

    @lru_cache(maxsize=20_000)
    def sketch(witness: Witness) -> object:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([gram.encode() for gram in list_grams(witness, size)])
        return made

    return [float(sketch(pair.newcomer).jaccard(sketch(pair.member))) for pair in pairs]  # type: ignore[attr-defined]


def query_lsh(pairs: Sequence[Pair], size: int, threshold: float) -> list[bool]:
    """Whether a MinHashLSH that holds every member gives the pair's member for its newcomer."""
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415 (an extra)

    def sketch(witness: Witness) -> object:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([gram.encode() for gram in list_grams(witness, size)])
        return made

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    numbers: dict[Witness, int] = {}
    for pair in pairs:
        if pair.member not in numbers:
            numbers[pair.member] = len(numbers)
            index.insert(numbers[pair.member], sketch(pair.member))
    return [numbers[pair.member] in index.query(sketch(pair.newcomer)) for pair in pairs]


def score_simhash(pairs: Sequence[Pair]) -> list[float]:
    """Share of equal bits of two SimHashes (Charikar 2002): 64 bits over word 3-grams, each weighted by its count."""

    @lru_cache(maxsize=20_000)
    def sketch(witness: Witness) -> int:
        words = list_words(witness)
        counts = Counter(" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2)))
        hashes = [int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest(), "big") for gram in counts]
        bits = np.unpackbits(np.array(hashes, dtype=">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.int64)
        sums = ((2 * bits - 1) * np.array(list(counts.values()))[:, None]).sum(axis=0)
        return int("".join("1" if value > 0 else "0" for value in sums), 2)

    return [1 - (sketch(pair.newcomer) ^ sketch(pair.member)).bit_count() / 64 for pair in pairs]


def score_tfidf(pairs: Sequence[Pair]) -> list[float]:
    """The cosine of the texts' words, each by 1 + log of its count and log of the share of members that hold it."""
    members = {pair.member for pair in pairs}
    held = Counter(word for member in members for word in set(list_words(member)))

    @lru_cache(maxsize=20_000)
    def vector(witness: Witness) -> Mapping[str, float]:
        counts = Counter(list_words(witness))
        raw = {word: (1 + math.log(n)) * math.log((len(members) + 1) / (held[word] + 1)) for word, n in counts.items()}
        length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        return {word: value / length for word, value in raw.items()}

    def cosine(pair: Pair) -> float:
        other = vector(pair.member)
        return sum(value * other.get(word, 0.0) for word, value in vector(pair.newcomer).items())

    return [cosine(pair) for pair in pairs]


@contextmanager
def open_postgres() -> Iterator[Scores]:
    """Full-text search by a private PostgreSQL: rank of the member for the newcomer's rarest words, over its own rank."""
    with (
        tempfile.TemporaryDirectory(prefix="wirecopy-bench-") as folder,
        attach_or_start(Path(folder), database_url=None, redis_url=None) as servers,
    ):
        engine = create_engine(servers.database_url)

        def scores(pairs: Sequence[Pair]) -> list[float]:
            held = Counter(word for member in {pair.member for pair in pairs} for word in set(list_words(member)))

            def ask(witness: Witness) -> str:
                rarest = sorted(set(list_words(witness)), key=lambda word: (held[word], word))[:LEXEMES]
                return " | ".join(f"'{word}'" for word in rarest) or "''"

            ranked = text(
                "WITH q AS (SELECT CAST(:query AS tsquery) AS q) "
                "SELECT ts_rank(to_tsvector('simple', :member), q) "
                "/ greatest(ts_rank(to_tsvector('simple', :newcomer), q), 1e-9) FROM q"
            )
            with engine.connect() as connection:
                return [
                    float(
                        connection.scalar(
                            ranked, {"query": ask(pair.newcomer), "member": pair.member.text, "newcomer": pair.newcomer.text}
                        )
                        or 0.0
                    )
                    for pair in pairs
                ]

        yield scores
        engine.dispose()


def choose_threshold(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The score from which on pairs are called copies with the best F1."""
    best, threshold = -1.0, 1.0
    found = right = 0
    total = sum(wanted)
    rows = sorted(zip(scores, wanted, strict=True), reverse=True)
    for at, (score, is_copy) in enumerate(rows):
        found += 1
        right += is_copy
        if at + 1 < len(rows) and rows[at + 1][0] == score:
            continue
        f1 = 2 * right / (found + total)
        if f1 > best:
            best, threshold = f1, score
    return threshold


def measure_precision(called: Iterable[bool], wanted: Iterable[bool]) -> float:
    """Share of the pairs called copies that are copies."""
    rows = [is_copy for call, is_copy in zip(called, wanted, strict=True) if call]
    return sum(rows) / max(1, len(rows))


def has_datasketch() -> bool:
    return find_spec("datasketch") is not None
