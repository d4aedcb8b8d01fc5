"""SPF macros (RFC 7208 section 7): checked when a record is read, expanded when a term is evaluated.

``%{p}`` needs DNS, so its value comes from the caller. Local parts outside ASCII never reach DNS (RFC 8616 section 4).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

MAX_DOMAIN = 253
"""Octets an expanded domain may have; labels are dropped from the left until it fits (section 7.3)."""

_MACRO = re.compile(r"%(?:([%_-])|\{([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)\})", re.IGNORECASE)
_LITERALS = {"%": "%", "_": " ", "-": "%20"}
_TOP = re.compile(r"(?=[a-z0-9-]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_ONLY_IN_EXPLANATION = frozenset("crt")


class MacroError(ValueError):
    """The text is no macro string, or no domain-spec."""


class NoMatchError(Exception):
    """A local part outside ASCII stands in a term, which then matches nothing (RFC 8616 section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What macros stand for. ``local`` and ``domain`` are the sender's, ``current`` the domain being evaluated."""

    ip: IPv4Address | IPv6Address
    local: str
    domain: str
    current: str
    helo: str
    receiver: str
    time: int


def check(text: str, *, explanation: bool = False) -> None:
    """Raises ``MacroError`` unless the text is a macro-string."""
    if "%" in _MACRO.sub("", text):
        raise MacroError(f"{text!r} has a % that is no macro")
    for match in _MACRO.finditer(text):
        letter, digits = match[2], match[3]
        if letter and letter.lower() in _ONLY_IN_EXPLANATION and not explanation:
            raise MacroError(f"%{{{letter}}} is for explanations only")
        if digits and (len(digits) > 3 or not 0 < int(digits) <= 128):
            raise MacroError(f"{match[0]} keeps no sensible number of labels")
    if not explanation and any(not "!" <= char <= "~" for char in text):
        raise MacroError(f"{text!r} has a character that a record cannot hold")


def check_domain(text: str) -> None:
    """Raises ``MacroError`` unless the text is a domain-spec: it ends with a macro or with a top label."""
    check(text)
    if not text:
        raise MacroError("the domain is empty")
    matches = list(_MACRO.finditer(text))
    end = matches[-1].end() if matches else 0
    if end == len(text):
        return
    head, dot, top = text.removesuffix(".").rpartition(".")
    if not dot or (end > len(head) + 1) or not _TOP.fullmatch(top):
        raise MacroError(f"{text!r} does not end with a top-level domain")
    if not head and not matches:
        raise MacroError(f"{text!r} has one label only")


async def expand(
    text: str, values: Values, validated_name: Callable[[], Awaitable[str]], *, explanation: bool = False
) -> str:
    """The text with every macro replaced; a domain is shortened to what DNS can hold."""
    out: list[str] = []
    position = 0
    for match in _MACRO.finditer(text):
        out.append(text[position : match.start()])
        position = match.end()
        if match[1]:
            out.append(_LITERALS[match[1]])
            continue
        letter = match[2]
        value = await validated_name() if letter in "pP" else _value(letter.lower(), values)
        if letter in "slSL" and not explanation and not values.local.isascii():
            raise NoMatchError
        value = _transformed(value, match[3], bool(match[4]), match[5])
        out.append(quote(value, safe="-._~") if letter.isupper() else value)
    out.append(text[position:])
    whole = "".join(out)
    return whole if explanation else _shortened(whole)


def _value(letter: str, values: Values) -> str:
    ip = values.ip
    plain = {
        "s": f"{values.local}@{values.domain}",
        "l": values.local,
        "o": values.domain,
        "d": values.current,
        "h": values.helo,
        "c": str(ip),
        "r": values.receiver,
        "t": str(values.time),
        "v": "in-addr" if ip.version == 4 else "ip6",
        "i": str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", "").upper()),
    }
    return plain[letter]


def _transformed(value: str, digits: str, backwards: bool, delimiters: str) -> str:
    if not (digits or backwards or delimiters):
        return value
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if backwards:
        parts.reverse()
    return ".".join(parts[-int(digits) :] if digits else parts)


def _shortened(name: str) -> str:
    while len(name) > MAX_DOMAIN and "." in name:
        name = name.partition(".")[2]
    return name
