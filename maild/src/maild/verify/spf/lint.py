"""Finds what is wrong with an SPF record of ours before receivers do: faults, dangers, and what our addresses get.

Walks includes and redirects like a check that never matches, so the look-ups are the worst case a receiver meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from maild.dns import DNSError, NoData, NoName, Resolver
from maild.verify.spf.check import MAX_LOOKUPS, MAX_VOID, check_host
from maild.verify.spf.record import Record, RecordError, Result, is_spf, parse

MAX_DEPTH = 10
"""Includes within includes followed; a check ends after as many look-ups."""
ADVISED_OCTETS = 450
"""Octets of a record that still fit one UDP answer (RFC 7208 section 3.4)."""


class Fault(StrEnum):
    """What a linter can say."""

    NO_RECORD = "no-record"
    SEVERAL_RECORDS = "several-records"
    SYNTAX = "syntax"
    TOO_MANY_LOOKUPS = "too-many-lookups"
    TOO_MANY_VOIDS = "too-many-voids"
    ALLOWS_ALL = "allows-all"
    NO_END = "no-end"
    AFTER_ALL = "after-all"
    USES_PTR = "uses-ptr"
    BROKEN_INCLUDE = "broken-include"
    LONG = "long"
    OWN_ADDRESS = "own-address"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class Note:
    """One finding. ``term`` is the part of the record, or the address, it is about; ``result`` what an address gets."""

    fault: Fault
    term: str = ""
    result: Result | None = None


@dataclass(slots=True)
class _Walk:
    resolver: Resolver
    lookups: int = 0
    voids: int = 0
    notes: list[Note] = field(default_factory=list)


async def lint(resolver: Resolver, domain: str, addresses: Sequence[str] = ()) -> list[Note]:
    """What is wrong with the domain's record; empty when nothing is. ``addresses`` are the ones we send from."""
    walk = _Walk(resolver)
    record = await _record(walk, domain, "")
    if record is not None:
        _terms(walk, record)
        await _follow(walk, record, domain, 0)
        if walk.lookups > MAX_LOOKUPS:
            walk.notes.append(Note(Fault.TOO_MANY_LOOKUPS, str(walk.lookups)))
        if walk.voids > MAX_VOID:
            walk.notes.append(Note(Fault.TOO_MANY_VOIDS, str(walk.voids)))
        for address in addresses:
            outcome = await check_host(resolver, address, domain, "postmaster", domain)
            if outcome.result is not Result.PASS:
                walk.notes.append(Note(Fault.OWN_ADDRESS, address, outcome.result))
    return walk.notes


async def _record(walk: _Walk, domain: str, term: str) -> Record | None:
    """The one usable record of a domain; a note says why there is none."""
    try:
        answer = await walk.resolver.query(domain, "TXT")
        texts = [text for text in answer.records if isinstance(text, bytes) and is_spf(text)]
    except (NoName, NoData):
        texts = []
    except DNSError as error:
        walk.notes.append(Note(Fault.DNS, str(error)))
        return None
    if len(texts) != 1:
        fault = Fault.SEVERAL_RECORDS if texts else (Fault.BROKEN_INCLUDE if term else Fault.NO_RECORD)
        walk.notes.append(Note(fault, term or domain))
        return None
    if len(texts[0]) > ADVISED_OCTETS:
        walk.notes.append(Note(Fault.LONG, f"{domain}: {len(texts[0])}"))
    try:
        return parse(texts[0])
    except RecordError as error:
        walk.notes.append(Note(Fault.SYNTAX, str(error)))
        return None


def _terms(walk: _Walk, record: Record) -> None:
    """What the record says by itself."""
    ends = False
    for mechanism in record.mechanisms:
        if ends:
            walk.notes.append(Note(Fault.AFTER_ALL, mechanism.text))
        if mechanism.name == "all":
            ends = True
            if mechanism.result is Result.PASS:
                walk.notes.append(Note(Fault.ALLOWS_ALL, mechanism.text))
        network = mechanism.network
        if network is not None and network.prefixlen == 0 and mechanism.result is Result.PASS:
            walk.notes.append(Note(Fault.ALLOWS_ALL, mechanism.text))
        if mechanism.name == "ptr":
            walk.notes.append(Note(Fault.USES_PTR, mechanism.text))
    if not ends and record.redirect is None:
        walk.notes.append(Note(Fault.NO_END))


async def _follow(walk: _Walk, record: Record, domain: str, depth: int) -> None:
    """Counts look-ups and follows includes; terms with macros count but lead nowhere a linter could know."""
    ends = any(mechanism.name == "all" for mechanism in record.mechanisms)
    for mechanism in record.mechanisms:
        if mechanism.network is not None or mechanism.name == "all":
            continue
        walk.lookups += 1
        target = mechanism.domain or domain
        if "%" in target or depth >= MAX_DEPTH or walk.lookups > 3 * MAX_LOOKUPS:
            continue
        if mechanism.name == "include":
            await _into(walk, target, mechanism.text, depth)
        elif mechanism.name in {"a", "mx", "exists"}:
            await _void(walk, target, "MX" if mechanism.name == "mx" else "A")
    if record.redirect and not ends:
        walk.lookups += 1
        if "%" not in record.redirect and depth < MAX_DEPTH and walk.lookups <= 3 * MAX_LOOKUPS:
            await _into(walk, record.redirect, f"redirect={record.redirect}", depth)


async def _into(walk: _Walk, target: str, term: str, depth: int) -> None:
    record = await _record(walk, target, term)
    if record is not None:
        await _follow(walk, record, target, depth + 1)


async def _void(walk: _Walk, name: str, rdtype: str) -> None:
    try:
        await walk.resolver.query(name, rdtype)
    except (NoName, NoData):
        walk.voids += 1
    except DNSError as error:
        walk.notes.append(Note(Fault.DNS, str(error)))
