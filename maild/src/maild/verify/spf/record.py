"""An SPF record as data (RFC 7208 sections 4.6, 5, 6): mechanisms in order, redirect, explanation.

Reading is all or nothing: the first fault makes the record unusable, wherever it stands (section 4.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from maild.verify.spf import macro

MAX_RECORD = 10_240
"""Octets of a record we read; honest ones keep to 512 (section 3.4), the longest seen have some 2,000."""


class Result(StrEnum):
    """The results of section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


QUALIFIERS = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


class RecordError(ValueError):
    """The record cannot be used; the message names the term."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One term that may match. ``domain`` is a domain-spec, empty for the current domain."""

    name: str
    result: Result
    text: str
    domain: str = ""
    network: IPv4Network | IPv6Network | None = None
    bits4: int = 32
    bits6: int = 128


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be evaluated."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str | None = None
    explanation: str | None = None


_NAMED = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r"([+?~-]?)([a-z][a-z0-9_-]*)(.*)", re.IGNORECASE | re.DOTALL)
_DUAL = re.compile(r"(?:/(\d+))?(?://(\d+))?\Z")
_BITS = re.compile(r"0|[1-9]\d{0,2}")
_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})


def is_spf(text: bytes) -> bool:
    """Whether a TXT record claims to be SPF version 1 (section 4.5)."""
    return text[:6].lower() == b"v=spf1" and text[6:7] in (b"", b" ")


@lru_cache(maxsize=1024)
def parse(data: bytes) -> Record:
    """The record of a TXT value that ``is_spf``; ``RecordError`` for what breaks the grammar."""
    if len(data) > MAX_RECORD:
        raise RecordError(f"the record is longer than {MAX_RECORD} octets")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise RecordError("the record is not ASCII") from error
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in text[6:].split(" "):
        if not term:
            continue
        named = _NAMED.fullmatch(term)
        try:
            if named:
                _modifier(named[1].lower(), named[2], modifiers)
            else:
                mechanisms.append(_mechanism(term))
        except (macro.MacroError, ValueError) as error:
            raise RecordError(f"{term}: {error}") from error
    return Record(tuple(mechanisms), modifiers.get("redirect"), modifiers.get("exp"))


def _modifier(name: str, value: str, modifiers: dict[str, str]) -> None:
    if name in _MECHANISMS:
        raise RecordError("a mechanism takes a colon, not an equals sign")
    if name not in {"redirect", "exp"}:
        macro.check(value, explanation=True)  # an unknown modifier only has to be a macro-string (section 6)
        if any(not "!" <= char <= "~" for char in value):
            raise RecordError("a character that a record cannot hold")
        return
    if name in modifiers:
        raise RecordError("it stands there twice")
    macro.check_domain(value)
    modifiers[name] = value


def _mechanism(term: str) -> Mechanism:
    match = _TERM.fullmatch(term)
    if not match or match[2].lower() not in _MECHANISMS:
        raise RecordError("no such mechanism")
    result, name, rest = QUALIFIERS[match[1] or "+"], match[2].lower(), match[3]
    if name in {"ip4", "ip6"}:
        return Mechanism(name, result, term, network=_network(name, rest))
    if name == "all":
        if rest:
            raise RecordError("it takes no argument")
        return Mechanism(name, result, term)
    bits4, bits6 = 32, 128
    if name in {"a", "mx"}:
        rest, bits4, bits6 = _dual_length(rest)
    if rest and not rest.startswith(":"):
        raise RecordError("no colon behind the name")
    if rest:
        macro.check_domain(rest[1:])
    elif name in {"include", "exists"}:
        raise RecordError("it needs a domain")
    return Mechanism(name, result, term, rest[1:], None, bits4, bits6)


def _network(name: str, rest: str) -> IPv4Network | IPv6Network:
    if not rest.startswith(":"):
        raise RecordError("no address")
    address, slash, bits = rest[1:].partition("/")
    if slash and not _BITS.fullmatch(bits):
        raise RecordError("no prefix length")
    if "%" in address:
        raise RecordError("an address without a zone is needed")
    network = ip_network(f"{address}/{bits}" if slash else address, strict=False)
    if network.version != int(name[2]):
        raise RecordError(f"no IPv{name[2]} address")
    return network


def _dual_length(rest: str) -> tuple[str, int, int]:
    match = _DUAL.search(rest)
    if match is None:
        return rest, 32, 128
    bits = []
    for digits, most in ((match[1], 32), (match[2], 128)):
        if digits is not None and (not _BITS.fullmatch(digits) or int(digits) > most):
            raise RecordError("no prefix length")
        bits.append(most if digits is None else int(digits))
    return rest[: match.start()], bits[0], bits[1]
