"""Everything else that must survive a restart and be shared by daemons: keys, policies, memories, reports.

Private keys come and go wrapped (the store never sees them in clear); what a row's text means is its user's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DKIMKey:
    """A signing key of a domain. ``state``: ``published`` (not yet used), ``active``, ``retired`` (still in DNS)."""

    id: int = 0
    domain: str
    selector: str
    algorithm: str
    wrapped: bytes
    public: str
    """The ``p=`` value of its record."""
    state: str = "active"
    created_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SRSKey:
    """A key that signs rewritten senders; the newest signs, all that are kept verify."""

    id: int = 0
    wrapped: bytes
    created_at: int = 0


class Keys(Protocol):
    """Key rows."""

    async def dkim(self, domain: str | None = None) -> list[DKIMKey]:
        """All keys, or those of a domain, by domain and selector."""
        ...

    async def save_dkim(self, key: DKIMKey) -> DKIMKey:
        """By (domain, selector)."""
        ...

    async def remove_dkim(self, domain: str, selector: str) -> None:
        """Removes a key. Raises ``NotFound``."""
        ...

    async def srs(self) -> list[SRSKey]:
        """Newest first."""
        ...

    async def add_srs(self, wrapped: bytes) -> SRSKey:
        """Adds the key that signs from now on."""
        ...

    async def remove_srs(self, key_id: int) -> None:
        """Removes a key; what it signed no longer verifies."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class STSPolicy:
    """A fetched MTA-STS policy (RFC 8461), kept for its max_age."""

    domain: str
    policy_id: str
    mode: str
    mx: tuple[str, ...]
    fetched_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Greylisted:
    """A triplet's history."""

    first_at: int
    last_at: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A DMARC or TLS report, received or gathered for sending; ``data`` is its own encoding."""

    id: int = 0
    kind: str
    """``dmarc-in``, ``dmarc-out``, ``tls-in``, ``tls-out``."""
    domain: str
    source: str
    """Who reported, or the unique key of what is gathered."""
    begin_at: int
    end_at: int
    data: bytes


class State(Protocol):
    """Small shared state."""

    async def get(self, name: str) -> str | None:
        """The value of this name."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Sets it."""
        ...

    async def delete(self, name: str) -> None:
        """Removes it; one that is gone is fine."""
        ...

    async def names(self, prefix: str) -> dict[str, str]:
        """All values whose name starts so."""
        ...

    async def sts_policy(self, domain: str) -> STSPolicy | None:
        """What is kept for this domain, expired or not."""
        ...

    async def save_sts_policy(self, policy: STSPolicy) -> None:
        """Replaces what was kept for this domain."""
        ...

    async def greylist(
        self,
        network: str,
        sender: str,
        recipient: str,
        now: int,
        forgotten: Callable[[Greylisted], bool] = lambda _: False,
    ) -> Greylisted:
        """Notes the try and returns the triplet's history before it (``passes`` counts tries).

        A history that is ``forgotten`` ends, and the try is the first of a new one.
        """
        ...

    async def once(self, kind: str, key: str, until: int, now: int) -> bool:
        """True the first time in a period for this key (auto-replies, notices), across daemons."""
        ...

    async def add_report(self, report: Report) -> int:
        """A report of the same kind, domain, source and begin replaces the one before."""
        ...

    async def reports(self, kind: str, *, domain: str | None = None, since: int = 0) -> list[Report]:
        """Reports of a kind, oldest first."""
        ...

    async def remove_report(self, report_id: int) -> None:
        """Removes one."""
        ...
