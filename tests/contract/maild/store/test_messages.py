from __future__ import annotations

import asyncio

import pytest

from maild.store import FlagAction, KeywordLimit, MailboxGone, NotFound, OverQuota, Store, new_id, open_store
from tests.lib.stores import Scene, letter, new_account


async def filled(store: Store, count: int = 5) -> tuple[int, int, int]:
    """An account with messages in INBOX: its id, INBOX, Trash."""
    account = await new_account(store)
    for number in range(count):
        await store.accept(letter(account.inbox_id, body=b"message %d" % number))
    trash = await store.mailboxes.with_use(account.id, "\\Trash")
    assert trash is not None
    return account.id, account.inbox_id, trash.id


def test_flags_change_with_a_modseq_and_the_counters_follow(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, _ = await filled(store)
        before = (await store.mailboxes.marks([inbox]))[inbox]
        stored = await store.messages.store_flags(inbox, [1, 3, 99], FlagAction.ADD, ["\\Seen", "\\Deleted"])
        assert stored.changed == ((1, 9, before + 1), (3, 9, before + 1))
        again = await store.messages.store_flags(inbox, [1], FlagAction.ADD, ["\\Seen"])
        assert again.changed == ((1, 9, before + 1),)
        removed = await store.messages.store_flags(inbox, [1], FlagAction.REMOVE, ["\\Deleted", "unheard-of"])
        assert removed.changed == ((1, 1, before + 2),)
        replaced = await store.messages.store_flags(inbox, [2], FlagAction.REPLACE, ["\\Flagged"])
        assert replaced.changed == ((2, 4, before + 3),)
        box = await store.mailboxes.get(inbox)
        assert box is not None
        assert (box.unseen, box.deleted, box.highestmodseq) == (3, 1, before + 3)
        assert await store.maintenance.check() == []

    on.run(body)


def test_unchangedsince_refuses_what_changed_meanwhile(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, _ = await filled(store)
        seen = (await store.mailboxes.marks([inbox]))[inbox]
        await store.messages.store_flags(inbox, [2], FlagAction.ADD, ["\\Flagged"])
        stored = await store.messages.store_flags(inbox, [1, 2, 3], FlagAction.ADD, ["\\Seen"], unchanged_since=seen)
        assert stored.modified == (2,)
        assert [uid for uid, _, _ in stored.changed] == [1, 3]
        [row] = await store.messages.get(inbox, [2])
        assert row.flags == 4

    on.run(body)


def test_keywords_are_kept_as_first_spelled_and_end_at_their_limit(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, inbox, _ = await filled(store, 1)
        await store.messages.store_flags(inbox, [1], FlagAction.ADD, ["Important", "긴급"])
        await store.messages.store_flags(inbox, [1], FlagAction.ADD, ["important", "\\SEEN"])
        [row] = await store.messages.get(inbox, [1])
        keywords = await store.mailboxes.keywords(account)
        assert keywords.decode(row.flags) == ["\\Seen", "Important", "긴급"]
        names = [f"k{number}" for number in range(50)]
        await store.messages.store_flags(inbox, [1], FlagAction.ADD, names)
        with pytest.raises(KeywordLimit):
            await store.messages.store_flags(inbox, [1], FlagAction.ADD, ["one-too-many"])
        [row] = await store.messages.get(inbox, [1])
        assert set(names) <= set((await store.mailboxes.keywords(account)).decode(row.flags))

    on.run(body)


def test_two_sessions_that_invent_keywords_at_once_get_different_bits(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, inbox, trash = await filled(store, 1)
        await store.accept(letter(trash))
        await asyncio.gather(
            *[
                store.messages.store_flags(box, [1], FlagAction.ADD, [f"word{number}"])
                for number in range(10)
                for box in (inbox, trash)
            ]
        )
        bits = (await store.mailboxes.keywords(account)).bits
        words = {name: bit for name, bit in bits.items() if name.startswith("word")}
        assert len(words) == len(set(words.values())) == 10

    on.run(body)


def test_expunge_removes_what_is_marked_and_remembers_it(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, _ = await filled(store)
        await store.messages.store_flags(inbox, [2, 4, 5], FlagAction.ADD, ["\\Deleted"])
        seen = (await store.mailboxes.marks([inbox]))[inbox]
        assert await store.messages.expunge(inbox, [1, 2, 4]) == [2, 4]
        changes = await store.messages.changes(inbox, seen)
        assert (changes.messages, changes.vanished) == ((), (2, 4))
        assert await store.messages.expunge(inbox) == [5]
        assert await store.messages.expunge(inbox) == []
        assert list((await store.messages.view(inbox)).uids) == [1, 3]
        await store.accept(letter(inbox))
        assert list((await store.messages.view(inbox)).uids) == [1, 3, 6]
        changes = await store.messages.changes(inbox, seen)
        assert [row.uid for row in changes.messages] == [6]
        assert changes.vanished == (2, 4, 5)
        assert await store.messages.remove(inbox, [1, 77]) == [1]
        assert await store.maintenance.check() == []

    on.run(body)


def test_copy_keeps_flags_and_body_and_counts_against_the_quota(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, inbox, trash = await filled(store)
        await store.messages.store_flags(inbox, [1, 2], FlagAction.ADD, ["\\Seen", "중요"])
        copied = await store.messages.copy(inbox, [2, 1, 42], trash)
        assert (copied.source, copied.destination) == ((1, 2), (1, 2))
        source, target = await store.messages.get(inbox, [1]), await store.messages.get(trash, [1])
        assert target[0].blob_id == source[0].blob_id
        assert target[0].email_id == source[0].email_id
        assert target[0].flags == source[0].flags
        assert target[0].internal_at == source[0].internal_at
        used, _ = await store.directory.usage(account)
        saved = await store.directory.account(account)
        assert saved is not None
        await new_account(store, saved.local, quota_bytes=used + 10)
        with pytest.raises(OverQuota):
            await store.messages.copy(inbox, [3, 4], trash)
        assert len((await store.messages.view(trash)).uids) == 2
        assert await store.maintenance.check() == []

    on.run(body)


def test_move_takes_messages_from_one_mailbox_to_the_other(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, trash = await filled(store)
        bodies = {row.uid: row.blob_id for row in await store.messages.get(inbox, [2, 3])}
        moved = await store.messages.move(inbox, [2, 3], trash)
        assert (moved.source, moved.destination) == ((2, 3), (1, 2))
        assert [row.blob_id for row in await store.messages.get(trash, [1, 2])] == [bodies[2], bodies[3]]
        assert list((await store.messages.view(inbox)).uids) == [1, 4, 5]
        assert (await store.messages.changes(inbox, 0)).vanished == (2, 3)
        within = await store.messages.move(inbox, [1], inbox)
        assert within.destination == (6,)
        assert list((await store.messages.view(inbox)).uids) == [4, 5, 6]
        nothing = await store.messages.move(inbox, [], trash)
        assert nothing.source == ()
        with pytest.raises(MailboxGone):
            await store.messages.move(inbox, [4], 1 << 40)
        assert await store.maintenance.check() == []

    on.run(body)


def test_copies_in_both_directions_at_once_do_not_block_each_other(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, trash = await filled(store, 2)
        await store.accept(letter(trash, trash))
        await asyncio.gather(
            *[store.messages.copy(inbox, [1, 2], trash) for _ in range(20)],
            *[store.messages.copy(trash, [1, 2], inbox) for _ in range(20)],
            *[store.accept(letter(trash, inbox)) for _ in range(20)],
        )
        assert await store.maintenance.check() == []
        assert len((await store.messages.view(inbox)).uids) == 2 + 40 + 20

    on.run(body)


def test_a_view_of_a_large_mailbox_is_right_with_and_without_its_snapshot(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, trash = await filled(store, 1)
        for _ in range(12):
            view = await store.messages.view(inbox)
            await store.messages.copy(inbox, list(view.uids), inbox)
        assert list((await store.messages.view(inbox)).uids) == list(range(1, 4097))
        await store.messages.store_flags(inbox, range(1, 4097, 2), FlagAction.ADD, ["\\Flagged"])
        await store.messages.move(inbox, range(100, 1700), trash)
        await store.accept(letter(inbox))
        with_snapshot = await store.messages.view(inbox)
        expected = [uid for uid in range(1, 4098) if not 100 <= uid < 1700]
        assert list(with_snapshot.uids) == expected
        assert list(with_snapshot.flags) == [4 * (uid % 2) if uid < 4097 else 0 for uid in expected]
        rows = await store.messages.range(inbox, 1, 1 << 32, limit=10_000)
        assert [(row.uid, row.flags) for row in rows] == list(zip(with_snapshot.uids, with_snapshot.flags, strict=True))

    on.run(body)


def test_a_watch_sees_what_another_daemon_commits(on: Scene) -> None:
    async def body(store: Store) -> None:
        _, inbox, trash = await filled(store, 1)
        watch = store.mailboxes.watch()
        for mailbox_id, mark in (await store.mailboxes.marks([inbox, trash])).items():
            watch.add(mailbox_id, mark)
        other = await open_store(on.database)
        await other.wait(10)
        try:
            accepted = await other.accept(letter(inbox))
            [mark] = await asyncio.wait_for(watch.changed(), 10)
            assert (mark.mailbox_id, mark.highestmodseq) == (inbox, accepted.placed[0].modseq)
            changes = await store.messages.changes(inbox, mark.highestmodseq - 1)
            assert [row.uid for row in changes.messages] == [2]
        finally:
            await other.close()
        await store.messages.remove(inbox, [1])
        [mark] = await asyncio.wait_for(watch.changed(), 10)
        assert mark.mailbox_id == inbox
        watch.close()

    on.run(body)


def test_a_watched_mailbox_that_is_deleted_is_told(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, _, _ = await filled(store, 0)
        made = await store.mailboxes.create(account, "잠깐")
        watch = store.mailboxes.watch()
        watch.add(made.id, made.highestmodseq)
        await store.mailboxes.delete(account, "잠깐")
        [mark] = await asyncio.wait_for(watch.changed(), 10)
        assert (mark.mailbox_id, mark.highestmodseq) == (made.id, -1)

    on.run(body)


def test_what_is_not_there_says_so(on: Scene) -> None:
    async def body(store: Store) -> None:
        with pytest.raises(NotFound):
            await store.messages.read(new_id())
        with pytest.raises(MailboxGone):
            await store.messages.view(1 << 40)
        with pytest.raises(MailboxGone):
            await store.messages.store_flags(1 << 40, [1], FlagAction.ADD, ["\\Seen"])
        assert await store.messages.get(1 << 40, [1]) == []

    on.run(body)
