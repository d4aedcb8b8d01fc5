"""How quickly the queue's messages follow each other, so that its work leaves the loop to the mail that comes in.

A sample of the loop's turn, the time everything that is ready takes once, says how long an incoming command has to
wait. While turns are long each delivery pauses before its next message, while they are short the pause melts away.
Deliveries that wait for a slow server take no part in a turn, so they are not held back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

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
        self.pause = 0.0

    async def breathe(self) -> None:
        """Waits as long as the loop needs for others."""
        if self.pause:
            await self._sleep(self.pause)

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
