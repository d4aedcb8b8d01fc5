from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from maild.store import (
    Delivery,
    Incoming,
    MailboxGone,
    OverQuota,
    QueueEntry,
    QueueRecipient,
    Store,
    StoreUnavailable,
    Structure,
    new_id,
)
from maild.store.engine.base import Transaction
from maild.store.opened import SQLStore
from maild.store.sql import bodies
from tests.lib.stores import Scene, letter, new_account

FAR = 1 << 60


def remote(*addresses: str, destination: str = "example.com") -> QueueEntry:
    recipients = tuple(QueueRecipient(address=address) for address in addresses)
    return QueueEntry(destination=destination, sender="a@example.net", recipients=recipients, expires_at=FAR)


def test_one_message_for_many_is_stored_once_and_lies_in_every_mailbox(on: Scene) -> None:
    async def body(store: Store) -> None:
        accounts = [await new_account(store, f"user{number}") for number in range(5)]
        message = letter(
            *[account.inbox_id for account in accounts], queue=(remote("x@example.com"),), prefix=b"A: b\r\n"
        )
        accepted = await store.accept(message)
        assert accepted.size == len(message.prefix) + len(message.body)  # type: ignore[arg-type]
        assert [place.mailbox_id for place in accepted.placed] == [account.inbox_id for account in accounts]
        for account in accounts:
            [row] = await store.messages.get(account.inbox_id, [1])
            assert row.blob_id == accepted.id
            box = await store.mailboxes.get(account.inbox_id)
            assert box is not None
            assert (box.messages, box.unseen, box.uidnext, box.size) == (1, 1, 2, accepted.size)
        assert await store.messages.read(accepted.id) == b"A: b\r\nSubject: x\r\n\r\nhello\r\n"
        [item] = await store.queue.items()
        assert (item.id, item.blob_id, item.size) == (accepted.queued[0], accepted.id, accepted.size)

    on.run(body)


def test_messages_that_wait_for_the_disk_share_their_commits(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store, "a")
        assert isinstance(store, SQLStore)
        before = store._committer.commits
        await asyncio.gather(*(store.accept(letter(account.inbox_id)) for _ in range(96)))
        # One that comes first, then as many together as a batch holds.
        assert store._committer.commits - before <= 3

    on.run(body)


def test_uids_rise_without_gap_or_repetition_under_many_senders(on: Scene) -> None:
    async def body(store: Store) -> None:
        first, second = await new_account(store, "a"), await new_account(store, "b")

        async def send(number: int) -> None:
            target = first if number % 3 else second
            await store.accept(letter(target.inbox_id, body=b"%d" % number))

        await asyncio.gather(*[send(number) for number in range(200)])
        for account in (first, second):
            view = await store.messages.view(account.inbox_id)
            assert list(view.uids) == list(range(1, len(view.uids) + 1))
        bodies = set()
        for account in (first, second):
            for row in await store.messages.range(account.inbox_id, 1, 1 << 32):
                bodies.add(await store.messages.read(row.blob_id))
        assert bodies == {b"%d" % number for number in range(200)}
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_the_same_ingest_id_is_accepted_once(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        message = letter(account.inbox_id, queue=(remote("x@example.com"),))
        first = await store.accept(message)
        assert await store.accept(message) == first
        again = await asyncio.gather(store.accept(message), *[store.accept(letter(account.inbox_id)) for _ in range(9)])
        assert again[0] == first
        view = await store.messages.view(account.inbox_id)
        assert len(view.uids) == 10
        assert await store.queue.count() == 1

    on.run(body)


def test_a_staged_body_is_read_back_byte_for_byte(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        data = os.urandom(3_300_000)
        staged = store.stage(len(data))
        for start in range(0, len(data), 70_001):
            await staged.write(data[start : start + 70_001])
        assert staged.size == len(data)
        message = Incoming(
            id=staged.id,
            prefix="Received: 받음\r\n".encode(),
            body=staged,
            deliveries=(Delivery(mailbox_id=account.inbox_id),),
        )
        accepted = await store.accept(message)
        whole = message.prefix + data
        assert accepted.size == len(whole)
        assert b"".join([piece async for piece in store.messages.chunks(accepted.id)]) == whole
        for offset, length in ((0, 5), (10, 100), (1_048_570, 30), (2_500_000, 600_000), (len(whole) - 3, 99)):
            assert await store.messages.read(accepted.id, offset, length) == whole[offset : offset + length]
        assert (await store.maintenance.health()).unfinished_bytes == 0
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20])
def test_bodies_of_every_size_come_back(on: Scene, size: int) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        data = os.urandom(size)
        plain = await store.accept(letter(account.inbox_id, body=data))
        staged = store.stage()
        await staged.write(data)
        kept = await store.accept(
            Incoming(id=staged.id, body=staged, deliveries=(Delivery(mailbox_id=account.inbox_id),))
        )
        for accepted in (plain, kept):
            assert b"".join([piece async for piece in store.messages.chunks(accepted.id)]) == data
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_an_abandoned_body_leaves_nothing(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        staged = store.stage()
        await staged.write(os.urandom(2_500_000))
        await staged.abandon()
        await staged.abandon()
        kept = store.stage()
        await kept.write(os.urandom(2_500_000))
        accepted = await store.accept(
            Incoming(id=kept.id, body=kept, deliveries=(Delivery(mailbox_id=account.inbox_id),))
        )
        await kept.abandon()
        assert len(await store.messages.read(accepted.id)) == 2_500_000
        assert (await store.maintenance.health()).unfinished_bytes == 0
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_a_prefix_of_any_size_comes_before_a_staged_body(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        staged = store.stage()
        data, prefix = os.urandom(2_500_000), b"X: y\r\n" * 400_000
        await staged.write(data)
        delivery = Delivery(mailbox_id=account.inbox_id)
        accepted = await store.accept(Incoming(id=staged.id, prefix=prefix, body=staged, deliveries=(delivery,)))
        assert b"".join([piece async for piece in store.messages.chunks(accepted.id)]) == prefix + data
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_bodies_that_hold_all_room_are_written_and_none_waits_for_another(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        store.budget.limit = 2 << 20
        data = [os.urandom(900_000) for _ in range(6)]

        async def send(content: bytes) -> bytes:
            staged = store.stage()
            for start in range(0, len(content), 50_000):
                await staged.write(content[start : start + 50_000])
                assert store.budget.held <= store.budget.limit
            delivery = Delivery(mailbox_id=account.inbox_id)
            return (await store.accept(Incoming(id=staged.id, body=staged, deliveries=(delivery,)))).id

        ids = await asyncio.gather(*map(send, data))
        assert [await store.messages.read(id_) for id_ in ids] == data
        assert store.budget.held == 0

    on.run(body)


def test_a_body_whose_chunk_was_lost_is_not_accepted(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.staging.WRITE_SECONDS", 0.0)

    async def body(store: Store) -> None:
        account = await new_account(store)
        staged = store.stage()
        with pytest.raises(StoreUnavailable):
            await staged.write(os.urandom(2_500_000))
        delivery = Delivery(mailbox_id=account.inbox_id)
        with pytest.raises(StoreUnavailable):
            await store.accept(Incoming(id=staged.id, body=staged, deliveries=(delivery,)))
        await staged.abandon()
        assert store.budget.held == 0
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_what_could_not_be_removed_at_once_goes_with_the_next_sweep(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(store: Store) -> None:
        staged = store.stage()
        await staged.write(os.urandom(2_500_000))
        with monkeypatch.context() as hindered:
            hindered.setattr("maild.store.staging.REMOVE_SECONDS", 0.0)
            await staged.abandon()
        assert await store.transfer.body(staged.id)
        await store.maintenance.sweep()
        assert await store.transfer.body(staged.id) == []

    on.run(body)


def test_what_is_unfinished_when_the_store_closes_is_removed(on: Scene) -> None:
    async def begin(store: Store) -> bytes:
        staged = store.stage()
        await staged.write(os.urandom(2_500_000))
        assert len(await store.transfer.body(staged.id)) == 2
        return staged.id

    blob_id = on.run(begin)

    async def look(store: Store) -> None:
        assert await store.transfer.body(blob_id) == []

    on.run(look)


def test_large_bodies_are_removed_in_slices(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)
    monkeypatch.setattr("maild.store.sql.bodies.SLICE_BYTES", 1_500_000)
    slices = 0
    purge = bodies.purge

    def counted(tx: Transaction) -> bool:
        nonlocal slices
        slices += 1
        return purge(tx)

    monkeypatch.setattr("maild.store.sql.bodies.purge", counted)

    async def body(store: Store) -> None:
        account = await new_account(store)
        for size in (100, 5_000_000, 100, 5_000_000):
            await store.accept(letter(account.inbox_id, body=os.urandom(size)))
        kept = await store.accept(letter(account.inbox_id, body=os.urandom(3_000_000)))
        await store.messages.remove(account.inbox_id, [1, 2, 3, 4])
        await store.maintenance.sweep()
        assert slices >= 5
        assert await store.transfer.body_ids(b"", 10) == [kept.id]
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_a_message_for_a_deleted_mailbox_fails_alone(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        gone = await store.mailboxes.create(account.id, "잠깐")
        await store.mailboxes.delete(account.id, "잠깐")
        answers = await asyncio.gather(
            *[store.accept(letter(account.inbox_id)) for _ in range(5)],
            store.accept(letter(account.inbox_id, gone.id)),
            *[store.accept(letter(account.inbox_id)) for _ in range(5)],
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [MailboxGone]
        assert len((await store.messages.view(account.inbox_id)).uids) == 10

    on.run(body)


def test_a_full_account_refuses_and_others_of_the_batch_do_not(on: Scene) -> None:
    async def body(store: Store) -> None:
        small = await new_account(store, "small", quota_bytes=1000)
        large = await new_account(store, "large")
        answers = await asyncio.gather(
            *[store.accept(letter(small.inbox_id, body=bytes(300))) for _ in range(5)],
            *[store.accept(letter(large.inbox_id, body=bytes(300))) for _ in range(5)],
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [OverQuota, OverQuota]
        assert await store.directory.usage(small.id) == (900, 3)
        assert await store.directory.usage(large.id) == (1500, 5)
        forced = await store.accept(letter(small.inbox_id, body=bytes(500), check_quota=False))
        assert forced.size == 500
        role = Delivery(mailbox_id=small.inbox_id, check_quota=False)
        assert (await store.accept(replace(letter(large.inbox_id), deliveries=(role,)))).placed
        both = replace(letter(small.inbox_id), deliveries=(role, Delivery(mailbox_id=large.inbox_id)))
        assert len((await store.accept(both)).placed) == 2

    on.run(body)


def test_structure_and_dates_come_with_the_message(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        structure = Structure(version=3, data=b"\0\1\2")
        accepted = await store.accept(letter(account.inbox_id, structure=structure, internal_at=1234567))
        [row] = await store.messages.get(account.inbox_id, [1])
        assert row.internal_at == 1234567
        assert row.saved_at > 1_700_000_000_000_000
        assert await store.messages.structures([accepted.id, new_id()]) == {accepted.id: structure}
        await store.messages.save_structure(accepted.id, Structure(version=4, data=b"x"))
        assert (await store.messages.structures([accepted.id]))[accepted.id].version == 4

    on.run(body)


def test_flags_and_keywords_can_come_with_a_delivery(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        delivery = Delivery(mailbox_id=account.inbox_id, flags=("\\Seen", "$label1", "중요"))
        await store.accept(Incoming(id=new_id(), body=b"x", deliveries=(delivery,)))
        [row] = await store.messages.get(account.inbox_id, [1])
        keywords = await store.mailboxes.keywords(account.id)
        assert keywords.decode(row.flags) == ["\\Seen", "$label1", "중요"]
        box = await store.mailboxes.get(account.inbox_id)
        assert box is not None
        assert box.unseen == 0

    on.run(body)
