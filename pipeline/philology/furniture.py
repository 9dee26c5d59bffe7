"""Site furniture: paragraphs that are the page's and not the article's, told by how they are worded."""

from enum import StrEnum
from functools import lru_cache

import regex


class Furniture(StrEnum):
    """What a paragraph of the page is; a pointer leads to another article."""

    POINTER = "pointer"
    PROMOTION = "promotion"
    COMMENT = "comment"
    CREDIT = "credit"
    BYLINE = "byline"


# Openings and whole lines by which newsrooms' pages address the reader. A paragraph is furniture only as a whole, and only
# where it is short: an article may well quote any of these.
_POINTER = regex.compile(
    r"(?:read (?:more|also|next|full|:)|also read|see also|related(?: articles?| stor(?:y|ies)| coverage)?\s*[:|]"
    r"|recommended\s*:|more (?:on this|from|stories|news)\b|you may (?:also )?(?:like|be interested)|don'?t miss|must read"
    r"|trending\b|most (?:read|popular)\b|watch(?: now| live| video|\s*:)|listen\s*:|in pics\s*:)",
    regex.IGNORECASE,
)
_SHARERS = r"(?:facebook|twitter|whatsapp|telegram|pinterest|linkedin|reddit|email|share|tweet|print|copy link)"
_PROMOTION = regex.compile(
    r"(?:(?:click|tap) here\b|sign[ -]?up (?:for|to|here|now)\b|subscribe\b|like us on\b"
    r"|follow (?:us|@|our|[\w ]{1,30} on (?:twitter|facebook|instagram|telegram|whatsapp|youtube))"
    r"|join (?:us|our|the conversation)\b|share (?:this|on|via|the (?:article|story))|(?:get|download) (?:the|our|all)\b"
    r"|(?:story|article) continues below|continue reading|keep reading|scroll (?:down|to continue)"
    r"|advertisements?\s*$|sponsored\b|promoted\b|loading\b|we use cookies|this (?:site|website) uses\b|cookie policy"
    r"|accept (?:all )?cookies|copyright\b|©|\(c\) \d{4}|all rights reserved|terms (?:of (?:use|service)|and conditions)"
    r"|privacy policy|this (?:article|story|post|report) (?:\w+ ){0,2}(?:appeared|published|first|originally)\b"
    r"|the (?:views|opinions) expressed|disclaimer\s*:|tags?\s*[:|]|topics?\s*:|filed under|categor(?:y|ies)\s*:"
    r"|keywords\s*:|(?:support|donate|buy me)\b.{0,60}\b(?:journalism|us|coffee)\s*[.!]?\s*$|smm panel\s*$"
    r"|print this\b|email this\b|back to top|" + _SHARERS + r"(?:[\s,|/·]+" + _SHARERS + r")*\s*$)",
    regex.IGNORECASE,
)
_COMMENT = regex.compile(
    r"(?:leave a (?:comment|reply)|(?:post|add|write) a (?:comment|reply)"
    r"|comments?(?:\s*$| (?:are|is|\(?\d|off|closed|below|section))"
    r"|\d+ comments?\s*$|no comments?(?: yet)?\s*$|log ?in to (?:comment|leave)|view comments"
    r"|your email address will not be published"
    r"|join the discussion)",
    regex.IGNORECASE,
)
_CREDIT = regex.compile(
    r"(?:photo(?:graph)?s?\s*(?:by|credit|:|/)|image (?:credit|source|:)"
    r"|(?:file|representative|representational) (?:photo|image)"
    r"|\(?(?:additional |further )?(?:reporting|writing|editing|compiled|edited|written) by\b|getty images\s*$|picture\s*:)",
    regex.IGNORECASE,
)
_BYLINE = regex.compile(
    r"by\s+\p{Lu}[\p{L}.'’-]+(?:\s+[\p{L}.'’-]+){0,5}\s*(?:[|,•·-].{0,60})?$|.{0,60}\|\s*(?:updated|published)\b",
    regex.IGNORECASE,
)
_STAMP = regex.compile(r"(?:updated|published|posted|last (?:updated|modified)|first published)\b.{0,60}\d", regex.IGNORECASE)

MOST_CHARACTERS = 240
LEADING = "-–—•*·|>»[( \t\"“'‘"


def furniture_of(paragraph: str) -> Furniture | None:
    """What kind of site furniture the whole paragraph is, or None where it may be the article's.

    A dateline in front of it does not matter: sites put theirs before whatever comes first.
    """
    return _read_furniture(paragraph) if len(paragraph) <= MOST_CHARACTERS else None


@lru_cache(maxsize=8_192)
def _read_furniture(paragraph: str) -> Furniture | None:
    line = paragraph.strip()
    found = _worded_as(line)
    if found is None and dateline_of(line):
        head = _DATELINE.match(line) or _BRACKETED.match(line)
        found = _worded_as(line[head.end() :]) if head is not None else None
    return found


def _worded_as(printed: str) -> Furniture | None:
    line = printed.lstrip(LEADING)
    if not line:
        return None
    if _COMMENT.match(line):
        return Furniture.COMMENT
    if _POINTER.match(line):
        return Furniture.POINTER
    if _PROMOTION.match(line) or _STAMP.match(line):
        return Furniture.PROMOTION
    if _CREDIT.match(line):
        return Furniture.CREDIT
    return Furniture.BYLINE if looks_like_byline(line) else None


def reason_of(kind: Furniture) -> str:
    """What `omitted` says of a paragraph of this kind: a pointer to another article is a promotion."""
    return Furniture.PROMOTION.value if kind is Furniture.POINTER else kind.value


def looks_like_byline(paragraph: str) -> bool:
    """Whether the paragraph is a line such as "By Jane Doe" or "By Jane Doe | Updated 3 May"."""
    line = paragraph.strip()
    return len(line) <= 120 and _BYLINE.match(line) is not None


_DATELINE = regex.compile(
    r"\s*(?P<line>[\p{Lu}][\p{L}.'’ /-]{1,40}(?:,\s*[\p{L}.'’ /-]{1,30})?(?:,?\s*\p{L}{3,9}\.?\s+\d{1,2}(?:,\s*\d{4})?)?"
    r"\s*(?:\([\p{L}\d .,/&-]{2,40}\))?)\s*(?:--?|[–—:])\s*"
)
_BRACKETED = regex.compile(r"\s*(\([\p{Lu}][\p{L}.&/ -]{1,24}\))\s*(?:--?|[–—])\s*")
_PLACE_IN_CAPITALS = regex.compile(r"\p{Lu}[\p{Lu}.'’ /-]+")


def dateline_of(paragraph: str) -> str | None:
    """The dateline at the head of a paragraph, without its dash: a place in capitals or an agency's name in brackets."""
    match = _DATELINE.match(paragraph)
    if match is None:
        bracketed = _BRACKETED.match(paragraph)
        return bracketed[1] if bracketed else None
    line = match["line"].strip()
    place = _PLACE_IN_CAPITALS.match(line)
    if "(" in line or (place is not None and len(place[0].strip()) > 2):
        return line
    return None
