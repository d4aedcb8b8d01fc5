from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from maild.policy import Bound, Rates
from maild.store import Charge, Sent, StoreUnavailable
from tests.lib.memory_store import MemoryStore


@dataclass
class Counting(MemoryStore):
    """Remembers how many messages each write counted, and takes a moment for it."""

    batches: list[int] = field(default_factory=list)

    async def charge(self, charges: Sequence[Charge]) -> list[Sent | None]:
        await asyncio.sleep(0)
        self.batches.append(len(charges))
        return await super().charge(charges)


def rates(store: MemoryStore, messages: int, recipients: int) -> Rates:
    return Rates(store.store.access, messages, recipients)


async def charged(bounds: Rates, *recipients: int, account: int = 1) -> list[Bound | None]:
    return [await bounds.charge(account, count) for count in recipients]


def test_messages_an_hour_and_recipients_a_day_are_bounds_a_user() -> None:
    bounds = rates(MemoryStore(), 2, 10)
    assert asyncio.run(charged(bounds, 4, 4, 1)) == [None, None, Bound(2, "messages an hour")]
    assert asyncio.run(charged(bounds, 10, 1, account=2)) == [None, Bound(10, "recipients a day")]


def test_what_would_break_a_bound_is_told_before_the_data() -> None:
    bounds = rates(MemoryStore(), 2, 10)
    sent = Sent(messages=1, recipients=8)
    assert bounds.exceeded(sent, 1, 2) is None
    assert bounds.exceeded(sent, 1, 3) == Bound(10, "recipients a day")
    assert bounds.exceeded(Sent(messages=2, recipients=8), 1, 1) == Bound(2, "messages an hour")


def test_nought_is_no_bound_and_asks_nobody() -> None:
    store = MemoryStore(error=StoreUnavailable("away"))
    bounds = rates(store, 0, 0)
    assert asyncio.run(charged(bounds, 1000, 1000)) == [None, None]
    assert asyncio.run(bounds.sent(1)) == Sent(messages=0, recipients=0)


def test_many_at_once_are_counted_in_few_writes_and_none_twice() -> None:
    store = Counting()

    async def run() -> list[Bound | None]:
        bounds = rates(store, 30, 0)
        return await asyncio.gather(*(bounds.charge(1, 1) for _ in range(40)))

    assert asyncio.run(run()).count(None) == 30
    assert len(store.batches) <= 2


def test_a_store_that_is_away_is_said_to_everybody_who_waits_and_the_next_one_is_counted() -> None:
    store = MemoryStore(error=StoreUnavailable("away"))

    async def run() -> list[object]:
        bounds = rates(store, 5, 0)
        first = await asyncio.gather(*(bounds.charge(1, 1) for _ in range(3)), return_exceptions=True)
        store.error = None
        return [*first, await bounds.charge(1, 1)]

    *failed, good = asyncio.run(run())
    assert [type(each) for each in failed] == [StoreUnavailable] * 3
    assert good is None


@pytest.mark.parametrize(("messages", "recipients"), [(1, 0), (0, 1)])
def test_changed_settings_hold_from_the_next_message_on(messages: int, recipients: int) -> None:
    bounds = rates(MemoryStore(), 0, 0)
    bounds.configure(messages, recipients)
    assert asyncio.run(charged(bounds, 1, 1))[1] is not None
