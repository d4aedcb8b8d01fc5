"""What DSN parameters carry: xtext, and original recipients written in it (RFC 3461 section 4, RFC 6533 section 3).

What is made here is ASCII and goes to any server that offers DSN. Whether a client's parameter is well formed is the
grammar's to judge; reading takes what it is given.
"""

from __future__ import annotations

import re

from maild.mail.address import Address

_UNSAFE = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_UNSAFE_UTF8 = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]")
_ESCAPED = re.compile(r"\+([0-7][0-9A-F])")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_WIDE = re.compile(r"[^\x00-\x7f]")


def encode(text: str) -> str:
    """ASCII text as xtext."""
    return _UNSAFE.sub(lambda found: f"+{ord(found[0]):02X}", text)


def decode(text: str) -> str:
    """What xtext stands for; a plus sign with nothing to decode behind it stays."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def original_recipient(address: Address) -> str:
    """The ORCPT of an address that a client gave none for, ``utf-8;`` where it is not ASCII."""
    text = str(address)
    if text.isascii():
        return f"rfc822;{encode(text)}"
    return f"utf-8;{_UNSAFE_UTF8.sub(_embedded, text)}"


def sendable(original: str) -> str:
    """An ORCPT for a server that may not know SMTPUTF8: utf-8-addr-unitext as utf-8-addr-xtext."""
    return _WIDE.sub(_embedded, original)


def generic(original: str) -> str:
    r"""An ORCPT as a report's Original-Recipient, its xtext undone (RFC 3461 section 6.3).

    The ``\x{...}`` of ``utf-8`` stays: that is how an ASCII report writes it.
    """
    kind, semicolon, text = original.partition(";")
    return original if kind == "utf-8" or not semicolon else f"{kind};{decode(text)}"


def address_of(original: str) -> str:
    """The address in an ORCPT, for people."""
    kind, _, text = original.partition(";")
    return decode_utf8(text) if kind == "utf-8" else decode(text)


def decode_utf8(text: str) -> str:
    r"""A utf-8-addr-xtext or -unitext with its ``\x{...}`` undone."""

    def character(match: re.Match[str]) -> str:
        number = int(match[1], 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]

    return _EMBEDDED.sub(character, text)


def _embedded(found: re.Match[str]) -> str:
    return f"\\x{{{ord(found[0]):02X}}}"
