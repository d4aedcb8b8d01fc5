"""The Received field (RFC 5321 section 4.4): written for a message that came in.

What a client said of itself is written so that it can never end the field or pretend to be another clause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from maild.mail import dates

_UNSAFE = re.compile(r"[^A-Za-z0-9.:_\[\]/+-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What is known when a message has arrived. ``client_name`` is the confirmed reverse name, empty without one."""

    helo: str
    client: str
    client_name: str = ""
    by: str
    protocol: str
    id: str
    tls: str = ""
    recipient: str = ""
    when: datetime


def protocol(*, extended: bool, secure: bool, authenticated: bool, smtputf8: bool) -> str:
    """The ``with`` keyword (RFC 3848, RFC 6531 section 4.3)."""
    if not extended:
        return "SMTP"
    suffix = "S" * secure + "A" * authenticated
    return ("UTF8SMTP" if smtputf8 else "ESMTP") + suffix


def write(hop: Hop) -> bytes:
    """The finished field."""
    literal = f"[IPv6:{hop.client}]" if ":" in hop.client else f"[{hop.client}]"
    name = f"{_UNSAFE.sub('?', hop.client_name)} " if hop.client_name else ""
    tls = f"\r\n\t({re.sub(r'[^A-Za-z0-9._ -]', '?', hop.tls)})" if hop.tls else ""
    recipient = f"\r\n\tfor <{hop.recipient}>" if hop.recipient else ""
    text = (
        f"Received: from {_UNSAFE.sub('?', hop.helo) or 'unknown'} ({name}{literal}){tls}\r\n"
        f"\tby {hop.by} with {hop.protocol} id {hop.id}{recipient};\r\n"
        f"\t{dates.write(hop.when)}\r\n"
    )
    return text.encode("utf-8", "replace")
