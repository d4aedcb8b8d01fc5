"""Stores for tests: the same test body runs on SQLite, MariaDB and MySQL.

A ``Scene`` is an empty, migrated database of one engine and runs coroutines against a store opened on it. Servers are
started once a test run.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from maild.settings import Database
from maild.store import Account, Delivery, Domain, Incoming, Store, new_id, open_store
from maild.store import migrate as migrations
from maild.store.open import url_of
from maild.store.sql.schema import metadata
from tests.lib.databases import DatabaseServer, new_folder
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql

T = TypeVar("T")

DOMAIN = "xn--9t4b11yi5a.net"
"""테스트.net"""

ALIAS_DOMAIN = "xn--9t4b11yi5a.co.kr"


@dataclass(frozen=True)
class Scene:
    """An empty database and what runs on it."""

    engine: str
    database: Database
    folder: Path

    def run(self, body: Callable[[Store], Awaitable[T]]) -> T:
        """Opens the store, runs the body, closes it."""

        async def opened() -> T:
            store = await open_store(self.database)
            try:
                await store.wait(20)
                return await body(store)
            finally:
                await store.close()

        return asyncio.run(opened())


def scene(engine: str, folder: Path) -> Scene:
    """An empty database of this engine."""
    if engine == "sqlite":
        file = folder / "mail.db"
        shutil.copy(_template(), file)
        return Scene(engine, Database(file=file), folder)
    server = shared_server(engine)
    tables = [table.name for table in metadata.sorted_tables]
    server.execute("USE maild", *[f"DELETE FROM `{name}`" for name in tables])  # noqa: S608
    return Scene(engine, server.settings("maild"), folder)


@lru_cache(maxsize=2)
def shared_server(engine: str) -> DatabaseServer:
    """The one server of this kind in a test run, with a migrated schema ``maild``."""
    server = new_mariadb() if engine == "mariadb" else new_mysql()
    atexit.register(server.discard)
    migrations.upgrade(url_of(server.create("maild")))
    return server


@lru_cache(maxsize=1)
def _template() -> Path:
    folder = new_folder("sqlite")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrations.upgrade(migrations.sqlite_url(folder / "mail.db"))
    return folder / "mail.db"


async def new_account(store: Store, local: str = "주문", **settings: object) -> Account:
    """An account in the test domain, which is made when it is missing."""
    if await store.directory.domain(DOMAIN) is None:
        await store.directory.save_domain(Domain(name=DOMAIN))
    return await store.directory.save_account(Account(domain=DOMAIN, local=local, **settings))  # type: ignore[arg-type]


def letter(*mailbox_ids: int, body: bytes = b"Subject: x\r\n\r\nhello\r\n", **more: object) -> Incoming:
    """A message for these mailboxes."""
    deliveries = tuple(Delivery(mailbox_id=mailbox_id) for mailbox_id in mailbox_ids)
    return Incoming(id=new_id(), body=body, deliveries=deliveries, **more)  # type: ignore[arg-type]
