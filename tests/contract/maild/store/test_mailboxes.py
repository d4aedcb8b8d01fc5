from __future__ import annotations

import pytest

from maild.store import AlreadyExists, InUse, NotFound, Store, StoreError
from tests.lib.stores import Scene, letter, new_account


def test_creating_makes_the_parents_and_never_repeats_a_uidvalidity(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        made = await store.mailboxes.create(account.id, "업무/2026/11월")
        names = [box.name for box in await store.mailboxes.of(account.id)]
        assert {"업무", "업무/2026", "업무/2026/11월"} <= set(names)
        with pytest.raises(AlreadyExists):
            await store.mailboxes.create(account.id, "업무/2026/11월")
        await store.mailboxes.delete(account.id, "업무/2026/11월")
        again = await store.mailboxes.create(account.id, "업무/2026/11월")
        assert again.uidvalidity > made.uidvalidity
        assert again.id != made.id

    on.run(body)


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "x" * 256])
def test_a_name_that_cannot_be_kept_is_refused(on: Scene, name: str) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        with pytest.raises(StoreError):
            await store.mailboxes.create(account.id, name)

    on.run(body)


def test_inbox_is_one_mailbox_in_any_case_and_stays(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        found = await store.mailboxes.named(account.id, "iNbOx")
        assert found is not None
        assert found.id == account.inbox_id
        with pytest.raises(InUse):
            await store.mailboxes.delete(account.id, "inbox")
        with pytest.raises(AlreadyExists):
            await store.mailboxes.create(account.id, "Inbox")

    on.run(body)


def test_renaming_takes_the_children_along_and_keeps_ids(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.mailboxes.create(account.id, "a/b/c")
        before = {box.name: box for box in await store.mailboxes.of(account.id)}
        await store.mailboxes.rename(account.id, "a", "x/y")
        after = {box.name: box for box in await store.mailboxes.of(account.id)}
        assert {"x", "x/y", "x/y/b", "x/y/b/c"} <= set(after)
        assert not {"a", "a/b", "a/b/c"} & set(after)
        assert after["x/y/b/c"].object_id == before["a/b/c"].object_id
        assert after["x/y"].uidvalidity == before["a"].uidvalidity
        with pytest.raises(NotFound):
            await store.mailboxes.rename(account.id, "a", "z")
        with pytest.raises(AlreadyExists):
            await store.mailboxes.rename(account.id, "x/y/b", "Sent")
        with pytest.raises(AlreadyExists):
            await store.mailboxes.rename(account.id, "x", "x/y/z")

    on.run(body)


def test_renaming_inbox_moves_its_messages_and_leaves_it_empty(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        for number in range(3):
            await store.accept(letter(account.inbox_id, body=b"%d" % number))
        await store.mailboxes.rename(account.id, "INBOX", "지난 편지")
        inbox = await store.mailboxes.named(account.id, "INBOX")
        old = await store.mailboxes.named(account.id, "지난 편지")
        assert inbox is not None
        assert old is not None
        assert (inbox.messages, old.messages) == (0, 3)
        assert inbox.id == account.inbox_id
        assert await store.maintenance.check() == []

    on.run(body)


def test_deleting_a_parent_leaves_its_children(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        child = await store.mailboxes.create(account.id, "a/b")
        parent = await store.mailboxes.named(account.id, "a")
        assert parent is not None
        for _ in range(5):
            await store.accept(letter(parent.id, child.id))
        await store.mailboxes.delete(account.id, "a")
        assert await store.mailboxes.named(account.id, "a") is None
        left = await store.mailboxes.named(account.id, "a/b")
        assert left is not None
        assert left.messages == 5
        with pytest.raises(NotFound):
            await store.mailboxes.delete(account.id, "a")
        assert await store.maintenance.check() == []

    on.run(body)


def test_subscriptions_outlive_their_mailbox(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.mailboxes.create(account.id, "소식")
        await store.mailboxes.subscribe(account.id, "나중에")
        await store.mailboxes.subscribe(account.id, "Trash", on=False)
        await store.mailboxes.subscribe(account.id, "Trash", on=False)
        await store.mailboxes.delete(account.id, "소식")
        names = await store.mailboxes.subscriptions(account.id)
        assert {"소식", "나중에", "INBOX"} <= set(names)
        assert "Trash" not in names
        trash = await store.mailboxes.named(account.id, "Trash")
        assert trash is not None
        assert not trash.subscribed

    on.run(body)


def test_one_mailbox_has_a_special_use(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        made = await store.mailboxes.create(account.id, "보낸편지함", special_use="\\Sent")
        found = await store.mailboxes.with_use(account.id, "\\Sent")
        assert found is not None
        assert found.id == made.id
        old = await store.mailboxes.named(account.id, "Sent")
        assert old is not None
        assert old.special_use == ""
        await store.mailboxes.set_use(old.id, "\\Sent")
        found = await store.mailboxes.with_use(account.id, "\\Sent")
        assert found is not None
        assert found.id == old.id

    on.run(body)
