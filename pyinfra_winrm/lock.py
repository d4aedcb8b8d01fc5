"""One run at a time changes a host: the lock it holds there, and the signs of life that keep it.

The host holds ``%ProgramData%/Mailhost/run.lock`` open for the session and gives it back when the session ends or falls
silent. This side waits for another run, then names it. What is changed under the lock is left to its callers.
"""

from __future__ import annotations

import getpass
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pyinfra_winrm.errors import HostError
from pyinfra_winrm.resource import Json
from pyinfra_winrm.session import Session

# Seconds between two looks at a lock that another run holds.
PAUSE: Final = 1.0

# Signs of life in one lease; one may get lost.
BEATS: Final = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as the holder wrote it down."""

    run: str
    user: str
    start: str

    def __str__(self) -> str:
        return f"a run by {self.user} since {self.start}"

    @classmethod
    def from_json(cls, value: Json) -> Holder:
        """The host's answer; an unreadable lock file has empty fields."""
        fields = value if isinstance(value, dict) else {}
        return cls(*(str(fields.get(name) or "unknown") for name in ("run", "user", "start")))


def _me() -> Holder:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return Holder(
        uuid.uuid4().hex[:12], f"{user}@{socket.gethostname()}", datetime.now(UTC).isoformat(timespec="seconds")
    )


@dataclass(slots=True)
class RunLock:
    """The lock of this run on one host."""

    session: Session
    wait: int
    lease: int
    report: Callable[[str], None]
    me: Holder = field(default_factory=_me)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _generation: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def held(self) -> bool:
        """Whether the session that took the lock is still the one in use."""
        return self._generation != 0 and self._generation == self.session.generation and self.session.connected

    def acquire(self) -> bool:
        """Takes the lock; True when it was not held before, so that what was read may be old."""
        if self.held:
            return False
        until = self.clock() + self.wait
        named = False
        fields = {"run": self.me.run, "user": self.me.user, "start": self.me.start, "lease": self.lease}
        while (held := self.session.read("lock", fields).fields.get("held")) is not None:
            holder = Holder.from_json(held)
            who = f"run {holder.run} of {holder.user}, started {holder.start},"
            if self.clock() >= until:
                raise HostError(
                    f"{self.session.name}: {who} is changing this host and did not finish within {self.wait} s: "
                    "wait for it and run again; a run that was killed is given up by the host after its lease"
                )
            if not named:
                self.report(f"waiting for {who} which is changing this host")
                named = True
            self.sleep(PAUSE)
        first = self._generation == 0
        self._generation = self.session.generation
        if first:
            self._over = threading.Event()
            beat = threading.Thread(target=self._beat, args=(self._over,), name="lock", daemon=True)
            beat.start()
        return True

    def release(self) -> None:
        """Gives the lock back; a host that is gone has given it back by itself."""
        self._over.set()
        if self.held:
            self.session.mention("unlock")
        self._generation = 0

    def _beat(self, over: threading.Event) -> None:
        pause = self.lease / BEATS
        while not over.wait(pause):
            if self.held and self.clock() - self.session.last_used >= pause:
                self.session.mention("ping")
