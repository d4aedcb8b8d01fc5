"""What routing is asked and what it answers, as values: an address as it was found, a message, and where it goes.

Pure data: finding and following addresses is the router's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from maild.delivery.destination import Hop
from maild.mail.address import Address
from maild.mail.envelope import Recipient
from maild.store import Delivery, QueueEntry, Resolved


class Found(StrEnum):
    """What an address is."""

    ACCOUNT = "account"
    ALIAS = "alias"
    LIST = "list"
    CATCH_ALL = "catch-all"
    ROLE = "role"
    """postmaster or abuse without a mailbox of its own: goes to whoever looks after the domain."""
    LIST_BOUNCES = "list-bounces"
    """What came back from a list's members: goes to whoever looks after the domain."""
    LIST_LEAVE = "list-leave"
    """A member wants to leave."""
    REWRITTEN = "rewritten"
    """A sender that we rewrote (SRS): leads to the real one."""
    ROUTE = "route"
    """A route of ours; ``Target.local`` says whether it counts as a local recipient."""
    REMOTE = "remote"


class Refusal(StrEnum):
    """Why an address of ours takes no mail; each has one reply."""

    UNKNOWN = "550 5.1.1 There is no such mailbox here"
    DOMAIN_OFF = "550 5.1.2 This domain takes no mail at the moment"
    ACCOUNT_OFF = "550 5.2.1 This mailbox is disabled"
    NOT_OURS = "550 5.1.1 This rewritten address is not valid here"
    NOT_ON_ROUTE = "550 5.1.1 There is no such address behind this route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One recipient as it was found; ``refusal`` set means that it takes no mail."""

    recipient: Address
    found: Found | None = None
    resolved: Resolved = field(default_factory=Resolved)
    hop: Hop | None = None
    leads_to: Address | None = None
    """The real address behind a rewritten one."""
    refusal: Refusal | None = None

    @property
    def local(self) -> bool:
        """Whether the relay decision counts it as ours."""
        if self.found is Found.ROUTE:
            return self.resolved.route is not None and self.resolved.route.local
        return self.found is not Found.REMOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What ``plan`` needs to know of a message beside its recipients."""

    sender: Address | None
    origin: str = ""
    """Account address of a submission, else empty."""
    expires_at: int = 0
    smtputf8: bool = False
    eight_bit: bool = False
    envelope_id: str = ""
    dsn_return: str = ""
    junk: bool = False
    """Goes to Junk, is not forwarded and not answered."""
    rejected: bool = False
    """The client was told no; the copies go to Rejects alone, and nothing is sent on."""
    automatic: bool = False
    """Auto-Submitted, a list's, or a report: is never answered (RFC 3834 section 2)."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What an alias, a forward or a catch-all names and takes no mail; ``text`` may be no address."""

    recipient: str
    text: str
    why: str


class End(StrEnum):
    """Where a request to be told of success ends here (RFC 3461 sections 5.2.3 and 5.2.7)."""

    MAILBOX = "mailbox"
    LIST = "list"
    EXPANDED = "expanded"
    """An alias or a forward of several addresses; none of them is reported on."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One end that the sender is to be told of."""

    recipient: Recipient
    end: End


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where one message goes: copies in mailboxes, rows in the queue, and what led nowhere."""

    deliveries: tuple[Delivery, ...] = ()
    queue: tuple[QueueEntry, ...] = ()
    lost: tuple[Lost, ...] = ()
    reached: tuple[Reached, ...] = ()
