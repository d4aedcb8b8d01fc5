"""Which addresses to try for a domain, in which order (RFC 5321 section 5.1, RFC 7505).

MX by preference, equal ones shuffled, the implicit MX where there is none; only families that we have a public address
of. The result says whether each look-up was DNSSEC-secure, for DANE. A fault is a reply, temporary unless DNS itself
says that there is nothing.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maild.delivery.next_hop import HopError, Reply
from maild.dns import MX, DNSError, NoData, NoName, Resolver
from maild.dns.names import to_query

MAX_HOSTS = 15
"""Exchangers looked up for one attempt; hMailServer's bound, and more than any domain needs."""
MAX_ADDRESSES = 20
"""Addresses of one host that are looked at."""


@dataclass(frozen=True, slots=True)
class Exchanger:
    """One host of a domain with its addresses; ``secure``: MX and addresses were DNSSEC-secure."""

    name: str
    addresses: tuple[str, ...]
    secure: bool = False
    canonical: str = ""
    """Where the addresses stand when the name is an alias."""


@dataclass(frozen=True, slots=True)
class Families:
    """The address families that mail may leave over."""

    ipv4: bool = True
    ipv6: bool = False


async def exchangers(
    domain: str, resolver: Resolver, families: Families, shuffle: Callable[[list[str]], None]
) -> list[Exchanger]:
    """The hosts of a domain in the order to try; raises ``HopError`` when there is none."""
    if domain.startswith("["):
        return [Exchanger(domain, (_literal(domain),))]
    names, secure = await _names(domain, resolver, shuffle)
    found = [await _with_addresses(name, resolver, families, secure=secure) for name in names[:MAX_HOSTS]]
    usable = [each for each in found if isinstance(each, Exchanger)]
    if usable:
        return usable
    faults = [each for each in found if isinstance(each, DNSError)]
    temporary = [fault for fault in faults if not isinstance(fault, NoName | NoData)]
    if temporary:
        raise HopError(Reply(451, "4.4.3", str(temporary[0])))
    raise HopError(Reply(550, "5.4.4", f"none of the mail servers of {domain} has an address that we can reach"))


async def addresses_of(host: str, resolver: Resolver, families: Families) -> tuple[str, ...]:
    """The addresses of a named or numeric host (smart host, route); raises ``HopError``."""
    bare = host.strip("[]").removeprefix("IPv6:")
    try:
        return (str(ipaddress.ip_address(bare)),)
    except ValueError:
        pass
    found = await _with_addresses(host, resolver, families, secure=False)
    if isinstance(found, Exchanger):
        return found.addresses
    # A configured host that has no address is a mistake of ours or of its owner, which somebody will mend.
    raise HopError(Reply(451, "4.4.4", str(found)), host=host)


async def _names(domain: str, resolver: Resolver, shuffle: Callable[[list[str]], None]) -> tuple[list[str], bool]:
    try:
        answer = await resolver.query(domain, "MX")
    except NoData:
        return [domain], True  # the implicit MX: only its addresses can be insecure (RFC 7672 section 2.2.2)
    except NoName as error:
        raise HopError(Reply(550, "5.1.2", f"the domain {domain} does not exist")) from error
    except DNSError as error:
        raise HopError(Reply(451, "4.4.3", str(error))) from error
    records = sorted(record for record in answer.records if isinstance(record, MX))
    if [record.host for record in records] in ([""], ["."]):
        raise HopError(Reply(556, "5.1.10", f"the domain {domain} takes no mail (null MX)"))
    return _ordered(records, shuffle), answer.secure


def _ordered(records: Sequence[MX], shuffle: Callable[[list[str]], None]) -> list[str]:
    names: list[str] = []
    for _, equal in itertools.groupby(records, key=lambda record: record.preference):
        group = [record.host for record in equal if record.host not in ("", ".")]
        shuffle(group)
        names += group
    return names


async def _with_addresses(name: str, resolver: Resolver, families: Families, *, secure: bool) -> Exchanger | DNSError:
    """The host with its addresses, IPv6 first where we have it, or the fault that left it without any."""
    found: list[str] = []
    canonical = ""
    fault: DNSError | None = None
    for wanted, rdtype in ((families.ipv6, "AAAA"), (families.ipv4, "A")):
        if not wanted:
            continue
        try:
            answer = await resolver.query(name, rdtype)
        except DNSError as error:
            if fault is None or not isinstance(error, NoName | NoData):
                fault = error
        else:
            found += [str(record) for record in answer.records]
            secure = secure and answer.secure
            canonical = answer.name
    if found:
        alias = "" if canonical.lower() == (to_query(name) or name).lower() else canonical
        return Exchanger(name, tuple(found[:MAX_ADDRESSES]), secure, alias)
    return fault or NoData(name, "A", "no address family that we send over")


def _literal(domain: str) -> str:
    return domain.strip("[]").removeprefix("IPv6:")
