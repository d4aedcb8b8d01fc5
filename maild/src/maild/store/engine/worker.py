"""Threads that run units of work for an event loop, in the order they come, and drop those nobody waits for any more.

There are two lines: what stands in the second one is begun when the first is empty. The bridge costs one wake-up of the
loop for each answer; answers that are ready together share one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from maild.store.errors import StoreUnavailable

T = TypeVar("T")


class _Job:
    """One unit of work and the future that waits for it."""

    __slots__ = ("call", "future")

    def __init__(self, call: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self.call = call
        self.future = future


class Worker:
    """One or several threads that take jobs from one line. ``run`` is called on the loop, the job in a thread."""

    def __init__(self, name: str, threads: int = 1, *, closing: Callable[[], None] | None = None) -> None:
        self._jobs: deque[_Job] = deque()
        self._behind: deque[_Job] = deque()
        self._calls: SimpleQueue[bool] = SimpleQueue()
        """True for each job in either line, False to end a thread."""
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._waking = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._woken = False
        self._closed = False
        self._closing = closing
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, call: Callable[[], T], seconds: float, *, behind: bool = False) -> T:
        """Runs it in a thread; ``StoreUnavailable`` when there is no answer in time (it may still take place).

        ``behind``: after everything else that waits.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        (self._behind if behind else self._jobs).append(_Job(call, future))
        self._calls.put(True)
        timer = self._loop.call_later(seconds, _expire, future, seconds)
        try:
            return await future
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Waits for the work that was handed in."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._calls.put(False)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._settle()

    def _work(self) -> None:
        while self._calls.get():
            job = self._next()
            if job.future.done():
                continue
            try:
                result, error = job.call(), None
            except BaseException as raised:  # noqa: BLE001 - it belongs to whoever waits
                result, error = None, raised
            self._done.append((job.future, result, error))
            self._wake()
        if self._closing is not None:
            self._closing()

    def _next(self) -> _Job:
        try:
            return self._jobs.popleft()
        except IndexError:
            return self._behind.popleft()

    def _wake(self) -> None:
        with self._waking:
            if self._woken:
                return
            self._woken = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        with self._waking:
            self._woken = False
        while self._done:
            future, result, error = self._done.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def _expire(future: asyncio.Future[Any], seconds: float) -> None:
    if not future.done():
        future.set_exception(StoreUnavailable(f"no answer from the database within {seconds:g} s"))
