"""Runs the revisions on the connection that ``maild.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from maild.store.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
