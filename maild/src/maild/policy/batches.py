"""Small writes that come together are done together: what comes while one is under way goes into the next.

A flood then costs a few transactions at a time, and whoever only wants to read does not queue behind hundreds of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 64
"""Items of one write, as many as the store commits together."""


@dataclass(slots=True, eq=False)
class _Batch(Generic[Item, Result]):
    items: list[Item] = field(default_factory=list)
    work: asyncio.Task[Sequence[Result]] | None = None


class Batches(Generic[Item, Result]):
    """Gives items to ``work`` in the order they come; each caller gets its own result, or what ``work`` raised."""

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int = MOST) -> None:
        self._work = work
        self._most = most
        self._open: _Batch[Item, Result] | None = None
        self._turn = asyncio.Lock()

    async def run(self, item: Item) -> Result:
        """The result of this item."""
        batch = self._open
        if batch is None or batch.work is None or len(batch.items) >= self._most:
            batch = self._open = _Batch()
            batch.work = asyncio.create_task(self._run(batch))
        place = len(batch.items)
        batch.items.append(item)
        # Who gives up waiting must not end the work of the others.
        return (await asyncio.shield(batch.work))[place]

    async def _run(self, batch: _Batch[Item, Result]) -> Sequence[Result]:
        async with self._turn:
            if self._open is batch:
                self._open = None
            return await self._work(batch.items)
