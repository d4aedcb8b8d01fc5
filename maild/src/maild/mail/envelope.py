"""The envelope of a message: who sends, who receives, and what the client asked for with it (RFC 5321, 3461, 6531).

Values only. What becomes of a recipient is decided by policy and routing, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maild.mail.address import Address

Notify = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]
"""The words of NOTIFY (RFC 3461 section 4.1)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO. No ``notify`` leaves the choice to the server; ``original`` is ORCPT as the client wrote it."""

    address: Address
    notify: frozenset[Notify] = frozenset()
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One transaction. ``sender`` None is the null reverse-path; ``returns`` and ``envelope_id`` are RET and ENVID."""

    sender: Address | None
    recipients: tuple[Recipient, ...]
    body: Literal["7BIT", "8BITMIME"] = "7BIT"
    smtputf8: bool = False
    returns: Literal["FULL", "HDRS"] | None = None
    envelope_id: str | None = None
