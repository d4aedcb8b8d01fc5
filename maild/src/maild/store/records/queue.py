"""The outgoing queue: one row for a message at a destination, its recipients, leases and outcomes.

A destination (next hop, an opaque string of the router) has its own back-off, so that a dead one costs one row and not
its thousands of messages. Leases run by the database's clock and carry an epoch; every outcome is written where owner
and epoch still match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from maild.store.records.arrival import Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRecipient:
    """One remote recipient as the envelope has it, with its DSN parameters (RFC 3461)."""

    address: str
    original: str = ""
    """ORCPT as given, ``rfc822;...`` or ``utf-8;...``."""
    notify: str = ""
    """NOTIFY as given; empty: failures and delays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A message for one destination: becomes one queue row."""

    destination: str
    sender: str
    recipients: tuple[QueueRecipient, ...]
    expires_at: int
    """When the sender gets the bounce, microseconds."""
    envelope_id: str = ""
    dsn_return: str = ""
    """RET: ``FULL``, ``HDRS`` or empty."""
    smtputf8: bool = False
    eight_bit: bool = False
    require_tls: bool = False
    origin: str = ""
    """Who handed it in (account address, ``forward``, ``list``, ``bounce``, ...), for the log and limits."""
    hold: bool = False
    not_before: int | None = None


class RecipientState(StrEnum):
    """Where a recipient stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRow:
    """A recipient of a queue row and what its next hop last said."""

    id: int
    address: str
    original: str
    notify: str
    state: RecipientState
    reply: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A queue row as people and the runner see it."""

    id: int
    blob_id: bytes
    destination: str
    sender: str
    size: int
    envelope_id: str
    dsn_return: str
    smtputf8: bool
    eight_bit: bool
    require_tls: bool
    origin: str
    created_at: int
    expires_at: int
    next_at: int
    attempts: int
    held: bool
    delay_notified: bool
    leased_by: str
    """Who works on it, as of ``lease_until``; empty: nobody."""
    lease_until: int
    recipients: tuple[RecipientRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on an item until ``until`` (database clock, microseconds)."""

    item: QueueItem
    owner: str
    epoch: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientOutcome:
    """What an attempt did for one recipient; ``WAITING`` with a reply is a temporary failure."""

    recipient_id: int
    state: RecipientState
    reply: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an attempt. When no recipient waits any more the row goes; ``next_at`` is for those that do."""

    recipients: tuple[RecipientOutcome, ...] = ()
    next_at: int | None = None
    counts_as_attempt: bool = True
    delay_notified: bool = False
    destination: str | None = None
    """Set: the row moves to another destination (its routing changed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A next hop and its back-off."""

    name: str
    due_at: int
    failures: int
    held: bool
    reply: str
    waiting: int = 0


class Queue(Protocol):
    """The queue. All times are microseconds of the database's clock."""

    async def now(self) -> int:
        """The database's clock."""
        ...

    async def lease(self, owner: str, *, limit: int, per_destination: int, seconds: float) -> list[Lease]:
        """Takes due items: at most ``limit``, and at most ``per_destination`` in work at one destination over all."""
        ...

    async def extend(self, lease: Lease, seconds: float) -> Lease:
        """Prolongs; raises ``LeaseLost``."""
        ...

    async def release(self, lease: Lease) -> None:
        """Gives an item back untried (shutdown); silent when it was lost."""
        ...

    async def abandon(self, owner: str) -> int:
        """Ends every lease of an owner that is gone (this daemon before its restart); returns how many there were."""
        ...

    async def finish(self, lease: Lease, outcome: Outcome, notices: Sequence[Incoming] = ()) -> None:
        """Writes the outcome and accepts its bounces and notices in the same transaction; raises ``LeaseLost``."""
        ...

    async def destination_failed(self, name: str, reply: str, next_at: int) -> int:
        """The destination as a whole did not answer: nothing there is due before ``next_at``; returns its failures."""
        ...

    async def destination_works(self, name: str) -> None:
        """Ends its back-off."""
        ...

    async def next_due(self) -> int | None:
        """When the next item could be leased; None: the queue is empty."""
        ...

    async def expired(self, limit: int = 100) -> list[int]:
        """Ids of rows past ``expires_at``, whatever their destination's back-off; what is held back is none."""
        ...

    async def lease_item(self, item_id: int, owner: str, seconds: float) -> Lease | None:
        """Takes one item whatever its due time; None when someone has it or it is gone."""
        ...

    async def items(self, *, destination: str | None = None, after: int = 0, limit: int = 100) -> list[QueueItem]:
        """Rows by rising id, after one of them."""
        ...

    async def item(self, item_id: int) -> QueueItem | None:
        """One row."""
        ...

    async def destinations(self, *, after: str = "", limit: int = 100) -> list[Destination]:
        """Next hops by name, after one of them, with their number of rows."""
        ...

    async def retry(self, item_ids: Sequence[int]) -> int:
        """Due now, their destinations too; returns how many there were."""
        ...

    async def hold(self, item_ids: Sequence[int], *, on: bool = True) -> int:
        """Holds rows back, or lets them go: for a day at least, if their time is up; returns how many there were."""
        ...

    async def drop(self, item_ids: Sequence[int]) -> int:
        """Removes without a bounce; items in work are left."""
        ...

    async def hold_destination(self, name: str, *, on: bool = True) -> None:
        """Holds everything there back, or lets it go."""
        ...

    async def count(self) -> int:
        """Rows in the queue."""
        ...

    async def suppress(self, address: str, reason: str, until: int | None = None) -> None:
        """No mail of ours (lists, reports, notices) goes to that address until then."""
        ...

    async def suppressed(self, address: str) -> str | None:
        """The reason, if it is on the list."""
        ...

    async def suppressions(self) -> list[tuple[str, str, int | None]]:
        """The list: address, reason, until when."""
        ...

    async def unsuppress(self, address: str) -> bool:
        """Takes an address off; False when it was not on."""
        ...
