"""A database that is late, hangs, or has no room: what the store says, and that it works again by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maild.settings import Database
from maild.store import NotDurable, Store, StoreFull, StoreUnavailable, open_store
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.stores import letter, new_account
from tests.promises.outage import filled, small_disk

pytestmark = pytest.mark.mariadb


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[DatabaseServer]:
    server = new_mariadb()
    yield server
    server.discard()


def test_a_late_database_is_found_when_it_comes(server: DatabaseServer) -> None:
    database = server.create("late")
    server.stop()

    async def body() -> None:
        store = await open_store(database)
        try:
            began = time.monotonic()
            for _ in range(3):
                assert not await store.ready()
                with pytest.raises(StoreUnavailable):
                    await store.accept(letter(1))
            assert time.monotonic() - began < 30
            await asyncio.to_thread(server.start)
            await store.wait(30)
            account = await new_account(store)
            await store.accept(letter(account.inbox_id))
        finally:
            await store.close()

    asyncio.run(body())


def test_a_hung_database_is_given_up_in_time_and_used_again(server: DatabaseServer) -> None:
    database = server.create("hung")

    async def body() -> None:
        store = await open_store(database)
        try:
            await store.wait(30)
            account = await new_account(store)
            await store.accept(letter(account.inbox_id))
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                message = letter(account.inbox_id)
                with pytest.raises(StoreUnavailable):
                    await store.accept(message)
                assert time.monotonic() - began < 30
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await store.directory.domains()
                assert time.monotonic() - began < 30
            finally:
                os.kill(server.process.pid, signal.SIGCONT)
            await store.wait(30)
            accepted = await store.accept(message)
            view = await store.messages.view(account.inbox_id)
            assert len(view.uids) == 2
            assert accepted.placed[0].uid == view.uids[-1]
        finally:
            await store.close()

    asyncio.run(body())


def test_a_database_that_could_lose_a_commit_is_refused(server: DatabaseServer) -> None:
    database = server.create("loose")
    server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")

    async def body() -> None:
        store = await open_store(database)
        try:
            with pytest.raises(NotDurable, match="innodb_flush_log_at_trx_commit is 2"):
                await store.wait(30)
            with pytest.raises(StoreUnavailable):
                await store.accept(letter(1))
            server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
            assert await asyncio.wait_for(_used_after_all(store), 30)
        finally:
            await store.close()

    try:
        asyncio.run(body())
    finally:
        server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")


async def _used_after_all(store: Store) -> bool:
    while True:
        try:
            return await store.ready()
        except NotDurable:
            await asyncio.sleep(0.1)


def test_a_full_disk_is_named_and_over_when_there_is_room_again() -> None:
    with small_disk() as disk:
        asyncio.run(_on_a_full_disk(disk))


async def _on_a_full_disk(disk: Path) -> None:
    store = await open_store(Database(file=disk / "mail.db"))
    try:
        account = await new_account(store)
        await store.accept(letter(account.inbox_id))
        async with filled(disk):
            with pytest.raises(StoreFull):
                await store.accept(letter(account.inbox_id, body=os.urandom(5_000_000)))
            assert len((await store.messages.view(account.inbox_id)).uids) >= 1
        await store.accept(letter(account.inbox_id))
        assert await store.maintenance.check(bodies=True) == []
    finally:
        await store.close()
