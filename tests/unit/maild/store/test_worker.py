from __future__ import annotations

import asyncio
import threading

import pytest

from maild.store import StoreUnavailable
from maild.store.engine.worker import Worker


def test_work_runs_in_its_order_and_answers_whoever_asked() -> None:
    async def body() -> None:
        worker = Worker("test")
        done: list[int] = []

        def work(number: int) -> int:
            done.append(number)
            return number * 2

        answers = await asyncio.gather(*[worker.run(lambda n=n: work(n), 60) for n in range(100)])  # type: ignore[misc]
        assert done == list(range(100))
        assert answers == [number * 2 for number in range(100)]
        await worker.close()

    asyncio.run(body())


def test_work_that_stands_behind_lets_all_other_work_go_first() -> None:
    async def body() -> None:
        worker = Worker("test")
        release, done = threading.Event(), []
        first = asyncio.create_task(worker.run(release.wait, 60))
        await asyncio.sleep(0)
        last = [asyncio.create_task(worker.run(lambda n=n: done.append(n), 60, behind=True)) for n in (3, 4)]  # type: ignore[misc]
        await asyncio.sleep(0)
        before = [asyncio.create_task(worker.run(lambda n=n: done.append(n), 60)) for n in (1, 2)]  # type: ignore[misc]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(first, *last, *before)
        assert done == [1, 2, 3, 4]
        await worker.close()

    asyncio.run(body())


def test_a_failure_reaches_its_caller_and_nobody_else() -> None:
    async def body() -> None:
        worker = Worker("test")

        def fail() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            await worker.run(fail, 60)
        assert await worker.run(lambda: 1, 60) == 1
        await worker.close()

    asyncio.run(body())


def test_a_caller_does_not_wait_for_work_that_hangs_and_what_it_gave_up_is_not_begun() -> None:
    async def body() -> None:
        worker = Worker("test")
        release, begun = threading.Event(), []
        hanging = asyncio.create_task(worker.run(release.wait, 0.05))
        behind = asyncio.create_task(worker.run(lambda: begun.append(1), 0.05))
        for task in (hanging, behind):
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(task, 20)
        release.set()
        assert await worker.run(lambda: 2, 60) == 2
        assert begun == []
        await worker.close()

    asyncio.run(body())


def test_closing_finishes_what_was_handed_in_and_takes_nothing_more() -> None:
    async def body() -> None:
        closed: list[int] = []
        worker = Worker("test", threads=3, closing=lambda: closed.append(1))
        pending = [asyncio.create_task(worker.run(lambda n=n: n, 60)) for n in range(20)]  # type: ignore[misc]
        await asyncio.sleep(0)
        await worker.close()
        assert await asyncio.gather(*pending) == list(range(20))
        assert len(closed) == 3
        with pytest.raises(StoreUnavailable):
            await worker.run(lambda: 1, 60)

    asyncio.run(body())
