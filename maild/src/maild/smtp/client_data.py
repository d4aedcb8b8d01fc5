"""A message as the bytes of DATA: dots doubled, every line ended by CRLF, closed by the end-of-data line.

A bare CR or LF inside a message would end or split it at a lenient server (SMTP smuggling), so each becomes a CRLF.
Work is done in slices, so that a large message does not hold the loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SLICE = 1 << 20
"""Bytes handled at once: no step holds the interpreter longer than that takes."""
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def pieces(message: bytes) -> Iterator[bytes]:
    """The bytes to send after 354, in order; their sum ends with CRLF "." CRLF (RFC 5321 section 4.1.1.4)."""
    position, length, fresh = 0, len(message), True
    last = b"\r\n"
    while position < length:
        end = min(position + SLICE, length)
        while end < length and message[end - 1] in b"\r\n":
            end += 1
        last = _stuffed(message[position:end], fresh)
        yield last
        position, fresh = end, False
    yield b".\r\n" if last.endswith(b"\r\n") else b"\r\n.\r\n"


def _stuffed(piece: bytes, fresh: bool) -> bytes:
    """One slice, which never begins or ends inside a line break; ``fresh`` at the beginning of the message."""
    breaks = piece.count(b"\r\n")
    if piece.count(b"\n") != breaks or piece.count(b"\r") != breaks:
        piece = _BARE.sub(b"\r\n", piece)
    if b"\r\n." in piece:
        piece = piece.replace(b"\r\n.", b"\r\n..")
    return b"." + piece if fresh and piece.startswith(b".") else piece
