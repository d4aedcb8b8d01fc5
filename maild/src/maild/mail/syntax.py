"""IMAP strings as ENVELOPE and BODYSTRUCTURE carry them (RFC 3501 section 4.3)."""

from __future__ import annotations


def quote(value: bytes | None) -> bytes:
    """An nstring: NIL, quoted, or a literal where octets need one. NUL, which neither may hold, is left out."""
    if value is None:
        return b"NIL"
    clean = value.replace(b"\0", b"")
    if not clean.isascii() or b"\r" in clean or b"\n" in clean:
        return b"{%d}\r\n%b" % (len(clean), clean)
    return b'"%b"' % clean.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
