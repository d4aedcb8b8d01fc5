"""Takes the key rotations of a database further by itself: the daemon's part, beside ``maild dkim advance`` by hand.

Every daemon may do it: a step that another has done already changes nothing. A rotation that waits is looked at ever
more seldom, one that has just moved again soon; what people have to enter or remove is told once a phase.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from maild.dns import DNSError
from maild.dns.update import UpdateError
from maild.verify.dkim.rotation import Phase, Rotation
from maild.verify.rotating import Errand, Publisher, Rotator, errand

SOON = 10.0
"""Seconds to the next look at a rotation that has moved."""
SELDOM = 300.0
"""Longest time between two looks: the time to live of the records that are waited for."""


@dataclass(slots=True)
class Advancing:
    """Advances rotations. ``publisher`` gives whoever writes into a domain's zone, if anybody may."""

    rotator: Rotator
    publisher: Callable[[str], Awaitable[Publisher | None]]
    tell: Callable[[Errand], None]
    """A rotation has come to a phase; what people have to do stands in the errand."""
    failed: Callable[[Rotation, Exception], None]
    clock: Callable[[], float] = time.monotonic
    _waits: dict[str, tuple[float, float]] = field(default_factory=dict)
    _told: dict[str, Phase] = field(default_factory=dict)

    async def turn(self) -> None:
        """Looks at every rotation that is due."""
        under_way = await self.rotator.under_way()
        for domain in self._waits.keys() - {rotation.domain for rotation in under_way}:
            del self._waits[domain]
            self._told.pop(domain, None)
        for rotation in under_way:
            due, pause = self._waits.get(rotation.domain, (0.0, SOON))
            if due <= self.clock():
                moved = await self._advance(rotation)
                pause = SOON if moved else min(pause * 2, SELDOM)
                self._waits[rotation.domain] = (self.clock() + pause, pause)

    async def _advance(self, rotation: Rotation) -> bool:
        """Whether the rotation has moved on."""
        try:
            self.rotator.publisher = await self.publisher(rotation.domain)
            following = await self.rotator.advance(rotation)
        except (UpdateError, DNSError) as error:
            self.failed(rotation, error)
            return False
        if self._told.get(rotation.domain) is not following.phase:
            self._told[rotation.domain] = following.phase
            self.tell(await errand(self.rotator.keys, following))
        return following.phase is not rotation.phase
