"""The queue of the store: ``maild.store.records.queue.Queue`` over an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maild.store.engine.base import Engine
from maild.store.finisher import Finisher
from maild.store.records.arrival import Incoming
from maild.store.records.queue import Destination, Lease, Outcome, QueueItem
from maild.store.sql import queue, suppression
from maild.store.watch import Watches


class SQLQueue:
    """Queue rows, leases and outcomes in the database."""

    def __init__(self, engine: Engine, watches: Watches) -> None:
        self._engine = engine
        self._finisher = Finisher(engine, watches)

    async def now(self) -> int:
        """The database's clock."""
        return await self._engine.read(lambda tx: tx.now())

    async def lease(self, owner: str, *, limit: int, per_destination: int, seconds: float) -> list[Lease]:
        """Takes due items."""
        return await self._engine.write(
            lambda tx: queue.lease(
                tx, owner, limit=limit, per_destination=per_destination, duration=_microseconds(seconds)
            ),
            behind=True,
        )

    async def extend(self, lease: Lease, seconds: float) -> Lease:
        """Prolongs a lease."""
        until = await self._engine.write(lambda tx: queue.extend(tx, lease, _microseconds(seconds)), behind=True)
        return replace(lease, until=until)

    async def release(self, lease: Lease) -> None:
        """Gives an item back untried."""
        await self._engine.write(lambda tx: queue.release(tx, lease), behind=True)

    async def abandon(self, owner: str) -> int:
        """Ends every lease of an owner that is gone."""
        return await self._engine.write(lambda tx: queue.abandon(tx, owner), behind=True)

    async def finish(self, lease: Lease, outcome: Outcome, notices: Sequence[Incoming] = ()) -> None:
        """Writes the outcome and accepts its notices, in one transaction."""
        await self._finisher.finish(lease, outcome, notices)

    async def destination_failed(self, name: str, reply: str, next_at: int) -> int:
        """The destination as a whole did not answer."""
        return await self._engine.write(lambda tx: queue.destination_failed(tx, name, reply, next_at), behind=True)

    async def destination_works(self, name: str) -> None:
        """Ends its back-off."""
        await self._engine.write(lambda tx: queue.destination_works(tx, name), behind=True)

    async def next_due(self) -> int | None:
        """When the next item could be leased."""
        return await self._engine.read(queue.next_due)

    async def expired(self, limit: int = 100) -> list[int]:
        """Rows past their time."""
        return await self._engine.read(lambda tx: queue.expired(tx, limit))

    async def lease_item(self, item_id: int, owner: str, seconds: float) -> Lease | None:
        """Takes one item whatever its due time."""
        return await self._engine.write(
            lambda tx: queue.lease_item(tx, item_id, owner, _microseconds(seconds)), behind=True
        )

    async def items(self, *, destination: str | None = None, after: int = 0, limit: int = 100) -> list[QueueItem]:
        """Rows by rising id."""
        return await self._engine.read(lambda tx: queue.items(tx, destination, after, limit))

    async def item(self, item_id: int) -> QueueItem | None:
        """One row."""
        return await self._engine.read(lambda tx: queue.by_id(tx, item_id))

    async def destinations(self, *, after: str = "", limit: int = 100) -> list[Destination]:
        """Next hops by name."""
        return await self._engine.read(lambda tx: queue.destinations(tx, after, limit))

    async def retry(self, item_ids: Sequence[int]) -> int:
        """Makes rows and their destinations due."""
        return await self._engine.write(lambda tx: queue.retry(tx, item_ids))

    async def hold(self, item_ids: Sequence[int], *, on: bool = True) -> int:
        """Holds rows back, or lets them go."""
        return await self._engine.write(lambda tx: queue.hold(tx, item_ids, on=on))

    async def drop(self, item_ids: Sequence[int]) -> int:
        """Removes rows without a bounce."""
        return await self._engine.write(lambda tx: queue.drop(tx, item_ids))

    async def hold_destination(self, name: str, *, on: bool = True) -> None:
        """Holds everything there back, or lets it go."""
        await self._engine.write(lambda tx: queue.hold_destination(tx, name, on=on))

    async def count(self) -> int:
        """Rows in the queue."""
        return await self._engine.read(queue.count)

    async def suppress(self, address: str, reason: str, until: int | None = None) -> None:
        """Puts an address on the suppression list."""
        await self._engine.write(lambda tx: suppression.put(tx, address, reason, until))

    async def suppressed(self, address: str) -> str | None:
        """The reason, if it is on the list."""
        return await self._engine.read(lambda tx: suppression.get(tx, address))

    async def suppressions(self) -> list[tuple[str, str, int | None]]:
        """The whole list."""
        return await self._engine.read(suppression.all_)

    async def unsuppress(self, address: str) -> bool:
        """Takes an address off."""
        return await self._engine.write(lambda tx: suppression.remove(tx, address))


def _microseconds(seconds: float) -> int:
    return int(seconds * 1_000_000)
