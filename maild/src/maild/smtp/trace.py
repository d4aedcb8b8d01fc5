"""The Received field that a server puts before a message (RFC 5321 section 4.4).

Pure; everything a peer chose is reduced to what the fields' grammar holds.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

from maild.mail import dates
from maild.mail.address import Address
from maild.net import Peer, TLSInfo

_ODD = re.compile(r"[^\x21-\x27\x2a-\x5b\x5d-\x7e]")


@dataclass(frozen=True, slots=True)
class Hop:
    """How a message came: from whom, by which host, under which protocol."""

    helo: str
    peer: Peer
    host: str
    extended: bool
    tls: TLSInfo | None
    authenticated: bool
    smtputf8: bool

    @property
    def protocol(self) -> str:
        """The word behind ``with`` (RFC 3848, RFC 6531 section 4.3)."""
        if not self.extended:
            return "SMTP"
        ending = ("S" if self.tls else "") + ("A" if self.authenticated else "")
        return ("UTF8SMTP" if self.smtputf8 else "ESMTP") + ending


def received(hop: Hop, number: str, recipient: Address | None, when: dt.datetime) -> bytes:
    """The Received field; ``recipient`` is named when there is one alone, so that nobody learns of a blind copy.

    One outside ASCII is not: the message would need SMTPUTF8 for it wherever it is sent on to.
    """
    address = hop.peer.text if hop.peer.address.version == 4 else f"IPv6:{hop.peer.text}"
    tls = f" ({hop.tls.version} {hop.tls.cipher} {hop.tls.bits} bits)" if hop.tls else ""
    for_whom = f" for <{recipient}>" if recipient is not None and str(recipient).isascii() else ""
    return (
        f"Received: from {_ODD.sub('?', hop.helo)} ([{address}])\r\n"
        f"\tby {hop.host} with {hop.protocol}{tls}\r\n"
        f"\tid {number}{for_whom}; {_written(when.replace(microsecond=0), when.tzinfo)}\r\n"
    ).encode()


@lru_cache(maxsize=4)
def _written(second: dt.datetime, zone: dt.tzinfo | None) -> str:
    """The date of a second, which many messages share; one moment in two zones is equal and not written alike."""
    del zone
    return dates.write(second)
