"""``check_host`` of RFC 7208 section 4, with its limits: 10 terms that ask DNS, 2 void answers, 10 MX or PTR names.

A result is returned for every input; DNS faults become ``temperror``, broken records ``permerror``. IPv4-mapped
addresses are IPv4 ones (section 5), internationalised sender domains are asked for as A-labels (RFC 8616).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from maild.dns import MX, DNSError, NoData, NoName, Record, Resolver
from maild.dns.names import as_address, to_query
from maild.verify.spf import macro
from maild.verify.spf.record import Mechanism, RecordError, Result, is_spf, parse
from maild.verify.spf.record import Record as Policy

MAX_LOOKUPS = 10
"""Terms that cause DNS queries (section 4.6.4)."""
MAX_VOID = 2
"""Of them, such that find nothing (section 4.6.4)."""
MAX_NAMES = 10
"""MX or PTR names of one term that are looked up (section 4.6.4)."""
MAX_SECONDS = 20.0
"""For one check, the least that section 4.6.4 allows."""
MAX_EXPLANATION = 500
"""Characters of an explanation we pass on; it ends up in an SMTP reply."""

IP = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found. ``term`` matched, ``problem`` says why there is an error, ``explanation`` is the owner's."""

    result: Result
    domain: str
    term: str = ""
    problem: str = ""
    explanation: str = ""
    lookups: int = 0


class _PermanentError(Exception):
    """The check ends with permerror."""


async def check_sender(
    resolver: Resolver, ip: str | IP, sender: str, helo: str, *, receiver: str = "unknown"
) -> Outcome:
    """The MAIL FROM check; with a null sender that of ``postmaster`` at the HELO name (section 2.4)."""
    local, _, domain = sender.rpartition("@")
    return await check_host(resolver, ip, domain or helo, local or "postmaster", helo, receiver=receiver)


async def check_host(
    resolver: Resolver,
    ip: str | IP,
    domain: str,
    local: str,
    helo: str,
    *,
    receiver: str = "unknown",
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Whether this address may send as this domain."""
    address = ip_address(ip) if isinstance(ip, str) else ip
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    wire = to_query(domain)
    if wire is None or "." not in wire:
        return Outcome(Result.NONE, domain, problem="the domain cannot be looked up")
    check = _Check(resolver, address, wire, local, helo, receiver, int(clock()))
    try:
        async with asyncio.timeout(MAX_SECONDS):
            result = await check.evaluate(wire, 0)
    except (DNSError, TimeoutError) as error:
        return Outcome(Result.TEMPERROR, wire, problem=str(error) or "no result in time", lookups=check.lookups)
    except (_PermanentError, RecordError) as error:
        return Outcome(Result.PERMERROR, wire, problem=str(error), lookups=check.lookups)
    return Outcome(result, wire, check.term, "", check.explanation, check.lookups)


@dataclass(slots=True)
class _Check:
    """One check under way: what is asked, and what it has cost."""

    resolver: Resolver
    ip: IP
    domain: str
    local: str
    helo: str
    receiver: str
    now: int
    lookups: int = 0
    voids: int = 0
    term: str = ""
    explanation: str = ""
    pointer: str = ""

    async def evaluate(self, domain: str, depth: int) -> Result:
        policy = await self._policy(domain)
        if policy is None:
            return Result.NONE
        for mechanism in policy.mechanisms:
            if await self._matches(mechanism, domain, depth):
                if depth == 0:
                    self.term = mechanism.text
                    if mechanism.result is Result.FAIL and policy.explanation is not None:
                        self.explanation = await self._explain(policy.explanation, domain)
                return mechanism.result
        if policy.redirect is None:
            return Result.NEUTRAL
        self._count("redirect")
        try:
            target = await self._expand(policy.redirect, domain)
        except macro.NoMatchError:
            return Result.NEUTRAL
        result = await self.evaluate(target, depth)
        if result is Result.NONE:
            raise _PermanentError(f"redirect={policy.redirect}: no SPF record there")  # section 6.1
        return result

    async def _policy(self, domain: str) -> Policy | None:
        wire = to_query(domain)
        if wire is None or "." not in wire:
            return None
        texts = [
            text for text in await self._ask(wire, "TXT", counts=False) if isinstance(text, bytes) and is_spf(text)
        ]
        if len(texts) > 1:
            raise _PermanentError(f"{wire} has {len(texts)} SPF records")  # section 4.5
        return parse(texts[0]) if texts else None

    async def _ask(self, name: str, rdtype: str, *, counts: bool = True) -> tuple[Record, ...]:
        try:
            return (await self.resolver.query(name, rdtype)).records
        except (NoName, NoData):
            if counts:
                self.voids += 1
                if self.voids > MAX_VOID:
                    raise _PermanentError(f"more than {MAX_VOID} look-ups found nothing") from None
            return ()

    def _count(self, term: str) -> None:
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            raise _PermanentError(f"{term}: more than {MAX_LOOKUPS} terms need DNS")

    async def _matches(self, mechanism: Mechanism, domain: str, depth: int) -> bool:
        if mechanism.name == "all":
            return True
        if mechanism.network is not None:
            return mechanism.network.version == self.ip.version and self.ip in mechanism.network
        self._count(mechanism.text)
        try:
            target = await self._expand(mechanism.domain, domain) if mechanism.domain else domain
        except macro.NoMatchError:
            return False
        match mechanism.name:
            case "include":
                found = await self._included(mechanism, target, depth)
            case "a":
                found = self._among(await self._ask(target, self._type), mechanism)
            case "exists":
                found = bool(await self._ask(target, "A"))
            case "mx":
                found = await self._exchanges(mechanism, target)
            case _:
                found = await self._pointed(target)
        return found

    @property
    def _type(self) -> str:
        return "A" if self.ip.version == 4 else "AAAA"

    async def _included(self, mechanism: Mechanism, target: str, depth: int) -> bool:
        result = await self.evaluate(target, depth + 1)
        if result is Result.NONE:
            raise _PermanentError(f"{mechanism.text}: no SPF record there")  # section 5.2
        return result is Result.PASS

    def _among(self, records: tuple[Record, ...], mechanism: Mechanism) -> bool:
        bits = mechanism.bits4 if self.ip.version == 4 else mechanism.bits6
        addresses = [address for record in records if (address := as_address(record)) is not None]
        same = [address for address in addresses if address.version == self.ip.version]
        return any(self.ip in ip_network((address, bits), strict=False) for address in same)

    async def _exchanges(self, mechanism: Mechanism, target: str) -> bool:
        hosts = sorted(record for record in await self._ask(target, "MX") if isinstance(record, MX))
        if len(hosts) > MAX_NAMES:
            raise _PermanentError(f"{mechanism.text}: more than {MAX_NAMES} MX records")
        for exchange in hosts:
            if exchange.host != "." and self._among(await self._ask(exchange.host, self._type), mechanism):
                return True
        return False

    async def _pointed(self, target: str) -> bool:
        wanted = target.lower().removesuffix(".")
        return any(name == wanted or name.endswith(f".{wanted}") for name in await self._validated())

    async def _validated(self) -> list[str]:
        """The names of the client's address that lead back to it (section 5.5); faults mean there are none."""
        try:
            names = [str(name).lower() for name in await self._ask(self.ip.reverse_pointer, "PTR")][:MAX_NAMES]
        except DNSError:
            return []
        valid = []
        for name in names:
            try:
                addresses = await self._ask(name, self._type, counts=False)
            except DNSError:
                continue
            if any(as_address(address) == self.ip for address in addresses):
                valid.append(name)
        return valid

    async def _validated_name(self) -> str:
        if not self.pointer:
            names, wanted = await self._validated(), self.domain.lower()
            below = [name for name in names if name.endswith(f".{wanted}")]
            self.pointer = wanted if wanted in names else next(iter(below or names), "unknown")
        return self.pointer

    async def _expand(self, text: str, domain: str, *, explanation: bool = False) -> str:
        values = macro.Values(
            ip=self.ip,
            local=self.local,
            domain=self.domain,
            current=domain,
            helo=self.helo,
            receiver=self.receiver,
            time=self.now,
        )
        return await macro.expand(text, values, self._validated_name, explanation=explanation)

    async def _explain(self, spec: str, domain: str) -> str:
        """The owner's words for a fail; anything wrong with them means there are none (section 6.2)."""
        try:
            target = await self._expand(spec, domain)
            texts = await self._ask(target, "TXT", counts=False)
            if len(texts) != 1 or not isinstance(texts[0], bytes):
                return ""
            text = texts[0].decode("ascii")
            macro.check(text, explanation=True)
            words = await self._expand(text, domain, explanation=True)
        except (DNSError, macro.MacroError, macro.NoMatchError, UnicodeDecodeError):
            return ""
        return words[:MAX_EXPLANATION] if words.isascii() and words.isprintable() else ""
