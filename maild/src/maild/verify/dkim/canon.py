"""The two canonicalisations of RFC 6376 section 3.4, by operations on whole slices of bytes.

``BodyHash`` streams: it keeps at most the line ending it is in, and counts empty lines instead of holding them, so a
body of any shape costs linear time and no memory.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from maild.verify.message import RawField

Canon = Literal["simple", "relaxed"]

_CRLF = b"\r\n"
_BLANKS = _CRLF * 4096
"""Empty lines are hashed in runs of this many."""


def header(field: RawField, canon: Canon) -> bytes:
    """One field as it is hashed, with its line ending."""
    if canon == "simple":
        return field.raw
    return field.key + b":" + squeezed(field.value) + _CRLF


def squeezed(value: bytes) -> bytes:
    """A field value unfolded, white space inside it reduced to one space and around it dropped (section 3.4.2)."""
    flat = value.replace(_CRLF, b"").replace(b"\t", b" ").strip(b" \r\n")
    return b" ".join(filter(None, flat.split(b" "))) if b"  " in flat else flat


def without_signature(field: RawField, tag: bytes = b"b") -> RawField:
    """The field with the value of its ``b=`` tag deleted and without line ending, as it hashes itself (section 3.7)."""
    name, colon, rest = field.raw.partition(b":")
    parts = rest.split(b";")
    for i, part in enumerate(parts):
        before, sign, _ = part.partition(b"=")
        if sign and before.strip(b" \t\r\n") == tag:
            parts[i] = before + sign
    raw = (name + colon + b";".join(parts)).removesuffix(_CRLF)
    return RawField(field.key, raw.partition(b":")[2], raw)


class BodyHash:
    """The SHA-256 of a canonicalised body, of its first ``limit`` octets when there is one (``l=``)."""

    def __init__(self, canon: Canon, limit: int | None = None) -> None:
        self._relaxed = canon == "relaxed"
        self._limit = limit
        self._hash = hashlib.sha256()
        self._rest = b""
        self._blank_lines = 0
        self.length = 0
        """Octets of the canonicalised body so far."""

    def update(self, data: bytes) -> None:
        """Takes the next piece of the body."""
        if self._rest:
            data = self._rest + data
        if self._relaxed:
            data = _relaxed(data)
        core = len(data.rstrip(b" \r\n" if self._relaxed else _CRLF))
        tail = data[core:]
        # What is left of the tail once its whole line endings are counted begins the next line or splits a CRLF.
        rest = b""
        for ending in (b" \r", b"\r", b" ") if self._relaxed else (b"\r",):
            if tail.endswith(ending):
                rest, tail = ending, tail.removesuffix(ending)
                break
        # Bare CR and LF are content: only the CRLF pairs behind the last of them can be trailing empty lines.
        marked = tail.replace(_CRLF, b"\0\0")
        content = len(marked.rstrip(b"\0"))
        core += content
        if core:
            self._flush()
            self._add(data[:core])
        self._blank_lines += (len(tail) - content) // 2
        self._rest = rest

    def digest(self) -> bytes:
        """The hash of the whole body; call once."""
        if self._rest.strip(b" "):
            self._flush()
            self._add(self._rest)
        if self.length or not self._relaxed:
            self._add(_CRLF)  # a body ends with exactly one CRLF; an empty relaxed body stays empty
        return self._hash.digest()

    def _flush(self) -> None:
        while self._blank_lines:
            now = min(self._blank_lines, len(_BLANKS) // 2)
            self._add(_BLANKS[: now * 2])
            self._blank_lines -= now

    def _add(self, data: bytes) -> None:
        if self._limit is not None:
            room = max(0, self._limit - self.length)
            self._hash.update(data[:room])
        else:
            self._hash.update(data)
        self.length += len(data)


def _relaxed(data: bytes) -> bytes:
    data = data.replace(b"\t", b" ")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.replace(b" \r\n", _CRLF)
