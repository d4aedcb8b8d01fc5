"""One deadline for all that a reply waits for of the store.

Each question to a slow database has a limit of its own; a reply that takes several would add them up. What lies outside
the store, such as looking at signatures, is not counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from maild.store import StoreUnavailable

T = TypeVar("T")

ANSWER_SECONDS = 8.5
"""A client is answered within 10 s, and hundreds may have to be answered at once."""


class Deadline:
    """Begins when it is made. Each message meets several, so it does without the cost of ``asyncio.timeout``."""

    __slots__ = ("_at", "_expired", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._at = self._loop.time() + ANSWER_SECONDS
        self._expired = False

    async def of(self, work: Awaitable[T]) -> T:
        """The result of some work; raises ``StoreUnavailable`` when it is not there in time."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        timer = self._loop.call_at(self._at, self._expire, task)
        try:
            return await work
        except asyncio.CancelledError as error:
            if not self._expired or task.uncancel() > 0:  # somebody else ended it
                raise
            raise StoreUnavailable(f"no answer within {ANSWER_SECONDS:g} s") from error
        finally:
            timer.cancel()

    def _expire(self, task: asyncio.Task[object]) -> None:
        self._expired = True
        task.cancel()
