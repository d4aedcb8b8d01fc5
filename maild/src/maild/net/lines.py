"""Splits a stream into lines that end with CRLF and nothing else.

A bare CR or LF is never a line end: it is an error of its line, which the protocol answers (RFC 5321 section 2.3.8).
The split is pure: bytes in, lines out.
"""

from __future__ import annotations

from maild.net.errors import BareLineEnd, LineTooLong


class Lines:
    """Bytes that have arrived and are not yet read."""

    __slots__ = ("_data", "_limit", "_start")

    def __init__(self, limit: int) -> None:
        self._data = b""
        self._start = 0
        self._limit = limit

    def __len__(self) -> int:
        return len(self._data) - self._start

    def feed(self, data: bytes) -> None:
        """Adds bytes."""
        self._data = self._data[self._start :] + data if self._start < len(self._data) else data
        self._start = 0

    def line(self, limit: int | None = None) -> bytes | None:
        """The next line without its CRLF, None when it is not whole; raises LineTooLong, BareLineEnd."""
        end = self._data.find(b"\n", self._start)
        if (len(self) if end < 0 else end - self._start) > (limit or self._limit):
            raise LineTooLong
        if end < 0:
            return None
        line, self._start = self._data[self._start : end], end + 1
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise BareLineEnd
        return line[:-1]

    def exactly(self, count: int) -> bytes | None:
        """The next ``count`` bytes, None when they are not all there."""
        if len(self) < count:
            return None
        piece, self._start = self._data[self._start : self._start + count], self._start + count
        return piece

    def take(self) -> bytes:
        """Everything that is left."""
        rest, self._data, self._start = self._data[self._start :], b"", 0
        return rest

    def clear(self) -> None:
        """Throws away what was not read, as STARTTLS requires (RFC 3207 section 4.2)."""
        self._data, self._start = b"", 0
