"""A message in the form that its next hop takes: no eight bits without 8BITMIME (RFC 6152), no line beyond 998 octets.

A part that does not fit becomes quoted-printable or base64, which changes none of its content; the structure, the
header fields and every other part stay byte for byte. It is done before signing. What others signed (DKIM,
multipart/signed) is left alone, because a broken signature does more harm than eight bits or a long line do today.
"""

from __future__ import annotations

import base64
import binascii
import re

from maild.mail import header, structure
from maild.mail.structure import Part

MAX_LINE = 998
"""Octets of a line without its CRLF that every server must take (RFC 5321 section 4.5.3.1.6)."""
BASE64_LINE = 76
"""Characters of a line of base64 (RFC 2045 section 6.8)."""
_ENCODING = "Content-Transfer-Encoding"
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


def is_signed(message: bytes) -> bool:
    """Whether someone signed the whole body: re-encoding would break that."""
    return header.value(message, "DKIM-Signature") is not None


def fitting(message: bytes, *, eight_bit: bool) -> bytes:
    """The message for a hop that takes eight bits or not; raw UTF-8 in header fields is not touched."""
    if _fits(message, header.body_start(message), len(message), eight_bit=eight_bit):
        return message
    pieces: list[bytes] = []
    position = 0
    for part in _leaves(structure.scan(message).parts, message):
        if _fits(message, part.body, part.end, eight_bit=eight_bit):
            continue
        head, encoded = _encode(message[part.start : part.body], message[part.body : part.end])
        if part.start == 0 and header.value(head, "MIME-Version") is None:
            head = header.append(head, header.field("MIME-Version", "1.0"))
        pieces += [message[position : part.start], head, encoded]
        position = part.end
    return b"".join([*pieces, message[position:]])


def _fits(message: bytes, start: int, end: int, *, eight_bit: bool) -> bool:
    if not eight_bit and not message[start:end].isascii():
        return False
    position = start
    while end - position > MAX_LINE:
        line_end = message.rfind(b"\n", position, min(position + MAX_LINE + 2, end))
        if line_end < 0:
            return False
        position = line_end + 1
    return True


def _leaves(parts: tuple[Part, ...], message: bytes) -> list[Part]:
    """The parts with content of their own that nobody signed, in order."""
    signed = tuple(f"{part.path}." if part.path else "" for part in parts if _signs_its_parts(part, message))
    containers = {part.path.rpartition(".")[0] for part in parts}
    leaves = [part for part in parts if part.path and part.path not in containers]
    return sorted((part for part in leaves if not part.path.startswith(signed)), key=lambda part: part.start)


def _signs_its_parts(part: Part, message: bytes) -> bool:
    """multipart/signed (RFC 1847): the octets of what is inside are what was signed."""
    head = message[part.start : part.body] if part.inner < 0 else message[part.body : part.inner]
    return (header.value(head, "Content-Type") or b"").lstrip().lower().startswith(b"multipart/signed")


def _encode(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    kind = (header.value(head, "Content-Type") or b"text/plain").lstrip().lower()
    before = (header.value(head, _ENCODING) or b"").strip().lower()
    if before == b"base64":
        return head, _lines(_NOT_BASE64.sub(b"", body))
    if before == b"quoted-printable":
        return head, _quoted(binascii.a2b_qp(body), text=False)
    if kind.startswith(b"text/") and not _is_wide(body):
        encoded, name = _quoted(body, text=True), "quoted-printable"
    else:
        encoded, name = _lines(base64.b64encode(body)), "base64"
    bare = header.without(head, [_ENCODING])
    return header.append(bare, header.field(_ENCODING, name)), encoded


def _is_wide(body: bytes) -> bool:
    """Mostly not ASCII (Korean text): base64 is then the shorter of the two."""
    return len(body.translate(None, bytes(range(128)))) * 5 > len(body)


def _quoted(body: bytes, *, text: bool) -> bytes:
    """Quoted-printable; of ``text`` the line breaks stay such."""
    return binascii.b2a_qp(body, istext=text).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _lines(encoded: bytes) -> bytes:
    lines = [encoded[start : start + BASE64_LINE] for start in range(0, len(encoded), BASE64_LINE)]
    return b"".join(line + b"\r\n" for line in lines)
