"""Small writes gathered into few."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from maild.policy.batches import Batches


class Writer:
    """Doubles numbers, taking a moment for each write; a 13 breaks the write it is in."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.writes.append(list(numbers))
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


def test_what_comes_while_a_write_is_under_way_goes_into_the_next_and_no_larger_than_the_bound() -> None:
    async def run() -> tuple[list[int], list[list[int]]]:
        writer = Writer()
        batches: Batches[int, int] = Batches(writer, most=4)
        first = asyncio.create_task(batches.run(0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = await asyncio.gather(*(batches.run(number) for number in range(1, 10)))
        return [await first, *rest], writer.writes

    results, writes = asyncio.run(run())
    assert results == [2 * number for number in range(10)]
    assert writes == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_fault_reaches_everybody_in_the_write_and_nobody_else() -> None:
    async def run() -> list[object]:
        batches: Batches[int, int] = Batches(Writer(), most=2)
        return await asyncio.gather(*(batches.run(number) for number in (1, 13, 2, 3)), return_exceptions=True)

    one, thirteen, *rest = asyncio.run(run())
    assert isinstance(one, ValueError)
    assert isinstance(thirteen, ValueError)
    assert rest == [4, 6]


def test_who_gives_up_waiting_does_not_end_the_work_of_the_others() -> None:
    async def run() -> int:
        batches: Batches[int, int] = Batches(Writer())
        impatient, patient = (asyncio.create_task(batches.run(number)) for number in (1, 2))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return await patient

    assert asyncio.run(run()) == 4
