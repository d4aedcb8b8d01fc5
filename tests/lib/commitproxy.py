"""A TCP proxy before a MySQL or MariaDB that can cut a connection between COMMIT and the answer to it.

The protocol is only looked at as far as that takes: a short packet that ends with ``COMMIT`` (MySQL has two bytes of
query attributes before it). Armed, the proxy passes it on, waits for the server's answer, and closes the client's
connection without passing the answer back.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self

COMMIT = b"COMMIT"
LONGEST_COMMIT = 13
"""Header, command, query attributes, text."""

PIECE = 1 << 16


class CommitProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to the server's."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._armed = threading.Semaphore(0)
        self._open = True
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self.cuts = 0
        self.refusing = False
        self.cuts_all = False
        """A cut takes every other connection along, as a failing network does."""
        self.delay = 0.0
        """Seconds before each answer of the server is passed on, as an overloaded one takes."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open = False
        self._listening.close()
        self.drop()

    def arm(self) -> None:
        """The next COMMIT's answer does not reach its client."""
        self._armed.release()

    def drop(self) -> None:
        """Cuts every connection there is."""
        for pair in list(self._pairs):
            for end in pair:
                _close(end)

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refusing:
                _close(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=3)
        except OSError:
            _close(client)
            return
        pair = (client, server)
        self._pairs.add(pair)
        for end in pair:
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, ValueError):
            self._pass_on(client, server)
        self._pairs.discard(pair)
        for end in pair:
            _close(end)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    source = key.fileobj
                    data = source.recv(PIECE)  # type: ignore[union-attr]
                    if not data:
                        return
                    if source is server:
                        time.sleep(self.delay)
                        client.sendall(data)
                        continue
                    server.sendall(data)
                    if len(data) <= LONGEST_COMMIT and data.endswith(COMMIT) and self._armed.acquire(blocking=False):
                        server.recv(PIECE)
                        if self.cuts_all:
                            self.drop()
                        self.cuts += 1
                        return


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
