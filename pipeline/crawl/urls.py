"""URLs as wirecopy fetches and compares them.

A URL that two parsers could read differently (backslashes, user parts, addresses written as one number) is refused
here, so that what the address check saw is what is connected to. RFC 3986, and the WHATWG URL standard where the two
differ.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes, urlencode, urljoin, urlsplit

import idna

from pipeline.errors import Malformed

LONGEST = 2048
"""Characters of the longest URL that is kept: the sitemap protocol's own limit, and safely inside a database index."""

_EXAMPLE = "a good one looks like https://example.com/news/story.html"
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Mail, terminals, databases: no publisher serves pages there, and a request could be taken for one of their commands
# (the Fetch standard's list, shortened to the services that are still met).
_FOREIGN_PORTS = frozenset(
    {1, 7, 9, 11, 13, 19, 20, 21, 22, 23, 25, 37, 42, 53, 69, 79, 110, 111, 119, 123, 135, 137, 139, 143, 161, 389, 465}
    | {512, 513, 514, 515, 530, 540, 548, 554, 563, 587, 601, 636, 993, 995, 2049, 3306, 3389, 5432, 6379, 11211}
)

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TRIPLET = re.compile(r"%[0-9A-Fa-f]{2}")

_PATH_SAFE = "/%:@!$&'()*+,;=~"
_QUERY_SAFE = _PATH_SAFE + "?[]|"


@dataclass(frozen=True, slots=True)
class Url:
    """One URL, in the form that is fetched; made by `parse` and `join` alone."""

    text: str
    """The normalised URL: ASCII, no fragment, no default port, no dot segments. Parsing it again gives it back."""
    host: str
    """Lower-case host in IDNA's ASCII form, `[…]` around IPv6, `:port` only where it is not the scheme's default."""
    origin: str
    """`scheme://host`."""
    key: str
    """What URLs of the same page have in common: lossy, never fetched."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self.origin.partition(":")[0]

    @property
    def hostname(self) -> str:
        """The host without port and brackets: what is resolved and named in TLS."""
        return urlsplit(self.origin).hostname or ""

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return urlsplit(self.origin).port or _DEFAULT_PORTS[self.scheme]

    @property
    def target(self) -> str:
        """Path and query: what the request line asks for."""
        return self.text[len(self.origin) :]


def parse(url: str) -> Url:
    """The URL in its normalised form.

    Raises Malformed, saying what is wrong, for whatever is no absolute http or https URL with one plain reading.
    """
    text = url.strip(" \t\r\n\f")
    if not text:
        raise Malformed(f"An empty line is not a URL; {_EXAMPLE}.")
    shown = repr(text if len(text) <= 120 else text[:119] + "…")
    if _CONTROL.search(text):
        raise Malformed(f"{shown} contains a control or an invisible character; remove it: {_EXAMPLE}.")
    if "\\" in text:
        raise Malformed(f"{shown} contains a backslash, which programs read differently; write / or %5C: {_EXAMPLE}.")
    scheme, rest = _split_scheme(text, shown)
    authority, tail = _split_authority(rest)
    if "@" in authority:
        raise Malformed(f"{shown} has a user name or password before its host; remove everything up to the @.")
    host = _read_authority(authority, scheme, shown)
    target = _read_target(tail, shown)
    origin = f"{scheme}://{host}"
    if len(origin) + len(target) > LONGEST:
        raise Malformed(f"{shown} is longer than {LONGEST} characters; shorten it, most often by dropping its query.")
    return Url(origin + target, host, origin, _key(host, target))


def join(base: Url, reference: str) -> Url:
    """The URL that `reference`, found on the page `base`, points at; raises Malformed as `parse` does."""
    reference = reference.strip(" \t\r\n\f")
    if "\\" in reference:
        return parse(reference)
    try:
        return parse(urljoin(base.text, reference))
    except ValueError as error:
        raise Malformed(f"{reference[:120]!r} is not a link that can be followed: {error}.") from error


def slug_headline(url: Url) -> str | None:
    """The headline that the URL's path spells, in lower case without punctuation, or None where it spells none.

    Sites derive it from the headline before a spinner changes the page, so it is a witness of the headline.
    """
    best: list[str] = []
    for segment in urlsplit(url.text).path.split("/"):
        words = _slug_words(segment)
        if len(words) >= len(best):
            best = words
    return " ".join(best) if sum(any(c.isalpha() for c in word) for word in best) >= 3 else None


def _split_scheme(text: str, shown: str) -> tuple[str, str]:
    """The scheme in lower case and what follows `://`."""
    match = _SCHEME.match(text)
    if match and match[1].lower() in _DEFAULT_PORTS:
        scheme, rest = match[1].lower(), text[match.end() :]
        if rest.startswith("//"):
            return scheme, rest[2:]
        raise Malformed(f"{shown} lacks the two slashes after {scheme}:; {_EXAMPLE}.")
    if text.startswith("//") or not match or re.match(r"[^/?#]*\.[^/?#]*:[0-9]|[^/?#.:]+:[0-9]+(?:[/?#]|$)", text):
        bare = text.lstrip("/")
        if bare and not any(c.isspace() for c in bare) and ("." in bare or bare.startswith("localhost")):
            raise Malformed(f"{shown} has no scheme; write https://{bare[:120]}")
        raise Malformed(f"{shown} is not a URL; {_EXAMPLE}.")
    raise Malformed(f"{shown} is a {match[1].lower()}: link, and only http and https are fetched; {_EXAMPLE}.")


def _split_authority(rest: str) -> tuple[str, str]:
    """Host and port, and the rest from the first / ? or # on, without its fragment."""
    end = min((i for i in map(rest.find, "/?#") if i >= 0), default=len(rest))
    return rest[:end], rest[end:].partition("#")[0]


def _read_authority(authority: str, scheme: str, shown: str) -> str:
    """`host` or `host:port`, normalised."""
    if authority.startswith("["):
        inner, closed, after = authority[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise Malformed(f"{shown} has an IPv6 address that is not closed by a bracket, as in https://[2001:db8::1]/.")
        try:
            name = f"[{ipaddress.IPv6Address(inner).compressed}]"
        except ValueError as error:
            raise Malformed(f"{shown} has no valid IPv6 address between its brackets: {error}.") from error
        if "%" in inner:
            raise Malformed(f"{shown} has an IPv6 address with a zone, which means nothing on the web; remove the %….")
        port = after[1:]
    else:
        raw, _, port = authority.partition(":")
        name = _read_name(raw, shown)
    if not port:
        return name
    if not (port.isascii() and port.isdigit()) or not 1 <= int(port[:6]) <= 65535:
        raise Malformed(f"{shown} has the port {port[:20]!r}; a port is a number from 1 to 65535.")
    number = int(port)
    if number in _FOREIGN_PORTS:
        raise Malformed(f"{shown} asks for port {number}, which belongs to another service than the web.")
    return name if number == _DEFAULT_PORTS[scheme] else f"{name}:{number}"


def _read_name(raw: str, shown: str) -> str:
    """A host name in lower-case ASCII, or four decimal numbers."""
    if not raw:
        raise Malformed(f"{shown} has no host; {_EXAMPLE}.")
    name = raw.lower()
    if not name.isascii():
        try:
            name = idna.encode(raw, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise Malformed(f"{shown} has a host that is no international domain name: {error}.") from error
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Malformed(f"{shown} has the host {raw[:80]!r}, which is no host name; {_EXAMPLE}.")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            # 127.1, 2130706433, 0177.0.0.1 and 0x7f.1 are one address to some programs and no host to others.
            raise Malformed(f"{shown} has a host of numbers that is not an address like 203.0.113.7.") from error
    return name


def _read_target(tail: str, shown: str) -> str:
    """Path and query, percent-encoded, without dot segments; at least `/`."""
    path, mark, query = tail.partition("?")
    try:
        path = _encode(path, _PATH_SAFE)
        query = _encode(query, _QUERY_SAFE)
    except UnicodeEncodeError as error:
        raise Malformed(f"{shown} contains half of a character (a lone surrogate); copy it again.") from error
    return _remove_dots(path) + (f"?{query}" if mark and query else "")


def _encode(text: str, safe: str) -> str:
    text = _STRAY_PERCENT.sub("%25", text)
    return _TRIPLET.sub(lambda match: match[0].upper(), quote(text, safe=safe))


def _remove_dots(path: str) -> str:
    """The path without `.` and `..` (RFC 3986, 5.2.4), also where they are percent-encoded, as browsers read them."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        plain = segment.replace("%2E", ".")
        if plain == ".." and kept:
            kept.pop()
        if plain not in {".", ".."}:
            kept.append(segment)
        elif index == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


# What a page's address carries about the reader's way to it. Names in full or prefixes that no site uses for content:
# courlan's patterns are wider and drop `gallery=3` and `cid=1234`, which on some sites is the article.
# fmt: off
_TRACKING = frozenset({
    "_ga", "_gl", "amp", "cmp", "cmpid", "cndid", "dclid", "fb_action_ids", "fb_action_types", "fb_ref", "fbclid",
    "gbraid", "gclid", "gclsrc", "guccounter", "guce_referrer", "guce_referrer_sig", "ico", "icid", "igsh", "igshid",
    "intcmp", "ito", "mbid", "mc_cid", "mc_eid", "mkt_tok", "mod", "msclkid", "ncid", "ns_campaign", "ns_mchannel",
    "ns_source", "ocid", "oref", "outputtype", "partner", "ref", "ref_src", "ref_url", "referer", "referrer", "rss",
    "s_cid", "smid", "smtyp", "spm", "sr_share", "src", "taid", "tpcc", "twclid", "usqp", "vero_id", "wbraid",
    "wt_mc", "wt_zmc", "xtor", "yclid", "ysclid", "__twitter_impression",
})
# fmt: on
_TRACKING_PREFIXES = ("utm_", "itm_", "mtm_", "pk_", "at_", "hsa_", "stm_", "oly_", "guce_")
_DOORS = re.compile(r"(?:www[0-9]?|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_CACHE = re.compile(r"(?:/[a-z])?(?:/s)?/([^/]+\.[^/]+)(/.*)")
_INDEX_PAGE = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?|jsp)$")


def _key(host: str, target: str) -> str:
    """`host/path?query` with all that varies between addresses of the same page taken out."""
    path, _, query = target.partition("?")
    cached = None
    if host.endswith(".cdn.ampproject.org"):
        cached = _AMP_CACHE.fullmatch(path)
    elif host in {"www.google.com", "google.com"} and path.startswith("/amp/"):
        cached = _AMP_CACHE.fullmatch(path.removeprefix("/amp"))
    if cached:
        host, path = cached[1].lower(), cached[2]
    host = re.sub(r":(?:80|443)$", "", host)
    host = _DOORS.sub("", _DOORS.sub("", host, count=1), count=1)
    # A slash that is written as %2F is a character of a name, not a level.
    path = "%2F".join(quote(unquote_to_bytes(part), safe="/:@!$&'()*+,;=~") for part in path.split("%2F"))
    path = re.sub(r"/{2,}", "/", path)
    path = re.sub(r"(?:^/amp(?=/.)|/amp/?$|\.amp(?=\.html?$|$))", "", path)
    path = _INDEX_PAGE.sub("", path).rstrip("/")
    pairs = sorted(
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name.lower() not in _TRACKING and not name.lower().startswith(_TRACKING_PREFIXES)
    )
    return f"{host}{path}" + (f"?{urlencode(pairs)}" if pairs else "")


_PAGE_SUFFIX = re.compile(r"\.(?:s?html?|php[0-9]?|aspx?|jsp|cms|ece|amp|story|print)$", re.IGNORECASE)
_SERIAL = re.compile(r"(?:[a-z]{0,5}[0-9]{5,}[a-z]?|(?=[a-f]*[0-9])[0-9a-f]{8,}|(?:id|art|sto|nw|p)[0-9]+)", re.IGNORECASE)


def _slug_words(segment: str) -> list[str]:
    """The words of one path segment, without suffix and serial numbers."""
    plain = _PAGE_SUFFIX.sub("", unquote(segment))
    words = [word for word in re.split(r"[\W_]+", plain.lower()) if word]
    while words and _SERIAL.fullmatch(words[-1]):
        words.pop()
    while words and _SERIAL.fullmatch(words[0]):
        words.pop(0)
    return words
