"""Alembic's entry: runs the migrations on the connection that pipeline.store.schema hands in."""

from alembic import context

from pipeline.store.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
with context.begin_transaction():
    context.run_migrations()
