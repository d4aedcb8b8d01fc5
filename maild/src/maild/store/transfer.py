"""Everything out of the store and in again: ``maild.store.interface.Transfer`` over an engine."""

from __future__ import annotations

from collections.abc import Sequence

from maild.store.engine.base import Engine
from maild.store.interface import BodyChunk, TablePart
from maild.store.sql import transfer

LOAD_SECONDS = 120.0
"""Longest time for one part: nobody waits for mail on a server that is being restored."""

LOAD_ROWS = 1000


class SQLTransfer:
    """Rows and bodies of the database as a backup takes and gives them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def hold(self, seconds: float) -> None:
        """Keeps bodies from being removed for so long."""
        await self._engine.write(lambda tx: transfer.hold(tx, int(seconds * 1_000_000)))

    async def body_ids(self, after: bytes, limit: int) -> list[bytes]:
        """Finished bodies by rising id."""
        return await self._engine.read(lambda tx: transfer.body_ids(tx, after, limit))

    async def body(self, blob_id: bytes) -> list[BodyChunk]:
        """All chunks of a body."""
        return await self._engine.read(lambda tx: transfer.body(tx, blob_id))

    async def tables(self) -> list[TablePart]:
        """All rows but bodies and caches, as of one moment."""
        return await self._engine.snapshot(lambda tx: list(transfer.tables(tx)))

    async def holds_nothing(self) -> bool:
        """Whether nothing is there."""
        return await self._engine.read(transfer.holds_nothing)

    async def clear(self) -> None:
        """Removes every row."""
        await self._engine.write(transfer.clear, seconds=LOAD_SECONDS)

    async def load(self, part: TablePart) -> None:
        """Writes rows."""
        for start in range(0, len(part.rows), LOAD_ROWS):
            await self._load(TablePart(part.table, part.columns, part.rows[start : start + LOAD_ROWS]))

    async def load_bodies(self, chunks: Sequence[BodyChunk]) -> None:
        """Writes chunks."""
        await self._engine.write(lambda tx: transfer.load_bodies(tx, chunks), seconds=LOAD_SECONDS)

    async def _load(self, part: TablePart) -> None:
        await self._engine.write(lambda tx: transfer.load(tx, part), seconds=LOAD_SECONDS)
