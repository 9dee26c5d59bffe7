"""Site furniture: paragraphs that are the page's and not the article's, told by how they are worded."""

from enum import StrEnum

import regex


class Furniture(StrEnum):
    """What a paragraph of the page is, as `omitted` says it."""

    PROMOTION = "promotion"
    COMMENT = "comment"
    CREDIT = "credit"
    BYLINE = "byline"


# Openings and whole lines by which newsrooms' pages address the reader. A paragraph is furniture only as a whole, and only where it
# is short: an article may well quote any of these.
_PROMOTION = regex.compile(
    r"(?:read (?:more|also|next|full|:)|also read|see also|related(?: articles?| stor(?:y|ies)| coverage)?\s*[:|]|recommended\s*:"
    r"|more (?:on this|from|stories|news)\b|you may (?:also )?(?:like|be interested)|don'?t miss|must read|trending\b|most (?:read|popular)\b"
    r"|watch(?: now| live| video|\s*:)|listen\s*:|in pics\s*:|(?:click|tap) here\b|sign[ -]?up (?:for|to|here|now)\b|subscribe\b"
    r"|follow (?:us|@|our|[\w ]{1,30} on (?:twitter|facebook|instagram|telegram|whatsapp|youtube))"
    r"|like us on\b|join (?:us|our|the conversation)\b|share (?:this|on|via|the (?:article|story))|(?:get|download) (?:the|our|all)\b"
    r"|(?:story|article) continues below|continue reading|keep reading|scroll (?:down|to continue)"
    r"|advertisements?\s*$|sponsored\b|promoted\b|loading\b|we use cookies|this (?:site|website) uses\b|cookie policy|accept (?:all )?cookies"
    r"|copyright\b|©|\(c\) \d{4}|all rights reserved|terms (?:of (?:use|service)|and conditions)|privacy policy"
    r"|this (?:article|story|post|report) (?:\w+ ){0,2}(?:appeared|published|first|originally|has been)\b"
    r"|the views expressed|the opinions expressed|disclaimer\s*:|tags?\s*[:|]|topics?\s*:|filed under|categor(?:y|ies)\s*:|keywords\s*:"
    r"|(?:support|donate|buy me)\b.{0,60}\b(?:journalism|us|coffee)\s*[.!]?\s*$|smm panel\s*$|print this\b|email this\b|back to top"
    r"|(?:facebook|twitter|whatsapp|telegram|pinterest|linkedin|reddit|email|share|tweet|print|copy link)"
    r"(?:[\s,|/·]+(?:facebook|twitter|whatsapp|telegram|pinterest|linkedin|reddit|email|share|tweet|print|copy link))*\s*$)",
    regex.IGNORECASE,
)
_COMMENT = regex.compile(
    r"(?:leave a (?:comment|reply)|(?:post|add|write) a (?:comment|reply)|comments? (?:are|is|\(?\d|\s*$|off|closed|below|section)"
    r"|\d+ comments?\s*$|no comments?(?: yet)?\s*$|log ?in to (?:comment|leave)|view comments|your email address will not be published"
    r"|join the discussion)",
    regex.IGNORECASE,
)
_CREDIT = regex.compile(
    r"(?:photo(?:graph)?s?\s*(?:by|credit|:|/)|image (?:credit|source|:)|(?:file|representative|representational) (?:photo|image)"
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
    if len(paragraph) > MOST_CHARACTERS:
        return None
    line = paragraph.strip()
    head = _DATELINE.match(line)
    if head is not None and dateline_of(line):
        line = line[head.end() :]
    line = line.lstrip(LEADING)
    if not line:
        return None
    if _COMMENT.match(line):
        return Furniture.COMMENT
    if _PROMOTION.match(line) or _STAMP.match(line):
        return Furniture.PROMOTION
    if _CREDIT.match(line):
        return Furniture.CREDIT
    return Furniture.BYLINE if looks_like_byline(line) else None


def looks_like_byline(paragraph: str) -> bool:
    """Whether the paragraph is a line such as "By Jane Doe" or "By Jane Doe | Updated 3 May"."""
    line = paragraph.strip()
    return len(line) <= 120 and _BYLINE.match(line) is not None


_DATELINE = regex.compile(
    r"\s*(?P<line>[\p{Lu}][\p{L}.'’ /-]{1,40}(?:,\s*[\p{L}.'’ /-]{1,30})?(?:,?\s*\p{L}{3,9}\.?\s+\d{1,2}(?:,\s*\d{4})?)?"
    r"\s*(?:\([\p{L}\d .,/&-]{2,40}\))?)\s*(?:--?|[–—:])\s*"
)
_PLACE_IN_CAPITALS = regex.compile(r"\p{Lu}[\p{Lu}.'’ /-]+")


def dateline_of(paragraph: str) -> str | None:
    """The dateline at the head of a paragraph, without its dash: a place in capitals or an agency's name in brackets."""
    match = _DATELINE.match(paragraph)
    if match is None:
        bracketed = regex.match(
            r"\s*(\((?:AP|AFP|Reuters|PTI|UPI|ANI|IANS|CNN|Xinhua|TASS|dpa|Kyodo|EFE)\))\s*(?:--?|[–—])\s*", paragraph
        )
        return bracketed[1] if bracketed else None
    line = match["line"].strip()
    place = _PLACE_IN_CAPITALS.match(line)
    if "(" in line or (place is not None and len(place[0].strip()) > 2):
        return line
    return None
