"""Programs that take their time: input reaches them late, in its order, while the client's Send is answered at once.

What a client sees then is what a busy host shows: a Receive without output until its operation time-out.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from lab.wsman.shells import CommandLine, Engine, Output, Process


class StallingEngine:
    """An engine whose programs stall when they are told to."""

    def __init__(self, engine: Engine, stall: Callable[[], float]) -> None:
        self._engine = engine
        self._stall = stall

    def start(self, command: CommandLine, output: Output) -> Process:
        """See ``Engine``."""
        return Stalling(self._engine.start(command, output), self._stall)


class Stalling:
    """Passes input on at once, or late and then in its order."""

    def __init__(self, process: Process, stall: Callable[[], float]) -> None:
        self._process = process
        self._stall = stall
        self._late: queue.SimpleQueue[tuple[float, bytes, bool]] | None = None

    def write(self, data: bytes, end: bool) -> None:
        """See ``Process``."""
        seconds = self._stall()
        if not seconds and self._late is None:
            self._process.write(data, end)
            return
        if self._late is None:
            self._late = queue.SimpleQueue()
            threading.Thread(target=self._pass_on, args=(self._late,), daemon=True).start()
        self._late.put((seconds, data, end))

    def interrupt(self) -> None:
        """See ``Process``."""
        self._process.interrupt()

    def terminate(self) -> None:
        """See ``Process``."""
        self._process.terminate()

    def _pass_on(self, late: queue.SimpleQueue[tuple[float, bytes, bool]]) -> None:
        end = False
        while not end:
            seconds, data, end = late.get()
            time.sleep(seconds)
            self._process.write(data, end)
