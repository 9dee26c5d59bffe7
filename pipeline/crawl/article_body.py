"""The text that a page's JSON-LD gives as its article's body: a second witness of the same page.

It was written by the publisher's system and not read out of markup, so it keeps what extraction loses (linked words, blanks);
on other sites it is cut to a teaser, or is another field under that name. So it counts only beside a text that it agrees with.
"""

import html
import re
import unicodedata
from collections import Counter
from typing import Any

LEAST_SHARE = 0.6
"""Of the words of both texts, the share that they have in common: below it they are not two readings of one article."""
LEAST_LENGTH = 0.5
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:/p|br ?/?|/div|/h[1-6]|/li)>|[\r\n]+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def read_article_body(article: dict[str, Any]) -> tuple[str, ...]:
    """The paragraphs of a JSON-LD article's body; one where it has no breaks, none where it has no body."""
    body = article.get("articleBody")
    if not isinstance(body, str):
        return ()
    text = html.unescape(body)
    pieces = (_TAG.sub(" ", piece) for piece in _BREAK.split(text))
    plain = (" ".join(unicodedata.normalize("NFC", html.unescape(piece)).split()) for piece in pieces)
    return tuple(piece for piece in plain if piece)


def second_of(paragraphs: tuple[str, ...], body: tuple[str, ...], *, not_free: bool) -> tuple[str, ...]:
    """The body as a second witness beside the text that was read out of the page; nothing where it adds none.

    It adds none where its words are the same, or it is so short or so different that one of the two is not this article. Where
    the page says that its article is not free, a body that goes on past what the page shows is left alone.
    """
    shown, said = (_WORD.findall(" ".join(text).casefold()) for text in (paragraphs, body))
    if not shown or not said or shown == said or len(said) < LEAST_LENGTH * len(shown):
        return ()
    if not_free and len(said) > len(shown) * 1.05:
        return ()
    common = (Counter(shown) & Counter(said)).total()
    return body if 2 * common >= LEAST_SHARE * (len(shown) + len(said)) else ()
