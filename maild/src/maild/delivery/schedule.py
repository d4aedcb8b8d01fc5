"""When to try again: waits that double from the first to the longest, with jitter so that a queue does not pulse.

Pure: the clock and the randomness are arguments. Times are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60_000_000
"""A minute in microseconds."""
JITTER = 0.1
"""Share of a wait by which it may be longer or shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The retry schedule of the settings, in microseconds."""

    first: int = 5 * MINUTE
    longest: int = 240 * MINUTE
    lifetime: int = 120 * 60 * MINUTE
    notice: int = 4 * 60 * MINUTE
    """After this a waiting message's sender is told; 0: never."""

    def wait(self, failures: int, chance: float) -> int:
        """The wait after that many failures in a row; ``chance`` is a number from 0 to 1."""
        doubled = self.first << min(max(failures - 1, 0), 30)
        base = min(doubled, self.longest)
        return round(base * (1 + JITTER * (2 * chance - 1)))

    def notice_due(self, created_at: int, now: int, *, notified: bool) -> bool:
        """Whether the sender should now hear of the delay."""
        return bool(self.notice) and not notified and now - created_at >= self.notice
