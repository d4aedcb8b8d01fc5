"""How a message gets in: what ``Store.accept`` takes, what it answers, and bodies staged while DATA still runs.

A message is accepted when, and only when, its transaction has committed: ``accept`` returns after that. The ingest id
makes the answer exact when a connection breaks inside COMMIT: the same id is there once or not at all.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Protocol

from maild.store.records.mail import Structure
from maild.store.records.queue import QueueEntry

CHUNK_BYTES = 1 << 20
"""Largest piece of a body in one row: bounds the memory and the time a statement takes."""


def new_id() -> bytes:
    """A fresh ingest id: 48 bits of milliseconds, then 80 random ones, so that rows of one time lie together."""
    return (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)


class Staged(Protocol):
    """A body on its way in. Bytes are written in chunks of their own; nothing refers to them until ``accept``."""

    @property
    def id(self) -> bytes:
        """The ingest id of the message that this will be; ``Incoming.id`` must be the same."""
        ...

    @property
    def size(self) -> int:
        """Bytes written so far."""
        ...

    async def write(self, data: bytes, counted: int = 0) -> None:
        """Adds to the body; waits while the budget of unfinished bytes is spent, then raises ``BudgetExhausted``.

        ``counted`` of the bytes were taken from the budget before and belong to the body from now on. After an error
        the body can only be abandoned.
        """
        ...

    async def abandon(self) -> None:
        """Gives the bytes back; safe to call twice and after ``accept``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One copy into one mailbox."""

    mailbox_id: int
    flags: tuple[str, ...] = ()
    recipient: str = ""
    """The address it was for, for the log."""
    check_quota: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A finished message and where it goes: mailboxes, the queue, or both, in one transaction."""

    id: bytes
    """From ``new_id()``, or the staged body's ``id``; also the blob id and EMAILID."""
    prefix: bytes = b""
    """Header fields put before the body (Received, Authentication-Results, signatures)."""
    body: bytes | Staged
    deliveries: tuple[Delivery, ...] = ()
    queue: tuple[QueueEntry, ...] = ()
    structure: Structure | None = None
    internal_at: int | None = None
    """INTERNALDATE in microseconds; None: now."""
    check_quota: bool = True
    counted: bool = False
    """The caller holds room for the body in the budget of unfinished bytes until it has its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where one delivery ended up."""

    mailbox_id: int
    uidvalidity: int
    uid: int
    modseq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The answer to ``accept``: committed. ``placed`` is in the order of the deliveries."""

    id: bytes
    size: int
    placed: tuple[Placed, ...] = ()
    queued: tuple[int, ...] = ()
    """Ids of the queue rows, in the order of the entries."""
