"""The driver's socket with a buffer: one system call for the answers of a whole batch.

The driver reads each packet in two calls and sets the timeout before each; every one of them gives the interpreter to
another thread and has to wait for it again.
"""

from __future__ import annotations

import socket
from typing import Any

AHEAD = 64 << 10
"""Bytes read at once."""


class ReadAhead:
    """A connected socket as the driver uses it; what is not named here is the socket's own."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self._timeout = plain.gettimeout()
        self._buffer = memoryview(bytearray(AHEAD))
        self._ahead = self._buffer[:0]

    def recv_into(self, target: memoryview, count: int) -> int:
        """At most ``count`` bytes; 0 at the end."""
        if not self._ahead:
            if count >= AHEAD:
                return self._plain.recv_into(target, count)
            self._ahead = self._buffer[: self._plain.recv_into(self._buffer, AHEAD)]
        taken = min(count, len(self._ahead))
        target[:taken] = self._ahead[:taken]
        self._ahead = self._ahead[taken:]
        return taken

    def settimeout(self, seconds: float | None) -> None:
        """Seconds that a call may wait."""
        if seconds != self._timeout:
            self._plain.settimeout(seconds)
            self._timeout = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)
