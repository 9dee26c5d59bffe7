"""The order of paragraphs that most witnesses follow, and the order in which witnesses are aligned."""

from collections import Counter, defaultdict
from collections.abc import Sequence

Runs = set[int]
"""Runs of three words as numbers, as `vocabulary.runs_by_paragraph` gives them."""

# Spun copies keep two words in five in runs of three; unrelated paragraphs share next to no such runs.
LEAST_SHARE = 0.2
LEAST_RUNS = 3
# A row of whose runs this share has come can be aligned; spun copies have two fifths.
ENOUGH = 0.25
# Beyond this size order is taken as printed: the search below is quadratic.
MOST_CLUSTERS = 400


def turns_of(rows: Sequence[Sequence[Runs]], likeness: Sequence[float]) -> list[int]:
    """The order in which the rows are aligned, as indices: the likest to the rest first, each when enough of it is there.

    `rows` holds for every row the runs of each of its paragraphs. Parts of an article that do not overlap have nowhere to
    stand until a row that holds some of both has come.
    """
    waiting = {at: set().union(*runs) for at, runs in enumerate(rows)}
    there: Runs = set()
    met: dict[int, int] = dict.fromkeys(waiting, 0)
    turns: list[int] = []
    while waiting:
        following = min(waiting, key=lambda at: (-min(ENOUGH, round(met[at] / max(1, len(waiting[at])), 9)), -likeness[at], at))
        turns.append(following)
        new = waiting.pop(following) - there
        there |= new
        for at, runs in waiting.items():
            met[at] += len(runs & new)
    return turns


def paragraph_clusters(rows: Sequence[Sequence[Runs]]) -> list[list[int]]:
    """For each row and paragraph the number of the paragraph that it is a copy of, or -1 where it is nobody's copy.

    Paragraphs are compared by the runs of three words that they share, which are what `rows` holds of each; a row has each
    number at most once.
    """
    index: dict[int, set[int]] = defaultdict(set)
    sizes: list[int] = []
    found: list[list[int]] = []
    for runs in rows:
        ranked = [pair for place, own in enumerate(runs) for pair in _likely(own, place, index, sizes)]
        numbers = [-1] * len(runs)
        taken: set[int] = set()
        for _, place, cluster in sorted(ranked):
            if numbers[place] < 0 and cluster not in taken:
                numbers[place] = cluster
                taken.add(cluster)
        for place, own in enumerate(runs):
            if numbers[place] < 0 and len(own) >= LEAST_RUNS:
                numbers[place] = len(sizes)
                sizes.append(len(own))
            if numbers[place] >= 0:
                for run in own:
                    if len(index[run]) < 8:
                        index[run].add(numbers[place])
        found.append(numbers)
    return found


def _likely(own: Runs, place: int, index: dict[int, set[int]], sizes: Sequence[int]) -> list[tuple[float, int, int]]:
    # what several paragraphs have, a name with its title or "he said", says little of any of them
    shared: dict[int, float] = defaultdict(float)
    for run in own:
        clusters = index.get(run, ())
        for cluster in clusters:
            shared[cluster] += 1 / len(clusters)
    found: list[tuple[float, int, int]] = []
    for cluster, count in shared.items():
        share = count / max(1, min(len(own), sizes[cluster]))
        if count >= LEAST_RUNS and share >= LEAST_SHARE:
            found.append((-share * count, place, cluster))
    return found


def majority_order(numbers: Sequence[Sequence[int]]) -> list[int]:
    """The clusters in the order that the fewest pairs of paragraphs in the rows contradict.

    Starts from the row whose order the others contradict least, puts what it lacks behind its neighbours, then moves single
    clusters as long as that mends more pairs than it breaks. Rows are taken in the order given where they are equal.
    """
    sequences = [[number for number in row if number >= 0] for row in numbers]
    before: Counter[tuple[int, int]] = Counter()
    clusters = {number for row in sequences for number in row}
    if len(clusters) > MOST_CLUSTERS:
        return []
    for row in sequences:
        for at, first in enumerate(row):
            for second in row[at + 1 :]:
                before[first, second] += 1
    if not any((second, first) in before for first, second in before):
        return []

    def contradicted(row: list[int]) -> int:
        return sum(
            before[second, first] - before[first, second]
            for at, first in enumerate(row)
            for second in row[at + 1 :]
            if before[second, first] > before[first, second]
        )

    start = min(sequences, key=lambda row: (contradicted(row), -len(row)))
    order = list(start)
    for row in sorted(sequences, key=contradicted):
        for at, number in enumerate(row):
            if number not in order:
                behind = order.index(row[at - 1]) + 1 if at else 0
                order.insert(behind, number)
    return _settle(order, before)


def _settle(order: list[int], before: Counter[tuple[int, int]]) -> list[int]:
    for _ in range(8):
        moved = False
        for number in order:
            at = order.index(number)
            rest = order[:at] + order[at + 1 :]
            cost = 0
            best, best_cost = 0, 0
            for slot, other in enumerate(rest):
                cost += before[number, other] - before[other, number]
                if cost < best_cost:
                    best, best_cost = slot + 1, cost
            own = sum(before[number, other] - before[other, number] for other in rest[:at])
            if best_cost < own:
                order = [*rest[:best], number, *rest[best:]]
                moved = True
        if not moved:
            break
    return order


def arrange(numbers: Sequence[int], order: Sequence[int]) -> list[int]:
    """The row's paragraphs, as indices, in the majority's order; a paragraph that is nobody's copy follows its predecessor."""
    if not order:
        return list(range(len(numbers)))
    rank = {number: at for at, number in enumerate(order)}
    keys: list[int] = []
    for number in numbers:
        keys.append(rank[number] if number >= 0 else (keys[-1] if keys else -1))
    return sorted(range(len(numbers)), key=lambda place: (keys[place], place))
