"""A message for a next hop without 8BITMIME (RFC 6152 section 3): bodies become quoted-printable or base64.

The structure, the header fields and every part that is ASCII already stay byte for byte. It is done before signing; a
message that others signed is left alone, because a broken signature does more harm than eight bits do today.
"""

from __future__ import annotations

import base64
import binascii

from maild.mail import header, structure

_ENCODING = "Content-Transfer-Encoding"


def is_signed(message: bytes) -> bool:
    """Whether someone signed the body: re-encoding would break that."""
    return header.value(message, "DKIM-Signature") is not None


def converted(message: bytes) -> bytes:
    """The message with no byte above 127 in its bodies; raw UTF-8 in header fields is not touched."""
    if message.isascii():
        return message
    parts = [part for part in structure.scan(message).parts if part.path]
    leaves = [part for part in parts if not any(other.path.startswith(f"{part.path}.") for other in parts)]
    pieces: list[bytes] = []
    position = 0
    for part in sorted(leaves, key=lambda each: each.start):
        body = message[part.body : part.end]
        if body.isascii():
            continue
        head, encoded = _encode(message[part.start : part.body], body)
        pieces += [message[position : part.start], head, encoded]
        position = part.end
    return b"".join([*pieces, message[position:]])


def _encode(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    kind = (header.value(head, "Content-Type") or b"text/plain").lstrip().lower()
    if kind.startswith(b"text/") and not _is_wide(body):
        encoded, name = (
            binascii.b2a_qp(body, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
            "quoted-printable",
        )
    else:
        encoded, name = _base64(body), "base64"
    bare = header.without(head, [_ENCODING])
    return header.append(bare, header.field(_ENCODING, name)), encoded


def _is_wide(body: bytes) -> bool:
    """Mostly not ASCII (Korean text): base64 is then the shorter of the two."""
    return len(body.translate(None, bytes(range(128)))) * 5 > len(body)


def _base64(body: bytes) -> bytes:
    return base64.encodebytes(body).replace(b"\n", b"\r\n")
