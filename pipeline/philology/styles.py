"""House style: which readings differ in nothing but how a paper writes, and in which of its habits."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import regex


class Habit(StrEnum):
    """A way of writing that a newsroom keeps through a whole text."""

    MARKS = "shape of quotation marks and apostrophes"
    QUOTES = "double or single quotation marks"
    DASHES = "dashes"
    PERCENT = "per cent"
    STATES = "United States"
    DOLLARS = "dollars"
    SPELLING = "spelling"


TYPOGRAPHY = frozenset({Habit.MARKS, Habit.QUOTES, Habit.DASHES})
"""Habits of a paper's software rather than of its writers."""

_STRAIGHT, _CURLY, _ANGLED = "straight", "curly", "angled"
_DOUBLE, _SINGLE = "double", "single"
_QUOTES = {
    '"': (_STRAIGHT, _DOUBLE),
    "'": (_STRAIGHT, _SINGLE),
    "«": (_ANGLED, _DOUBLE),
    "»": (_ANGLED, _DOUBLE),
} | {mark: (_CURLY, _DOUBLE if mark in "“”„" else _SINGLE) for mark in "“”„‘’"}
_DASHES = frozenset({"-", "--", "–", "—", "―"})
_APOSTROPHE = regex.compile(r"['’ʼ`´]")
# Words in -ise that America spells no other way.
_ALWAYS_S = (
    "advert|chast|circumc|comprom|enterpr|exerc|exorc|expert|franch|improv|merchand|otherw|likew|repr|superv|surpr|telev"
    "|disfranch|enfranch|prem|prom|treat|appr|compr|parad|anis"
)
# British to American, each rule on the whole folded word. Pairs that are two words in both (prise and prize, fourth and
# forth, four and for) are kept out by the letters asked for in front. A rule is tried where its first member stands in a word.
_RULES = tuple(
    (letters, regex.compile(pattern), new)
    for letters, pattern, new in (
        ("our", r"(?<=\p{L}{2})our(?=$|s$|ed$|ing$|ful|able|ite|ites$|less|hood|er$|ers$|ly$|y$)", "or"),
        ("is", rf"(?<=\p{{L}}{{3}}[^aeiou])(?<!^(?:{_ALWAYS_S}))is(?=e$|es$|ed$|ing$|er$|ers$|ations?$|ational)", "iz"),
        ("ys", r"(?<=al)ys(?=e$|es$|ed$|ing$)", "yz"),
        ("re", r"(?<=cent|met|lit|theat|fib|calib|lust|meag|somb|spect|sab)re(?=s?$)", "er"),
        ("red", r"(?<=cent|theat)red$", "ered"),
        ("ll", r"(?<=\p{L}{2}e)ll(?=ed$|ing$|ers?$|ors?$)", "l"),
        ("ce", r"(?<=^defen|^offen|^preten|^licen)c(?=es?$)", "s"),
        ("practis", r"(?<=practi)s(?=e$|es$|ed$|ing$)", "c"),
        ("ogue", r"(?<=catal|dial|anal|monol|epil)ogue(?=s?$)", "og"),
        ("grey", r"^grey", "gray"),
        ("programme", r"^(program)me(?=s?$)", r"\1"),
        ("dgement", r"(?<=judg|acknowledg)e(?=ments?$)", ""),
        ("ageing", r"^ageing$", "aging"),
        ("aluminium", r"^aluminium$", "aluminum"),
        ("manoeuv", r"^manoeuv(?:re(?=s?$)|r(?=ed$|ing$))", "maneuver"),
        ("aero", r"^(a)ero(?=planes?$)", r"\1ir"),
        ("sceptic", r"^(s)ceptic", r"\1keptic"),
        ("jewellery", r"^(jewel)lery$", r"\1ry"),
        ("ilful", r"^(skil|wil)ful", r"\1lful"),
        ("l", r"^(fulfil|enrol)(?=s?$|ments?$)", r"\1l"),
        ("plough", r"^pl(?:ough)(?=s?$|ed$|ing$)", "plow"),
    )
)


@lru_cache(maxsize=65_536)
def american(word: str) -> str:
    """The lower-case word in American spelling, itself where British spelling is the same or the pair is not known."""
    for letters, pattern, new in _RULES:
        if letters in word:
            changed = pattern.sub(new, word)
            if changed != word:
                return changed
    return word


@lru_cache(maxsize=65_536)
def plain(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The reading with every habit levelled: equal for readings that differ in house style alone; letter case is kept."""
    return tuple(form for form, _ in _forms(texts))


def habits_of(texts: Sequence[str]) -> Mapping[Habit, str]:
    """For each habit that the reading shows, which way it goes; of a spelling whether it is the British or American one."""
    return {habit: way for _, shown in _forms(tuple(texts)) for habit, way in shown}


def _forms(texts: tuple[str, ...]) -> list[tuple[str, tuple[tuple[Habit, str], ...]]]:
    found: list[tuple[str, tuple[tuple[Habit, str], ...]]] = []
    at = 0
    while at < len(texts):
        pair = " ".join(texts[at : at + 2])
        if pair.casefold() == "per cent":
            found.append(("percent", ((Habit.PERCENT, "per cent"),)))
            at += 2
        elif pair in ("U.S .", "US $"):
            found.append(("US", ((Habit.STATES, "U.S."),)) if pair == "U.S ." else ("$", ((Habit.DOLLARS, "US$"),)))
            at += 2
        else:
            found.append(_form(texts[at]))
            at += 1
    return found


def _form(text: str) -> tuple[str, tuple[tuple[Habit, str], ...]]:
    if text in _QUOTES:
        marks, quotes = _QUOTES[text]
        return '"', ((Habit.MARKS, marks), (Habit.QUOTES, quotes))
    if text in _DASHES:
        return "-", ((Habit.DASHES, text),)
    if text == "%" or text.casefold() == "percent":
        return "percent", ((Habit.PERCENT, text.casefold()),)
    if text == "US":
        return "US", ((Habit.STATES, "US"),)
    if text == "$":
        return "$", ((Habit.DOLLARS, "$"),)
    shown: list[tuple[Habit, str]] = []
    form = text
    if mark := _APOSTROPHE.search(text):
        shown.append((Habit.MARKS, _STRAIGHT if mark[0] == "'" else _CURLY))
        form = _APOSTROPHE.sub("'", form)
    stem, ending = (form[:-2], form[-2:]) if form.endswith("'s") else (form, "")
    if len(stem) > 3 and stem.isalpha():
        spelt = american(stem.casefold())
        shown.append((Habit.SPELLING, "American" if spelt == stem.casefold() else "British"))
        if spelt != stem.casefold():
            form = (spelt.capitalize() if stem[0].isupper() else spelt) + ending
    return form, tuple(shown)
