"""Alembic's environment of the store: revisions that only add, so that the release before still works on the schema."""
