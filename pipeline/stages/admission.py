"""Admit: a URL comes in, by hand, from a source or from discovery, and becomes a frontier row."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from pipeline.crawl import urls
from pipeline.errors import Malformed, Misuse
from pipeline.settings import Settings
from pipeline.store import discoveries, frontier
from pipeline.store.frontier import Admitted, NewUrl
from pipeline.store.tables import Purpose


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of the URLs that came in; `malformed` are (line as given, what is wrong with it)."""

    admitted: Admitted
    malformed: tuple[tuple[str, str], ...]


def admit(
    session: Session,
    given: Iterable[str],
    settings: Settings,
    *,
    found_by: str,
    priority: int = 0,
    source_id: int | None = None,
    reopen: bool = True,
    discover: bool = False,
) -> Admission:
    """Put URLs into the frontier, each page once. Lines that are no URL are given back with the reason.

    With `discover` the other copies of a page's text are looked for once it is placed; where nothing is reopened, of pages that
    were known before they are not.

    Raises Misuse where a URL beyond loopback is asked for and no contact is set.
    """
    good: list[NewUrl] = []
    malformed: list[tuple[str, str]] = []
    for line in given:
        try:
            url = urls.parse(line)
        except Malformed as error:
            malformed.append((line, str(error)))
            continue
        need_contact(url.host, settings)
        good.append(NewUrl(url.text, url.key, url.host, Purpose.ARTICLE, found_by, priority, source_id))
    admitted = frontier.admit(session, good, reopen=reopen)
    if discover:
        discoveries.want(session, admitted.ids if reopen else admitted.new)
    return Admission(admitted, tuple(malformed))


def need_contact(host: str, settings: Settings) -> None:
    """Raise Misuse unless the host is loopback or a contact is set that its owner can write to."""
    if not settings.contact and not is_loopback(host):
        raise Misuse(
            f"Before {host} is fetched, say who is asking: set contact to an e-mail address or web page "
            '(WIRECOPY_CONTACT=you@example.org, or contact = "…" in wirecopy.toml). It is sent in the User-Agent.'
        )


def is_loopback(host: str) -> bool:
    """Whether a host (with its port, brackets around IPv6) is this machine by its name: 127.evil.example is not."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
