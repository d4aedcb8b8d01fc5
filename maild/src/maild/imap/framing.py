"""Where a command's lines end and its literals begin (RFC 9051 section 4.3, RFC 7888), apart from any I/O.

``announced`` reads the end of a line; ``is_message`` tells the literals that are whole messages, which go to the store
piece by piece, from those that are names and texts, which are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LINE = 64 * 1024
"""Octets of one line of a command; sets of UIDs are long (RFC 7162 section 4 asks for 8192)."""
MAX_TEXTS = 256 * 1024
"""Octets of all literals of a command that are kept in memory."""
MAX_LITERALS = 1000
"""Literals of one command that are kept."""
MAX_BEFORE_LOGIN = 4096
"""Octets of a literal before login: what LITERAL- lets a client send unasked (RFC 7888 section 5)."""

_ANNOUNCED = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}$")
_MAILBOX_NEXT = re.compile(rb"[^ ]+ (?:(?:UID )?REPLACE [^ ]+|APPEND) $", re.IGNORECASE)
_TAKES_MESSAGES = re.compile(rb"[^ ]+ (?:(?:UID )?REPLACE|APPEND) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Announced:
    """A literal that a line ends with: the line before it, its size, whether the client waits to be asked."""

    text: bytes
    size: int
    waits: bool
    binary: bool


def announced(line: bytes) -> Announced | None:
    """The literal that this line announces."""
    if not line.endswith(b"}"):
        return None
    found = _ANNOUNCED.search(line, max(0, len(line) - 24))
    if found is None:
        return None
    return Announced(line[: found.start()], int(found[2]), not found[3], bool(found[1]))


def is_message(first: bytes, literals: int, text: bytes) -> bool:
    """Whether the literal after ``text`` is a message; ``first`` is the command's first piece of text."""
    return bool(_TAKES_MESSAGES.match(first)) and not (literals == 0 and _MAILBOX_NEXT.match(text))
