"""Compares a zone with the records it should hold, asking the zone's own servers so that no cache hides a change.

Says for each record whether it is there, what stands there instead, and which server disagrees. When no authoritative
server can be reached it asks the resolver and says so; when that fails too, the state is unknown, never fine.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from maild.dns.answer import MX, Answer, DNSError, NoData, NoName, Record, Resolver
from maild.dns.names import as_address, parents
from maild.dns.records import Expected, Purpose, claims, same_value
from maild.dns.resolver import CachingResolver
from maild.dns.upstream import DirectUpstream

MAX_SERVERS = 16
"""Addresses of authoritative servers asked; the largest zones have 13 names."""
TIMEOUT = 3.0
"""Seconds an authoritative server has for one answer."""


class State(StrEnum):
    """What a zone holds in a record's place."""

    OK = "ok"
    MISSING = "missing"
    DIFFERENT = "different"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


class Problem(StrEnum):
    """What is wrong beyond the value."""

    NONE = ""
    MX_IS_ADDRESS = "mx-is-address"
    MX_IS_ALIAS = "mx-is-alias"
    DUPLICATE = "duplicate"
    EXTRA_MX = "extra-mx"
    NOT_CONFIRMED = "not-confirmed"
    NO_ANSWER = "no-answer"
    NOT_AUTHORITATIVE = "not-authoritative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A record and its state. ``found`` is what stands there; ``servers`` names those that answered otherwise."""

    expected: Expected
    state: State
    problem: Problem = Problem.NONE
    found: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    cause: str = ""

    @property
    def fine(self) -> bool:
        """Nothing to do here."""
        return self.state is State.OK and self.problem in {Problem.NONE, Problem.NOT_AUTHORITATIVE}


@dataclass(frozen=True, slots=True)
class _Voice:
    """One server that can be asked."""

    name: str
    resolver: Resolver


class Checker:
    """Checks records. ``port`` is that of authoritative servers; anything but 53 is for tests."""

    def __init__(self, resolver: Resolver, *, port: int = 53, timeout: float = TIMEOUT) -> None:
        self._resolver = resolver
        self._port = port
        self._timeout = timeout
        self._voices: dict[str, asyncio.Task[tuple[_Voice, ...]]] = {}

    async def check(self, rows: Sequence[Expected]) -> list[Finding]:
        """The findings, one a record, in the same order."""
        return list(await asyncio.gather(*(self._one(row) for row in rows)))

    async def authorities(self, domain: str) -> tuple[str, ...]:
        """Addresses of the servers that are authoritative for the zone this name is in."""
        return tuple(voice.name for voice in await self._voices_of(domain))

    async def everywhere(self, row: Expected) -> bool:
        """Whether every authoritative server has this record now; unreachable ones count as not having it."""
        voices = await self._voices_of(row.owner)
        if not voices:
            return False
        views = await asyncio.gather(*(self._ask(voice, row) for voice in voices))
        return all(not isinstance(view, DNSError) and _holds(row, view.records) for view in views)

    async def anywhere(self, row: Expected) -> bool:
        """Whether some authoritative server may still have this record; an unreachable one may."""
        voices = await self._voices_of(row.owner)
        views = await asyncio.gather(*(self._ask(voice, row) for voice in voices))
        return not views or any(
            not isinstance(view, NoName | NoData) if isinstance(view, DNSError) else _holds(row, view.records)
            for view in views
        )

    async def _one(self, row: Expected) -> Finding:
        if row.purpose is Purpose.PTR:
            return await self._reverse(row)
        voices = await self._voices_of(row.owner)
        views = await asyncio.gather(*(self._ask(voice, row) for voice in voices))
        heard = [
            (voice, view)
            for voice, view in zip(voices, views, strict=True)
            if not isinstance(view, DNSError) or isinstance(view, NoName | NoData)
        ]
        if heard:
            return await self._more(row, _judged(row, heard, len(voices) - len(heard)))
        through = _Voice("", self._resolver)
        view = await self._ask(through, row)
        if isinstance(view, DNSError) and not isinstance(view, NoName | NoData):
            return Finding(expected=row, state=State.UNKNOWN, problem=Problem.NO_ANSWER, cause=str(view))
        finding = await self._more(row, _judged(row, [(through, view)], 0))
        return replace(finding, problem=Problem.NOT_AUTHORITATIVE) if not finding.problem else finding

    async def _ask(self, voice: _Voice, row: Expected) -> Answer | DNSError:
        try:
            return await voice.resolver.query(row.owner, row.rdtype)
        except DNSError as error:
            return error

    async def _more(self, row: Expected, finding: Finding) -> Finding:
        """What the records themselves do not show: an MX target must be a name with addresses, no alias."""
        if row.purpose is not Purpose.MX or finding.problem:
            return finding
        for host in finding.found:
            if as_address(host) is not None:
                return replace(finding, problem=Problem.MX_IS_ADDRESS, cause=host)
            try:
                alias = await self._resolver.query(host, "CNAME")
            except DNSError:
                continue
            # RFC 2181 section 10.3: the value of an MX record must not be an alias.
            return replace(finding, problem=Problem.MX_IS_ALIAS, cause=f"{host} -> {alias.records[0]!s}")
        return finding

    async def _reverse(self, row: Expected) -> Finding:
        try:
            found = tuple(str(name) for name in (await self._resolver.query(row.owner, "PTR")).records)
        except (NoName, NoData):
            return Finding(expected=row, state=State.MISSING)
        except DNSError as error:
            return Finding(expected=row, state=State.UNKNOWN, problem=Problem.NO_ANSWER, cause=str(error))
        if row.value not in found:
            return Finding(expected=row, state=State.DIFFERENT, found=found)
        address = _address_of(row.owner)
        try:
            forward = (await self._resolver.query(row.value, "A" if address.version == 4 else "AAAA")).records
        except DNSError as error:
            return Finding(expected=row, state=State.OK, problem=Problem.NOT_CONFIRMED, found=found, cause=str(error))
        confirmed = any(as_address(one) == address for one in forward)
        problem = Problem.NONE if confirmed else Problem.NOT_CONFIRMED
        return Finding(expected=row, state=State.OK, problem=problem, found=found)

    async def _voices_of(self, name: str) -> tuple[_Voice, ...]:
        """The authoritative servers for a name, looked for once a zone."""
        for zone in parents(name):
            task = self._voices.get(zone)
            if task is None:
                task = self._voices[zone] = asyncio.create_task(self._find(zone))
            if voices := await task:
                return voices
        return ()

    async def _find(self, zone: str) -> tuple[_Voice, ...]:
        try:
            names = [str(host) for host in (await self._resolver.query(zone, "NS")).records]
        except DNSError:
            return ()
        addresses: list[str] = []
        for host in names:
            for rdtype in ("A", "AAAA"):
                try:
                    answer = await self._resolver.query(host, rdtype)
                except DNSError:
                    continue
                addresses += [str(address) for address in answer.records]
        return tuple(self._voice(address) for address in addresses[:MAX_SERVERS])

    def _voice(self, address: str) -> _Voice:
        upstream = DirectUpstream([address], port=self._port, timeout=self._timeout, recursive=False)
        return _Voice(address, CachingResolver(upstream))


def _judged(row: Expected, heard: Sequence[tuple[_Voice, Answer | DNSError]], silent: int) -> Finding:
    views = {voice.name: () if isinstance(view, DNSError) else view.records for voice, view in heard}
    good = [name for name, records in views.items() if _holds(row, records)]
    bad = tuple(name for name in views if name not in good)
    found = tuple(dict.fromkeys(text for records in views.values() for text in _rivals(row, records)))
    if not bad and not silent:
        return Finding(expected=row, state=State.OK, problem=_extra(row, found), found=found)
    if not bad:
        return Finding(expected=row, state=State.OK, problem=_extra(row, found), found=found, cause=f"{silent} silent")
    if good:
        return Finding(expected=row, state=State.PARTIAL, found=found, servers=bad)
    state = State.DIFFERENT if found else State.MISSING
    return Finding(expected=row, state=state, problem=_extra(row, found), found=found)


def _holds(row: Expected, records: Sequence[Record]) -> bool:
    return any(same_value(row, text) for text in _rivals(row, records))


def _rivals(row: Expected, records: Sequence[Record]) -> list[str]:
    """The values in a record's place that are of its kind."""
    texts: list[str] = []
    for record in records:
        if isinstance(record, MX):
            texts.append(record.host)
        elif isinstance(record, bytes):
            text = record.decode("utf-8", "backslashreplace")
            if claims(row.purpose, text):
                texts.append(text)
        else:
            texts.append(str(record))
    return texts


def _extra(row: Expected, found: Sequence[str]) -> Problem:
    others = [text for text in found if not same_value(row, text)]
    if row.purpose is Purpose.MX and any(as_address(host) is not None for host in found):
        return Problem.MX_IS_ADDRESS
    if row.purpose is Purpose.MX and others and len(found) > len(others):
        return Problem.EXTRA_MX
    if row.purpose in {Purpose.SPF, Purpose.DMARC, Purpose.DKIM} and len(found) > 1:
        return Problem.DUPLICATE
    return Problem.NONE


def _address_of(pointer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    labels = pointer.split(".")
    if pointer.endswith(".in-addr.arpa"):
        return ipaddress.IPv4Address(".".join(reversed(labels[:4])))
    digits = "".join(reversed(labels[:32]))
    return ipaddress.IPv6Address(":".join(digits[i : i + 4] for i in range(0, 32, 4)))
