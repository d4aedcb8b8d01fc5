"""Names as DNS asks for them: A-labels in lower case without the last dot, underscores and single labels included.

Looser than ``maild.mail.domain``, which knows host names only: ``_dmarc.테스트.net`` is a name here.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from maild.mail import domain

MAX_NAME = 253
"""Octets of a name in text form without the last dot (RFC 1035 section 2.3.4)."""
MAX_LABEL = 63
"""Octets of a label (RFC 1035 section 2.3.4)."""


def to_query(name: str) -> str | None:
    """The form that is asked for, None when no name server could hold such a name."""
    # No form has fewer characters than its Unicode one, so what is longer needs no look, nor a place in memory.
    return _to_query(name) if len(name) <= MAX_NAME + 1 else None


@lru_cache(maxsize=8192)
def _to_query(name: str) -> str | None:
    bare = name.removesuffix(".").lower()
    labels = bare.split(".")
    try:
        wire = ".".join(label if label.isascii() else domain.to_ascii(label) for label in labels)
    except domain.DomainError:
        return None
    fits = len(wire) <= MAX_NAME and all(0 < len(label) <= MAX_LABEL for label in wire.split("."))
    return wire if fits and wire.isprintable() else None


def shown(name: str) -> str:
    """Both forms for people: ``테스트.net (xn--9t4b11yi5a.net)``, or the one there is."""
    wire = to_query(name) or name
    wide = domain.to_unicode(wire)
    return wire if wide == wire else f"{wide} ({wire})"


def reverse(address: str) -> str:
    """The name whose PTR record names this IP address."""
    return ipaddress.ip_address(address).reverse_pointer


def as_address(record: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address of an A or AAAA record; None for anything else, whatever a resolver hands over."""
    try:
        return ipaddress.ip_address(record) if isinstance(record, str) else None
    except ValueError:
        return None


def parents(name: str) -> list[str]:
    """The name itself and every name above it down to the top-level one."""
    labels = name.removesuffix(".").split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]
