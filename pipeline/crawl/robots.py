"""A host's robots.txt, as RFC 9309 has it read."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from protego import Protego

from pipeline.crawl.urls import Url

LONGEST = 500 * 1024
"""Bytes of a robots.txt that are read (RFC 9309, 2.5); what follows is ignored."""

_NOTHING = "User-agent: *\nDisallow: /\n"
_CACHED = 32 * 1024
_AGENT_LINE = re.compile(r"^([ \t]*user-?agent[ \t]*:)[ \t]*([^\r\n#]*)", re.IGNORECASE | re.MULTILINE)
_RULE_QUERY = re.compile(r"^([ \t]*(?:dis)?allow[ \t]*:[^\r\n?#]*)(\?[^\r\n#]*)", re.IGNORECASE | re.MULTILINE)
_PRODUCT = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a host lets robots do; `Robots.parse(robots.status, robots.text) == robots`, so both may be stored."""

    status: int | None
    """The answer's HTTP status; None where the host gave no answer."""
    text: str
    """The rules that are obeyed; empty unless the answer was a 2xx."""

    @classmethod
    def parse(cls, status: int | None, body: bytes | str = b"") -> Self:
        """The rules in an answer to /robots.txt; any bytes will do, for lines that are no rules are no rules."""
        if status is None or not 200 <= status < 300:
            return cls(status, "")
        raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
        if len(raw) > LONGEST:
            # A line cut in two could forbid more than it says: "Disallow: /private" would end as "Disallow: /".
            raw = raw[: max(raw.rfind(b"\n", 0, LONGEST), raw.rfind(b"\r", 0, LONGEST)) + 1]
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
        # A database's text column takes no NUL; a line that contains one is none of ours.
        text = text.replace("\0", " ")
        while len(text.encode()) > LONGEST:
            text = text[: text.rfind("\n", 0, -1) + 1]
        return cls(status, text)

    @property
    def rules(self) -> str:
        """The text that decides: the host's own (2xx), none (3xx without end, 4xx: 2.3.1.3) or all forbidden (5xx)."""
        if self.status is None or self.status >= 500 or self.status < 200:
            return _NOTHING
        return self.text

    def allows(self, url: Url, agent: str) -> bool:
        """True where the product token `agent` may fetch the URL; /robots.txt itself always may be (2.2.2)."""
        return bool(_read(self.rules, agent.lower()).can_fetch(_plain_query(url.text), agent.lower()))

    def crawl_delay(self, agent: str) -> float | None:
        """Seconds between requests that the host asks of `agent`, or None. Not in the RFC, but widely meant."""
        delay: float | None = _read(self.rules, agent.lower()).crawl_delay(agent.lower())
        return delay

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemap URLs that the file names, as written."""
        return tuple(dict.fromkeys(_read(self.text, "").sitemaps))


def _read(text: str, agent: str) -> Protego:
    # What a hostile host can make us hold is bounded: 512 small files and four large ones.
    return _read_small(text, agent) if len(text) <= _CACHED else _read_large(text, agent)


@lru_cache(maxsize=512)
def _read_small(text: str, agent: str) -> Protego:
    return _parse(text, agent)


@lru_cache(maxsize=4)
def _read_large(text: str, agent: str) -> Protego:
    return _parse(text, agent)


def _plain_query(text: str) -> str:
    """The text with slashes in its query written plainly: the parser evens out every other spelling (2.2.2)."""
    path, mark, query = text.partition("?")
    return path + mark + query.replace("%2F", "/").replace("%2f", "/")


def _parse(text: str, agent: str) -> Protego:
    def name_group(match: re.Match[str]) -> str:
        """The line with its token reduced to ours, the star, or one that matches nobody."""
        name = match[2].strip()
        if name == "*":
            return match[0]
        product = _PRODUCT.match(name)
        ours = product is not None and product[0].lower() == agent
        return f"{match[1]} {agent if ours else ','}"

    def plain_rule(match: re.Match[str]) -> str:
        return match[1] + _plain_query(match[2])

    # The parser takes a group's token as found anywhere in our name, where the RFC (2.2.1) has the whole product token.
    return Protego.parse(_RULE_QUERY.sub(plain_rule, _AGENT_LINE.sub(name_group, text)))
