"""Texts that say the same in other words: neural-style rewrites, back-translations, another agency's report.

No model writes them: rules move clauses, merge and split sentences, drop attributions and put other words, so that about two
fifths of the words differ, quotations included. The text is less fluent than a neural rewriter's and as far from the original.
"""

import re
from random import Random

from bench.copies.case import Paragraphs
from bench.copies.dictionary import GRAMMAR, options_of
from bench.copies.newsroom import SENTENCE
from bench.copies.spinner import GRAMMAR_SHARE, Lookup

Rule = tuple[re.Pattern[str], str]

WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
SAYING = r"(?:said|says|told [A-Z]\w+|told reporters|added|explained|noted|wrote)"
# "X," Name said. → Name said: "X."
ATTRIBUTED = re.compile(
    rf"^([\"“].{{8,}}?),([\"”]) ((?:[A-Z][\w.'’-]*|the|of|a|an|[a-z]+)(?: [\w.'’-]+){{0,6}} {SAYING}|{SAYING} .{{3,40}}?)\.$"
)
# A clause in front of its comma goes behind, a clause behind goes in front.
OPENING = re.compile(
    r"^((?:After|As|When|While|Although|Though|Because|Since|If|Before|In|On|At|During|With|For|By)"
    r" [^,\"“”]{8,90}), ([^\"“”]+)\.$"
)
CLOSING = re.compile(
    r"^([A-Z][^\"“”]{15,}?),? ((?:after|as|when|while|although|because|since|before|during|following) [^,\"“”]{10,120})\.$"
)
RELATIVE = re.compile(r"^([A-Z][^\"“”,]{10,}), (?:which|who) ([^\"“”,]{10,})\.$")
COORDINATED = re.compile(r"^([A-Z][^\"“”]{25,}?),? (?:and|but) ((?:he|she|they|it|the|a) [^\"“”]{20,})\.$")
ATTRIBUTION = re.compile(
    rf",? (?:[a-z]+ )?(?:officials|police|he|she|they|authorities|analysts|it) {SAYING}(?: on [A-Z]\w+day)?\.$"
)
PLAIN: tuple[Rule, ...] = (
    (re.compile(r"\bdid not\b"), "didn't"),
    (re.compile(r"\b(?:don't|do not)\b"), "do not"),
    (re.compile(r"\bis not\b"), "isn't"),
    (re.compile(r"\bit's\b"), "it is"),
    (re.compile(r"(\d) ?%|(\d) percent\b"), r"\1\2 per cent"),
    (re.compile(r"\bmore than (\d)"), r"over \1"),
    (re.compile(r"\bin order to\b"), "to"),
    (re.compile(r"\ba number of\b"), "several"),
    (re.compile(r"\b(\w+) of the ([a-z]+)\b"), r"\2's \1"),
)
# Marks that a sentence went through a language without articles and with other prepositions.
FOREIGN: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"\b(?:the|a|an) (?=[a-z])"), ("", "", "the ", "this ")),
    (re.compile(r"\b([A-Z]\w+)['’]s ([a-z]+)\b"), (r"the \2 of \1",)),
    (re.compile(r"\bin (?=[a-z])"), ("at ", "within ", "in ")),
    (re.compile(r"\bon (?=[a-z])"), ("about ", "over ", "on ")),
    (re.compile(r"\bto (?=[a-z])"), ("for ", "to ")),
    (re.compile(r"\bsaid\b"), ("has said", "declared", "stated")),
    (re.compile(r"\b(?:has|have|had) (\w+ed)\b"), (r"\1",)),
    (re.compile(r"\bwas (\w+ed)\b"), (r"has been \1", r"got \1")),
    (re.compile(r"\bwill\b"), ("is going to", "shall")),
    (re.compile(r"\bwould\b"), ("will", "should")),
    (re.compile(r"\b(?:this|these)\b"), ("that", "such")),
    (re.compile(r"\bmillion\b"), ("million", "billion")),
    (re.compile(r"\bnot \b"), ("not ", "not ", "")),
    (re.compile(r"\bmore than\b"), ("above", "less than", "over")),
)
LEADS = (
    "Details of the matter were confirmed by several people familiar with it.",
    "The development comes after weeks of mounting speculation.",
    "It was not immediately clear what would happen next.",
    "Observers had expected as much for some time.",
    "Further announcements are expected in the coming days.",
    "Requests for comment were not immediately answered.",
)


def rewrite(paragraphs: Paragraphs, rng: Random, part: str, rate: float = 0.8, lookup: Lookup | None = None) -> Paragraphs:
    """A neural rewriter's version: clauses moved, sentences merged and split, attributions dropped, other words throughout."""
    known = lookup or (lambda head: options_of(head, part))
    done = []
    for paragraph in paragraphs:
        sentences = [_turned(sentence, rng) for sentence in SENTENCE.split(paragraph)]
        text = _substituted(_regrouped(sentences, rng), rng, known, rate)
        for pattern, new in PLAIN:
            text = pattern.sub(lambda found, new=new: found.expand(new) if rng.random() < 0.7 else found[0], text)
        done.append(text)
    return _merged_paragraphs(done, rng)


def translate_back(
    paragraphs: Paragraphs, rng: Random, part: str, rate: float = 0.65, lookup: Lookup | None = None
) -> Paragraphs:
    """A text that went through another language: small words, tenses and order changed, some facts turned round."""
    known = lookup or (lambda head: options_of(head, part))
    done = []
    for paragraph in paragraphs:
        text = " ".join(_turned(sentence, rng) for sentence in SENTENCE.split(paragraph))
        for pattern, options in FOREIGN:
            text = pattern.sub(lambda found, o=options: found.expand(rng.choice(o)) if rng.random() < 0.6 else found[0], text)
        done.append(_substituted(text, rng, known, rate))
    return tuple(done)


def report_anew(paragraphs: Paragraphs, rng: Random, part: str, lookup: Lookup | None = None) -> Paragraphs:
    """Another agency's report of the same event: its own lead and order, half the matter, names and figures in common."""
    order = list(range(len(paragraphs)))
    kept = sorted(rng.sample(order, max(3, round(0.6 * len(order)))), key=lambda at: at + rng.uniform(-4, 4))
    told = rewrite(tuple(paragraphs[at] for at in kept), rng, part, 0.9, lookup)
    told = tuple(" ".join(_reworded(sentence, rng) for sentence in SENTENCE.split(paragraph)) for paragraph in told)
    lines = rng.sample(LEADS, 2)
    at = rng.randrange(1, len(told) + 1)
    return (*told[:at], lines[0], *told[at:], lines[1])


def _reworded(sentence: str, rng: Random) -> str:
    """A sentence told in another order: what follows its first comma comes first."""
    head, comma, tail = sentence.partition(", ")
    if not comma or rng.random() < 0.3 or not tail.rstrip().endswith(".") or '"' in sentence:
        return sentence
    return f"{_capital(tail.rstrip('. '))}, {_small(head)}."


def _turned(sentence: str, rng: Random) -> str:
    """A sentence with its clauses in another order, or without its attribution, where a rule fits."""
    if rng.random() < 0.25:
        return sentence
    found = ATTRIBUTED.match(sentence)
    if found:
        return f"{_capital(found[3])}: {found[1]}.{found[2]}"
    found = OPENING.match(sentence)
    if found:
        return f"{_capital(found[2])} {_small(found[1])}."
    if rng.random() < 0.5 and (shorter := ATTRIBUTION.sub(".", sentence)) != sentence and len(shorter) > 30:
        return shorter
    found = CLOSING.match(sentence)
    if found:
        return f"{_capital(found[2])}, {_small(found[1])}."
    found = RELATIVE.match(sentence)
    if found:
        return f"{found[1]}. It {found[2]}."
    found = COORDINATED.match(sentence)
    return f"{found[1]}. {_capital(found[2])}." if found else sentence


def _regrouped(sentences: list[str], rng: Random) -> str:
    """The sentences, some of them run together."""
    text = sentences[0]
    for sentence in sentences[1:]:
        if rng.random() < 0.3 and text.endswith(".") and sentence[:1].isupper() and len(sentence) < 160:
            text = f"{text[:-1]}, {rng.choice(('and', 'while', 'as'))} {_small(sentence)}"
        else:
            text = f"{text} {sentence}"
    return text


def _merged_paragraphs(paragraphs: list[str], rng: Random) -> Paragraphs:
    merged = paragraphs[:1]
    for paragraph in paragraphs[1:]:
        if rng.random() < 0.3:
            merged[-1] += " " + paragraph
        else:
            merged.append(paragraph)
    return tuple(merged)


def _substituted(text: str, rng: Random, lookup: Lookup, rate: float) -> str:
    """`rate` of the words that the dictionary holds replaced, any option as likely as any other."""

    def option(found: re.Match[str]) -> str:
        word = found[0]
        if word[0].isupper() or rng.random() >= rate * (GRAMMAR_SHARE if word in GRAMMAR else 1):
            return word
        options = lookup(word)
        return rng.choice(options) if options else word

    return WORD.sub(option, text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    """The first letter small, but for names and "I"; what stands in capitals further on tells nothing."""
    first = text.split(" ", 1)[0]
    return text if first in {"I", "I'm"} or first not in STARTERS else text[:1].lower() + text[1:]


_STARTERS = """
A After All Although An And Any As At Before But By During Each Even Every Few For From He Her His However If In It Its
Many More Most No Now On One Only Other Our Over She Since So Some Such That The Their There These They This Those
Though Three To Two Under Until We What When Where Which While With You
"""
STARTERS = frozenset(_STARTERS.split())
