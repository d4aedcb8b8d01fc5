"""A session written as a coroutine: reads lines and literals, writes, starts TLS, all with time-outs.

For protocols that think in commands and not in bytes (IMAP, POP3). Unread bytes are bounded: reading from the socket
stops while the coroutine works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from maild.net.connection import Connection
from maild.net.errors import StreamClosed, StreamStopped, StreamTimeout
from maild.net.lines import Lines

HIGH_WATER = 256 * 1024
"""Bytes held for a coroutine that does not read; then the client has to wait."""


class Stream:
    """One connection as its coroutine sees it. It is a ``Session``; give ``Stream(handler, limit)`` to the server."""

    def __init__(self, handler: Callable[[Stream], Awaitable[None]], line_limit: int) -> None:
        self._handler = handler
        self._lines = Lines(line_limit)
        self._connection: Connection | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._later: list[bytes] = []
        self._late = False
        self._secured = asyncio.Event()
        self._gone = False
        self._held = False
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self.stopped = asyncio.Event()
        """Set when the daemon ends: the coroutine says goodbye."""

    @property
    def connection(self) -> Connection:
        """The connection; it is there as soon as the coroutine runs."""
        assert self._connection is not None  # noqa: S101 - the coroutine starts in opened()
        return self._connection

    def write(self, data: bytes) -> None:
        """Sends; use ``drain`` after much."""
        if self._later:
            self._later.append(data)
            self.flush()
        else:
            self.connection.write(data)

    def later(self, data: bytes) -> None:
        """Sends with the next write, or before the coroutine waits for the client: one packet for many answers."""
        self._later.append(data)

    def flush(self) -> None:
        """Sends what ``later`` holds."""
        if self._later:
            held, self._later = self._later, []
            self.connection.write(held[0] if len(held) == 1 else b"".join(held))

    async def drain(self) -> None:
        """Waits until the client has taken enough; raises ``StreamClosed`` when it is gone."""
        self.flush()
        await self.connection.drain()
        if self._gone:
            raise StreamClosed

    def line_at_hand(self, limit: int | None = None) -> bytes | None:
        """The next line without CRLF if it is there already; raises what ``Lines.line`` raises."""
        return self._lines.line(limit)

    async def line(self, seconds: float, limit: int | None = None) -> bytes:
        """The next line without CRLF; raises ``StreamTimeout``, ``StreamClosed``, and what ``Lines.line`` raises."""
        while True:
            line = self._lines.line(limit)
            if line is not None:
                return line
            if self.stopped.is_set():
                raise StreamStopped
            await self._more(seconds)

    async def exactly(self, count: int, seconds: float) -> bytes:
        """The next ``count`` bytes; ``seconds`` bounds each silence."""
        pieces: list[bytes] = []
        while count:
            piece = self._lines.exactly(min(count, len(self._lines)))
            if piece:
                pieces.append(piece)
                count -= len(piece)
            else:
                await self._more(seconds)
        return b"".join(pieces)

    async def some(self, seconds: float) -> bytes:
        """Whatever the client has sent and was not read, at least one byte."""
        if not len(self._lines):
            await self._more(seconds)
        return self._lines.take()

    def unread(self, data: bytes) -> None:
        """Gives back bytes that belong to what comes next."""
        if data:
            self._lines.feed(data + self._lines.take())

    @property
    def pending(self) -> bool:
        """Whether bytes are there that were not read."""
        return len(self._lines) > 0

    async def wait(self, seconds: float) -> None:
        """Waits until the client sends something; raises ``StreamTimeout``, ``StreamClosed``."""
        if not self.pending:
            await self._more(seconds)

    async def start_tls(self) -> None:
        """Throws away what the client sent ahead and runs the handshake; raises ``StreamClosed`` when it fails."""
        self.flush()
        self._lines.clear()
        self._secured.clear()
        self.connection.start_tls()
        await self._secured.wait()
        if self._gone:
            raise StreamClosed

    def close(self) -> None:
        """Ends the connection when what was written has gone out."""
        self.flush()
        self.connection.close()

    # The session's side

    def opened(self, connection: Connection) -> None:
        """Starts the coroutine."""
        self._connection = connection
        self._task = asyncio.get_running_loop().create_task(self._run())

    def received(self, data: bytes) -> None:
        """Keeps the bytes for the coroutine."""
        self._lines.feed(data)
        if len(self._lines) > HIGH_WATER:
            self._held = True
            self.connection.pause()
        self._wake()

    def secured(self) -> None:
        """Wakes ``start_tls``."""
        self._secured.set()

    def timed_out(self) -> None:
        """Wakes the coroutine, which then ends by ``StreamTimeout``."""
        self._late = True
        self._wake()

    def stopping(self) -> None:
        """The daemon ends: whoever waits for a command gets ``StreamStopped``; literals are still read."""
        self.stopped.set()
        self._wake()

    def closed(self) -> None:
        """Wakes the coroutine, which then ends by ``StreamClosed``."""
        self._gone = True
        self._wake()
        self._secured.set()

    async def _run(self) -> None:
        try:
            await self._handler(self)
        except StreamClosed:
            pass
        except Exception as error:  # noqa: BLE001 - a fault in one session ends that session alone
            self.connection.log.fault(
                "session ended by a fault", error, session=self.connection.id, address=self.connection.peer.text
            )
        finally:
            self.close()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def _more(self, seconds: float) -> None:
        self._raise_when_gone()
        self.flush()
        before = len(self._lines)
        self._late = False
        self._arrived = self._loop.create_future()
        if self._held:
            self._held = False
            self.connection.resume()
        self.connection.expect_within(seconds)
        await self._arrived
        if len(self._lines) == before:
            self._raise_when_gone()
            if self._late:
                raise StreamTimeout

    def _raise_when_gone(self) -> None:
        if self._gone:
            raise StreamClosed
