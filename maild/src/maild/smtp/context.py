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
from maild.net import Peer
from maild.policy import Gate, Login, Rates
from maild.settings import Limits
from maild.smtp.message import Message
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


class Verifier(Protocol):
    """Checks who really sent a message."""

    async def __call__(self, message: Message, *, peer: Peer, helo: str, sender: Address | None) -> Verified:
        """What was found; faults of DNS are results, not exceptions."""
        ...


class Screen(Protocol):
    """Checks of a stranger before its message."""

    async def __call__(self, *, peer: Peer, helo: str, sender: Address | None, recipient: Address) -> str | None:
        """A refusing reply, or None."""
        ...


class Budget:
    """Bytes of unfinished messages in memory, all sessions together."""

    __slots__ = ("_used", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0

    @property
    def used(self) -> int:
        """Bytes that are held."""
        return self._used

    def take(self, count: int) -> bool:
        """Reserves bytes; False when they are not there."""
        if self._used + count > self.limit:
            return False
        self._used += count
        return True

    def give(self, count: int) -> None:
        """Gives bytes back."""
        self._used -= count


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
    budget: Budget
    log: Log
    now: Callable[[], dt.datetime]
    lifetime_hours: int
    queued: Callable[[], None] = lambda: None
    """Told when a message for elsewhere was accepted: the queue need not wait for its next look."""
    language: str = "en"
    translator: Callable[[str], Callable[[str], str]] = lambda _: str
    """Gives the translation of a language."""
    verifier: Verifier | None = None
    screen: Screen | None = None
