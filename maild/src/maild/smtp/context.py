"""What an SMTP session is given: one immutable value, so a reload changes new sessions and no running one.

``Verifier`` is the hook for SPF, DKIM, DMARC and ARC, ``Screen`` the one for greylisting and block lists; without them
nothing is checked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from maild.delivery.router import Router
from maild.log import Log
from maild.mail.address import Address
from maild.net import Address as IPAddress
from maild.net import Peer
from maild.policy import Gate, Login, Rates
from maild.settings import Limits
from maild.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What the checks of a stranger's message found."""

    fields: bytes = b""
    """Authentication-Results and the like, finished."""
    authentic: bool = False
    """DMARC passed for the domain of the header From."""
    refusal: str | None = None
    """A reply, when it must not be taken."""
    kept: bool = False
    """Refused, and yet a copy goes to the recipients' Rejects."""
    junk: bool = False
    head: bytes | None = None
    """The header without fields that forge ours; None: as it came."""
    settled: Callable[[bool], None] = lambda _: None
    """To be told whether the message has reached an inbox, for reports."""


class Check(Protocol):
    """The check of one message, fed while it comes."""

    async def feed(self, piece: bytes) -> None:
        """The next bytes of the message, exactly as they came."""
        ...

    async def finish(self, head: bytes) -> Verified:
        """What was found, once all has come; ``head`` is the header. Faults of DNS are results, not exceptions."""
        ...


class Verifier(Protocol):
    """Checks who really sent messages."""

    def __call__(self, *, peer: Peer, helo: str, sender: Address | None) -> Check:
        """The check of a message that begins to come."""
        ...


class Screen(Protocol):
    """Checks of a stranger before its message."""

    async def __call__(self, *, peer: Peer, helo: str, sender: Address | None, recipient: Address) -> str | None:
        """A refusing reply, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a session works with."""

    hostname: str
    default_domain: str
    limits: Limits
    store: Store
    router: Router
    gate: Gate
    login: Login
    rates: Rates
    log: Log
    now: Callable[[], dt.datetime]
    lifetime_hours: int
    addresses: frozenset[IPAddress] = frozenset()
    """What the world knows this server by, beside the addresses it listens on."""
    arriving: Callable[[], None] = lambda: None
    """Told when a message begins to come and when it has come: work that can wait makes room for it."""
    queued: Callable[[], None] = lambda: None
    """Told when a message for elsewhere was accepted: the queue need not wait for its next look."""
    language: str = "en"
    translator: Callable[[str], Callable[[str], str]] = lambda _: str
    """Gives the translation of a language."""
    verifier: Verifier | None = None
    screen: Screen | None = None
