"""Message identifiers (RFC 5322 section 3.6.4): made, and read from Message-ID, In-Reply-To and References.

Threads and duplicate checks compare these; what is no identifier is left out, never guessed.
"""

from __future__ import annotations

import re
from datetime import datetime

MAX_REFERENCES = 1000
"""Identifiers of one field that are read; threads are not deeper, and a message must not make the reader pay more."""

_ID = re.compile(rb"<([^<>\s]{1,990})>")


def make(when: datetime, random: bytes, host: str) -> str:
    """A new identifier with its brackets: time, randomness, host."""
    return f"<{when:%Y%m%d%H%M%S}.{random.hex()}@{host}>"


def read(value: bytes | None) -> list[bytes]:
    """The identifiers of a field, without brackets, in order."""
    if not value:
        return []
    return [match[1] for match, _ in zip(_ID.finditer(value), range(MAX_REFERENCES), strict=False)]
