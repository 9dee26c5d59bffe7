"""Best alignment of one witness to a profile of columns: affine gaps on words, compiled once and cached."""

import numpy as np
from numpy.typing import NDArray

from pipeline.philology.native import native

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

# Order of the score table handed to `align`; see `pipeline.philology.profile` for the values and their reasons.
EQUAL, EQUAL_MARK, ALIKE, WORDS, MARKS, MIXED, GAP_OPEN, GAP_EXTEND, GAP_OPEN_AT_PARAGRAPH, OPENING_BOTH, OPENING_ONE = range(
    11
)


@native(lambda *args: int((args[14] - args[13]).sum()))
def best_path(  # noqa: C901, PLR0912, PLR0915  (compiled: calls cost more than they clear)
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
    held: Floats,
    low: Ints,
    high: Ints,
    scores: Floats,
) -> Ints:
    """For each token the column that it stands in, or -1 where it opens a column of its own.

    `words` are ids of folded forms, `heads` and `tails` ids of their first and last letters (-1: none), `marks` 1 for
    punctuation, `opens` 1 where a paragraph begins. The entries of column j are pointer[j] … pointer[j + 1]; `column_opens` is
    the share of the witnesses present there that open a paragraph, `held` the share of all that are present: to lack what
    few have is cheap. Gotoh's algorithm (1982) with three states, over a band: after i tokens between low[i] and high[i]
    columns are gone through, both included. low[0] is 0 and high[n] the number of columns, neither decreases, and no row begins
    beyond the end of the one before it. A token scores against a column the mean over the witnesses present. Gaps at either
    end cost no opening.
    """
    n = words.shape[0]
    m = pointer.shape[0] - 1
    far = np.float32(-1e9)
    starts = np.zeros(n + 2, dtype=np.int64)
    for i in range(n + 1):
        starts[i + 1] = starts[i] + (high[i] - low[i] + 1)
    trace = np.zeros(starts[n + 1], dtype=np.uint8)
    totals = np.zeros(m, dtype=np.float32)
    for j in range(m):
        for e in range(pointer[j], pointer[j + 1]):
            totals[j] += counts[e]
    # state 0: matched; 1: token alone (insertion); 2: column alone (gap in the witness)
    match = np.full(m + 1, far, dtype=np.float32)
    insert = np.full(m + 1, far, dtype=np.float32)
    lack = np.full(m + 1, far, dtype=np.float32)
    match[0] = 0.0
    for j in range(1, high[0] + 1):
        lack[j] = (lack[j - 1] if j > 1 else np.float32(0.0)) + scores[7] * held[j - 1]
    for i in range(1, n + 1):
        left = low[i]
        base = starts[i] - left
        word = words[i - 1]
        head = heads[i - 1]
        tail = tails[i - 1]
        mark = marks[i - 1]
        open_here = opens[i - 1]
        if left == 0:
            match_before = match[0]
            insert_before = insert[0]
            lack_before = lack[0]
            match[0] = far
            lack[0] = far
            insert[0] = scores[7] * i
            trace[base] = 1 << 2
            left = 1
        else:
            inside = left - 1 >= low[i - 1]
            match_before = match[left - 1] if inside else far
            insert_before = insert[left - 1] if inside else far
            lack_before = lack[left - 1] if inside else far
            match[left - 1] = far
            insert[left - 1] = far
            lack[left - 1] = far
        for j in range(left, high[i] + 1):
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
            score = np.float32(0.0)
            for e in range(pointer[j - 1], pointer[j]):
                if column_words[e] == word:
                    score += counts[e] * (scores[1] if mark else scores[0])
                elif column_marks[e] != mark:
                    score += counts[e] * scores[5]
                elif mark:
                    score += counts[e] * scores[4]
                elif (head >= 0 and column_heads[e] == head) or (tail >= 0 and column_tails[e] == tail):
                    score += counts[e] * scores[2]
                else:
                    score += counts[e] * scores[3]
            score /= totals[j - 1]
            both = column_opens[j - 1]
            if open_here:
                score += both * scores[9] + (np.float32(1.0) - both) * scores[10]
            else:
                score += both * scores[10]
            new_match = best + score
            # token alone
            opening = scores[8] if open_here else scores[6]
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
            opening = scores[6] + (scores[8] - scores[6]) * both
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
            trace[base + j] = step
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
        move = int(trace[starts[i] - low[i] + j])
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


@native(lambda *args: len(args[1]) + len(args[8]))
def extend(  # noqa: PLR0915  (compiled, as above)
    pointer: Ints,
    column_words: Ints,
    column_heads: Ints,
    column_tails: Ints,
    column_marks: Ints,
    counts: Floats,
    opened: Ints,
    present: Ints,
    words: Ints,
    heads: Ints,
    tails: Ints,
    marks: Ints,
    opens: Ints,
    where: Ints,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Floats, Ints, Ints, Ints]:
    """The columns with one more row placed by `where`; a token that has no column gets a new one behind its predecessor's.

    Of each column the distinct words, with their heads, tails and marks, and how many rows have them; how many rows open a
    paragraph there, and how many are present. Last the number that each of the columns had before, or -1.
    """
    n = where.shape[0]
    m = present.shape[0]
    fresh = 0
    for i in range(n):
        if where[i] < 0:
            fresh += 1
    size = column_words.shape[0] + n
    out_pointer = np.zeros(m + fresh + 1, dtype=np.int32)
    out_words = np.empty(size, dtype=np.int32)
    out_heads = np.empty(size, dtype=np.int32)
    out_tails = np.empty(size, dtype=np.int32)
    out_marks = np.empty(size, dtype=np.int32)
    out_counts = np.empty(size, dtype=np.float32)
    out_opened = np.zeros(m + fresh, dtype=np.int32)
    out_present = np.zeros(m + fresh, dtype=np.int32)
    source = np.full(m + fresh, -1, dtype=np.int32)
    at = 0
    top = 0
    column = 0
    for i in range(n + 1):
        last = m - 1 if i == n else where[i]
        while column <= last:
            for e in range(pointer[column], pointer[column + 1]):
                out_words[top] = column_words[e]
                out_heads[top] = column_heads[e]
                out_tails[top] = column_tails[e]
                out_marks[top] = column_marks[e]
                out_counts[top] = counts[e]
                top += 1
            out_opened[at] = opened[column]
            out_present[at] = present[column]
            source[at] = column
            column += 1
            at += 1
            out_pointer[at] = top
        if i == n:
            break
        found = -1
        if where[i] >= 0:
            at -= 1
            for e in range(out_pointer[at], top):
                if out_words[e] == words[i]:
                    found = e
                    break
        if found >= 0:
            out_counts[found] += np.float32(1.0)
        else:
            out_words[top] = words[i]
            out_heads[top] = heads[i]
            out_tails[top] = tails[i]
            out_marks[top] = marks[i]
            out_counts[top] = 1.0
            top += 1
        out_opened[at] += opens[i]
        out_present[at] += 1
        at += 1
        out_pointer[at] = top
    return (
        out_pointer,
        out_words[:top],
        out_heads[:top],
        out_tails[:top],
        out_marks[:top],
        out_counts[:top],
        out_opened,
        out_present,
        source,
    )


@native(lambda *args: len(args[0]))
def increasing(values: Ints) -> Ints:
    """Indices of the longest chain of the values that increases (patience sorting)."""
    size = values.shape[0]
    tops = np.empty(size, dtype=np.int32)
    back = np.empty(size, dtype=np.int32)
    piles = 0
    for index in range(size):
        low, high = 0, piles
        while low < high:
            middle = (low + high) // 2
            if values[tops[middle]] < values[index]:
                low = middle + 1
            else:
                high = middle
        back[index] = tops[low - 1] if low else -1
        tops[low] = index
        piles = max(piles, low + 1)
    chain = np.empty(piles, dtype=np.int32)
    index = tops[piles - 1] if piles else -1
    for at in range(piles - 1, -1, -1):
        chain[at] = index
        index = back[index]
    return chain


@native(lambda *args: len(args[0]))
def loosen(  # noqa: C901, PLR0912  (compiled, as above)
    where: Ints, words: Ints, heads: Ints, marks: Ints, opens: Ints, pointer: Ints, column_words: Ints, gap: int
) -> Ints:
    """`where` without its islands: aligned stretches between long gaps in which too few words are the same.

    The first word of a paragraph with a long gap behind it is a stretch of its own.

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
                if opens[i] and i > begin:
                    following = i + 1
                    while following < n and where[following] < 0:
                        following += 1
                    if following - i > gap or (following < n and where[following] - where[i] > gap):
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
