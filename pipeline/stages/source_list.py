"""The sources named in files: config/sources.toml, and sources.toml beside the user's wirecopy.toml."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.crawl import urls
from pipeline.crawl.cron import check_cron, read_zone
from pipeline.crawl.urls import Url
from pipeline.errors import Misuse, WirecopyError
from pipeline.settings import Settings, settings_files
from pipeline.stages.admission import need_contact
from pipeline.store import captures, frontier, hosts, sources
from pipeline.store.tables import FrontierRow, Purpose, Source, Visit

KINDS = ("feed", "sitemap", "section")
KEYS: dict[str, tuple[tuple[type, ...], str]] = {
    "kind": ((str,), "text"),
    "url": ((str,), "text"),
    "interval": ((int, float), "number"),
    "cron": ((str,), "text"),
    "time_zone": ((str,), "text"),
    "tags": ((list,), "list"),
    "discover": ((bool,), "switch"),
    "host_interval": ((int, float), "number"),
    "links": ((str,), "text"),
    "other_hosts": ((bool,), "switch"),
    "enabled": ((bool,), "switch"),
}
"""What an entry of a file may hold, and of what type."""
NUMBERS = frozenset({"interval", "host_interval"})
EXAMPLES = {
    "kind": 'kind = "feed"',
    "url": 'url = "https://…"',
    "interval": "the seconds between two polls, interval = 900",
    "cron": 'cron = "30 6 * * MON-FRI"',
    "time_zone": 'time_zone = "Europe/Berlin"',
    "tags": 'tags = ["world", "agency"]',
    "discover": "discover = true or false",
    "host_interval": "the seconds between two requests to its host, host_interval = 30",
    "links": "a regular expression, links = '/news/[0-9]+/'",
    "other_hosts": "other_hosts = true or false",
    "enabled": "enabled = true or false",
}
LONGEST_NAME, LONGEST_TAG = 200, 60
LONGEST_INTERVAL = 366 * 86_400.0
LONGEST_HOST_INTERVAL = 86_400.0


@dataclass(frozen=True, slots=True)
class Synced:
    """The sources that were taken in, by name, and what was wrong with the entries that were not, one message each."""

    names: tuple[str, ...]
    wrong: tuple[str, ...]

    def __len__(self) -> int:
        """How many were taken in."""
        return len(self.names)


def user_files() -> list[Path]:
    """Where users may name sources of their own, the weaker first."""
    return [path.with_name("sources.toml") for path in settings_files()]


def paths() -> list[Traversable]:
    """The files that may name sources, the weaker first: the one that ships with wirecopy, then the user's own."""
    return [resources.files("config").joinpath("sources.toml"), *user_files()]


def sync(session: Session, settings: Settings, paths: Sequence[Traversable]) -> Synced:
    """Take in the sources of these files; of two with one name the later counts. A wrong entry keeps no other one out.

    `enabled = false` switches a source off whenever the file is read. Otherwise a source that was switched off by hand
    stays so, and one that a file no longer names stays as it is.
    """
    entries: dict[str, tuple[str, Any]] = {}
    wrong: list[str] = []
    for path in paths:
        if not path.is_file():
            continue
        try:
            listed = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            wrong.append(f"Cannot read the sources in {path}: {error}. Mend or remove the file.")
            continue
        entries |= {name: (str(path), entry) for name, entry in listed.items()}
    names: list[str] = []
    for name, (file, entry) in entries.items():
        try:
            _take_in(session, settings, name, entry)
        except WirecopyError as error:
            wrong.append(f"Source {name!r} in {file}: {error}")
        else:
            names.append(name)
    return Synced(tuple(names), tuple(wrong))


def add_source(
    session: Session,
    settings: Settings,
    *,
    name: str,
    kind: str,
    url: str,
    interval: float | None = None,
    cron: str | None = None,
    time_zone: str = "UTC",
    tags: Sequence[str] = (),
    discover: bool = False,
    host_interval: float | None = None,
    links: str | None = None,
    other_hosts: bool = False,
    enabled: bool | None = None,
) -> Source:
    """Store a source, switched on or off where that is said. Raises Misuse and Malformed for what cannot be one.

    With neither interval nor cron line it is polled as often as it brings something new.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Misuse(f"A source's name is 1 to {LONGEST_NAME} printable characters: choose another than {name[:50]!r}.")
    if kind not in KINDS:
        raise Misuse(f"{kind!r} is no kind of source: write {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    _check_schedule(interval, cron, time_zone)
    if host_interval is not None and not 0 < host_interval <= LONGEST_HOST_INTERVAL:
        raise Misuse(f"A host_interval of {host_interval:g} s is not possible: give seconds above 0, a day at the most.")
    _check_links(kind, links, other_hosts=other_hosts)
    for tag in tags:
        if not tag.strip() or len(tag) > LONGEST_TAG or not tag.isprintable():
            raise Misuse(f"A tag is 1 to {LONGEST_TAG} printable characters: choose another than {tag[:50]!r}.")
    parsed = urls.parse(url)
    need_contact(parsed.host, settings)
    known = session.scalar(select(Source).where(Source.name == name))
    before = known.url if known is not None else parsed.text
    if known is not None and known.url != parsed.text:
        _move(session, known, parsed)
    source = sources.put(
        session,
        name,
        kind=kind,
        url=parsed.text,
        interval=interval,
        cron=cron,
        time_zone=time_zone,
        tags=list(dict.fromkeys(tags)),
        discover=discover,
        host_interval=host_interval,
        links=links,
        other_hosts=other_hosts,
    )
    sources.follow(session, source, [(sources.new_url(source, parsed.text, parsed.host, "source"), None)], None)
    hosts.ask_interval(session, [parsed.host, urls.parse(before).host])
    if enabled is not None and (enabled is False or not source.enabled):
        sources.set_enabled(session, source, enabled=enabled)
    return source


def _check_schedule(interval: float | None, cron: str | None, time_zone: str) -> None:
    if interval is not None and not 0 < interval <= LONGEST_INTERVAL:  # false for nan, too
        raise Misuse(f"An interval of {interval:g} s is not possible: give seconds above 0, a year at the most.")
    if interval is not None and cron is not None:
        raise Misuse("interval and cron are given, and a source has one schedule: leave one of them out.")
    if cron is not None:
        check_cron(cron, time_zone)
    read_zone(time_zone)


def _check_links(kind: str, links: str | None, *, other_hosts: bool) -> None:
    if kind != "section" and (links is not None or other_hosts):
        raise Misuse(f"links and other_hosts are of sections, and this is a {kind}: leave them out, or say kind section.")
    try:
        re.compile(links or "")
    except (re.error, RecursionError, OverflowError) as error:
        raise Misuse(
            f"links is no regular expression: {error}; write one that is found in the URLs, such as '/news/[0-9]+/'."
        ) from error


def _move(session: Session, source: Source, url: Url) -> None:
    """Let the source poll another URL, as if it were new: a second row would poll the old one for ever.

    The sitemaps that the old one named are polled no more.
    """
    sources.unfollow(session, source)
    listing = sources.own_listing(session, source)
    new_key = sources.key_of(source.name, url.text)
    if listing is None:
        return
    row = listing.frontier_id
    sources.unfollow_one(session, listing)
    if frontier.known_by_key(session, Purpose.SOURCE, new_key) is not None:
        return
    # What was captured of the old URL would lend the new one its validators.
    captures.pass_over_unread(session, row, "the source has another URL now")
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.id == row)
        .values(
            state=Visit.CANCELLED,
            url=url.text,
            key=new_key,
            visit_url=url.text,
            host_id=frontier.ensure_hosts(session, [url.host])[url.host],
            etag=None,
            last_modified=None,
            body_sha256=None,
        )
    )


def _take_in(session: Session, settings: Settings, name: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise Misuse(f'a source is a table: write [{name}] with kind = "feed" and url = "https://…".')
    if unknown := sorted(set(entry) - set(KEYS)):
        raise Misuse(f"unknown {', '.join(unknown)}: a source has {', '.join(sorted(KEYS))}.")
    for key in ("kind", "url"):
        if key not in entry:
            raise Misuse(f'{key} is missing: write kind = "feed" and url = "https://…".')
    for key, value in entry.items():
        types, said = KEYS[key]
        # true is 1 in Python, and no number of seconds.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise Misuse(f"{key} is no {said}: write {EXAMPLES[key]}.")
    if not all(isinstance(tag, str) for tag in entry.get("tags", ())):
        raise Misuse(f"tags are no texts: write {EXAMPLES['tags']}.")
    given: dict[str, Any] = {key: float(value) if key in NUMBERS else value for key, value in entry.items()}
    # A file switches off, and leaves what was switched off by hand as it is.
    given["enabled"] = False if given.get("enabled") is False else None
    add_source(session, settings, name=name, **given)
