from __future__ import annotations

import asyncio
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.store import Budget, BudgetExhausted, Corrupt
from maild.store.sql import bodies
from maild.store.view import FLAGS, UID, ViewArrays, decode, encode


def test_room_is_given_in_the_order_it_was_asked_for() -> None:
    async def body() -> None:
        budget = Budget(100)
        await budget.take(80)
        order: list[str] = []

        async def want(name: str, size: int) -> None:
            await budget.take(size)
            order.append(name)

        large, small = asyncio.create_task(want("large", 60)), asyncio.create_task(want("small", 10))
        await asyncio.sleep(0)
        assert order == []
        budget.give(80)
        await asyncio.gather(large, small)
        assert order == ["large", "small"]
        assert budget.held == 70

    asyncio.run(body())


def test_who_waits_too_long_is_told_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.budget.WAIT_SECONDS", 0.01)

    async def body() -> None:
        budget = Budget(100)
        await budget.take(100)
        with pytest.raises(BudgetExhausted):
            await budget.take(1)
        budget.give(100)
        assert budget.held == 0
        await budget.take(100)
        with pytest.raises(BudgetExhausted):
            await budget.take(101)

    asyncio.run(body())


def test_a_cancelled_wait_gives_its_place_away() -> None:
    async def body() -> None:
        budget = Budget(10)
        await budget.take(10)
        first, second = (asyncio.create_task(budget.take(5)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        budget.give(10)
        await second
        assert budget.held == 5
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(body())


@given(st.binary(max_size=5000), st.integers(0, 6000), st.one_of(st.none(), st.integers(0, 6000)))
def test_a_stretch_is_the_same_bytes_wherever_the_chunks_end(body: bytes, offset: int, length: int | None) -> None:
    pieces = [body[start : start + 700] for start in range(0, len(body), 700)]
    sizes = [(number, len(piece)) for number, piece in enumerate(pieces)]
    parts = [pieces[number][first:last] for number, _, first, last in bodies.stretch(sizes, offset, length)]
    assert b"".join(parts) == (body[offset:] if length is None else body[offset : offset + length])


@given(st.binary(min_size=1, max_size=3000), st.integers(0), st.integers(1, 255))
def test_a_changed_chunk_is_noticed(data: bytes, place: int, change: int) -> None:
    packed = bytearray(bodies.compress(data))
    assert bodies.decompress(bytes(packed), len(data)) == data
    # The last four bytes are the checksum, the bytes before it the content.
    place = len(packed) - 1 - place % min(4, len(packed))
    packed[place] ^= change
    with pytest.raises(Corrupt):
        bodies.decompress(bytes(packed), len(data))


UIDS = st.lists(st.integers(1, 300), unique=True, max_size=60)


@given(UIDS, st.dictionaries(st.integers(1, 400), st.integers(0, 1 << 61), max_size=40), UIDS)
def test_a_view_with_changes_is_the_view_read_anew(
    there: list[int], changed: dict[int, int], vanished: list[int]
) -> None:
    before = dict.fromkeys(sorted(there), 0)
    arrays = ViewArrays(array(UID, before.keys()), array(FLAGS, before.values()))
    kept = decode(encode(arrays))
    assert kept is not None
    gone = [uid for uid in vanished if uid not in changed]
    kept.apply(sorted(changed.items()), gone)
    after = {uid: flags for uid, flags in {**before, **changed}.items() if uid not in gone}
    assert list(kept.uids) == sorted(after)
    assert list(kept.flags) == [after[uid] for uid in sorted(after)]


@given(st.binary(max_size=200))
def test_a_snapshot_that_does_not_decode_is_ignored(data: bytes) -> None:
    assert decode(data) is None
