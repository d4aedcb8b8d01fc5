"""The next hop of a queue row as one text, which keys its back-off: a domain, a route, the smart host, or work of ours.

``list:``, ``leave:`` and ``reply:`` rows never leave this server: the runner expands them, so that a list's copies and
an automatic answer are made after the 250 and exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maild.mail.envelope import Recipient
from maild.store import QueueRecipient


class Way(StrEnum):
    """How a destination is reached."""

    DOMAIN = "mx"
    """The mail exchanges of a domain, or the host of an address literal."""
    ROUTE = "route"
    SMART_HOST = "smarthost"
    LIST = "list"
    LEAVE = "leave"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Hop:
    """A destination taken apart: ``name`` is a domain, a route's pattern, a list's address or an account's id."""

    way: Way
    name: str = ""

    def __str__(self) -> str:
        return f"{self.way}:{self.name}"


def parse(text: str) -> Hop:
    """The parts of a written destination; ``ValueError`` for what no release of ours wrote."""
    way, _, name = text.partition(":")
    return Hop(Way(way), name)


def queued(recipient: Recipient) -> QueueRecipient:
    """A recipient of the envelope as its row in the queue."""
    return QueueRecipient(
        address=str(recipient.address),
        original=recipient.original or "",
        notify=",".join(sorted(recipient.notify)),
    )
