"""What the queue asks of whoever speaks to another server, as values and two protocols.

The daemon's SMTP client answers them; the runner decides what the answers mean. A reply is always a reply of the peer
or a failure in its form, so that bounces and logs read the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from maild.dns import TLSA


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply: code, enhanced code (RFC 3463) and text."""

    code: int
    enhanced: str
    text: str

    @property
    def ok(self) -> bool:
        """2xx or 3xx."""
        return self.code < 400

    @property
    def permanent(self) -> bool:
        """5xx: trying again would bring the same."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}" if self.enhanced else f"{self.code} {self.text}"


class HopError(Exception):
    """The next hop could not be used as a whole; ``reply`` says why, in the form of a reply."""

    def __init__(self, reply: Reply, *, tls: bool = False, host: str = "") -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.tls = tls
        """TLS was the reason: without it, or at another host, it may go."""
        self.host = host


class Security(StrEnum):
    """How far a connection must be protected."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    """TLS when offered, without a check of names; in clear when it fails."""
    ENCRYPTED = "encrypted"
    """TLS or not at all; the certificate is not checked."""
    VERIFIED = "verified"
    """TLS with a certificate of a known authority for one of the names."""
    DANE = "dane"
    """TLS with a certificate that the TLSA records name (RFC 7672)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSRule:
    """The protection wanted at one host."""

    security: Security = Security.OPPORTUNISTIC
    names: tuple[str, ...] = ()
    """Names that count: the host's, or patterns of an MTA-STS policy."""
    records: tuple[TLSA, ...] = ()
    implicit: bool = False
    """TLS from the first byte (port 465)."""
    why: str = ""
    """What asked for it, for log and bounce: ``MTA-STS policy of example.org``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How to log in at a smart host or route."""

    mechanism: str
    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of one host."""

    host: str
    address: str
    port: int
    rule: TLSRule = TLSRule()
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the peer's EHLO offered."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    size: int | None = None
    recipients: int = 100
    """Recipients a transaction (LIMITS RCPTMAX, RFC 9422); 100 is what every server must take."""
    messages: int = 1000
    """Transactions a connection (LIMITS MAILMAX)."""
    mechanisms: frozenset[str] = frozenset()
    starttls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """One recipient of a transaction."""

    address: str
    notify: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One message to some recipients; ``body`` is called once the peer's abilities are known and gives the bytes."""

    sender: str
    recipients: tuple[Addressee, ...]
    body: Callable[[Capabilities], Awaitable[bytes]]
    smtputf8: bool = False
    """An address of the envelope is an internationalised one."""
    came_with_smtputf8: bool = False
    """The message was sent as an internationalised one; its header says whether it is one."""
    envelope_id: str = ""
    dsn_return: str = ""


class Session(Protocol):
    """An open session with a next hop."""

    @property
    def capabilities(self) -> Capabilities:
        """What it offers."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Whom we speak to."""
        ...

    async def send(self, transaction: Transaction) -> Sequence[Reply]:
        """One reply a recipient, in order; raises ``HopError`` when the session broke before an answer."""
        ...

    async def close(self) -> None:
        """QUIT."""
        ...


class Connect(Protocol):
    """Opens sessions; raises ``HopError``."""

    async def __call__(self, endpoint: Endpoint) -> Session:
        """Connects, greets, secures and logs in as the endpoint says."""
        ...
