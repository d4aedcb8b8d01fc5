"""Changing a domain's keys without a message that fails: publish, wait for every server, switch, linger, withdraw.

A pure state machine: what is seen and the time go in, the next state and what is to be done come out. Each step may be
repeated after a crash; none looks at anything but its arguments.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from maild.verify.dkim.signer import LIFETIME

SETTLE = 300.0
"""Seconds between "all servers have it" and the first signature: servers behind one address may lag."""
LINGER = float(LIFETIME + 86_400)
"""Seconds an old key stays published: as long as what it signed counts, and a day for caches."""

_DATED = re.compile(r"-[0-9]{6}(?:-[0-9]+)?$")


class Phase(StrEnum):
    """Where a rotation is."""

    PUBLISHING = "publishing"
    SETTLING = "settling"
    LINGERING = "lingering"
    WITHDRAWING = "withdrawing"
    DONE = "done"


class Action(StrEnum):
    """What the driver has to do before the state counts."""

    PUBLISH = "publish"
    SWITCH = "switch"
    WITHDRAW = "withdraw"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the phases last, in seconds."""

    settle: float = SETTLE
    linger: float = LINGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """One domain's change from the old selectors to the new ones; ``since`` is when the phase began."""

    domain: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    phase: Phase = Phase.PUBLISHING
    since: float = 0.0

    def dumped(self) -> str:
        """The state as text."""
        return json.dumps(
            {"domain": self.domain, "old": self.old, "new": self.new, "phase": self.phase, "since": self.since}
        )

    @classmethod
    def loaded(cls, text: str) -> Rotation:
        """The state of a text that ``dumped`` wrote."""
        kept = json.loads(text)
        return cls(
            domain=kept["domain"],
            old=tuple(kept["old"]),
            new=tuple(kept["new"]),
            phase=Phase(kept["phase"]),
            since=kept["since"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What authoritative servers hold now: all of them every new record, any of them an old one."""

    new_everywhere: bool
    old_anywhere: bool


def step(rotation: Rotation, seen: Seen, now: float, pace: Pace) -> tuple[Rotation, Action | None]:
    """The next state, and what must be done first; doing it again does no harm."""
    held = now - rotation.since
    match rotation.phase:
        case Phase.PUBLISHING if seen.new_everywhere:
            return replace(rotation, phase=Phase.SETTLING, since=now), None
        case Phase.PUBLISHING:
            return rotation, Action.PUBLISH
        case Phase.SETTLING if not seen.new_everywhere:
            return replace(rotation, phase=Phase.PUBLISHING, since=now), Action.PUBLISH
        case Phase.SETTLING if held >= pace.settle:
            return replace(rotation, phase=Phase.LINGERING, since=now), Action.SWITCH
        case Phase.LINGERING if held >= pace.linger:
            return replace(rotation, phase=Phase.WITHDRAWING, since=now), Action.WITHDRAW
        case Phase.WITHDRAWING if seen.old_anywhere:
            return rotation, Action.WITHDRAW
        case Phase.WITHDRAWING:
            return replace(rotation, phase=Phase.DONE, since=now), Action.FORGET
    return rotation, None


def next_selector(old: str, taken: set[str], month: str) -> str:
    """A selector no key of the domain has had: the base name, the month, and a number if need be."""
    base = _DATED.sub("", old)
    name, number = f"{base}-{month}", 2
    while name in taken:
        name = f"{base}-{month}-{number}"
        number += 1
    return name
