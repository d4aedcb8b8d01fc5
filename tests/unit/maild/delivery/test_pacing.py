"""The queue's deliveries make way for mail that comes in and for a busy loop, and no longer than that."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from maild.delivery.pacing import ARRIVING_SECONDS, GAP, LONG_TURN, LONGEST_PAUSE, Pacing


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


class Moment:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def test_deliveries_begin_one_by_one_while_mail_comes_in_and_all_at_once_after_it() -> None:
    async def run() -> list[float]:
        moment = Moment()
        pacing = Pacing(moment.clock, moment.sleep)
        pacing.arrival()
        await asyncio.gather(*(pacing.make_way() for _ in range(10)))
        return moment.waited

    assert asyncio.run(run()) == [GAP]
    assert GAP > ARRIVING_SECONDS, "the first one would not have been the last one to wait"


def test_the_queue_moves_however_much_mail_comes_in() -> None:
    async def run() -> tuple[int, float]:
        moment = Moment()
        pacing = Pacing(moment.clock, moment.sleep)
        begun = 0
        for _ in range(100):
            pacing.arrival()
            await pacing.make_way()
            begun += 1
        return begun, moment.now - 100.0

    begun, took = asyncio.run(run())
    assert begun == 100
    assert round(took, 6) == round(100 * GAP, 6)
