"""Best alignment of one witness to a profile of columns: affine gaps on words, compiled once and cached."""

import bisect

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.native import native

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

# Order of the score table handed to `align`; see `pipeline.philology.profile` for the values and their reasons.
EQUAL, EQUAL_MARK, ALIKE, WORDS, MARKS, MIXED, GAP_OPEN, GAP_EXTEND, GAP_OPEN_AT_PARAGRAPH, OPENING_BOTH, OPENING_ONE = range(
    11
)


@native(lambda *args: len(args[0]) * len(args[6]))
def match_scores(
    words: Ints,
    heads: Ints,
    tails: Ints,
    marks: Ints,
    opens: Ints,
    pointer: Ints,
    column_words: Ints,
    column_heads: Ints,
    column_tails: Ints,
    column_marks: Ints,
    counts: Floats,
    column_opens: Floats,
    scores: Floats,
) -> Floats:
    """Score of every token against every column, shape (tokens, columns): the mean over the witnesses present there.

    `words` are ids of folded forms, `heads` and `tails` ids of their first and last letters (-1: none), `marks` 1 for
    punctuation, `opens` 1 where a paragraph begins. The entries of column j are pointer[j] … pointer[j + 1].
    """
    n = words.shape[0]
    m = pointer.shape[0] - 1
    out = np.empty((n, m), dtype=np.float32)
    for j in range(m):
        first = pointer[j]
        last = pointer[j + 1]
        total = np.float32(0.0)
        for e in range(first, last):
            total += counts[e]
        for i in range(n):
            score = np.float32(0.0)
            for e in range(first, last):
                if column_words[e] == words[i]:
                    score += counts[e] * (scores[1] if marks[i] else scores[0])
                elif column_marks[e] != marks[i]:
                    score += counts[e] * scores[5]
                elif marks[i]:
                    score += counts[e] * scores[4]
                elif (heads[i] >= 0 and column_heads[e] == heads[i]) or (tails[i] >= 0 and column_tails[e] == tails[i]):
                    score += counts[e] * scores[2]
                else:
                    score += counts[e] * scores[3]
            score /= total
            both = column_opens[j]
            if opens[i]:
                score += both * scores[9] + (np.float32(1.0) - both) * scores[10]
            else:
                score += both * scores[10]
            out[i, j] = score
    return out


@native(lambda *args: args[0].size)
def best_path(  # noqa: C901, PLR0912, PLR0915  (compiled: calls cost more than they clear)
    score: Floats, opens: Ints, column_opens: Floats, held: Floats, scores: Floats
) -> Ints:
    """For each token the column that it stands in, or -1 where it opens a column of its own.

    Gotoh's algorithm (1982) with three states. `held` is the share of witnesses that have something in a column: to lack
    what few have is cheap. Gaps at either end cost no opening.
    """
    n, m = score.shape
    far = np.float32(-1e9)
    trace = np.zeros((n + 1, m + 1), dtype=np.uint8)
    # state 0: matched; 1: token alone (insertion); 2: column alone (gap in the witness)
    match = np.full(m + 1, far, dtype=np.float32)
    insert = np.full(m + 1, far, dtype=np.float32)
    lack = np.full(m + 1, far, dtype=np.float32)
    match[0] = 0.0
    for j in range(1, m + 1):
        lack[j] = (lack[j - 1] if j > 1 else np.float32(0.0)) + scores[7] * held[j - 1]
        trace[0, j] = 2 << 4
    for i in range(1, n + 1):
        match_before = match[0]
        insert_before = insert[0]
        lack_before = lack[0]
        match[0] = far
        lack[0] = far
        insert[0] = scores[7] * i
        trace[i, 0] = 1 << 2
        for j in range(1, m + 1):
            match_up = match[j]
            insert_up = insert[j]
            lack_up = lack[j]
            step = 0
            # matched
            best = match_before
            origin = 0
            if insert_before > best:
                best = insert_before
                origin = 1
            if lack_before > best:
                best = lack_before
                origin = 2
            step |= origin
            new_match = best + score[i - 1, j - 1]
            # token alone
            opening = scores[8] if opens[i - 1] else scores[6]
            if j == m:
                opening = np.float32(0.0)
            best = match_up + opening
            origin = 0
            if insert_up > best:
                best = insert_up
                origin = 1
            if lack_up + opening > best:
                best = lack_up + opening
                origin = 2
            step |= origin << 2
            new_insert = best + scores[7]
            # column alone
            opening = scores[6] + (scores[8] - scores[6]) * column_opens[j - 1]
            opening *= held[j - 1]
            if i == n:
                opening = np.float32(0.0)
            best = match[j - 1] + opening
            origin = 0
            if insert[j - 1] + opening > best:
                best = insert[j - 1] + opening
                origin = 1
            if lack[j - 1] > best:
                best = lack[j - 1]
                origin = 2
            step |= origin << 4
            new_lack = best + scores[7] * held[j - 1]
            match[j] = new_match
            insert[j] = new_insert
            lack[j] = new_lack
            trace[i, j] = step
            match_before = match_up
            insert_before = insert_up
            lack_before = lack_up
    where = np.full(n, -1, dtype=np.int32)
    state = 0
    best = match[m]
    if insert[m] > best:
        best = insert[m]
        state = 1
    if lack[m] > best:
        state = 2
    i = n
    j = m
    while i > 0:
        move = int(trace[i, j])
        if state == 0:
            where[i - 1] = j - 1
            state = move & 3
            i -= 1
            j -= 1
        elif state == 1:
            state = (move >> 2) & 3
            i -= 1
        else:
            state = (move >> 4) & 3
            j -= 1
    return where


@native(lambda *args: len(args[1]))
def widen(table: Ints, where: Ints) -> Ints:
    """The table with one more row placed by `where`; a token that has no column gets a new one behind its predecessor's."""
    k, m = table.shape
    n = where.shape[0]
    fresh = 0
    for i in range(n):
        if where[i] < 0:
            fresh += 1
    out = np.full((k + 1, m + fresh), -1, dtype=np.int32)
    at = 0
    column = 0
    for i in range(n):
        if where[i] >= 0:
            while column <= where[i]:
                out[:k, at] = table[:, column]
                if column == where[i]:
                    out[k, at] = i
                column += 1
                at += 1
        else:
            out[k, at] = i
            at += 1
    while column < m:
        out[:k, at] = table[:, column]
        column += 1
        at += 1
    return out


@native(lambda *args: args[0].size)
def summarize(
    table: Ints, offsets: NDArray[np.int64], words: Ints, heads: Ints, tails: Ints, marks: Ints, opens: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints, Floats, Floats, Floats]:
    """What stands in each column: distinct words with their counts, the share that opens a paragraph, the share held."""
    k, m = table.shape
    pointer = np.zeros(m + 1, dtype=np.int32)
    size = 0
    for j in range(m):
        for r in range(k):
            if table[r, j] >= 0:
                size += 1
    entry_words = np.empty(size, dtype=np.int32)
    entry_heads = np.empty(size, dtype=np.int32)
    entry_tails = np.empty(size, dtype=np.int32)
    entry_marks = np.empty(size, dtype=np.int32)
    counts = np.zeros(size, dtype=np.float32)
    column_opens = np.zeros(m, dtype=np.float32)
    held = np.zeros(m, dtype=np.float32)
    top = 0
    for j in range(m):
        pointer[j] = top
        present = 0
        for r in range(k):
            if table[r, j] < 0:
                continue
            at = offsets[r] + table[r, j]
            present += 1
            column_opens[j] += opens[at]
            found = False
            for e in range(pointer[j], top):
                if entry_words[e] == words[at]:
                    counts[e] += 1
                    found = True
                    break
            if not found:
                entry_words[top] = words[at]
                entry_heads[top] = heads[at]
                entry_tails[top] = tails[at]
                entry_marks[top] = marks[at]
                counts[top] = 1
                top += 1
        column_opens[j] /= max(present, 1)
        held[j] = present / k
    pointer[m] = top
    return pointer, entry_words[:top], entry_heads[:top], entry_tails[:top], entry_marks[:top], counts[:top], column_opens, held


def increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain of the pairs that increases in both members (patience sorting)."""
    pairs = sorted(pairs)
    tops: list[int] = []
    ends: list[int] = []
    back: list[int] = []
    for index, (_, second) in enumerate(pairs):
        pile = bisect.bisect_left(tops, second)
        back.append(ends[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(second)
            ends.append(index)
        else:
            tops[pile] = second
            ends[pile] = index
    chain: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = back[index]
    return chain[::-1]


@native(lambda *args: len(args[0]))
def loosen(  # noqa: C901  (compiled, as above)
    where: Ints, words: Ints, heads: Ints, marks: Ints, pointer: Ints, column_words: Ints, gap: int
) -> Ints:
    """`where` without its islands: aligned stretches between long gaps in which too few words are the same.

    Words in common count 1 from five letters, 0.4 below, others -0.4; a stretch beside a gap of `gap` tokens or columns that
    does not reach 1 has come to stand there by chance, and its tokens get columns of their own.
    """
    n = where.shape[0]
    m = pointer.shape[0] - 1
    out = where.copy()
    begin = 0
    while begin < n:
        if where[begin] < 0:
            begin += 1
            continue
        score = 0.0
        last = begin
        i = begin
        while i < n:
            if where[i] >= 0:
                if i - last > gap or where[i] - where[last] > gap:
                    break
                last = i
                if not marks[i]:
                    same = False
                    for e in range(pointer[where[i]], pointer[where[i] + 1]):
                        if column_words[e] == words[i]:
                            same = True
                    score += (1.0 if heads[i] >= 0 else 0.4) if same else -0.4
            i += 1
        before = begin - 1
        while before >= 0 and where[before] < 0:
            before -= 1
        after = last + 1
        while after < n and where[after] < 0:
            after += 1
        column_before = where[before] if before >= 0 else -1
        column_after = where[after] if after < n else m
        apart = (
            begin - before > gap or after - last > gap or where[begin] - column_before > gap or column_after - where[last] > gap
        )
        if apart and score < 1.0:
            for j in range(begin, last + 1):
                out[j] = -1
        begin = last + 1
    return out
