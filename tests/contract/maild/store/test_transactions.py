"""What a database does to a batch: deadlocks, lock timeouts, refused rows; and what it must have set to be durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mysql.connector
import pytest

from maild.store import (
    Incoming,
    NotDurable,
    QueueEntry,
    QueueRecipient,
    SchemaMismatch,
    Store,
    StoreError,
    StoreUnavailable,
    new_id,
    open_store,
)
from maild.store.engine.mysql_connection import SILENCE_SECONDS
from tests.lib.stores import Scene, letter, new_account, scene, shared_server

SERVERS = [
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mysql", marks=pytest.mark.mysql),
]


@pytest.fixture(params=SERVERS, name="served")
def _served(request: pytest.FixtureRequest, tmp_path: Any) -> Scene:
    return scene(request.param, tmp_path)


@contextmanager
def other(on: Scene) -> Iterator[Any]:
    """A transaction of somebody else."""
    connection = mysql.connector.connect(
        host="127.0.0.1", port=on.database.port, user="root", database="maild", use_pure=True, ssl_disabled=True
    )
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    try:
        yield cursor
    finally:
        connection.close()


def test_a_batch_that_loses_a_deadlock_is_written_again_whole(served: Scene) -> None:
    async def body(store: Store) -> None:
        first, second = [(await new_account(store, name)).inbox_id for name in ("a", "b")]
        assert first < second
        with other(served) as theirs:
            # Whoever has changed more rows wins the deadlock.
            rows = [(f"x{number}", "1") for number in range(2000)]
            theirs.executemany("INSERT INTO meta (name, value) VALUES (%s, %s)", rows)
            theirs.execute("SELECT id FROM mailbox WHERE id = %s FOR UPDATE", (second,))
            theirs.fetchall()
            sent = asyncio.create_task(store.accept(letter(first, second)))
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(_somebody_waits, served):  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.1)
            before = _deadlocks(served)
            await asyncio.wait_for(asyncio.to_thread(_lock, theirs, first), 20)
            assert _deadlocks(served) == before + 1
            assert not sent.done()
            theirs.execute("ROLLBACK")
            # It waits for the locks alone; an answer not understood would cost the whole patience with a silent server.
            accepted = await asyncio.wait_for(sent, SILENCE_SECONDS - 2)
        assert [place.uid for place in accepted.placed] == [1, 1]
        assert await store.maintenance.check(bodies=True) == []

    served.run(body)


def _lock(cursor: Any, mailbox_id: int) -> None:
    cursor.execute("SELECT id FROM mailbox WHERE id = %s FOR UPDATE", (mailbox_id,))
    cursor.fetchall()


def test_a_batch_that_waits_too_long_for_a_lock_is_written_again(served: Scene) -> None:
    async def body(store: Store) -> None:
        inbox = (await new_account(store)).inbox_id
        with other(served) as theirs:
            _lock(theirs, inbox)
            sent = asyncio.create_task(store.accept(letter(inbox)))
            await asyncio.sleep(4)
            theirs.execute("ROLLBACK")
            assert (await sent).placed[0].uid == 1

    served.run(body)


def test_two_daemons_that_write_to_the_same_mailboxes_in_any_order_never_deadlock(served: Scene) -> None:
    before = _deadlocks(served)

    async def body(store: Store) -> None:
        inboxes = [(await new_account(store, f"user{number}")).inbox_id for number in range(6)]

        async def send(target: Store, *, turned: bool) -> None:
            for number in range(40):
                chosen = sorted({inboxes[number % 6], inboxes[(number * 5 + 1) % 6]}, reverse=turned)
                await target.accept(letter(*chosen))

        second = await open_store(served.database)
        try:
            await second.wait(20)
            await asyncio.gather(
                *[send(target, turned=turned) for target in (store, second) for turned in (True, False)]
            )
        finally:
            await second.close()
        assert await store.maintenance.check() == []

    served.run(body)
    assert _deadlocks(served) == before


def _somebody_waits(on: Scene) -> bool:
    query = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    return bool(shared_server(on.engine).execute(query)[0][0])


def _deadlocks(on: Scene) -> int:
    server = shared_server(on.engine)
    if on.engine == "mysql":
        query = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        return int(server.execute(query)[0][0])
    return int(server.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")[0][1])


def test_a_message_whose_rows_the_database_refuses_fails_alone(on: Scene) -> None:
    async def body(store: Store) -> None:
        inbox = (await new_account(store)).inbox_id
        bad = QueueEntry(
            destination="example.com",
            sender=None,  # type: ignore[arg-type]
            recipients=(QueueRecipient(address="a@example.com"),),
            expires_at=1 << 60,
        )
        answers = await asyncio.gather(
            *[store.accept(letter(inbox)) for _ in range(7)],
            store.accept(Incoming(id=new_id(), body=b"x", queue=(bad,))),
            *[store.accept(letter(inbox)) for _ in range(7)],
            return_exceptions=True,
        )
        assert [number for number, answer in enumerate(answers) if isinstance(answer, BaseException)] == [7]
        assert len((await store.messages.view(inbox)).uids) == 14
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def refused(served: Scene, error: type[StoreError], match: str) -> None:
    """A store on that server says why it must not be used, and takes no mail."""

    async def opened() -> None:
        store = await open_store(served.database)
        try:
            with pytest.raises(error, match=match):
                await store.wait(20)
            with pytest.raises(StoreUnavailable):
                await store.accept(letter(1))
        finally:
            await store.close()

    asyncio.run(opened())


@pytest.mark.mysql
def test_a_binary_log_that_is_not_synced_is_refused(tmp_path: Path) -> None:
    server = shared_server("mysql")
    server.execute("SET GLOBAL sync_binlog = 0")
    try:
        refused(scene("mysql", tmp_path), NotDurable, "sync_binlog is 0")
    finally:
        server.execute("SET GLOBAL sync_binlog = 1")


def test_packets_too_small_for_mail_are_refused_by_name(served: Scene) -> None:
    server = shared_server(served.engine)
    [(before,)] = server.execute("SELECT @@GLOBAL.max_allowed_packet")
    server.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        refused(served, SchemaMismatch, "max_allowed_packet is 1048576")
    finally:
        server.execute(f"SET GLOBAL max_allowed_packet = {before}")
