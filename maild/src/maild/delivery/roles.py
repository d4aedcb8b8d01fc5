"""Role addresses: mail to them must reach somebody, whatever else holds (RFC 5321 section 4.5.1, RFC 2142)."""

from __future__ import annotations

from maild.mail.address import Address

ROLES = frozenset({"postmaster", "abuse", "hostmaster"})


def is_role(address: Address) -> bool:
    """Whether this is one, at a domain of ours."""
    return address.local.casefold() in ROLES
