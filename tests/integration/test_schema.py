"""The database's schema."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from pipeline.embedded import Servers
from pipeline.errors import Misuse, Unavailable
from pipeline.store import features, queries, schema
from pipeline.store.engine import connect, sessions
from pipeline.store.tables import Table


def test_models_and_migrations_agree(database: Engine) -> None:
    """A database that was migrated from nothing has the tables that the models describe, and nothing else."""
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, Table.metadata) == []


def test_an_upgrade_that_breaks_off_leaves_the_database_as_it_was(servers: Servers, database: Engine) -> None:
    """An upgrade is one transaction: where it fails halfway, nothing of it stays, and the next one succeeds."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE half_done"))
    half_done = create_engine(database.url.set(database="half_done"))
    try:
        with half_done.begin() as connection:
            connection.execute(text("CREATE TABLE witnesses (id int)"))  # in the way of the migration's own
        with pytest.raises(Misuse, match=r"witnesses.*nothing was changed"):
            schema.upgrade(half_done)
        with half_done.begin() as connection:
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
            assert tables == ["witnesses"]
            connection.execute(text("DROP TABLE witnesses"))
        assert schema.upgrade(half_done) == (None, schema.wanted())
        assert schema.upgrade(half_done) == (schema.wanted(), schema.wanted())
    finally:
        half_done.dispose()


def test_a_database_of_a_newer_wirecopy_is_left_alone(database: Engine) -> None:
    """A revision that this program does not know is refused by upgrade and check, with what to do."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE newer"))
    newer = create_engine(database.url.set(database="newer"))
    try:
        schema.upgrade(newer)
        with newer.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Misuse, match="a newer one has upgraded it"):
            schema.upgrade(newer)
        with pytest.raises(Misuse, match="a newer one has upgraded it"):
            schema.check(newer)
        with newer.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
        with pytest.raises(Misuse, match="no tables of wirecopy's yet"):
            schema.check(newer)
    finally:
        newer.dispose()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """A refused connection names the server, without its password, and what to do."""
    engine = connect("postgresql://somebody:secret@127.0.0.1:1/wirecopy")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/wirecopy.*doctor") as caught:
        schema.check(engine)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", ""])
def test_a_url_of_another_kind_is_misuse(url: str) -> None:
    """Only a PostgreSQL URL names a store."""
    with pytest.raises(Misuse, match="postgresql://"):
        connect(url)


def test_what_was_placed_before_is_found_after_the_upgrade(servers: Servers, database: Engine) -> None:
    """Features of arrays become rows; a quotation gets a story of its own, linked to the one it stood beside."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE earlier"))
    earlier = connect(database.url.set(database="earlier").render_as_string(hide_password=False))
    try:
        config = schema._config()
        with earlier.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0006")
            connection.execute(text("INSERT INTO stories (title, language, revision) VALUES ('One', 'en', 2)"))
            connection.execute(
                text("""INSERT INTO witnesses (source, title, text, features, story_id, relation, relation_evidence, siglum, placed_at)
                VALUES ('http://a.example/', 'One', 'a', '{5,7}', 1, 'copy', NULL, 'A', now()),
                       ('http://b.example/', 'Two', 'b', '{7,9}', 1, 'excerpt', '{"of": 1, "density": 0.9}', NULL, now()),
                       ('http://c.example/', NULL, 'c', '{}', NULL, NULL, NULL, NULL, now())""")
            )
        schema.upgrade(earlier)
        with sessions(earlier)() as session:
            assert [(one.witness_id, one.story_id, one.shared) for one in features.candidates(session, [7, 9])] == [
                (2, 2, (7, 9)),
                (1, 1, (7,)),
            ]
            assert features.placed(session) == 2
            listed = [(copy.story_id, copy.relation, copy.title) for copy in queries.copies(session, 1)]
            assert listed == [(1, "copy", "One"), (2, "excerpt", "Two")]
            assert queries.story(session, 2).waits_for == "collation"
    finally:
        earlier.dispose()
