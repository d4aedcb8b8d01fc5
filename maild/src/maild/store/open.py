"""Opens the store that the settings name: the one place that picks an engine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from sqlalchemy import URL

from maild.settings import Database
from maild.store import migrate as migrations
from maild.store.budget import Budget
from maild.store.engine.mysql import MySQLEngine
from maild.store.engine.mysql_connection import Server
from maild.store.engine.sqlite import SQLiteEngine
from maild.store.errors import SchemaMismatch, StoreUnavailable
from maild.store.interface import Store
from maild.store.migrate import SchemaState
from maild.store.opened import SQLStore


async def open_store(database: Database, *, migrate: bool = True, budget: Budget | None = None) -> Store:
    """The store of these settings; with ``migrate`` an older schema is brought up to this release's first.

    ``budget`` bounds the bytes of unfinished messages.

    Never waits for a database server that is late: the store connects by itself, and until then every call raises
    ``StoreUnavailable``.
    """
    if database.engine == "mysql":
        return _open_mysql(database, budget, migrate=migrate)
    _make_private(database.file)
    url = migrations.sqlite_url(database.file)
    revision = await asyncio.to_thread(_prepare, url, migrate=migrate)
    return SQLStore(SQLiteEngine(database.file), lambda: revision, budget)


async def schema_of(database: Database) -> tuple[SchemaState, str]:
    """How the schema stands to this release, and its revision; changes nothing."""
    return await asyncio.to_thread(lambda: migrations.state(url_of(database)))


def migrate_schema(database: Database) -> str:
    """Brings the schema up to this release's; returns its revision then. Not beside a store opened by this process."""
    return migrations.upgrade(url_of(database))[1]


def password_of(database: Database) -> str:
    """The password of the database user, without the line end an editor leaves."""
    if database.password_file is None:
        return ""
    try:
        return database.password_file.read_text(encoding="utf-8").strip("\r\n")
    except OSError as error:
        raise StoreUnavailable(f"{database.password_file}: {error.strerror}") from error


def url_of(database: Database) -> URL:
    """Where alembic finds the database."""
    if database.engine == "sqlite":
        return migrations.sqlite_url(database.file)
    return migrations.mysql_url(database.host, database.port, database.user, password_of(database), database.schema)


def _make_private(file: Path) -> None:
    """Mail is its owner's alone to read (on Windows by the folder's access list)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{file}: {error.strerror}") from error


def _open_mysql(database: Database, budget: Budget | None, *, migrate: bool) -> Store:
    revision = ""

    def prepare() -> None:
        nonlocal revision
        revision = _prepare(url_of(database), migrate=migrate)

    server = Server(
        host=database.host,
        port=database.port,
        user=database.user,
        schema=database.schema,
        password=lambda: password_of(database),
    )
    return SQLStore(MySQLEngine(server, prepare), lambda: revision, budget)


def _prepare(url: URL, *, migrate: bool) -> str:
    if migrate:
        return migrations.upgrade(url)[1]
    found, revision = migrations.state(url)
    if found is SchemaState.MISSING:
        raise SchemaMismatch("the database has no schema yet")
    return revision
