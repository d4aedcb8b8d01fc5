"""Mailbox names: modified UTF-7 of RFC 3501 or UTF-8 outside, NFC inside, and which of them may be created.

INBOX is INBOX in any case of letters. Names are compared as the store does, by code point.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Callable

from maild.imap.errors import BadCommand, Refused

DELIMITER = "/"
MAX_NAME = 255
"""Characters of a whole mailbox name; what the store's column holds."""
MAX_LEVELS = 20
"""Levels of hierarchy; each is a mailbox that LIST has to show."""

_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_UNSAFE = re.compile(r"[^\x20-\x7e]+|&")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def decode(raw: bytes, *, utf8: bool) -> str:
    """The name a client sent; with UTF8=ACCEPT or IMAP4rev2 enabled it is UTF-8, otherwise modified UTF-7."""
    if not raw.isascii():
        # Clients that send UTF-8 without having enabled it mean it.
        return normal(_from_utf8(raw))
    if utf8:
        return normal(raw.decode("ascii"))
    try:
        return normal(_SHIFTED.sub(_unshift, raw).decode("utf-8"))
    except UnicodeDecodeError:
        raise BadCommand("The mailbox name is not modified UTF-7") from None


def encode(name: str, *, utf8: bool) -> bytes:
    """The name as a quoted string."""
    raw = name.encode() if utf8 else _UNSAFE.sub(_shift, name).encode("ascii")
    return b'"%b"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def normal(name: str) -> str:
    """The one form that is stored and compared."""
    composed = unicodedata.normalize("NFC", name)
    first, slash, rest = composed.partition(DELIMITER)
    return f"INBOX{slash}{rest}" if first.upper() == "INBOX" else composed


def check(name: str) -> str:
    """The name of a mailbox that may be created; a trailing delimiter only announces children (RFC 9051 6.3.4)."""
    bare = name.removesuffix(DELIMITER)
    levels = bare.split(DELIMITER)
    if not bare or any(not level.strip() for level in levels):
        raise Refused("A level of the mailbox name is empty", b"CANNOT")
    if len(bare) > MAX_NAME or len(levels) > MAX_LEVELS:
        raise Refused("The mailbox name is too long", b"CANNOT")
    if _CONTROL.search(bare) or "*" in bare or "%" in bare:
        raise Refused("The mailbox name holds a character that is not allowed", b"CANNOT")
    return bare


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches a LIST pattern: ``*`` is anything, ``%`` anything within a level."""
    # Runs of wildcards mean one; each further one would cost the match dearly.
    simple = re.sub(r"[*%]*\*[*%]*", "*", pattern)
    simple = re.sub(r"%+", "%", simple)
    first, slash, rest = simple.partition(DELIMITER)
    if first.upper() == "INBOX":
        simple = f"INBOX{slash}{rest}"
    pieces = re.split(r"([*%])", simple)
    return lambda name: _matches(name, pieces)


def _matches(name: str, pieces: list[str]) -> bool:
    """Keeps the set of positions a match may stand at, so that time is bounded by name times pattern."""
    positions = {0}
    for piece in pieces:
        if piece == "*":
            positions = set(range(min(positions), len(name) + 1))
        elif piece == "%":
            positions = {end for start in positions for end in range(start, _level_end(name, start) + 1)}
        else:
            positions = {start + len(piece) for start in positions if name.startswith(piece, start)}
        if not positions:
            return False
    return len(name) in positions


def _level_end(name: str, start: int) -> int:
    end = name.find(DELIMITER, start)
    return len(name) if end < 0 else end


def _from_utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadCommand("The mailbox name is not UTF-8") from None


def _unshift(match: re.Match[bytes]) -> bytes:
    if not match[1]:
        return b"&"
    try:
        padded = match[1].replace(b",", b"/") + b"=" * (-len(match[1]) % 4)
        return binascii.a2b_base64(padded).decode("utf-16-be").encode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadCommand("The mailbox name is not modified UTF-7") from None


def _shift(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    encoded = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False).rstrip(b"=")
    return f"&{encoded.replace(b'/', b',').decode()}-"
