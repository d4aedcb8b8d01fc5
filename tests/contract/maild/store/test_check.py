"""``store check`` names each kind of damage in both languages, on every engine, and nothing where there is none."""

from __future__ import annotations

import apsw
import pytest

from maild.locale import translator
from maild.store import FlagAction, Incoming, QueueEntry, QueueRecipient, Store, new_id
from tests.lib.stores import Scene, letter, new_account, shared_server

FIRST = "(SELECT blob_id FROM message WHERE uid = 1)"
STRAY = "x'00000000000000000000000000000001'"

DAMAGES = {
    "a message whose body is gone": ("DELETE FROM `blob` WHERE id = FIRST", {"body", "chunks"}),
    "a queue row without body": ("DELETE FROM `blob` WHERE id = (SELECT blob_id FROM queue_item)", {"body", "chunks"}),
    "a queue row without recipient": ("DELETE FROM queue_recipient", {"recipients"}),
    "a queue row without destination": ("DELETE FROM destination", {"destination"}),
    "a missing chunk": ("DELETE FROM blob_chunk WHERE number = 1 AND blob_id = FIRST", {"chunks"}),
    "no chunk at all": ("DELETE FROM blob_chunk WHERE blob_id = FIRST", {"chunks"}),
    "chunks without a body": (
        "INSERT INTO blob_chunk (blob_id, number, size, data) VALUES (STRAY, 0, 1, '')",
        {"chunks"},
    ),
    "a body nothing refers to": (
        "INSERT INTO `blob` (id, size, complete, created_at, structure_version) VALUES (STRAY, 0, 1, 0, 0)",
        {"orphan"},
    ),
    "a body with another sum": ("UPDATE blob_chunk SET data = x'00' WHERE blob_id = FIRST", {"damaged"}),
    "a body of another size": ("UPDATE `blob` SET size = size + 1 WHERE id = FIRST", {"chunks", "size"}),
    "a wrong count of messages": ("UPDATE mailbox SET messages = 7 WHERE name = 'INBOX'", {"counter"}),
    "a wrong count of unseen": ("UPDATE mailbox SET unseen = 7 WHERE name = 'INBOX'", {"counter"}),
    "a wrong size of a mailbox": ("UPDATE mailbox SET size = size + 1 WHERE name = 'INBOX'", {"counter"}),
    "a UID beyond UIDNEXT": ("UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'", {"uidnext"}),
    "a MODSEQ beyond the highest": ("UPDATE mailbox SET highestmodseq = 1 WHERE name = 'INBOX'", {"modseq"}),
    "messages without a mailbox": ("DELETE FROM mailbox WHERE name = 'INBOX'", {"messages"}),
    "mailboxes without an account": ("DELETE FROM account", {"mailbox"}),
    "an account without a domain": ("DELETE FROM domain", {"account"}),
}


def test_a_store_in_order_has_no_findings(on: Scene) -> None:
    assert on.run(_filled) == set()
    assert on.run(_found) == set()


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_named(on: Scene, damage: str) -> None:
    statement, named = DAMAGES[damage]
    assert on.run(_filled) == set()
    _run(on, statement)
    assert on.run(_found) == named


def test_what_waits_to_be_collected_is_no_finding(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.accept(letter(account.inbox_id))
        await store.messages.remove(account.inbox_id, [1])
        await store.accept(Incoming(id=new_id(), body=b"to nobody"))
        await store.stage().write(bytes(2_000_000))
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_a_message_that_leads_nowhere_is_collected(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)

    async def body(store: Store) -> None:
        await store.accept(Incoming(id=new_id(), body=b"to nobody"))
        assert await store.maintenance.sweep() == 1
        assert await store.transfer.body_ids(b"", 10) == []

    on.run(body)


async def _filled(store: Store) -> set[str]:
    account = await new_account(store)
    for size in (2_500_000, 100, 100):
        await store.accept(letter(account.inbox_id, body=bytes(size)))
    await store.messages.store_flags(account.inbox_id, [2], FlagAction.ADD, ["\\Seen"])
    recipient = QueueRecipient(address="a@example.com")
    entry = QueueEntry(destination="mx:example.com", sender="", recipients=(recipient,), expires_at=1 << 60)
    await store.accept(Incoming(id=new_id(), body=b"queued", queue=(entry,)))
    return await _found(store)


async def _found(store: Store) -> set[str]:
    found = await store.maintenance.check(bodies=True)
    korean = translator("ko")
    for finding in found:
        assert korean(finding.place, **finding.values) != finding.where
        assert finding.what == "damaged" or korean(finding.text, **finding.values) != finding.detail
    return {finding.what for finding in found}


def _run(on: Scene, statement: str) -> None:
    """Damages the database behind the store's back."""
    statement = statement.replace("FIRST", FIRST).replace("STRAY", STRAY)
    if on.engine == "sqlite":
        connection = apsw.Connection(str(on.database.file))
        connection.execute(statement)
        connection.close()
    else:
        shared_server(on.engine).execute("USE maild", statement)
