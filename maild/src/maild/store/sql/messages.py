"""Messages of mailboxes: rows, flags, removal, copies, as functions of an open transaction.

Each function locks the mailboxes it changes, in the order of their ids, takes one MODSEQ of each, and writes their
counters once at its end.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update

from maild.store.engine.base import Transaction, keyed_rows, run_keyed
from maild.store.errors import MailboxGone, OverQuota
from maild.store.records.mail import DELETED, Changes, Copied, FlagAction, FlagsStored, Message
from maild.store.sql import accounts, bodies, mailboxes
from maild.store.sql.arrival import INSERT_MESSAGES, Counting
from maild.store.sql.schema import MESSAGE, SNAPSHOT, VANISHED
from maild.store.sql.statement import Keyed, Row, Rows, Statement

_COLUMNS = tuple(MESSAGE.columns)
_MAILBOX = MESSAGE.c.mailbox_id == bindparam("mailbox_id")

_GET = Keyed(lambda keys: select(*_COLUMNS).where(_MAILBOX, MESSAGE.c.uid.in_(keys)).order_by(MESSAGE.c.uid))
_RANGE = Statement(
    select(*_COLUMNS)
    .where(_MAILBOX, MESSAGE.c.uid >= bindparam("first"), MESSAGE.c.uid <= bindparam("last"))
    .order_by(MESSAGE.c.uid)
    .limit(bindparam("limit"))
)
_FLAGS_FROM = Statement(
    select(MESSAGE.c.uid, MESSAGE.c.flags)
    .where(_MAILBOX, MESSAGE.c.uid > bindparam("after"))
    .order_by(MESSAGE.c.uid)
    .limit(bindparam("limit"))
)
_CHANGED = Statement(
    select(*_COLUMNS)
    .where(_MAILBOX, MESSAGE.c.modseq > bindparam("since"), MESSAGE.c.modseq <= bindparam("until"))
    .order_by(MESSAGE.c.uid)
)
_CHANGED_FLAGS = Statement(
    select(MESSAGE.c.uid, MESSAGE.c.flags)
    .where(_MAILBOX, MESSAGE.c.modseq > bindparam("since"), MESSAGE.c.modseq <= bindparam("until"))
    .order_by(MESSAGE.c.uid)
)
_VANISHED = Statement(
    select(VANISHED.c.uid)
    .where(
        VANISHED.c.mailbox_id == bindparam("mailbox_id"),
        VANISHED.c.modseq > bindparam("since"),
        VANISHED.c.modseq <= bindparam("until"),
    )
    .order_by(VANISHED.c.uid)
)
_REFLAG = Keyed(
    lambda keys: (
        update(MESSAGE)
        .where(MESSAGE.c.mailbox_id == bindparam("key_mailbox"), MESSAGE.c.uid.in_(keys))
        .values(flags=bindparam("flags"), modseq=bindparam("modseq"))
    )
)
_DELETE = Keyed(lambda keys: delete(MESSAGE).where(_MAILBOX, MESSAGE.c.uid.in_(keys)))
_INSERT_VANISHED = Rows(VANISHED)
_SNAPSHOT = Statement(select(SNAPSHOT.c.modseq, SNAPSHOT.c.data).where(SNAPSHOT.c.mailbox_id == bindparam("id")))
_DROP_SNAPSHOT = Statement(delete(SNAPSHOT).where(SNAPSHOT.c.mailbox_id == bindparam("id")))
_PUT_SNAPSHOT = Rows(SNAPSHOT)


def get(tx: Transaction, mailbox_id: int, uids: Sequence[int]) -> list[Message]:
    """Rows by rising UID."""
    rows = keyed_rows(tx, _GET, sorted(set(uids)), {"mailbox_id": mailbox_id})
    return [message(row) for row in rows]


def range_(tx: Transaction, mailbox_id: int, first: int, last: int, limit: int) -> list[Message]:
    """Rows between two UIDs."""
    named = {"mailbox_id": mailbox_id, "first": first, "last": last, "limit": limit}
    return [message(row) for row in tx.rows(_RANGE, named)]


def flags_after(tx: Transaction, mailbox_id: int, after: int, limit: int) -> list[Row]:
    """UID and flags of the messages behind a UID."""
    return tx.rows(_FLAGS_FROM, {"mailbox_id": mailbox_id, "after": after, "limit": limit})


def older(tx: Transaction, mailbox_id: int, before: int, limit: int) -> list[int]:
    """UIDs of messages saved before that time, the oldest first: they lie in front, since UIDs rise with time."""
    return [row.uid for row in range_(tx, mailbox_id, 0, 1 << 40, limit) if row.saved_at < before]


def changes(tx: Transaction, mailbox_id: int, since: int) -> Changes:
    """What happened after a MODSEQ, up to the mailbox's own as it is now."""
    until = mailboxes.marks(tx, [mailbox_id]).get(mailbox_id)
    if until is None:
        raise MailboxGone(f"mailbox {mailbox_id}")
    if until <= since:
        return Changes(modseq=until, messages=(), vanished=())
    named = {"mailbox_id": mailbox_id, "since": since, "until": until}
    # Vanished first: a message that goes between the two reads is reported as changed now and as gone next time.
    gone = tuple(row[0] for row in tx.rows(_VANISHED, named))
    return Changes(modseq=until, messages=tuple(message(row) for row in tx.rows(_CHANGED, named)), vanished=gone)


def flags_since(tx: Transaction, mailbox_id: int, since: int) -> tuple[int, list[Row], list[int]]:
    """The mailbox's MODSEQ, UID and flags of what changed after ``since``, and UIDs that are gone."""
    until = mailboxes.marks(tx, [mailbox_id]).get(mailbox_id)
    if until is None:
        raise MailboxGone(f"mailbox {mailbox_id}")
    if until <= since:
        return until, [], []
    named = {"mailbox_id": mailbox_id, "since": since, "until": until}
    gone = [row[0] for row in tx.rows(_VANISHED, named)]
    return until, tx.rows(_CHANGED_FLAGS, named), gone


def store_flags(
    tx: Transaction,
    mailbox_id: int,
    uids: Sequence[int],
    action: FlagAction,
    names: Sequence[str],
    unchanged_since: int | None,
) -> FlagsStored:
    """STORE on a slice of messages."""
    box = mailboxes.lock_one(tx, mailbox_id)
    bits = mailboxes.flag_bits(tx, box.account_id, names, add=action is not FlagAction.REMOVE)
    counting = Counting({box.id: box})
    rows = get(tx, mailbox_id, uids)
    modified = tuple(row.uid for row in rows if unchanged_since is not None and row.modseq > unchanged_since)
    changed = []
    by_flags: dict[int, list[int]] = {}
    for row in rows:
        if unchanged_since is not None and row.modseq > unchanged_since:
            continue
        new = _applied(row.flags, action, bits)
        if new == row.flags:
            changed.append((row.uid, row.flags, row.modseq))
            continue
        counting.reflag(mailbox_id, row.flags, new)
        by_flags.setdefault(new, []).append(row.uid)
        changed.append((row.uid, new, counting.modseq(mailbox_id)))
    for flags, touched in by_flags.items():
        named = {"key_mailbox": mailbox_id, "flags": flags, "modseq": counting.modseq(mailbox_id)}
        run_keyed(tx, _REFLAG, touched, named)
    counting.write(tx)
    return FlagsStored(changed=tuple(changed), modified=modified)


def remove(tx: Transaction, mailbox_id: int, uids: Sequence[int], *, only_deleted: bool) -> list[int]:
    r"""Removes a slice of messages, all of them or those marked \Deleted; returns their UIDs."""
    box = mailboxes.lock_one(tx, mailbox_id)
    counting = Counting({box.id: box})
    rows = [row for row in get(tx, mailbox_id, uids) if not only_deleted or row.flags & DELETED]
    _take_out(tx, counting, rows)
    bodies.discard(tx, [row.blob_id for row in rows], tx.now() if rows else 0)
    counting.write(tx)
    return [row.uid for row in rows]


def clear(tx: Transaction, mailbox_id: int, limit: int) -> int:
    """Removes messages of a mailbox that is itself going away, without noting them as vanished; returns how many."""
    locked = mailboxes.lock(tx, [mailbox_id])
    if not locked:
        return 0
    counting = Counting(locked)
    rows = range_(tx, mailbox_id, 0, 1 << 40, limit)
    for row in rows:
        counting.remove(mailbox_id, row.flags, row.size)
    run_keyed(tx, _DELETE, [row.uid for row in rows], {"mailbox_id": mailbox_id})
    bodies.discard(tx, [row.blob_id for row in rows], tx.now() if rows else 0)
    counting.write(tx)
    return len(rows)


def copy(tx: Transaction, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
    """COPY: the target account's quota counts."""
    counting = _both(tx, mailbox_id, target_id)
    rows = get(tx, mailbox_id, uids)
    target = counting.boxes[target_id]
    room = accounts.room(tx, [target.account_id]).get(target.account_id)
    size = sum(row.size for row in rows)
    if room is not None and rows and room < size:
        raise OverQuota(f"account {target.account_id} has no room for {size} bytes")
    copied = _put_in(tx, counting, rows, target_id)
    counting.write(tx)
    return copied


def move(tx: Transaction, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
    """MOVE of a slice."""
    counting = _both(tx, mailbox_id, target_id)
    rows = get(tx, mailbox_id, uids)
    moved = _put_in(tx, counting, rows, target_id)
    _take_out(tx, counting, rows)
    counting.write(tx)
    return moved


def snapshot(tx: Transaction, mailbox_id: int) -> tuple[int, bytes] | None:
    """The cached view: its MODSEQ and its encoding."""
    rows = tx.rows(_SNAPSHOT, {"id": mailbox_id})
    return (int(rows[0][0]), bytes(rows[0][1])) if rows else None


def put_snapshot(tx: Transaction, mailbox_id: int, modseq: int, data: bytes) -> None:
    """Replaces the cached view."""
    tx.run(_DROP_SNAPSHOT, {"id": mailbox_id})
    tx.insert_rows(_PUT_SNAPSHOT, [(mailbox_id, modseq, data)])


def message(row: Row) -> Message:
    """A row of the table as a record."""
    mailbox_id, uid, blob_id, modseq, flags, internal_at, saved_at, size = row
    return Message(
        mailbox_id=mailbox_id,
        uid=uid,
        blob_id=bytes(blob_id),
        modseq=modseq,
        flags=flags,
        internal_at=internal_at,
        saved_at=saved_at,
        size=size,
    )


def _applied(flags: int, action: FlagAction, bits: int) -> int:
    if action is FlagAction.ADD:
        return flags | bits
    if action is FlagAction.REMOVE:
        return flags & ~bits
    return bits


def _both(tx: Transaction, mailbox_id: int, target_id: int) -> Counting:
    locked = mailboxes.lock(tx, [mailbox_id, target_id])
    for wanted in (mailbox_id, target_id):
        if wanted not in locked:
            raise MailboxGone(f"mailbox {wanted}")
    return Counting(locked)


def _put_in(tx: Transaction, counting: Counting, rows: Sequence[Message], target_id: int) -> Copied:
    now = tx.now() if rows else 0
    uids = [counting.add(target_id, row.flags, row.size) for row in rows]
    modseq = counting.modseq(target_id)
    tx.insert_rows(
        INSERT_MESSAGES,
        [
            (target_id, uid, row.blob_id, modseq, row.flags, row.internal_at, now, row.size)
            for uid, row in zip(uids, rows, strict=True)
        ],
    )
    return Copied(
        uidvalidity=counting.boxes[target_id].uidvalidity,
        source=tuple(row.uid for row in rows),
        destination=tuple(uids),
    )


def _take_out(tx: Transaction, counting: Counting, rows: Sequence[Message]) -> None:
    if not rows:
        return
    mailbox_id = rows[0].mailbox_id
    for row in rows:
        counting.remove(mailbox_id, row.flags, row.size)
    modseq = counting.modseq(mailbox_id)
    uids = [row.uid for row in rows]
    run_keyed(tx, _DELETE, uids, {"mailbox_id": mailbox_id})
    tx.insert_rows(_INSERT_VANISHED, [(mailbox_id, modseq, uid) for uid in uids])
