"""Rotations that a daemon advances by itself: each step once, told once, looked at ever more seldom while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from maild.dns.records import Expected
from maild.dns.update import UpdateError
from maild.settings import Database
from maild.store import Store, open_store
from maild.verify import StoredKeys
from maild.verify.advancing import SELDOM, SOON, Advancing
from maild.verify.dkim.rotation import Pace, Phase
from maild.verify.rotating import Errand, Publisher, Rotator

NET = "xn--9t4b11yi5a.net"
PACE = Pace(settle=60, linger=600)


@dataclass
class Zone:
    """A zone that takes updates, and a checker of it."""

    owners: set[str] = field(default_factory=set)
    broken: bool = False
    looks: int = 0

    async def publish(self, rows: Sequence[Expected]) -> None:
        if self.broken:
            raise UpdateError("refused")
        self.owners |= {row.owner for row in rows}

    async def withdraw(self, rows: Sequence[Expected]) -> None:
        self.owners -= {row.owner for row in rows}

    async def everywhere(self, row: Expected) -> bool:
        self.looks += 1
        return row.owner in self.owners

    async def anywhere(self, row: Expected) -> bool:
        self.looks += 1
        return row.owner in self.owners


@dataclass
class House:
    """A domain whose keys change, and a clock that is set by hand."""

    store: Store
    zone: Zone
    updates: bool
    now: float = 1_800_000_000.0
    told: list[Errand] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def advancing(self) -> Advancing:
        rotator = Rotator(
            self.store.keys,
            self.store.state,
            StoredKeys(self.store.keys, bytes(32)),
            lambda: cast("Any", self.zone),
            pace=PACE,
            clock=lambda: self.now,
        )

        async def publisher(_: str) -> Publisher | None:
            return self.zone if self.updates else None

        return Advancing(
            rotator,
            publisher,
            self.told.append,
            lambda rotation, error: self.faults.append(f"{rotation.phase} {error}"),
            clock=lambda: self.now,
        )

    async def begin(self, daemon: Advancing) -> None:
        await daemon.rotator.ring.ensure(NET)
        self.zone.owners = {f"{row.selector}._domainkey.{NET}" for row in await self.store.keys.dkim(NET)}
        await daemon.rotator.begin(NET)

    @property
    def phases(self) -> list[Phase]:
        return [errand.rotation.phase for errand in self.told]


def in_house(folder: Path, work: Callable[[House], Awaitable[None]], *, updates: bool = True) -> House:
    async def run() -> House:
        store = await open_store(Database(file=folder / "mail.db"))
        try:
            house = House(store, Zone(), updates)
            await work(house)
            return house
        finally:
            await store.close()

    return asyncio.run(run())


def test_a_daemon_takes_a_rotation_to_its_end_and_two_daemons_do_no_harm(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        first, second = house.advancing(), house.advancing()
        await house.begin(first)
        for _ in range(200):
            await asyncio.gather(first.turn(), second.turn())
            house.now += SOON
        rows = await house.store.keys.dkim(NET)
        assert len(rows) == 2
        assert {row.state for row in rows} == {"active"}
        assert house.zone.owners == {f"{row.selector}._domainkey.{NET}" for row in rows}
        assert await first.rotator.under_way() == []

    house = in_house(tmp_path, work)
    assert house.faults == []
    assert set(house.phases) == set(Phase)


def test_without_updates_people_are_told_once_what_to_enter_and_what_to_remove(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        daemon = house.advancing()
        await house.begin(daemon)
        old = set(house.zone.owners)
        for _ in range(5):
            await daemon.turn()
            house.now += SELDOM
        assert house.phases == [Phase.PUBLISHING]
        assert not house.told[0].remove
        house.zone.owners |= {row.owner for row in house.told[0].enter}
        for _ in range(12):
            await daemon.turn()
            house.now += SELDOM
        assert house.phases[-1] is Phase.WITHDRAWING
        assert {row.owner for row in house.told[-1].remove} == old
        house.zone.owners -= old
        await daemon.turn()
        house.now += SELDOM

    house = in_house(tmp_path, work, updates=False)
    assert house.phases == list(Phase)


def test_what_waits_is_looked_at_ever_more_seldom(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        daemon = house.advancing()
        await house.begin(daemon)
        for _ in range(360):
            await daemon.turn()
            house.now += SOON

    assert in_house(tmp_path, work, updates=False).zone.looks < 40


def test_a_refused_update_is_told_and_tried_again(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        daemon = house.advancing()
        await house.begin(daemon)
        house.zone.broken = True
        await daemon.turn()
        house.now += SELDOM
        house.zone.broken = False
        await daemon.turn()

    house = in_house(tmp_path, work)
    assert house.faults == ["publishing refused"]
    assert house.phases == [Phase.PUBLISHING]


def test_a_step_of_another_daemon_is_no_fault(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        daemon = house.advancing()
        await house.begin(daemon)
        (rotation,) = await daemon.rotator.under_way()
        house.zone.owners.clear()
        late = replace(rotation, phase=Phase.WITHDRAWING)
        assert (await daemon.rotator.advance(late)).phase is Phase.DONE
        assert (await daemon.rotator.advance(late)).phase is Phase.DONE

    in_house(tmp_path, work)
