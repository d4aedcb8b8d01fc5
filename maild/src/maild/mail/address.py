"""A mailbox address of RFC 5321 and RFC 6531: local part and domain, parsed strictly, written back correctly.

The local part is held without quotes and escapes, the domain in A-labels, so the two spellings of one address are
equal and hash alike. What an address means (mailbox, alias, relay) is not known here.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from maild.mail import domain as names

MAX_LOCAL = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1)."""
MAX_PATH = 256
"""Octets of a path with its angle brackets (RFC 5321 section 4.5.3.1.3)."""

# UTF8-non-ascii of RFC 6531 without the C1 controls, which no keyboard makes and terminals obey.
_WIDE = "\u00a0-\ud7ff\ue000-\U0010ffff"
_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_WIDE}-]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(rf'"((?:[\x20\x21\x23-\x5b\x5d-\x7e{_WIDE}]|\\[\x20-\x7e])*)"')
_UNESCAPE = re.compile(r"\\(.)")
_ROUTE = re.compile(r"@[^@,:<>\s\"]+(?:,@[^@,:<>\s\"]+)*:")

Literal = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressError(ValueError):
    """The text is no address; the message says why and may be shown to a peer."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address. Build it with ``parse`` or ``of``; the constructor trusts its arguments."""

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads ``local@domain`` without angle brackets."""
        local, rest = _read_local(text)
        if not rest.startswith("@"):
            raise AddressError("there is no @ behind the local part")
        return cls(local, _read_domain(rest[1:]))

    @classmethod
    def of(cls, local: str, domain: str) -> Address:
        """The address of an unquoted local part at a domain in either form."""
        _check_local(local)
        return cls(local, _read_domain(domain))

    @property
    def key(self) -> str:
        """What look-ups compare: composed, case-folded local part at the A-label domain, quoted where it must be."""
        if self.local.isascii():
            folded = self.local.lower()
        else:
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", self.local).casefold())
        return f"{_written(folded)}@{self.domain}"

    @property
    def literal(self) -> Literal | None:
        """The host of an address literal, None for a domain name."""
        return _literal(self.domain) if self.domain.startswith("[") else None

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only an SMTPUTF8 peer can take it (RFC 6531 section 3.7.1): the local part is not ASCII."""
        return not self.local.isascii()

    @property
    def unicode(self) -> str:
        """The address as people read it, the domain in U-labels."""
        return f"{_written(self.local)}@{names.to_unicode(self.domain)}"

    def __str__(self) -> str:
        return f"{_written(self.local)}@{self.domain}"

    def split_detail(self, separator: str = "+") -> tuple[Address, str | None]:
        """The address before the separator and the detail behind it (RFC 5233); None when there is none."""
        base, found, detail = self.local.partition(separator)
        if not found or not base or base.endswith("."):
            return self, None
        return Address(base, self.domain), detail


def lenient(text: str) -> Address | None:
    """The address in a text that may be none; None for that, and for the empty text of a null sender."""
    try:
        return Address.parse(text) if text else None
    except AddressError:
        return None


def key_of(text: str) -> str:
    """The key of a written address; a text that is none stands for itself, so it equals nothing else."""
    address = lenient(text)
    return text if address is None else address.key


def parse_path(text: str) -> tuple[Address | None, str]:
    """Reads a path in angle brackets and what follows it: ``<>`` is None, a source route is dropped (RFC 5321 F.2)."""
    if not text.startswith("<"):
        raise AddressError("the path does not start with <")
    if text.startswith("<>"):
        return None, text[2:]
    route = _ROUTE.match(text, 1)
    if route:
        _check_route(route[0])
    local, rest = _read_local(text[route.end() if route else 1 :])
    if not rest.startswith("@"):
        raise AddressError("there is no @ behind the local part")
    host, closed, behind = rest[1:].partition(">")
    if not closed:
        raise AddressError("the path does not end with >")
    if len(text.encode("utf-8", "replace")) - len(behind.encode("utf-8", "replace")) > MAX_PATH:
        raise AddressError(f"the path is longer than {MAX_PATH} octets")
    return Address(local, _read_domain(host)), behind


def _check_route(route: str) -> None:
    for hop in route[:-1].split(","):
        _read_domain(hop[1:])


def _read_local(text: str) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    if quoted:
        local, end = _UNESCAPE.sub(r"\1", quoted[1]), quoted.end()
    else:
        plain = _DOT_STRING.match(text)
        if not plain:
            raise AddressError("the local part is empty or holds a character that must be quoted")
        local, end = plain[0], plain.end()
    _check_local(local)
    return local, text[end:]


def _check_local(local: str) -> None:
    if len(local.encode("utf-8", "surrogatepass")) > MAX_LOCAL:
        raise AddressError(f"the local part is longer than {MAX_LOCAL} octets")
    if not _QUOTED.fullmatch(_quoted(local)):
        raise AddressError("the local part holds a control character")


def _read_domain(text: str) -> str:
    if text.startswith("["):
        host = _literal(text)
        return f"[{host}]" if host.version == 4 else f"[IPv6:{host}]"
    if text.endswith("."):
        raise AddressError("the domain ends with a dot")
    try:
        return names.to_ascii(text)
    except names.DomainError as error:
        raise AddressError(str(error)) from error


def _literal(text: str) -> Literal:
    inner = text[1:-1]
    is_six = inner[:5].lower() == "ipv6:"
    try:
        if text.endswith("]") and "%" not in inner:
            return ipaddress.IPv6Address(inner[5:]) if is_six else ipaddress.IPv4Address(inner)
    except ValueError:
        pass
    raise AddressError("the address literal is neither [IPv4] nor [IPv6:...]")


def _quoted(local: str) -> str:
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=4096)
def _written(local: str) -> str:
    return local if _DOT_STRING.fullmatch(local) else _quoted(local)
