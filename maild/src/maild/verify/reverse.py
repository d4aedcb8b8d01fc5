"""Whether a client's address has a name that leads back to it (``iprev``, RFC 8601 section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from maild.dns import DNSError, NoData, NoName, Resolver
from maild.dns.names import as_address

MAX_NAMES = 5
"""PTR names that are followed; honest addresses have one."""


class Result(StrEnum):
    """The iprev results of RFC 8601 section 2.7.3."""

    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Reverse:
    """The result, the confirmed name, or the name that is not confirmed."""

    result: Result
    name: str = ""


async def confirm(resolver: Resolver, ip: str) -> Reverse:
    """The confirmed name of an address."""
    address = ip_address(ip)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    try:
        names = [str(name) for name in (await resolver.query(address.reverse_pointer, "PTR")).records]
    except (NoName, NoData):
        return Reverse(Result.PERMERROR)
    except DNSError:
        return Reverse(Result.TEMPERROR)
    result = Result.FAIL
    for name in names[:MAX_NAMES]:
        try:
            forward = (await resolver.query(name, "A" if address.version == 4 else "AAAA")).records
        except (NoName, NoData):
            continue
        except DNSError:
            result = Result.TEMPERROR
            continue
        if any(as_address(one) == address for one in forward):
            return Reverse(Result.PASS, name)
    return Reverse(result, names[0] if names else "")
