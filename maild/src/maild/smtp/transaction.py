"""One mail transaction: the envelope as it grows, and what was decided about each recipient."""

from __future__ import annotations

from dataclasses import dataclass, field

from maild.delivery.routing import Target
from maild.mail.address import Address
from maild.mail.envelope import Recipient
from maild.net import Address as IPAddress
from maild.net import Peer, TLSInfo
from maild.policy import Own
from maild.smtp.grammar import MailFrom
from maild.store import Account, IPRange, Sent


@dataclass(frozen=True, slots=True)
class User:
    """Who logged in, and what they may send as."""

    account: Account
    own: Own


@dataclass(frozen=True, slots=True)
class Client:
    """The other side of a session at the time of a transaction."""

    peer: Peer
    session: int
    helo: str
    extended: bool
    tls: TLSInfo | None
    user: User | None
    range_: IPRange | None
    reached: IPAddress
    """The address of ours that it connected to."""


@dataclass(slots=True)
class Transaction:
    """From MAIL to the end of its data."""

    mail: MailFrom
    sender_local: bool
    recipients: list[tuple[Recipient, Target]] = field(default_factory=list)
    must_be_authentic: bool = False
    """A stranger uses a local sender; the message is taken only when DMARC passes."""
    sent_before: Sent | None = None
    """What the user had sent when the first recipient was named."""

    @property
    def sender(self) -> Address | None:
        """The reverse-path."""
        return self.mail.sender

    @property
    def only_recipient(self) -> Address | None:
        """The one recipient, when there is one alone."""
        return self.recipients[0][0].address if len(self.recipients) == 1 else None
