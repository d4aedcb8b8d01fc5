from __future__ import annotations

import asyncio

import pytest

from maild.store import (
    Incoming,
    LeaseLost,
    MailboxGone,
    Outcome,
    QueueEntry,
    QueueItem,
    QueueRecipient,
    RecipientOutcome,
    RecipientState,
    Store,
    new_id,
    open_store,
)
from tests.lib.stores import Scene, letter, new_account

FAR = 1 << 60
SECOND = 1_000_000


def entry(destination: str = "mx:example.com", *addresses: str, **more: object) -> QueueEntry:
    recipients = tuple(QueueRecipient(address=address) for address in addresses or ("a@example.com",))
    settings = {"sender": "me@example.net", "expires_at": FAR} | more
    return QueueEntry(destination=destination, recipients=recipients, **settings)  # type: ignore[arg-type]


async def put(store: Store, *entries: QueueEntry) -> list[int]:
    accepted = await store.accept(Incoming(id=new_id(), body=b"Subject: x\r\n\r\n", queue=entries))
    return list(accepted.queued)


def delivered(item: QueueItem) -> Outcome:
    return Outcome(
        recipients=tuple(
            RecipientOutcome(recipient_id=recipient.id, state=RecipientState.DELIVERED, reply="250 2.0.0 ok")
            for recipient in item.recipients
        )
    )


def test_what_was_put_in_comes_out_of_a_lease(on: Scene) -> None:
    async def body(store: Store) -> None:
        recipient = QueueRecipient(address="받는이@example.com", original="utf-8;받는이", notify="FAILURE,DELAY")
        wanted = QueueEntry(
            destination="route:*.example",
            sender="",
            recipients=(recipient, QueueRecipient(address="b@example.com")),
            expires_at=FAR,
            envelope_id="env-1",
            dsn_return="HDRS",
            smtputf8=True,
            require_tls=True,
            origin="주문@xn--9t4b11yi5a.net",
        )
        [id_] = await put(store, wanted)
        [lease] = await store.queue.lease("one", limit=10, per_destination=5, seconds=60)
        item = lease.item
        assert (item.id, lease.owner, lease.epoch, item.leased_by) == (id_, "one", 1, "one")
        assert (item.destination, item.sender, item.envelope_id, item.dsn_return) == (
            "route:*.example",
            "",
            "env-1",
            "HDRS",
        )
        assert (item.smtputf8, item.eight_bit, item.require_tls, item.origin) == (True, False, True, wanted.origin)
        found = [(each.address, each.original, each.notify, each.state) for each in item.recipients]
        assert found == [
            ("받는이@example.com", "utf-8;받는이", "FAILURE,DELAY", RecipientState.WAITING),
            ("b@example.com", "", "", RecipientState.WAITING),
        ]
        assert await store.messages.read(item.blob_id) == b"Subject: x\r\n\r\n"
        assert await store.queue.lease("two", limit=10, per_destination=5, seconds=60) == []

    on.run(body)


def test_no_item_is_leased_twice_by_daemons_that_ask_at_once(on: Scene) -> None:
    async def body(store: Store) -> None:
        for number in range(10):
            await put(store, *[entry(f"mx:{number}.example") for _ in range(6)])
        other = await open_store(on.database)
        await other.wait(10)
        try:
            leases = await asyncio.gather(
                *[
                    daemon.queue.lease(f"d{number}", limit=7, per_destination=4, seconds=60)
                    for number in range(8)
                    for daemon in (store, other)
                ]
            )
        finally:
            await other.close()
        ids = [lease.item.id for batch in leases for lease in batch]
        assert len(ids) == len(set(ids))
        assert len(ids) > 0
        assert await store.queue.count() == 60

    on.run(body)


def test_a_finished_item_goes_and_frees_its_destination(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, *[entry() for _ in range(5)])
        first = await store.queue.lease("one", limit=10, per_destination=2, seconds=60)
        assert len(first) == 2
        assert await store.queue.lease("one", limit=10, per_destination=2, seconds=60) == []
        await store.queue.finish(first[0], delivered(first[0].item))
        second = await store.queue.lease("one", limit=10, per_destination=2, seconds=60)
        assert len(second) == 1
        for lease in (first[1], *second):
            await store.queue.finish(lease, delivered(lease.item))
        assert await store.queue.count() == 2
        rest = await store.queue.lease("one", limit=10, per_destination=2, seconds=60)
        for lease in rest:
            await store.queue.finish(lease, delivered(lease.item))
        assert await store.queue.count() == 0
        assert await store.queue.lease("one", limit=10, per_destination=2, seconds=60) == []
        assert await store.queue.next_due() is None
        assert await store.maintenance.check() == []

    on.run(body)


def test_only_waiting_recipients_are_kept_and_tried_again_later(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, entry("mx:example.com", "a@example.com", "b@example.com", "c@example.com"))
        [lease] = await store.queue.lease("one", limit=1, per_destination=1, seconds=60)
        later = await store.queue.now() + 3600 * SECOND
        outcome = Outcome(
            recipients=(
                RecipientOutcome(
                    recipient_id=1, state=RecipientState.DELIVERED, reply="250 ok", remote="mx.example.com"
                ),
                RecipientOutcome(recipient_id=2, state=RecipientState.FAILED, reply="550 5.1.1 없는 사용자"),
                RecipientOutcome(recipient_id=3, state=RecipientState.WAITING, reply="450 4.2.0 later"),
            ),
            next_at=later,
            delay_notified=True,
        )
        await store.queue.finish(lease, outcome)
        [item] = await store.queue.items()
        assert (item.next_at, item.attempts, item.delay_notified, item.leased_by) == (later, 1, True, "")
        assert [(each.state, each.reply) for each in item.recipients] == [
            (RecipientState.DELIVERED, "250 ok"),
            (RecipientState.FAILED, "550 5.1.1 없는 사용자"),
            (RecipientState.WAITING, "450 4.2.0 later"),
        ]
        assert await store.queue.lease("one", limit=1, per_destination=1, seconds=60) == []
        assert await store.queue.next_due() == later
        assert await store.queue.retry([item.id, 42]) == 1
        [again] = await store.queue.lease("one", limit=1, per_destination=1, seconds=60)
        assert again.epoch == 2
        done = Outcome(recipients=(RecipientOutcome(recipient_id=3, state=RecipientState.FAILED, reply="550 no"),))
        await store.queue.finish(again, done)
        assert await store.queue.count() == 0

    on.run(body)


def test_a_lease_that_ran_out_writes_nothing(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await put(store, entry())
        [stale] = await store.queue.lease("slow", limit=1, per_destination=1, seconds=0.01)
        await asyncio.sleep(0.05)
        await store.queue.retry([stale.item.id])
        [fresh] = await store.queue.lease("fast", limit=1, per_destination=1, seconds=60)
        assert fresh.epoch == stale.epoch + 1
        with pytest.raises(LeaseLost):
            await store.queue.finish(stale, delivered(stale.item), [letter(account.inbox_id)])
        with pytest.raises(LeaseLost):
            await store.queue.finish(stale, Outcome(next_at=FAR))
        with pytest.raises(LeaseLost):
            await store.queue.extend(stale, 60)
        await store.queue.release(stale)
        assert len((await store.messages.view(account.inbox_id)).uids) == 0
        extended = await store.queue.extend(fresh, 600)
        assert extended.until > fresh.until
        await store.queue.finish(extended, delivered(fresh.item), [letter(account.inbox_id)])
        assert len((await store.messages.view(account.inbox_id)).uids) == 1
        assert await store.queue.count() == 0

    on.run(body)


def test_outcomes_that_end_together_are_each_written_but_those_of_lost_leases(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, *[entry(f"mx:{number % 7}.example") for number in range(40)])
        leases = await store.queue.lease("d1", limit=40, per_destination=40, seconds=60)
        assert len(leases) == 40
        lost = {lease.item.id for lease in leases[::5]}
        for lease in leases[::5]:
            await store.queue.release(lease)
        taken = await store.queue.lease("d2", limit=40, per_destination=40, seconds=60)
        assert {lease.item.id for lease in taken} == lost
        answers = await asyncio.gather(
            *(store.queue.finish(lease, delivered(lease.item)) for lease in leases), return_exceptions=True
        )
        for lease, answer in zip(leases, answers, strict=True):
            assert isinstance(answer, LeaseLost) == (lease.item.id in lost), answer
        assert {item.id for item in await store.queue.items()} == lost

    on.run(body)


def test_a_notice_that_cannot_be_placed_fails_its_own_outcome_alone(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, entry("mx:1.example"), entry("mx:2.example"))
        leases = await store.queue.lease("d1", limit=2, per_destination=2, seconds=60)
        answers = await asyncio.gather(
            store.queue.finish(leases[0], delivered(leases[0].item), [letter(1 << 40)]),
            store.queue.finish(leases[1], delivered(leases[1].item)),
            return_exceptions=True,
        )
        assert isinstance(answers[0], MailboxGone)
        assert answers[1] is None
        assert [item.id for item in await store.queue.items()] == [leases[0].item.id]

    on.run(body)


def test_an_item_whose_holder_died_is_leased_again_when_the_lease_ends(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, entry())
        [lease] = await store.queue.lease("dead", limit=1, per_destination=1, seconds=3)
        assert await store.queue.lease("alive", limit=1, per_destination=1, seconds=60) == []

        async def until_leased() -> str:
            while True:
                found = await store.queue.lease("alive", limit=1, per_destination=1, seconds=60)
                if found:
                    assert found[0].item.id == lease.item.id
                    return found[0].owner
                await asyncio.sleep(0.05)

        assert await asyncio.wait_for(until_leased(), 60) == "alive"

    on.run(body)


def test_a_released_item_is_due_at_once(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, entry())
        [lease] = await store.queue.lease("one", limit=1, per_destination=1, seconds=60)
        await store.queue.release(lease)
        [again] = await store.queue.lease("two", limit=1, per_destination=1, seconds=60)
        assert again.item.attempts == 0

    on.run(body)


def test_what_a_daemon_had_in_work_before_its_restart_is_due_at_once_and_its_old_outcome_is_not_written(
    on: Scene,
) -> None:
    async def body(store: Store) -> None:
        await put(store, entry(), entry("mx:other.example"))
        mine = await store.queue.lease("me", limit=1, per_destination=1, seconds=600)
        theirs = await store.queue.lease("other", limit=1, per_destination=1, seconds=600)
        assert await store.queue.abandon("me") == 1
        [again] = await store.queue.lease("me", limit=5, per_destination=5, seconds=600)
        assert again.item.id == mine[0].item.id != theirs[0].item.id
        with pytest.raises(LeaseLost):
            await store.queue.finish(mine[0], Outcome(counts_as_attempt=True))
        assert await store.queue.abandon("nobody") == 0

    on.run(body)


def test_a_dead_destination_waits_as_a_whole_and_is_probed_with_one_item(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, *[entry("mx:dead.example") for _ in range(5)], entry("mx:alive.example"))
        leases = await store.queue.lease("one", limit=10, per_destination=2, seconds=60)
        assert sorted(lease.item.destination for lease in leases) == ["mx:alive.example"] + ["mx:dead.example"] * 2
        now = await store.queue.now()
        assert await store.queue.destination_failed("mx:dead.example", "no route", now + 3600 * SECOND) == 1
        for lease in leases:
            if lease.item.destination == "mx:dead.example":
                await store.queue.finish(lease, Outcome(counts_as_attempt=False))
        await put(store, entry("mx:dead.example"))
        assert await store.queue.lease("one", limit=10, per_destination=2, seconds=60) == []
        [row] = [row for row in await store.queue.destinations() if row.name == "mx:dead.example"]
        assert (row.failures, row.reply, row.waiting) == (1, "no route", 6)
        assert await store.queue.destination_failed("mx:dead.example", "no route", now - 1) == 2
        [probe] = await store.queue.lease("one", limit=10, per_destination=2, seconds=60)
        await store.queue.destination_works("mx:dead.example")
        await store.queue.finish(probe, delivered(probe.item))
        assert len(await store.queue.lease("one", limit=10, per_destination=2, seconds=60)) == 2

    on.run(body)


def test_held_items_and_destinations_stay_until_let_go(on: Scene) -> None:
    async def body(store: Store) -> None:
        [first] = await put(store, entry("mx:a.example", hold=True))
        [second] = await put(store, entry("mx:b.example"))
        await store.queue.hold_destination("mx:b.example")
        assert await store.queue.lease("one", limit=9, per_destination=9, seconds=60) == []
        assert await store.queue.hold([first], on=False) == 1
        await store.queue.hold_destination("mx:b.example", on=False)
        leases = await store.queue.lease("one", limit=9, per_destination=9, seconds=60)
        assert {lease.item.id for lease in leases} == {first, second}

    on.run(body)


def test_dropping_takes_what_nobody_works_on(on: Scene) -> None:
    async def body(store: Store) -> None:
        ids = await put(store, entry("mx:a.example"), entry("mx:b.example"))
        lease = await store.queue.lease_item(ids[0], "one", 60)
        assert lease is not None
        assert await store.queue.lease_item(ids[0], "two", 60) is None
        assert await store.queue.drop(ids) == 1
        assert [item.id for item in await store.queue.items()] == [ids[0]]
        assert await store.queue.item(ids[1]) is None
        assert await store.maintenance.check() == []

    on.run(body)


def test_expired_items_are_found_behind_a_back_off(on: Scene) -> None:
    async def body(store: Store) -> None:
        now = await store.queue.now()
        [id_] = await put(store, entry(expires_at=now - 1, not_before=now + 3600 * SECOND))
        await put(store, entry(expires_at=now + 3600 * SECOND))
        assert await store.queue.expired() == [id_]
        lease = await store.queue.lease_item(id_, "one", 60)
        assert lease is not None
        assert await store.queue.expired() == []

    on.run(body)


def test_what_is_held_back_does_not_expire_and_is_tried_once_it_is_let_go(on: Scene) -> None:
    async def body(store: Store) -> None:
        now = await store.queue.now()
        ids = await put(store, *(entry(name, expires_at=now - 1) for name in ("mx:a.example", "mx:b.example")))
        assert set(await store.queue.expired()) == set(ids)
        assert await store.queue.hold(ids) == 2
        assert await store.queue.expired() == []
        assert await store.queue.hold(ids[:1], on=False) == 1
        assert await store.queue.retry(ids[1:]) == 1
        assert await store.queue.expired() == []
        leases = await store.queue.lease("one", limit=9, per_destination=9, seconds=60)
        assert {lease.item.id for lease in leases} == set(ids)

    on.run(body)


def test_a_destination_that_is_held_back_keeps_its_items(on: Scene) -> None:
    async def body(store: Store) -> None:
        [id_] = await put(store, entry("mx:b.example", expires_at=await store.queue.now() - 1))
        await store.queue.hold_destination("mx:b.example")
        assert await store.queue.expired() == []
        await store.queue.hold_destination("mx:b.example", on=False)
        assert await store.queue.expired() == [id_]

    on.run(body)


def test_an_item_for_later_is_not_due_before(on: Scene) -> None:
    async def body(store: Store) -> None:
        later = await store.queue.now() + 3 * SECOND
        await put(store, entry(not_before=later))
        assert await store.queue.lease("one", limit=1, per_destination=1, seconds=60) == []
        assert await store.queue.next_due() == later
        await asyncio.sleep(3.1)
        assert len(await store.queue.lease("one", limit=1, per_destination=1, seconds=60)) == 1

    on.run(body)


def test_an_item_can_move_to_another_destination(on: Scene) -> None:
    async def body(store: Store) -> None:
        await put(store, entry("mx:old.example"))
        [lease] = await store.queue.lease("one", limit=1, per_destination=1, seconds=60)
        await store.queue.finish(lease, Outcome(destination="route:new", counts_as_attempt=False))
        [moved] = await store.queue.lease("one", limit=1, per_destination=1, seconds=60)
        assert moved.item.destination == "route:new"

    on.run(body)


def test_the_suppression_list_ends_entries_by_itself(on: Scene) -> None:
    async def body(store: Store) -> None:
        now = await store.queue.now()
        await store.queue.suppress("Gone@Example.com", "bounced")
        await store.queue.suppress("later@example.com", "bounced", now + 3600 * SECOND)
        await store.queue.suppress("past@example.com", "bounced", now - 1)
        assert await store.queue.suppressed("gone@example.COM") == "bounced"
        assert await store.queue.suppressed("past@example.com") is None
        assert [address for address, _, _ in await store.queue.suppressions()] == [
            "gone@example.com",
            "later@example.com",
        ]
        assert await store.queue.unsuppress("gone@example.com")
        assert not await store.queue.unsuppress("gone@example.com")

    on.run(body)
