"""The queue's deliveries pause while the loop has too much to do, and no longer than that."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from maild.delivery.pacing import LONG_TURN, LONGEST_PAUSE, Pacing


def test_long_turns_make_deliveries_pause_and_short_ones_let_them_go_again() -> None:
    pacing = Pacing()
    for _ in range(10):
        pacing.measured(LONG_TURN * 3)
    assert pacing.pause > 0.05
    for _ in range(100):
        pacing.measured(LONG_TURN / 3)
    assert pacing.pause == 0


@given(st.lists(st.floats(min_value=0, max_value=10)))
def test_a_pause_is_never_longer_than_its_bound(turns: list[float]) -> None:
    pacing = Pacing()
    for turn in turns:
        pacing.measured(turn)
        assert 0 <= pacing.pause <= LONGEST_PAUSE


def test_a_loop_at_rest_costs_deliveries_nothing() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    pacing = Pacing(sleep=sleep)
    asyncio.run(pacing.breathe())
    assert waited == []
    pacing.measured(LONG_TURN * 2)
    asyncio.run(pacing.breathe())
    assert waited == [pacing.pause]


def test_what_is_ready_on_the_loop_is_measured() -> None:
    times = iter([0.0, LONG_TURN * 2, 1.0, 1.0 + LONG_TURN * 2])
    pacing = Pacing(clock=lambda: next(times))

    async def watch_twice() -> None:
        watching = asyncio.create_task(pacing.watch())
        with contextlib.suppress(RuntimeError):
            await watching  # the clock is asked a fifth time

    asyncio.run(watch_twice())
    assert pacing.pause > 0
