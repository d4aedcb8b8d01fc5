"""Who is at the other end: an address, and the network that shares one client's allowance.

An IPv4 address that arrives on an IPv6 socket is the IPv4 address; an IPv6 client is counted by its /64, because one
client has all of it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

IPV6_CLIENT_BITS = 64
"""Prefix that one IPv6 client is given (RFC 6177)."""


@lru_cache(maxsize=8192)
def address_of(text: str) -> Address:
    """The address a socket names, without zone; an IPv4-mapped one as IPv4."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if found.version == 6 and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=8192)
def network_of(address: Address) -> Network:
    """The network that counts as one client: an IPv4 address, or an IPv6 /64."""
    return ipaddress.ip_network((address, 32 if address.version == 4 else IPV6_CLIENT_BITS), strict=False)


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a connection."""

    address: Address
    port: int
    network: Network = field(init=False, compare=False, repr=False)
    """What counts as one client."""
    text: str = field(init=False, compare=False, repr=False)
    """The address as logs show it; made once, each log line has it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", network_of(self.address))
        object.__setattr__(self, "text", str(self.address))
