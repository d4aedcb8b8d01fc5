"""How quickly the queue's messages follow each other, so that its work leaves room for mail that comes in.

While a message is coming in, deliveries begin one after the other with a gap between them, and all at once when none
has come for a moment. Apart from that a sample of the loop's turn, the time everything that is ready takes once, says
how long a command of any client has to wait: while turns are long each delivery pauses before its next message, while
they are short the pause melts away. Deliveries that wait for a slow server take no part in a turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

ARRIVING_SECONDS = 0.02
"""How long after a sign of it a message is taken to be coming in."""
GAP = 0.05
"""Seconds between two deliveries meanwhile: the queue always moves."""
LONG_TURN = 0.001
"""Seconds of a turn that an incoming command may wait: it meets a handful of turns before it is answered."""
SAMPLE_SECONDS = 0.05
"""How often a turn is measured."""
LONGEST_PAUSE = 0.5
"""Seconds before a message at the most: a queue always moves."""
STEP = 0.005
"""Seconds a pause starts with and the least it changes by."""


class Pacing:
    """The pause before each message. ``watch`` adapts it until it is cancelled."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._in_turn = asyncio.Lock()
        self._arriving_until = 0.0
        self.pause = 0.0

    @property
    def arriving(self) -> bool:
        """Whether a message is coming in."""
        return self._clock() < self._arriving_until

    def arrival(self) -> None:
        """A message has begun to come in, or has come whole."""
        self._arriving_until = self._clock() + ARRIVING_SECONDS

    async def breathe(self) -> None:
        """Waits, before a message goes out, as long as others need the loop."""
        if self.pause:
            await self._sleep(self.pause)
        await self.make_way()

    async def make_way(self) -> None:
        """Waits, before anything of the queue's begins, for its turn beside messages that are coming in."""
        async with self._in_turn:
            if self.arriving:
                await self._sleep(GAP)

    async def watch(self) -> None:
        """Measures turns and sets the pause."""
        while True:
            await self._sleep(SAMPLE_SECONDS)
            before = self._clock()
            await self._sleep(0)
            self.measured(self._clock() - before)

    def measured(self, turn: float) -> None:
        """Takes one turn's seconds into account."""
        if turn > LONG_TURN:
            self.pause = min(LONGEST_PAUSE, self.pause * 1.25 + STEP)
        else:
            self.pause = max(0.0, self.pause * 0.9 - STEP / 10)
