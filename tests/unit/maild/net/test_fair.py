"""The fair queue: clients take turns, lanes go first, the greediest loses when it is full."""

from __future__ import annotations

import asyncio
import threading

import pytest

from maild.net import Busy, FairQueue


def order_of(jobs: list[tuple[str, int]], *, lanes: int = 1) -> list[str]:
    """The order in which jobs (client, lane) run when all wait at once."""

    async def run() -> list[str]:
        queue = FairQueue("test", threads=1, waiting=100, lanes=lanes)
        gate = threading.Event()
        done: list[str] = []
        first = asyncio.create_task(queue.run("gate", gate.wait))
        await asyncio.sleep(0)
        rest = [
            asyncio.create_task(queue.run(client, lambda client=client: done.append(client), lane=lane))  # type: ignore[misc]
            for client, lane in jobs
        ]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *rest)
        queue.close()
        return done

    return asyncio.run(run())


def test_clients_take_turns() -> None:
    assert order_of([("a", 0), ("a", 0), ("a", 0), ("b", 0), ("c", 0)]) == ["a", "b", "c", "a", "a"]


def test_the_first_lane_goes_first() -> None:
    assert order_of([("a", 1), ("b", 1), ("known", 0)], lanes=2) == ["known", "a", "b"]


def test_a_full_queue_drops_the_newest_of_the_greediest() -> None:
    async def run() -> list[str]:
        queue = FairQueue("test", threads=1, waiting=3)
        gate = threading.Event()
        first = asyncio.create_task(queue.run("gate", gate.wait))
        await asyncio.sleep(0)
        jobs = [asyncio.create_task(queue.run(name[0], lambda: None), name=name) for name in ("a1", "a2", "a3", "b1")]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.wait([first, *jobs])
        queue.close()
        return [job.get_name() for job in jobs if isinstance(job.exception(), Busy)]

    assert asyncio.run(run()) == ["a3"]


def test_an_exception_reaches_the_caller_and_the_queue_goes_on() -> None:
    async def run() -> None:
        queue = FairQueue("test", threads=1, waiting=3)
        with pytest.raises(ZeroDivisionError):
            await queue.run("a", lambda: 1 // 0)
        assert await queue.run("a", lambda: 7) == 7
        queue.close()

    asyncio.run(run())


def test_a_cancelled_job_is_passed_over() -> None:
    async def run() -> list[str]:
        queue = FairQueue("test", threads=1, waiting=9)
        gate = threading.Event()
        done: list[str] = []
        first = asyncio.create_task(queue.run("gate", gate.wait))
        await asyncio.sleep(0)
        lost = asyncio.create_task(queue.run("a", lambda: done.append("a")))
        kept = asyncio.create_task(queue.run("b", lambda: done.append("b")))
        await asyncio.sleep(0)
        lost.cancel()
        gate.set()
        await asyncio.gather(first, kept)
        queue.close()
        return done

    assert asyncio.run(run()) == ["b"]
