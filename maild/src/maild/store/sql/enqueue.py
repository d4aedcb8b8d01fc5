"""Putting messages into the queue, as part of the transaction that accepts them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, case, select, update

from maild.store.engine.base import Transaction, run_keyed
from maild.store.records.arrival import Incoming
from maild.store.records.queue import QueueEntry, RecipientState
from maild.store.sql.schema import DESTINATION, QUEUE_ITEM, QUEUE_RECIPIENT
from maild.store.sql.statement import Keyed, Rows, Statement, Value

NEVER: Final = (1 << 62) - 1
"""A due time that does not come: a destination with nothing to do."""

SMTPUTF8, EIGHT_BIT, REQUIRE_TLS = 1, 2, 4
"""Bits of ``traits``."""

_EPOCH_MS = 1_577_836_800_000
"""2020-01-01: 41 bits of milliseconds from here last until 2089."""

_RANDOM_BITS = 22

_INSERT_ITEMS = Rows(QUEUE_ITEM)
_INSERT_RECIPIENTS = Rows(QUEUE_RECIPIENT)
_INSERT_DESTINATION = Rows(DESTINATION)
_EXISTING = Keyed(lambda keys: select(DESTINATION.c.name).where(DESTINATION.c.name.in_(keys)))
_WAKE = Keyed(
    lambda keys: (
        update(DESTINATION)
        .where(DESTINATION.c.name.in_(keys))
        .values(
            wakes=DESTINATION.c.wakes + 1,
            due_at=case(
                (and_(DESTINATION.c.failures == 0, DESTINATION.c.due_at > bindparam("at")), bindparam("at")),
                else_=DESTINATION.c.due_at,
            ),
        )
    )
)
_OF_BLOB = Statement(select(QUEUE_ITEM.c.id).where(QUEUE_ITEM.c.blob_id == bindparam("id")).order_by(QUEUE_ITEM.c.id))


def new_item_id() -> int:
    """An id in the order of time; should two daemons ever draw the same one, the second batch is written anew."""
    elapsed = time.time_ns() // 1_000_000 - _EPOCH_MS
    return elapsed << _RANDOM_BITS | int.from_bytes(os.urandom(3), "big") >> 2


def insert(tx: Transaction, batch: Sequence[tuple[Incoming, int]], now: int) -> dict[bytes, tuple[int, ...]]:
    """Writes the queue rows of these messages; returns their ids by ingest id."""
    items: list[tuple[Value, ...]] = []
    recipients: list[tuple[Value, ...]] = []
    due: dict[str, int] = {}
    ids: dict[bytes, tuple[int, ...]] = {}
    for incoming, size in batch:
        own = []
        for entry in incoming.queue:
            id_ = new_item_id()
            own.append(id_)
            at = now if entry.not_before is None else entry.not_before
            items.append(_item(id_, incoming.id, entry, size, now, at))
            recipients += _recipients(id_, entry)
            due[entry.destination] = min(at, due.get(entry.destination, at))
        ids[incoming.id] = tuple(own)
    if items:
        tx.insert_rows(_INSERT_ITEMS, items)
        tx.insert_rows(_INSERT_RECIPIENTS, recipients)
        wake(tx, due)
    return ids


def wake(tx: Transaction, due: dict[str, int]) -> None:
    """Makes destinations due, unless they are backing off; unknown ones are made. Locks them in the order of names."""
    names = sorted(due)
    if len(set(due.values())) == 1:
        matched = run_keyed(tx, _WAKE, names, {"at": due[names[0]]})
    else:
        matched = sum(run_keyed(tx, _WAKE, [name], {"at": due[name]}) for name in names)
    if matched == len(names):
        return
    there = {row[0] for statement, values in _EXISTING.split(names) for row in tx.rows(statement, values)}
    tx.insert_rows(_INSERT_DESTINATION, [(name, due[name], 0, 0, 0, "") for name in names if name not in there])


def found(tx: Transaction, blob_id: bytes) -> tuple[int, ...]:
    """The queue rows of a message."""
    return tuple(row[0] for row in tx.rows(_OF_BLOB, {"id": blob_id}))


def _item(id_: int, blob_id: bytes, entry: QueueEntry, size: int, now: int, at: int) -> tuple[Value, ...]:
    traits = SMTPUTF8 * entry.smtputf8 | EIGHT_BIT * entry.eight_bit | REQUIRE_TLS * entry.require_tls
    return (
        id_,
        blob_id,
        entry.destination,
        entry.sender,
        size,
        entry.envelope_id,
        entry.dsn_return,
        traits,
        entry.origin,
        now,
        entry.expires_at,
        at,
        0,
        int(entry.hold),
        0,
        "",
        0,
        0,
    )


def _recipients(id_: int, entry: QueueEntry) -> list[tuple[Value, ...]]:
    return [
        (id_, number, recipient.address, recipient.original, recipient.notify, RecipientState.WAITING.value, "", "")
        for number, recipient in enumerate(entry.recipients, 1)
    ]
