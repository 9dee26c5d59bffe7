"""The schema's version: what the database has, what this program needs, and the way there."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from pipeline.errors import Misuse
from pipeline.store.engine import check_server, unavailable_as_error

# Any number does, as long as every process that migrates takes the same one.
MIGRATION_LOCK = 0x77697265
_NEWER = (
    "The database is at revision {found}, which this wirecopy does not know: a newer one has upgraded it. "
    "Install that version, or name another database or --data-dir."
)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("pipeline.store").joinpath("migrations")).replace("%", "%%"))
    return config


def wanted() -> str:
    """The revision that this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise Misuse("This installation holds no migrations: install wirecopy again.")
    return head


def present(engine: Engine) -> str | None:
    """The revision that the database has; None for an empty one."""
    with unavailable_as_error(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the database to the revision that this program needs: (revision before, revision now).

    One transaction under one lock: of two that upgrade at once the second finds the work done, and an upgrade that is
    interrupted leaves the database as it was. Raises Misuse for a database that a newer wirecopy has upgraded.
    """
    check_server(engine)
    with unavailable_as_error(engine), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is not None and before not in _known():
            raise Misuse(_NEWER.format(found=before))
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except ProgrammingError as error:
            raise Misuse(
                f"The database could not be upgraded from revision {before}: {' '.join(str(error.orig).split())}. Something "
                "else lives in it, or its tables were changed by hand; nothing was changed. Name a database of wirecopy's own."
            ) from error
    return before, wanted()


def check(engine: Engine) -> None:
    """Raise Misuse unless the database is at the revision that this program needs."""
    check_server(engine)
    found = present(engine)
    if found is None:
        raise Misuse("The database has no tables of wirecopy's yet: run `wirecopy db upgrade`.")
    if found not in _known():
        raise Misuse(_NEWER.format(found=found))
    if found != wanted():
        raise Misuse(f"The database is at revision {found}, this wirecopy needs {wanted()}: run `wirecopy db upgrade`.")


def _known() -> set[str]:
    return {revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()}
