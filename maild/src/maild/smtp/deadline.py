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
    """Begins when it is made."""

    def __init__(self) -> None:
        self._at = asyncio.get_running_loop().time() + ANSWER_SECONDS

    async def of(self, work: Awaitable[T]) -> T:
        """The result of some work; raises ``StoreUnavailable`` when it is not there in time."""
        deadline = asyncio.timeout_at(self._at)
        try:
            async with deadline:
                return await work
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise StoreUnavailable(f"no answer within {ANSWER_SECONDS:g} s") from error
