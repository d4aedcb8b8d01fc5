"""What a DNS question comes back with: typed records, or one of four faults that callers treat differently.

Values only. ``secure`` is true solely when a resolver marked as validating said so (RFC 4035 section 3.2.3); it is
never a guess of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class MX:
    """One mail exchange; the host ``.`` alone is a null MX (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class TLSA:
    """One TLSA record (RFC 6698 section 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class SOA:
    """The start of a zone, without the secondary servers' timers."""

    primary: str
    serial: int
    minimum: int


Record = str | bytes | MX | TLSA | SOA
"""A, AAAA, NS, PTR and CNAME are texts without a trailing dot; TXT is the bytes of its strings joined."""


@dataclass(frozen=True, slots=True)
class Answer:
    """At least one record of the type asked for. ``name`` is where they stood: another one when a CNAME led there."""

    records: tuple[Record, ...]
    secure: bool = False
    ttl: int = 0
    name: str = ""


class Resolver(Protocol):
    """Whatever answers questions. ``query`` returns an answer with records or raises a ``DNSError``."""

    async def query(self, name: str, rdtype: str) -> Answer:
        """The records of this type at this name, in either form of an internationalised name."""
        ...


class DNSError(Exception):
    """A question that brought no records. ``name`` and ``rdtype`` say which; ``cause`` is for the log."""

    public = "DNS look-up failed"

    def __init__(self, name: str, rdtype: str, cause: str = "", *, ttl: int = 0) -> None:
        super().__init__(name, rdtype, cause)
        self.name = name
        self.rdtype = rdtype
        self.cause = cause
        self.ttl = ttl

    def __str__(self) -> str:
        return f"{self.name} {self.rdtype}: {self.public}" + (f" ({self.cause})" if self.cause else "")


class NoName(DNSError):  # noqa: N818 - the fault as DNS names it
    """The name does not exist, nor anything below it (RFC 8020)."""

    public = "no such name"


class NoData(DNSError):  # noqa: N818
    """The name exists without a record of this type."""

    public = "no record of this type"


class ServerFailure(DNSError):  # noqa: N818
    """A server refused, failed, or answered what cannot be used."""

    public = "the name server failed"


class Timeout(DNSError):  # noqa: N818
    """No server answered in time."""

    public = "no answer in time"
