"""The schema's version: what the database has, what this program needs, and the way there."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from pipeline.errors import Misuse
from pipeline.store.engine import check_server, unavailable_as_error

# Any number does, as long as every process that migrates takes the same one.
MIGRATION_LOCK = 0x77697265


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
    script = ScriptDirectory.from_config(_config())
    with unavailable_as_error(engine), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is not None and before not in {revision.revision for revision in script.walk_revisions()}:
            raise Misuse(
                f"The database is at revision {before}, which this wirecopy does not know: a newer one has upgraded it. "
                "Install that version, or name another database or --data-dir."
            )
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, wanted()


def check(engine: Engine) -> None:
    """Raise Misuse unless the database is at the revision that this program needs."""
    check_server(engine)
    if (found := present(engine)) != wanted():
        raise Misuse(f"The database is at revision {found}, this wirecopy needs {wanted()}: run `wirecopy db upgrade`.")
