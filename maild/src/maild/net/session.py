"""What a protocol is to its connection, what was agreed on by TLS, and what all connections of a loop share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from maild.log import Log
from maild.net.certificates import Certificates
from maild.net.fair import FairQueue

if TYPE_CHECKING:
    from maild.net.connection import Connection


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What was agreed on."""

    version: str
    cipher: str
    bits: int


class Session(Protocol):
    """A protocol's side of a connection."""

    def opened(self, connection: Connection) -> None:
        """The connection stands; with implicit TLS, after the handshake."""

    def received(self, data: bytes) -> None:
        """Bytes from the client, decrypted."""

    def secured(self) -> None:
        """The handshake asked for by ``start_tls`` is done."""

    def closed(self) -> None:
        """The connection is gone; nothing can be written any more."""

    def timed_out(self) -> None:
        """The time of ``expect_within`` is over: say goodbye and close."""

    def stopping(self) -> None:
        """The daemon ends: say goodbye as soon as nothing is half done, and close."""


@dataclass(slots=True)
class Shared:
    """What all connections of a loop share."""

    log: Log
    certificates: Certificates
    handshakes: FairQueue
    handshake_seconds: float
    buffer: memoryview
