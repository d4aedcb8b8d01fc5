"""Accepting a batch of messages in one transaction: bodies, mailbox rows, queue rows.

The order of locks is the same in every batch (mailboxes by id, then destinations by name); a message whose mailbox is
gone or full fails alone, before anything of it is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, select, update

from maild.store.engine.base import Transaction, one
from maild.store.errors import MailboxGone, OverQuota, StoreError, StoreUnavailable
from maild.store.records.arrival import Accepted, Delivery, Incoming, Placed
from maild.store.records.mail import DELETED, SEEN, Mailbox
from maild.store.sql import accounts, bodies, enqueue, mailboxes
from maild.store.sql.schema import BLOB, BLOB_CHUNK, MAILBOX, MESSAGE
from maild.store.sql.statement import Rows, Statement, Value

STATEMENT_BYTES = 4 << 20
"""Bytes of bodies in one insert: well below MariaDB's max_allowed_packet of 16 MiB."""

INSERT_BLOBS = Rows(BLOB)
INSERT_CHUNKS = Rows(BLOB_CHUNK)
INSERT_MESSAGES = Rows(MESSAGE)

_COMPLETE = Statement(
    update(BLOB)
    .where(BLOB.c.id == bindparam("key"), BLOB.c.complete == 0)
    .values(
        complete=1,
        size=bindparam("size"),
        structure_version=bindparam("structure_version"),
        structure=bindparam("structure"),
    )
)
_FOUND = Statement(select(BLOB.c.size).where(BLOB.c.id == bindparam("id"), BLOB.c.complete == 1))
_PLACED = Statement(
    select(MESSAGE.c.mailbox_id, MAILBOX.c.uidvalidity, MESSAGE.c.uid, MESSAGE.c.modseq)
    .join(MAILBOX, MAILBOX.c.id == MESSAGE.c.mailbox_id)
    .where(MESSAGE.c.blob_id == bindparam("id"))
    .order_by(MESSAGE.c.mailbox_id, MESSAGE.c.uid)
)

_COUNTERS = ("uidnext", "highestmodseq", "messages", "unseen", "deleted", "size")
_COUNTER_SIZES = (1, 4, 16, 64)


def _set_counters(size: int) -> Statement:
    keys: list[Any] = [bindparam(f"k{number}") for number in range(size)]
    values: dict[str, Any] = {
        name: case({keys[number]: bindparam(f"{name}{number}") for number in range(size)}, value=MAILBOX.c.id)
        for name in _COUNTERS
    }
    return Statement(update(MAILBOX).where(MAILBOX.c.id.in_(keys)).values(values))


_SET_COUNTERS = {size: _set_counters(size) for size in _COUNTER_SIZES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message ready to be written: its chunks are compressed; those of a staged body are there already."""

    incoming: Incoming
    size: int
    chunks: tuple[tuple[int, int, bytes], ...]
    """Number, size before compression, compressed bytes."""
    staged: bool = False

    @property
    def stored(self) -> int:
        """Bytes that go into the transaction."""
        return sum(len(data) for _, _, data in self.chunks)


@dataclass(slots=True)
class _Counters:
    """The counters of one mailbox as the transaction will leave them."""

    uidnext: int
    highestmodseq: int
    messages: int
    unseen: int
    deleted: int
    size: int


class Counting:
    """The counters of locked mailboxes while a transaction changes them; ``write`` puts them back."""

    def __init__(self, locked: dict[int, Mailbox]) -> None:
        self.boxes = locked
        """As they were when they were locked."""
        self._changed: dict[int, _Counters] = {}

    def modseq(self, mailbox_id: int) -> int:
        """The MODSEQ of this transaction's changes to a mailbox."""
        return self.boxes[mailbox_id].highestmodseq + 1

    def add(self, mailbox_id: int, flags: int, size: int) -> int:
        """Counts a new message; returns its UID."""
        counters = self._of(mailbox_id)
        uid = counters.uidnext
        counters.uidnext += 1
        counters.messages += 1
        counters.unseen += not flags & SEEN
        counters.deleted += bool(flags & DELETED)
        counters.size += size
        return uid

    def remove(self, mailbox_id: int, flags: int, size: int) -> None:
        """Counts a message out."""
        counters = self._of(mailbox_id)
        counters.messages -= 1
        counters.unseen -= not flags & SEEN
        counters.deleted -= bool(flags & DELETED)
        counters.size -= size

    def reflag(self, mailbox_id: int, old: int, new: int) -> None:
        """Counts a change of flags."""
        counters = self._of(mailbox_id)
        counters.unseen += (not new & SEEN) - (not old & SEEN)
        counters.deleted += bool(new & DELETED) - bool(old & DELETED)

    def write(self, tx: Transaction) -> None:
        """Writes what changed, in as few statements as there are sizes for."""
        changed = sorted(self._changed.items())
        for start in range(0, len(changed), _COUNTER_SIZES[-1]):
            part = changed[start : start + _COUNTER_SIZES[-1]]
            size = next(size for size in _COUNTER_SIZES if size >= len(part))
            named: dict[str, Value] = {}
            for number, (id_, counters) in enumerate([*part, *([part[-1]] * (size - len(part)))]):
                named[f"k{number}"] = id_
                for name in _COUNTERS:
                    named[f"{name}{number}"] = getattr(counters, name)
            tx.run(_SET_COUNTERS[size], named)

    def _of(self, mailbox_id: int) -> _Counters:
        """The counters to change, with this transaction's MODSEQ."""
        found = self._changed.get(mailbox_id)
        if found is None:
            box = self.boxes[mailbox_id]
            found = self._changed[mailbox_id] = _Counters(
                box.uidnext, box.highestmodseq + 1, box.messages, box.unseen, box.deleted, box.size
            )
        return found


def accept(
    tx: Transaction, batch: Sequence[Prepared], limited: frozenset[int] | None = None
) -> list[Accepted | StoreError]:
    """Writes a batch; a message that cannot be placed answers with its error and the others go on.

    ``limited`` names the accounts that have a quota; without it all are asked.
    """
    # Leases and due times need the database's clock; the dates of messages do with this host's and save a round trip.
    now = tx.now() if any(prepared.incoming.queue for prepared in batch) else time.time_ns() // 1000
    wanted = {delivery.mailbox_id for prepared in batch for delivery in prepared.incoming.deliveries}
    counting = Counting(mailboxes.lock(tx, list(wanted)) if wanted else {})
    refused = _refused(tx, batch, counting, limited)
    taken = [prepared for prepared in batch if prepared.incoming.id not in refused]
    _write_bodies(tx, taken, now)
    placed = _place(tx, taken, counting, now)
    counting.write(tx)
    # A message that leads nowhere after all (every copy of a list suppressed) is not kept for ever.
    nowhere = [one.incoming.id for one in taken if not one.incoming.deliveries and not one.incoming.queue]
    bodies.discard(tx, nowhere, now)
    queued = enqueue.insert(tx, [(prepared.incoming, prepared.size) for prepared in taken], now)
    return [
        refused.get(prepared.incoming.id)
        or Accepted(
            id=prepared.incoming.id,
            size=prepared.size,
            placed=placed[prepared.incoming.id],
            queued=queued.get(prepared.incoming.id, ()),
        )
        for prepared in batch
    ]


def found(tx: Transaction, incoming: Incoming) -> Accepted | None:
    """What an earlier transaction made of this ingest id, None when it never took place."""
    row = one(tx, _FOUND, {"id": incoming.id})
    if row is None:
        return None
    placed = [
        Placed(mailbox_id=m, uidvalidity=v, uid=u, modseq=q) for m, v, u, q in tx.rows(_PLACED, {"id": incoming.id})
    ]
    return Accepted(
        id=incoming.id,
        size=row[0],
        placed=_in_order(incoming.deliveries, placed),
        queued=enqueue.found(tx, incoming.id),
    )


def _refused(
    tx: Transaction, batch: Sequence[Prepared], counting: Counting, limited: frozenset[int] | None
) -> dict[bytes, StoreError]:
    holders = {box.account_id for box in counting.boxes.values()}
    asked = sorted(holders if limited is None else holders & limited)
    room = accounts.room(tx, asked) if asked else {}
    refused: dict[bytes, StoreError] = {}
    for prepared in batch:
        needs: dict[int, int] = {}
        bound: set[int] = set()
        for delivery in prepared.incoming.deliveries:
            box = counting.boxes.get(delivery.mailbox_id)
            if box is None:
                refused[prepared.incoming.id] = MailboxGone(f"mailbox {delivery.mailbox_id}")
                break
            needs[box.account_id] = needs.get(box.account_id, 0) + prepared.size
            if delivery.check_quota:
                bound.add(box.account_id)
        else:
            full = [id_ for id_, size in needs.items() if id_ in bound and room.get(id_, size) < size]
            if full and prepared.incoming.check_quota:
                refused[prepared.incoming.id] = OverQuota(f"accounts {full} have no room for {prepared.size} bytes")
                continue
            for id_, size in needs.items():
                if id_ in room:
                    room[id_] -= size
    return refused


def _write_bodies(tx: Transaction, batch: Sequence[Prepared], now: int) -> None:
    rows = []
    for prepared in batch:
        structure = prepared.incoming.structure
        version, data = (structure.version, structure.data) if structure else (0, None)
        if prepared.staged:
            named = {
                "key": prepared.incoming.id,
                "size": prepared.size,
                "structure_version": version,
                "structure": data,
            }
            if not tx.run(_COMPLETE, named):
                raise StoreUnavailable(f"the staged body {prepared.incoming.id.hex()} is no longer there")
        else:
            rows.append((prepared.incoming.id, prepared.size, 1, now, version, data))
    tx.insert_rows(INSERT_BLOBS, rows)
    for part in _by_bytes([(p.incoming.id, *chunk) for p in batch for chunk in p.chunks]):
        tx.insert_rows(INSERT_CHUNKS, part)


def _by_bytes(chunks: Sequence[tuple[bytes, int, int, bytes]]) -> Iterator[list[tuple[bytes, int, int, bytes]]]:
    part: list[tuple[bytes, int, int, bytes]] = []
    total = 0
    for chunk in chunks:
        if part and total + len(chunk[3]) > STATEMENT_BYTES:
            yield part
            part, total = [], 0
        part.append(chunk)
        total += len(chunk[3])
    if part:
        yield part


def _place(tx: Transaction, batch: Sequence[Prepared], counting: Counting, now: int) -> dict[bytes, tuple[Placed, ...]]:
    rows = []
    placed = {}
    for prepared in batch:
        incoming = prepared.incoming
        places = []
        for delivery in incoming.deliveries:
            box = counting.boxes[delivery.mailbox_id]
            flags = mailboxes.flag_bits(tx, box.account_id, delivery.flags)
            uid = counting.add(box.id, flags, prepared.size)
            modseq = counting.modseq(box.id)
            at = now if incoming.internal_at is None else incoming.internal_at
            rows.append((box.id, uid, incoming.id, modseq, flags, at, now, prepared.size))
            places.append(Placed(mailbox_id=box.id, uidvalidity=box.uidvalidity, uid=uid, modseq=modseq))
        placed[incoming.id] = tuple(places)
    tx.insert_rows(INSERT_MESSAGES, rows)
    return placed


def _in_order(deliveries: Sequence[Delivery], placed: Sequence[Placed]) -> tuple[Placed, ...]:
    left = list(placed)
    ordered = []
    for delivery in deliveries:
        match = next((place for place in left if place.mailbox_id == delivery.mailbox_id), None)
        if match is not None:
            left.remove(match)
            ordered.append(match)
    return tuple(ordered)
