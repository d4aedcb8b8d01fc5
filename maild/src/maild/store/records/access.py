"""Who may come in and how much may go out: credentials, ranges, bans, login history, counts of what users sent.

The store only keeps these rows; verifying a password, matching a range and deciding on a ban are policy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class CredentialKind(StrEnum):
    """What a credential row holds."""

    PASSWORD = "password"  # noqa: S105
    APP = "app"
    SCRAM_SHA_256 = "scram-sha-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One way to log in. ``hash`` is a PHC string, an imported hash with its prefix, or a SCRAM verifier."""

    id: int = 0
    account_id: int
    kind: CredentialKind
    hash: str
    scope: str = ""
    """Protocols it is good for, comma separated (``imap,smtp``); empty: all."""
    label: str = ""
    created_at: int = 0
    last_used_at: int | None = None
    expires_at: int | None = None


class Credentials(Protocol):
    """Credential rows; every change raises the account's ``generation``."""

    async def of(self, account_id: int) -> list[Credential]:
        """All of an account, oldest first."""
        ...

    async def add(self, credential: Credential) -> Credential:
        """Adds a row and returns it with its id."""
        ...

    async def set_password(self, account_id: int, hash_: str, verifier: str = "") -> None:
        """Replaces the account's password, and its SCRAM verifier by this one or none; app passwords stay."""
        ...

    async def set_verifier(self, password: Credential, verifier: str) -> bool:
        """Gives a password its SCRAM verifier; False, and nothing changed, when it is no longer the account's."""
        ...

    async def upgrade(self, credential_id: int, old: str, new: str) -> bool:
        """Swaps a weak hash for a strong one if it is still ``old``; raises no generation."""
        ...

    async def used(self, credential_id: int, at: int) -> None:
        """Notes the last use, at most once a minute a row."""
        ...

    async def remove(self, credential_id: int) -> None:
        """Removes a row; one that is gone is fine."""
        ...


class Direction(StrEnum):
    """From whom to whom a message goes, as the relay decision sees it."""

    LOCAL_TO_LOCAL = "local-local"
    LOCAL_TO_EXTERNAL = "local-external"
    EXTERNAL_TO_LOCAL = "external-local"
    EXTERNAL_TO_EXTERNAL = "external-external"


@dataclass(frozen=True, slots=True, kw_only=True)
class IPRange:
    """hMailServer's IP range: the matching one with the highest priority decides."""

    id: int = 0
    name: str
    low: Address
    high: Address
    priority: int
    protocols: frozenset[str] = frozenset({"smtp", "imap", "pop3"})
    allow: frozenset[Direction] = frozenset()
    require_auth: frozenset[Direction] = frozenset()
    allow_local_sender: bool = False
    """From here an unauthenticated sender may use a local domain."""
    never_ban: bool = False
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A network that is refused until ``expires_at``; policy ranks it as a range of priority 20."""

    id: int = 0
    network: Network
    reason: str
    account: str = ""
    created_at: int = 0
    expires_at: int | None = None
    automatic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFailure:
    """One failed login."""

    network: Network
    account: str
    protocol: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a user sent, whichever daemon took it."""

    messages: int
    """In the last hour."""
    recipients: int
    """In the last day, all messages together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A message of a user that is about to be accepted, and the bounds it must keep; 0: no bound."""

    account_id: int
    recipients: int
    messages_per_hour: int
    recipients_per_day: int

    def exceeds(self, sent: Sent) -> bool:
        """Whether it would break a bound after these."""
        return bool(
            (self.messages_per_hour and sent.messages >= self.messages_per_hour)
            or (self.recipients_per_day and sent.recipients + self.recipients > self.recipients_per_day)
        )


class Access(Protocol):
    """Ranges, bans, login history, counts of what users sent."""

    async def ranges(self) -> Sequence[IPRange]:
        """All ranges that have not expired, highest priority first; up to a second old."""
        ...

    async def save_range(self, range_: IPRange) -> IPRange:
        """Inserts or replaces by name."""
        ...

    async def remove_range(self, name: str) -> None:
        """Removes by name. Raises ``NotFound``."""
        ...

    async def bans(self) -> Sequence[Ban]:
        """Bans in force; up to a second old, so a ban of another daemon holds here within a second."""
        ...

    async def add_ban(self, ban: Ban) -> Ban:
        """Adds or prolongs the ban of that network."""
        ...

    async def remove_ban(self, network: Network) -> bool:
        """Lifts the ban of exactly this network and forgets its failures; False when there was no ban."""
        ...

    async def record_failures(self, failures: Sequence[LoginFailure], *, since: int, most: int) -> list[int]:
        """Writes them; how many the network of each has had since then, that one included, counted up to ``most``."""
        ...

    async def record_success(self, account: str, network: Network, at: int) -> None:
        """Notes it and clears the failures of that account from that network, and no others."""
        ...

    async def succeeded_since(self, since: int) -> set[tuple[str, Network]]:
        """The (account, network) pairs that logged in since then: they queue ahead in a flood."""
        ...

    async def failures(self, since: int) -> list[LoginFailure]:
        """All failures since then, oldest first."""
        ...

    async def sent(self, account_id: int) -> Sent:
        """What a user sent lately, by the database's clock."""
        ...

    async def charge(self, charges: Sequence[Charge]) -> list[Sent | None]:
        """Counts each message unless it breaks a bound: None, or what had been sent. No two are counted at once."""
        ...
