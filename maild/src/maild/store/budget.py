"""The one budget of bytes that unfinished messages hold in memory, all sessions of a daemon together.

Whoever finds it spent waits a moment, which its peer feels as a full window, and then is told to come back later. Who
waits is served in the order of coming, so a large piece is not overtaken for ever by small ones.
"""

from __future__ import annotations

import asyncio
from collections import deque

from maild.store.errors import BudgetExhausted

UNFINISHED_BYTES = 64 << 20
"""The limit where none is given: keeps an outage below 100 MiB."""

WAIT_SECONDS = 5.0
"""How long a session waits for room before its peer gets 452."""


class Budget:
    """A number of bytes that sessions take from and give back; used on one loop."""

    def __init__(self, limit: int = UNFINISHED_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take_now(self, size: int) -> bool:
        """Takes bytes if there is room and nobody waits for it; says whether."""
        if self._waiting or self.held + size > self.limit:
            return False
        self.held += size
        return True

    async def take(self, size: int) -> None:
        """Takes bytes; raises ``BudgetExhausted`` when there is no room in time."""
        if size > self.limit:
            raise BudgetExhausted(f"{size} bytes at once are more than the whole budget of {self.limit}")
        if not size or self.take_now(size):
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
            elif self.held + size <= self.limit:
                self.held += size
                room.set_result(None)
                self._waiting.popleft()
            else:
                return
