"""Whether the address that a page declares as its own is believed: two addresses, an answer with its reason.

A canonical link is a claim. Many sites get it wrong (each story names the front page, its section, or another story), and one
that is wrongly believed loses a page. So it is believed on the page's own site alone, where it names a page of its kind; and
even then two pages are one only where their texts agree, which is for the caller to look at.
"""

import re
from dataclasses import dataclass

from pipeline.crawl.urls import Url, parse
from pipeline.errors import Malformed

# …/web/20240102030405id_/http://paper.example/story: an archive's replay of a page as it came.
_REPLAY = re.compile(r"/web/[0-9]{14}id_/(https?:.+)")


@dataclass(frozen=True, slots=True)
class Belief:
    """Whether a declared address is believed to be the page's own, and why."""

    believed: bool
    why: str


def believe_canonical(page: Url, declared: Url) -> Belief:
    """What to think of `declared`, which the page at `page` names as its canonical address."""
    if declared.key == page.key:
        return Belief(True, "it is the page's own address")
    own_site, own = _split(page)
    site, path = _split(declared)
    if not path.partition("?")[0].strip("/"):
        return Belief(False, "it is a front page")
    if own_site != site and not own_site.endswith(f".{site}") and not site.endswith(f".{own_site}"):
        return Belief(False, "it is another site's: an origin, not this page")
    own_path, _, own_query = own.partition("?")
    plain, _, query = path.partition("?")
    if own_path.startswith(f"{plain}/"):
        return Belief(False, "it is a folder that the page lies in")
    if own_path == plain and own_query and not query:
        return Belief(False, "it lacks the query that tells this page from others")
    return Belief(True, "it is a page of the same site")


def _split(url: Url) -> tuple[str, str]:
    """Site and path of the sameness key: without doors (www, m, amp), tracking and slashes."""
    site, _, path = url.key.partition("/")
    site, mark, query = site.partition("?")
    return site, path + mark + query


def replayed(page: Url) -> Url:
    """The page that an archive replays at this URL, whose publisher it is; of any other URL, itself."""
    match = _REPLAY.fullmatch(page.target)
    if match is None:
        return page
    try:
        return parse(match[1])
    except Malformed:
        return page
