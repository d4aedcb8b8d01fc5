"""How much a user may send: messages an hour and recipients a day, counted by this daemon.

A stolen password then costs some hundred messages, not a million. The bounds hold a daemon: with several, each counts
its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

HOUR, DAY = 3600.0, 86400.0


@dataclass(slots=True)
class _Sent:
    at: deque[tuple[float, int]] = field(default_factory=deque)
    told: float = -DAY


@dataclass(slots=True)
class Rates:
    """What each user sent lately."""

    messages_per_hour: int
    recipients_per_day: int
    clock: Callable[[], float]
    _users: dict[str, _Sent] = field(default_factory=dict)

    def configure(self, messages_per_hour: int, recipients_per_day: int) -> None:
        """Takes changed settings."""
        self.messages_per_hour, self.recipients_per_day = messages_per_hour, recipients_per_day

    def exceeded(self, user: str, recipients: int) -> str | None:
        """Which bound a message to that many recipients would break, or None."""
        sent = self._recent(user)
        now = self.clock()
        if self.messages_per_hour and sum(now - at < HOUR for at, _ in sent.at) >= self.messages_per_hour:
            return f"{self.messages_per_hour} messages an hour"
        if self.recipients_per_day and sum(count for _, count in sent.at) + recipients > self.recipients_per_day:
            return f"{self.recipients_per_day} recipients a day"
        return None

    def sent(self, user: str, recipients: int) -> None:
        """Counts a message that was accepted."""
        self._recent(user).at.append((self.clock(), recipients))

    def first_today(self, user: str) -> bool:
        """True once a day a user: the administrator is told once, not for each refused message."""
        sent, now = self._recent(user), self.clock()
        if now - sent.told < DAY:
            return False
        sent.told = now
        return True

    def _recent(self, user: str) -> _Sent:
        sent = self._users.setdefault(user, _Sent())
        while sent.at and self.clock() - sent.at[0][0] >= DAY:
            sent.at.popleft()
        return sent
