"""Engines: how a transaction reaches SQLite, MySQL or MariaDB, and what its failures mean."""
