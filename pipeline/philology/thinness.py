"""Texts too thin to place: what they hold would join strangers."""

from collections.abc import Sequence

import regex

from pipeline.philology.anchors import Words

_FEWEST_WORDS = 25
_FEWEST_DIFFERENT_WORDS = 15
_FEWEST_COMMON_WORDS = 12
_WORDS_A_CUE = 25

_SENTENCE = regex.compile(r"[^.!?\n]+[.!?\n]*")
# What pages say of themselves. A sentence with one of these says nothing about the story.
_BOILERPLATE = regex.compile(
    r"""(?ix) \b (?:
      cookies? | consent | opt[ -]?out | privacy | personali[sz]ed | our\ partners | third[ -]part(?:y|ies)
    | your\ (?:account|browser|choices?|consent|data|device|e-?mail|experience|inbox|password|preferences|subscription|trial)
    | subscri(?:be|bed|ber|bers|ption|ptions|bing) | sign(?:ed)?[ -](?:in|up) | log(?:ged)?[ -]?in
    | register(?:ed)?\ (?:now|to|for)
    | newsletters? | paywall | ad[ -]?block(?:er|ers)? | javascript
    | terms\ (?:of|and) | all\ rights\ reserved | cancel\ any ?time | unlimited\ access | free\ trial
    | abonn\p{L}* | einwillig\p{L}* | datenschutz\p{L}* | anmelde\p{L}*
    | confidentialit\p{L}* | s['’]inscrire | connectez-vous
    | suscr[ií]\p{L}* | privacidad | iniciar\ sesi[oó]n | assin(?:e|ar|ante|atura)\b | privacidade
    | abbona\p{L}* | consenso | accedi
    ) \b"""
)
_WORD = regex.compile(r"[\p{L}\p{N}]+")


def find_thinness(words: Words, paragraphs: Sequence[str]) -> str | None:
    """Why the text is too thin to place, in words for a reader, or None where it is not."""
    if not words.keys:
        return "no words"
    if len(words.keys) < _FEWEST_WORDS:
        return f"only {len(words.keys)} words"
    different = len(set(words.keys))
    if different < _FEWEST_DIFFERENT_WORDS:
        return f"only {different} different words"
    rows = zip(words.keys, words.names, words.numbers, strict=True)
    common = sum(1 for key, name, number in rows if not (name or number or key.isdecimal()))
    if common < max(_FEWEST_COMMON_WORDS, len(words.keys) // 5):
        return "only names and numbers"
    if _is_boilerplate(paragraphs):
        return "only what pages say of themselves (cookies, subscriptions, accounts)"
    return None


def _is_boilerplate(paragraphs: Sequence[str]) -> bool:
    said = other = cues = 0
    for paragraph in paragraphs:
        for sentence in _SENTENCE.findall(paragraph):
            length = sum(1 for _ in _WORD.finditer(sentence))
            found = sum(1 for _ in _BOILERPLATE.finditer(sentence))
            # One cue does not make boilerplate of a long sentence: a story may be about cookies.
            if found * _WORDS_A_CUE >= length:
                said += length
                cues += found
            else:
                other += length
            if other > 4 * _FEWEST_WORDS:
                return False
    return cues > 1 and (other < _FEWEST_WORDS or said > 1.5 * other)
