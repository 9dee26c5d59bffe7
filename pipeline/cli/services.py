"""The servers and the store that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.cli.messages import say
from pipeline.embedded import attach_or_start
from pipeline.settings import Settings
from pipeline.store import schema
from pipeline.store.engine import SessionFactory, connect, sessions, unavailable_as_error


@dataclass(frozen=True, slots=True)
class Services:
    """The servers in use: `settings` name them, `started` says that this command started them for its own duration."""

    settings: Settings
    factory: SessionFactory
    started: bool


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """The store, for as long as the context lasts: servers that are named, or running, or started for this command.

    A database of our own is brought to this program's schema; one that somebody else runs has to be there already, for its
    migration is for its owner to start (`wirecopy db upgrade`). Raises Unavailable and Misuse that say what to do.
    """
    with attach_or_start(
        settings.data_folder,
        database_url=settings.database_url or None,
        redis_url=settings.redis_url or None,
        say=say,
    ) as servers:
        named = {"database_url": servers.database_url, "redis_url": servers.redis_url}
        in_use = settings.model_copy(update=named)
        engine = connect(in_use.database_url, in_use.database_password_file)
        try:
            if settings.database_url:
                schema.check(engine)
            else:
                schema.upgrade(engine)
            with unavailable_as_error(engine):
                yield Services(in_use, sessions(engine), servers.owned)
        finally:
            engine.dispose()
