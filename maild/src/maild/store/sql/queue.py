"""The queue's rows: leases, outcomes, back-off of destinations, as functions of an open transaction.

Nothing is locked while items are chosen; those chosen are then locked if nobody holds them yet, and taken. Rows are
locked and changed in the order of ids and names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maild.store.engine.base import Transaction, keyed_rows, number, one, run_keyed
from maild.store.errors import LeaseLost
from maild.store.records.queue import (
    Destination,
    Lease,
    Outcome,
    QueueItem,
    RecipientOutcome,
    RecipientRow,
    RecipientState,
)
from maild.store.sql import bodies, enqueue
from maild.store.sql import queue_statements as statements
from maild.store.sql.enqueue import EIGHT_BIT, NEVER, REQUIRE_TLS, SMTPUTF8
from maild.store.sql.statement import Row

SATURATED_US = 1_000_000
"""How long a destination with all its connections busy is passed over; a finished item ends it at once."""

RELEASED_US = 24 * 3600 * 1_000_000
"""What was held back past its time is tried for a day once it is let go."""

LEAST_DESTINATIONS = 16
"""Destinations looked at for even one item: the first ones due may have nothing left."""


def lease(tx: Transaction, owner: str, *, limit: int, per_destination: int, duration: int) -> list[Lease]:
    """Takes due items for a while (microseconds)."""
    now = tx.now()
    due = tx.rows(statements.DUE_DESTINATIONS, {"now": now, "limit": max(limit, LEAST_DESTINATIONS)})
    if not due:
        return []
    busy = {row[0]: number(row[1]) for row in keyed_rows(tx, statements.IN_WORK, [row[0] for row in due], {"now": now})}
    chosen: list[int] = []
    next_due: dict[str, tuple[int, int]] = {}
    for name, wakes, failures in due:
        # A destination that failed gets one item as a probe; the rest waits for its answer.
        width = min(1 if failures else per_destination, per_destination) - busy.get(name, 0)
        wanted = min(width, limit - len(chosen))
        if width <= 0:
            next_due[name] = (wakes, now + SATURATED_US)
            continue
        if wanted <= 0:
            # It stays due as it is and comes first the next time.
            break
        free = [row[0] for row in tx.rows(statements.FREE, {"destination": name, "now": now, "limit": wanted})]
        chosen += free
        next_due[name] = (wakes, now + SATURATED_US if len(free) == wanted else -1)
    taken = [row[0] for row in keyed_rows(tx, statements.LOCK_FREE, sorted(chosen), {"now": now})]
    run_keyed(tx, statements.TAKE_LOCKED, taken, {"owner": owner, "until": now + duration})
    for name, (wakes, at) in sorted(next_due.items()):
        tx.run(statements.SET_DUE, {"key": name, "wakes": wakes, "due_at": _next_free(tx, name, now) if at < 0 else at})
    return [_lease(row, owner) for row in _items(tx, taken)]


def lease_item(tx: Transaction, item_id: int, owner: str, duration: int) -> Lease | None:
    """Takes one item whatever its due time."""
    now = tx.now()
    if not tx.run(statements.TAKE, {"key": item_id, "now": now, "owner": owner, "until": now + duration}):
        return None
    return _lease(_items(tx, [item_id])[0], owner)


def extend(tx: Transaction, held: Lease, duration: int) -> int:
    """Prolongs a lease that has not run out; returns its new end."""
    now = tx.now()
    if not tx.run(statements.EXTEND, _held(held) | {"now": now, "until": now + duration}):
        raise LeaseLost(f"queue item {held.item.id}, epoch {held.epoch}")
    return now + duration


def release(tx: Transaction, held: Lease) -> None:
    """Gives an item back untried."""
    if tx.run(statements.RELEASE, _held(held)):
        enqueue.wake(tx, {held.item.destination: tx.now()})


def abandon(tx: Transaction, owner: str) -> int:
    """Ends every lease of an owner that is gone; returns how many there were."""
    now = tx.now()
    owned = tx.rows(statements.OWNED, {"owner": owner, "now": now})
    for item_id in sorted(row[0] for row in owned):
        tx.run(statements.ABANDON, {"key": item_id, "owner": owner})
    if owned:
        enqueue.wake(tx, dict.fromkeys(sorted({row[1] for row in owned}), now))
    return len(owned)


def finish(tx: Transaction, finished: Sequence[tuple[Lease, Outcome]]) -> list[LeaseLost | None]:
    """Writes outcomes; without a waiting recipient an item goes. A lease that was lost fails alone."""
    now = tx.now()
    gone: list[bytes] = []
    due: dict[str, int] = {}
    answers: dict[int, LeaseLost | None] = {}
    for place, (held, outcome) in sorted(enumerate(finished), key=lambda each: each[1][0].item.id):
        try:
            awake = _finish(tx, held, outcome, now)
        except LeaseLost as lost:
            answers[place] = lost
            continue
        answers[place] = None
        for name, at in awake.items():
            due[name] = min(at, due.get(name, at))
        if not _left(held, outcome):
            gone.append(held.item.blob_id)
    bodies.discard(tx, gone, now)
    if due:
        enqueue.wake(tx, due)
    return [answers[place] for place in range(len(finished))]


def _left(held: Lease, outcome: Outcome) -> bool:
    """Whether a recipient still waits."""
    changed = {change.recipient_id: change for change in outcome.recipients}
    return any(
        (changed[recipient.id].state if recipient.id in changed else recipient.state) is RecipientState.WAITING
        for recipient in held.item.recipients
    )


def _finish(tx: Transaction, held: Lease, outcome: Outcome, now: int) -> dict[str, int]:
    """One outcome; returns when its destinations are due. Raises ``LeaseLost`` before anything is written."""
    if _left(held, outcome):
        due = _defer(tx, held, outcome, now)
        for change in outcome.recipients:
            tx.run(statements.SET_RECIPIENT, _recipient_values(held.item.id, change))
        return due
    if not tx.run(statements.DELETE_LEASED, _held(held)):
        raise LeaseLost(f"queue item {held.item.id}, epoch {held.epoch}")
    tx.run(statements.DELETE_RECIPIENTS, {"key": held.item.id})
    return {held.item.destination: now}


def _defer(tx: Transaction, held: Lease, outcome: Outcome, now: int) -> dict[str, int]:
    next_at = now if outcome.next_at is None else outcome.next_at
    destination = outcome.destination or held.item.destination
    named = {
        "next_at": next_at,
        "attempts": int(outcome.counts_as_attempt),
        "delay_notified": int(outcome.delay_notified or held.item.delay_notified),
        "destination": destination,
    }
    if not tx.run(statements.FINISH, _held(held) | named):
        raise LeaseLost(f"queue item {held.item.id}, epoch {held.epoch}")
    due = {destination: next_at}
    due[held.item.destination] = min(now, due.get(held.item.destination, now))
    return due


def destination_failed(tx: Transaction, name: str, reply: str, next_at: int) -> int:
    """Starts or lengthens its back-off; returns failures so far."""
    tx.run(statements.FAILED, {"key": name, "reply": reply, "due_at": next_at})
    row = one(tx, statements.FAILURES, {"key": name})
    return number(row[0]) if row else 0


def destination_works(tx: Transaction, name: str) -> None:
    """Ends its back-off."""
    tx.run(statements.WORKS, {"key": name, "due_at": tx.now()})


def hold_destination(tx: Transaction, name: str, *, on: bool) -> None:
    """Holds everything there back, or lets it go at once."""
    tx.run(statements.HOLD_DESTINATION, {"key": name, "held": int(on), "due_at": tx.now()})


def next_due(tx: Transaction) -> int | None:
    """When the next item could be leased."""
    value = tx.rows(statements.NEXT_DUE)[0][0]
    return None if value is None else int(value)


def expired(tx: Transaction, limit: int) -> list[int]:
    """Rows past their time that nobody works on."""
    return [row[0] for row in tx.rows(statements.EXPIRED, {"now": tx.now(), "limit": limit})]


def items(tx: Transaction, destination: str | None, after: int, limit: int) -> list[QueueItem]:
    """Rows by rising id."""
    named = {"after": after, "limit": limit, "destination": destination}
    ids = [row[0] for row in tx.rows(statements.ALL if destination is None else statements.AT, named)]
    return [item for item, _ in _items(tx, ids)]


def by_id(tx: Transaction, item_id: int) -> QueueItem | None:
    """One row."""
    found = _items(tx, [item_id])
    return found[0][0] if found else None


def destinations(tx: Transaction, after: str, limit: int) -> list[Destination]:
    """Next hops by name, with their number of rows."""
    rows = tx.rows(statements.DESTINATIONS, {"after": after, "limit": limit})
    waiting = {row[0]: number(row[1]) for row in keyed_rows(tx, statements.WAITING_AT, [row[0] for row in rows])}
    return [
        Destination(
            name=name,
            due_at=due_at,
            failures=failures,
            held=bool(held),
            reply=reply,
            waiting=waiting.get(name, 0),
        )
        for name, due_at, failures, held, reply in rows
    ]


def retry(tx: Transaction, item_ids: Sequence[int]) -> int:
    """Makes rows and their destinations due."""
    names = sorted({item.destination for item, _ in _items(tx, sorted(item_ids))})
    now = tx.now()
    run_keyed(tx, statements.RELEASED, sorted(item_ids), {"until": now + RELEASED_US})
    matched = run_keyed(tx, statements.RETRY, sorted(item_ids), {"now": now})
    run_keyed(tx, statements.RETRY_DESTINATIONS, names, {"now": now})
    return matched


def hold(tx: Transaction, item_ids: Sequence[int], *, on: bool) -> int:
    """Holds rows back, or lets them go."""
    names = {item.destination: 0 for item, _ in _items(tx, sorted(item_ids))}
    now = tx.now()
    if not on:
        run_keyed(tx, statements.RELEASED, sorted(item_ids), {"until": now + RELEASED_US})
    matched = run_keyed(tx, statements.HOLD, sorted(item_ids), {"held": int(on)})
    if names and not on:
        enqueue.wake(tx, dict.fromkeys(names, now))
    return matched


def drop(tx: Transaction, item_ids: Sequence[int]) -> int:
    """Removes rows nobody works on."""
    now = tx.now()
    dropped = 0
    for item, _ in _items(tx, sorted(item_ids)):
        if tx.run(statements.DELETE_FREE, {"key": item.id, "now": now}):
            tx.run(statements.DELETE_RECIPIENTS, {"key": item.id})
            bodies.discard(tx, [item.blob_id], now)
            dropped += 1
    return dropped


def count(tx: Transaction) -> int:
    """Rows in the queue."""
    return number(tx.rows(statements.COUNT)[0][0])


def forget_idle(tx: Transaction) -> int:
    """Removes destinations that have nothing to do."""
    return tx.run(statements.FORGET_IDLE)


def _next_free(tx: Transaction, destination: str, now: int) -> int:
    """When something there can next be taken: the earliest due time, or end of a lease, that lies ahead."""
    value = tx.rows(statements.NEXT_FREE, {"destination": destination})[0][0]
    return NEVER if value is None else max(number(value), now)


def _items(tx: Transaction, ids: Sequence[int]) -> list[tuple[QueueItem, int]]:
    rows = keyed_rows(tx, statements.BY_ID, ids)
    recipients: dict[int, list[RecipientRow]] = {}
    for item_id, place, address, original, notify, state, reply, remote in keyed_rows(tx, statements.RECIPIENTS, ids):
        recipients.setdefault(item_id, []).append(
            RecipientRow(
                id=place,
                address=address,
                original=original,
                notify=notify,
                state=RecipientState(state),
                reply=reply,
                remote=remote,
            )
        )
    return [_item(row, tuple(recipients.get(row[0], ()))) for row in rows]


def _item(row: Row, recipients: tuple[RecipientRow, ...]) -> tuple[QueueItem, int]:
    values = dict(zip([column.name for column in statements.ITEM], row, strict=True))
    traits = values["traits"]
    item = QueueItem(
        id=values["id"],
        blob_id=bytes(values["blob_id"]),
        destination=values["destination"],
        sender=values["sender"],
        size=values["size"],
        envelope_id=values["envelope_id"],
        dsn_return=values["dsn_return"],
        smtputf8=bool(traits & SMTPUTF8),
        eight_bit=bool(traits & EIGHT_BIT),
        require_tls=bool(traits & REQUIRE_TLS),
        origin=values["origin"],
        created_at=values["created_at"],
        expires_at=values["expires_at"],
        next_at=values["next_at"],
        attempts=values["attempts"],
        held=bool(values["held"]),
        delay_notified=bool(values["delay_notified"]),
        leased_by=values["lease_owner"] if values["lease_until"] else "",
        lease_until=values["lease_until"],
        recipients=recipients,
    )
    return item, values["lease_epoch"]


def _lease(found: tuple[QueueItem, int], owner: str) -> Lease:
    item, epoch = found
    return Lease(item=item, owner=owner, epoch=epoch, until=item.lease_until)


def _held(held: Lease) -> dict[str, Any]:
    return {"key": held.item.id, "owner": held.owner, "epoch": held.epoch}


def _recipient_values(item_id: int, change: RecipientOutcome) -> dict[str, Any]:
    return {
        "item": item_id,
        "key": change.recipient_id,
        "state": change.state.value,
        "reply": change.reply,
        "remote": change.remote,
    }
