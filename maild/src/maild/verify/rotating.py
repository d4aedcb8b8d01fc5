"""Drives a key rotation: looks at the zone, asks the state machine, does what it says, then remembers the state.

The state is kept after the deed, so a crash between the two only repeats the deed. Without an ``Updater`` the operator
enters and removes the records; the rotation waits for it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from maild.dns.check import Checker
from maild.dns.records import Expected, Purpose
from maild.store import DKIMKey, Keys, NotFound, State
from maild.verify.dkim.rotation import Action, Pace, Phase, Rotation, Seen, next_selector, step
from maild.verify.dkim.signing_key import Algorithm, generate
from maild.verify.keyring import StoredKeys, record_of

PREFIX = "dkim-rotation:"


class RotationError(Exception):
    """A rotation cannot begin; the message says why."""


class Publisher(Protocol):
    """Whoever can write into the zone."""

    async def publish(self, rows: Sequence[Expected]) -> None:
        """Adds these records."""
        ...

    async def withdraw(self, rows: Sequence[Expected]) -> None:
        """Removes these records."""
        ...


@dataclass(slots=True)
class Rotator:
    """Rotates the keys of domains that share a database."""

    keys: Keys
    state: State
    ring: StoredKeys
    checker: Callable[[], Checker]
    """A new checker each time, since one remembers which servers are authoritative."""
    publisher: Publisher | None = None
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time

    async def under_way(self) -> list[Rotation]:
        """The rotations that are not done."""
        return await rotations(self.state)

    async def begin(self, domain: str) -> Rotation:
        """Makes the next keys of a domain and begins to change over."""
        if await self.state.get(PREFIX + domain) is not None:
            raise RotationError(f"a rotation of {domain} is under way already")
        rows = await self.keys.dkim(domain)
        active = [row for row in rows if row.state == "active"]
        if not active:
            raise RotationError(f"{domain} has no keys to rotate")
        taken, month = {row.selector for row in rows}, time.strftime("%Y%m", time.gmtime(self.clock()))
        new: list[str] = []
        for row in active:
            selector = next_selector(row.selector, taken, month)
            taken.add(selector)
            made = generate(domain, selector, Algorithm(row.algorithm))
            await self.keys.save_dkim(self.ring.row(made, "published"))
            new.append(selector)
        rotation = Rotation(
            domain=domain, old=tuple(row.selector for row in active), new=tuple(new), since=self.clock()
        )
        await self.state.put(PREFIX + domain, rotation.dumped())
        return rotation

    async def advance(self, rotation: Rotation) -> Rotation:
        """One step; the same rotation comes back while there is nothing to do but wait."""
        rows = {row.selector: row for row in await self.keys.dkim(rotation.domain)}
        new = [expected_of(rows[selector]) for selector in rotation.new if selector in rows]
        old = [expected_of(rows[selector]) for selector in rotation.old if selector in rows]
        following, action = step(rotation, await self._seen(rotation.phase, new, old), self.clock(), self.pace)
        await self._do(action, rotation, rows, new, old)
        if following.phase is Phase.DONE:
            await self.state.delete(PREFIX + rotation.domain)
        elif following != rotation:
            await self.state.put(PREFIX + rotation.domain, following.dumped())
        return following

    async def _seen(self, phase: Phase, new: Sequence[Expected], old: Sequence[Expected]) -> Seen:
        """Asks the zone only what the phase depends on."""
        checker = self.checker()
        wants_new, wants_old = phase in {Phase.PUBLISHING, Phase.SETTLING}, phase is Phase.WITHDRAWING
        return Seen(
            new_everywhere=wants_new and all([await checker.everywhere(row) for row in new]),
            old_anywhere=not wants_old or any([await checker.anywhere(row) for row in old]),
        )

    async def _do(
        self,
        action: Action | None,
        rotation: Rotation,
        rows: dict[str, DKIMKey],
        new: Sequence[Expected],
        old: Sequence[Expected],
    ) -> None:
        if action is Action.PUBLISH and self.publisher is not None:
            await self.publisher.publish(new)
        elif action is Action.SWITCH:
            # First the new ones, so that at no moment the domain has no key.
            for selector in rotation.new:
                await self.keys.save_dkim(replace(rows[selector], state="active"))
            for selector in rotation.old:
                await self.keys.save_dkim(replace(rows[selector], state="retired"))
        elif action is Action.WITHDRAW and self.publisher is not None:
            await self.publisher.withdraw(old)
        elif action is Action.FORGET:
            for selector in rotation.old:
                with contextlib.suppress(NotFound):  # another daemon was first
                    await self.keys.remove_dkim(rotation.domain, selector)


async def rotations(state: State) -> list[Rotation]:
    """The rotations of a database that are not done."""
    return [Rotation.loaded(text) for text in (await state.names(PREFIX)).values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a rotation waits for people, or an updater, to enter or to remove."""

    rotation: Rotation
    enter: tuple[Expected, ...] = ()
    remove: tuple[Expected, ...] = ()


async def errand(keys: Keys, rotation: Rotation) -> Errand:
    """What there is to do for a rotation now; nothing while it only lets time pass."""
    wanted = {Phase.PUBLISHING: rotation.new, Phase.WITHDRAWING: rotation.old}.get(rotation.phase, ())
    rows = tuple(expected_of(row) for row in await keys.dkim(rotation.domain) if row.selector in wanted)
    if rotation.phase is Phase.WITHDRAWING:
        return Errand(rotation=rotation, remove=rows)
    return Errand(rotation=rotation, enter=rows)


def expected_of(row: DKIMKey) -> Expected:
    """The record that publishes the key of a row."""
    return Expected(
        purpose=Purpose.DKIM,
        domain=row.domain,
        rdtype="TXT",
        owner=f"{row.selector}._domainkey.{row.domain}",
        value=record_of(row),
    )
