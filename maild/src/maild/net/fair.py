"""A bounded queue in front of a few threads that serves its clients in turn.

Whoever sends a thousand jobs waits behind its own, not others behind it: clients take turns, lanes go first to last.
When the queue is full, the client with most jobs loses its newest. Used for what costs milliseconds of CPU and what
strangers may ask for: TLS handshakes and password hashes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from maild.net.errors import Busy

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    function: Callable[[], T]
    answer: asyncio.Future[T]


Lane = OrderedDict[Hashable, deque["_Job[object]"]]


class FairQueue:
    """Runs functions in threads, in turn by client. Belongs to one event loop."""

    def __init__(self, name: str, *, threads: int, waiting: int, lanes: int = 1) -> None:
        self._executor: Executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._free = threads
        self.bound = waiting
        """Jobs that may wait; may be changed while it runs."""
        self._waiting = 0
        self._lanes: list[Lane] = [OrderedDict() for _ in range(lanes)]

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._waiting

    async def run(self, client: Hashable, function: Callable[[], T], *, lane: int = 0) -> T:
        """The function's result, computed in a thread when the client's turn has come; raises ``Busy``."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes[lane].setdefault(client, deque()).append(_Job(function, answer))  # type: ignore[arg-type]
        self._waiting += 1
        if self._waiting > self.bound:
            self._drop_one()
        self._start()
        return await answer

    def close(self) -> None:
        """Ends the threads; jobs that wait are cancelled."""
        for lane in self._lanes:
            for jobs in lane.values():
                for job in jobs:
                    job.answer.cancel()
            lane.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _drop_one(self) -> None:
        """Takes the newest job of the client that has most, from the last lane that has any."""
        lane = next(lane for lane in reversed(self._lanes) if lane)
        client = max(lane, key=lambda each: len(lane[each]))
        job = lane[client].pop()
        if not lane[client]:
            del lane[client]
        self._waiting -= 1
        if not job.answer.done():
            job.answer.set_exception(Busy())

    def _next(self) -> _Job[object] | None:
        for lane in self._lanes:
            while lane:
                client, jobs = next(iter(lane.items()))
                job = jobs.popleft()
                self._waiting -= 1
                if jobs:
                    lane.move_to_end(client)
                else:
                    del lane[client]
                if not job.answer.done():
                    return job
        return None

    def _start(self) -> None:
        while self._free:
            job = self._next()
            if job is None:
                return
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._executor, job.function)
            running.add_done_callback(lambda done, job=job: self._finished(job, done))  # type: ignore[misc]

    def _finished(self, job: _Job[object], done: asyncio.Future[object]) -> None:
        self._free += 1
        if not job.answer.done():
            if done.cancelled():
                job.answer.cancel()
            elif (error := done.exception()) is not None:
                job.answer.set_exception(error)
            else:
                job.answer.set_result(done.result())
        elif not done.cancelled():
            done.exception()
        with contextlib.suppress(RuntimeError):
            self._start()
