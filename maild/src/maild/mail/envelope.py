"""A recipient in the envelope of a message, and what the client asked for with it (RFC 5321, 3461).

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
