"""Bodies on their way in: written in chunks while the data still comes, within one budget of bytes for all sessions.

What is not yet in the database is counted; a session that finds the budget spent waits a moment, which slows its peer
down, and then is told to come back later.
"""

from __future__ import annotations

import asyncio
from collections import deque

from maild.store.engine.base import Engine
from maild.store.errors import BudgetExhausted, NotFound, StoreError
from maild.store.records.arrival import CHUNK_BYTES
from maild.store.sql import bodies

UNFINISHED_BYTES = 64 << 20
"""Bytes of unfinished messages held in memory by all sessions together: keeps an outage below 100 MiB."""

WAIT_SECONDS = 5.0
"""How long a session waits for room before its peer gets 452."""


class Budget:
    """A number of bytes that sessions take from and give back, first come first served."""

    def __init__(self, limit: int = UNFINISHED_BYTES) -> None:
        self._limit = limit
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.held = 0

    async def take(self, size: int) -> None:
        """Takes bytes; raises ``BudgetExhausted`` when there is no room in time."""
        if size > self._limit:
            raise BudgetExhausted(f"{size} bytes at once are more than the whole budget of {self._limit}")
        if not self._waiting and self.held + size <= self._limit:
            self.held += size
            return
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, room))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await room
        except (TimeoutError, asyncio.CancelledError) as error:
            if room.done() and not room.cancelled():
                # Room came in the same moment: it goes to the next.
                self.give(size)
            room.cancel()
            self._admit()
            if isinstance(error, TimeoutError):
                raise BudgetExhausted(f"{self.held} bytes of unfinished messages are held") from None
            raise

    def give(self, size: int) -> None:
        """Gives bytes back."""
        self.held -= size
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            size, room = self._waiting[0]
            if room.done():
                self._waiting.popleft()
            elif self.held + size <= self._limit:
                self.held += size
                room.set_result(None)
                self._waiting.popleft()
            else:
                return


class StagedBody:
    """One body; small ones never leave memory, larger ones are written a chunk at a time."""

    def __init__(self, engine: Engine, budget: Budget, blob_id: bytes) -> None:
        self._engine = engine
        self._budget = budget
        self._buffer = bytearray()
        self._ended = False
        self.id = blob_id
        self.size = 0
        self.written = 0
        """Chunks in the database; they are numbered from 1."""

    async def write(self, data: bytes) -> None:
        """Adds to the body."""
        if self._ended:
            raise StoreError("the staged body has ended")
        await self._budget.take(len(data))
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) > CHUNK_BYTES:
            await self._flush()

    def rest(self) -> bytes:
        """What is still in memory."""
        return bytes(self._buffer)

    def end(self) -> None:
        """Gives the memory back; the body is accepted or given up."""
        if not self._ended:
            self._ended = True
            self._budget.give(len(self._buffer))
            self._buffer.clear()

    async def abandon(self) -> None:
        """Gives the body up; what could not be removed now is swept later."""
        self.end()
        if self.written:
            try:
                await self._engine.write(lambda tx: bodies.abandon(tx, [self.id]))
            except StoreError:
                return

    async def _flush(self) -> None:
        piece = bytes(self._buffer[:CHUNK_BYTES])
        number = self.written + 1
        data = await asyncio.to_thread(bodies.compress, piece)
        if number == 1:
            await self._engine.write(lambda tx: bodies.open_staged(tx, self.id))
        try:
            await self._engine.write(lambda tx: bodies.add_chunk(tx, self.id, number, len(piece), data))
        except NotFound as error:
            raise StoreError("the staged body was swept away while its data came") from error
        self.written = number
        del self._buffer[:CHUNK_BYTES]
        self._budget.give(CHUNK_BYTES)
