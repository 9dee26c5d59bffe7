"""The sources named in files: config/sources.toml, and sources.toml beside the user's wirecopy.toml."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.crawl import urls
from pipeline.crawl.urls import Url
from pipeline.errors import Misuse, WirecopyError
from pipeline.settings import Settings, settings_files
from pipeline.stages.admission import need_contact
from pipeline.store import frontier, sources
from pipeline.store.frontier import NewUrl
from pipeline.store.tables import FrontierRow, Purpose, Source

KINDS = ("feed", "sitemap")
KEYS = frozenset({"kind", "url", "interval", "enabled"})
LONGEST_NAME = 200
# A poll comes before the articles of its host.
PRIORITY = 10
LONGEST_INTERVAL = 366 * 86_400.0


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
    session: Session, settings: Settings, *, name: str, kind: str, url: str, interval: float, enabled: bool | None = None
) -> Source:
    """Store a source, switched on or off where that is said. Raises Misuse and Malformed for what cannot be one."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Misuse(f"A source's name is 1 to {LONGEST_NAME} printable characters: choose another than {name[:50]!r}.")
    if kind not in KINDS:
        raise Misuse(f"{kind!r} is no kind of source: write {' or '.join(KINDS)}.")
    if not 0 < interval <= LONGEST_INTERVAL:  # false for nan, too
        raise Misuse(f"An interval of {interval:g} s is not possible: give seconds above 0, a year at the most.")
    parsed = urls.parse(url)
    need_contact(parsed.host, settings)
    known = session.scalar(select(Source).where(Source.name == name))
    if known is not None and known.url != parsed.text:
        _move(session, known, parsed)
    source = sources.put(session, name, kind, parsed.text, interval)
    row = NewUrl(parsed.text, f"{name} {parsed.text}", parsed.host, Purpose.SOURCE, "source", PRIORITY, source.id)
    frontier.admit(session, [row], reopen=False)
    if enabled is not None and (enabled is False or not source.enabled):
        sources.set_enabled(session, source, enabled=enabled)
    return source


def _move(session: Session, source: Source, url: Url) -> None:
    """Let the source's row in the frontier poll another URL; a second row would poll the old one for ever."""
    new_key = f"{source.name} {url.text}"
    if frontier.known_by_key(session, Purpose.SOURCE, new_key) is not None:
        return
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.purpose == Purpose.SOURCE, FrontierRow.key == f"{source.name} {source.url}")
        .values(
            url=url.text,
            key=new_key,
            visit_url=url.text,
            host_id=frontier.ensure_hosts(session, [url.host])[url.host],
            hops=[],
            etag=None,
            last_modified=None,
            body_sha256=None,
            points=0,
            first_failed_at=None,
            next_attempt_at=func.now(),
            updated_at=func.now(),
        )
    )


def _take_in(session: Session, settings: Settings, name: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise Misuse(f'a source is a table: write [{name}] with kind = "feed", url = "https://…" and interval = 900.')
    if unknown := sorted(set(entry) - KEYS):
        raise Misuse(f"unknown {', '.join(unknown)}: a source has {', '.join(sorted(KEYS))}.")
    kind, url, interval, enabled = (entry.get(key) for key in ("kind", "url", "interval", "enabled"))
    if not isinstance(kind, str) or not isinstance(url, str):
        raise Misuse('kind and url are missing or no text: write kind = "feed" and url = "https://…".')
    if isinstance(interval, bool) or not isinstance(interval, int | float):
        raise Misuse("interval is missing or no number: write the seconds between two polls, interval = 900.")
    if not isinstance(enabled, bool | None):
        raise Misuse("enabled is neither true nor false.")
    add_source(
        session, settings, name=name, kind=kind, url=url, interval=float(interval), enabled=False if enabled is False else None
    )
