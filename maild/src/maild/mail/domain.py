"""Domain names as mail writes them: Unicode and ASCII (A-label) forms of one name, RFC 5321 and IDNA 2008 (RFC 5891).

``to_ascii`` yields the one form that is stored, compared and looked up; ``to_unicode`` yields what people read.
An A-label that IDNA 2008 would not make (names registered under IDNA 2003) is kept as it is rather than refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

import idna

MAX_DOMAIN = 255
"""Octets of a domain (RFC 5321 section 4.5.3.1.2)."""

_LDH = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


class DomainError(ValueError):
    """The text is no domain name; the message says why and may be shown to a peer."""


def to_ascii(name: str) -> str:
    """The name in lower-case A-labels without a trailing dot; DomainError for what is no domain name."""
    bare = name.removesuffix(".")
    ascii_form = bare.lower() if bare.isascii() else _encode(bare)
    if not ascii_form:
        raise DomainError("the domain is empty")
    if len(ascii_form) > MAX_DOMAIN:
        raise DomainError(f"the domain is longer than {MAX_DOMAIN} octets")
    if not _LDH.fullmatch(ascii_form):
        raise DomainError("the domain is not made of letters, digits and hyphens")
    return ascii_form


def to_unicode(name: str) -> str:
    """The name as people write it; labels that do not decode stay as they are."""
    if "xn--" not in name.lower():
        return name
    return ".".join(_decode(label) for label in name.split("."))


def same(one: str, other: str) -> bool:
    """Whether both texts name one domain, in whichever form each is written."""
    try:
        return to_ascii(one) == to_ascii(other)
    except DomainError:
        return False


@lru_cache(maxsize=4096)
def _encode(name: str) -> str:
    try:
        return idna.encode(name, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise DomainError(f"the domain is not a valid internationalised name: {error}") from error


@lru_cache(maxsize=4096)
def _decode(label: str) -> str:
    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label
