"""A listening socket with an accept thread of its own.

A thread, because on Windows' Proactor loop one client that resets before it is accepted closes asyncio's own listener
for good (CPython gh-93821). Here such a client is an error of one ``accept`` call and nothing more. The thread only
hands sockets to the loop.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
import time
from collections.abc import Callable

BACKLOG = 512
"""Connections the system holds until they are accepted."""
PAUSE_SECONDS = 0.1
"""Wait after an error that will not pass at once (out of descriptors), so that the thread does not spin."""

_PASSING = {errno.ECONNABORTED, errno.ECONNRESET, errno.EPROTO, errno.EINTR, errno.EAGAIN}
"""Errors that concern one client which is gone."""


def open_socket(bind: str, port: int) -> socket.socket:
    """A listening socket; on ``::`` it takes IPv4 too, and where there is no IPv6, IPv4 alone."""
    if ":" not in bind:
        return _listen(socket.AF_INET, bind, port)
    try:
        return _listen(socket.AF_INET6, bind, port)
    except OSError as error:
        if bind == "::" and error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            return _listen(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - every address was asked for
        raise


def _listen(family: socket.AddressFamily, bind: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # SO_REUSEADDR would let another program take the port over there.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((bind, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


class AcceptThread:
    """Accepts on one socket and gives each connection to ``take``, which must be safe to call from a thread."""

    def __init__(self, name: str, listening: socket.socket, take: Callable[[socket.socket], None]) -> None:
        self._listening = listening
        self._take = take
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"accept-{name}", daemon=True)

    @property
    def port(self) -> int:
        """The port that is bound."""
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        """Begins to accept."""
        self._thread.start()

    def close(self) -> None:
        """Closes the socket; the thread ends."""
        self._closing = True
        with contextlib.suppress(OSError):
            # Linux leaves a thread in accept() when the socket is closed; this wakes it.
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closing:
            try:
                accepted, _ = self._listening.accept()
            except OSError as error:
                if not self._closing and error.errno not in _PASSING:
                    time.sleep(PAUSE_SECONDS)
                continue
            try:
                accepted.setblocking(False)
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                self._take(accepted)
            except (OSError, RuntimeError):
                # The client is gone already, or the loop is.
                accepted.close()
