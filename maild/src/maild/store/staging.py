"""Bodies on their way in: written in chunks while the data still comes, within the one budget of unfinished bytes.

Rows of a body that is given up are removed at once, or with the next sweep when the database is away just then; those
of a daemon that was killed go when nobody has added to them for some hours. Nothing refers to them before ``accept``.
"""

from __future__ import annotations

import asyncio

from maild.store.budget import Budget
from maild.store.engine.base import Engine, Transaction
from maild.store.errors import NotFound, StoreError, StoreUnavailable
from maild.store.records.arrival import CHUNK_BYTES, new_id
from maild.store.sql import bodies

PRESSED_BYTES = 128 << 10
"""When room is short a body is written in chunks of this size already: who holds bytes must never wait for others."""

WRITE_SECONDS = 8.0
"""Longest time one ``write`` takes, for room and for the database: SMTP answers within 10 s."""

CHUNKS_AT_ONCE = 4
"""Chunks on their way to the database at once, so that a small message's commit never stands behind many of them."""


REMOVE_SECONDS = 1.0
"""Longest time a session waits until what it gave up is removed; the rest goes with the next sweep."""


class Staging:
    """The staged bodies of one store."""

    def __init__(self, engine: Engine, budget: Budget) -> None:
        self.budget = budget
        self._engine = engine
        self._turns = asyncio.Semaphore(CHUNKS_AT_ONCE)
        self._growing: set[bytes] = set()
        self._left: set[bytes] = set()

    def open(self, blob_id: bytes | None = None) -> StagedBody:
        """A new body."""
        return StagedBody(self, blob_id or new_id())

    async def write(self, blob_id: bytes, number: int, size: int, data: bytes) -> None:
        """Writes one compressed chunk, the first with the body's row."""

        def work(tx: Transaction) -> None:
            if number == 1:
                bodies.open_staged(tx, blob_id)
            bodies.add_chunk(tx, blob_id, number, size, data)

        self._growing.add(blob_id)
        async with self._turns:
            try:
                await self._engine.write(work)
            except NotFound as error:
                raise StoreUnavailable("the staged body was swept away while its data came") from error

    def accepted(self, blob_id: bytes) -> None:
        """The rows belong to a message now."""
        self._growing.discard(blob_id)

    async def remove(self, blob_id: bytes) -> None:
        """Removes the rows of a body that is given up; what cannot be removed now is kept in mind."""
        if blob_id not in self._growing:
            return
        self._growing.discard(blob_id)
        self._left.add(blob_id)
        await self._remove([blob_id])

    async def remove_left(self) -> int:
        """Tries again what could not be removed; returns how many went."""
        return await self._remove(sorted(self._left))

    async def close(self) -> None:
        """Removes what sessions that are ending with the daemon leave."""
        self._left |= self._growing
        self._growing.clear()
        await self.remove_left()

    async def _remove(self, blob_ids: list[bytes]) -> int:
        if not blob_ids:
            return 0
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                removed = await self._engine.write(lambda tx: bodies.abandon(tx, blob_ids))
                self._left -= set(blob_ids)
                while await self._engine.write(bodies.purge):
                    pass
        except (StoreError, TimeoutError):
            return 0
        return removed


class StagedBody:
    """One body; small ones never leave memory, larger ones are written a chunk at a time."""

    def __init__(self, staging: Staging, blob_id: bytes) -> None:
        self._staging = staging
        self._budget = staging.budget
        self._buffer = bytearray()
        self._counted = 0
        self._whole = True
        self._ended = False
        self.id = blob_id
        self.size = 0
        self.written = 0
        """Chunks in the database; they are numbered from 1."""

    async def write(self, data: bytes, counted: int = 0) -> None:
        """Adds to the body; so many of the bytes were taken from the budget before and are the body's from now on."""
        if self._ended:
            raise StoreError("the staged body has ended")
        self._counted += counted
        self._whole = False
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._add(data, len(data) - counted)
        except TimeoutError:
            raise StoreUnavailable(f"the database took no chunk within {WRITE_SECONDS:g} s") from None
        self._whole = True

    def rest(self) -> bytes:
        """What is still in memory. Raises ``StoreUnavailable`` when a chunk before it was lost."""
        if not self._whole:
            raise StoreUnavailable("a chunk of the staged body was not written")
        return bytes(self._buffer)

    def end(self) -> None:
        """Gives the memory back: the body is part of a message."""
        self._release()
        self._staging.accepted(self.id)

    async def abandon(self) -> None:
        """Gives the body up; without effect once it is part of a message."""
        if not self._ended:
            self._release()
            await self._staging.remove(self.id)

    async def _add(self, data: bytes, fresh: int) -> None:
        if not self._budget.take_now(fresh):
            if len(self._buffer) >= PRESSED_BYTES:
                await self._flush(len(self._buffer))
            await self._budget.take(fresh)
        self._counted += fresh
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) > CHUNK_BYTES:
            await self._flush(CHUNK_BYTES)

    async def _flush(self, size: int) -> None:
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        data = await asyncio.to_thread(bodies.compress, piece)
        del piece
        await self._staging.write(self.id, self.written + 1, size, data)
        self.written += 1
        self._counted -= size
        self._budget.give(size)

    def _release(self) -> None:
        if not self._ended:
            self._ended = True
            self._budget.give(self._counted)
            self._counted = 0
            self._buffer.clear()
