"""Opens the store that the settings name: the one place that picks an engine."""

from __future__ import annotations

import asyncio

from maild.settings import Database
from maild.store import migrate as migrations
from maild.store.engine.sqlite import SQLiteEngine
from maild.store.errors import SchemaMismatch
from maild.store.interface import Store
from maild.store.migrate import SchemaState
from maild.store.opened import SQLStore


async def open_store(database: Database, *, migrate: bool = True) -> Store:
    """The store of these settings; with ``migrate`` an older schema is brought up to this release's first.

    Never waits for a database server that is late: the store connects by itself, and until then every call raises
    ``StoreUnavailable``.
    """
    url = migrations.sqlite_url(database.file)
    database.file.parent.mkdir(parents=True, exist_ok=True)
    if migrate:
        _, revision = await asyncio.to_thread(migrations.upgrade, url)
    else:
        found, revision = await asyncio.to_thread(migrations.state, url)
        if found is SchemaState.MISSING:
            raise SchemaMismatch(f"{database.file} has no schema")
    return SQLStore(SQLiteEngine(database.file), lambda: revision)
