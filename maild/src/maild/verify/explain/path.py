"""How a stored message came to us, read from the trace fields our own server put before it.

Only the topmost Received field is believed: everything below was written by others.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from maild.mail import header

_FROM = re.compile(r"from\s+(\S+)\s+\((?:[^\[\]()]*)\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]", re.IGNORECASE)
_WITH = re.compile(r"\bwith\s+(?:UTF8)?E?SMTP(S?)A?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The last hop: client address and greeting, envelope sender, whether TLS was used (None: not known)."""

    ip: str
    helo: str
    sender: str
    tls: bool | None = None


def path_of(message: bytes) -> Path | None:
    """The path in the trace fields; None when no client address stands there."""
    received = header.value(message, "Received")
    if received is None:
        return None
    text = received.decode("utf-8", "replace")
    match = _FROM.search(text)
    if not match:
        return None
    try:
        address = ipaddress.ip_address(match[2])
    except ValueError:
        return None
    protocol = _WITH.search(text)
    returned = header.value(message, "Return-Path") or b""
    return Path(
        ip=str(address),
        helo=match[1],
        sender=returned.decode("utf-8", "replace").strip(" <>"),
        tls=bool(protocol[1]) if protocol else None,
    )
