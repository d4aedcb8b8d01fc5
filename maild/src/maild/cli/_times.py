"""Times as commands show them to people: the server's own clock, to the second, the same form everywhere."""

from __future__ import annotations

import datetime as dt

MICRO = 1_000_000


def local(at: int) -> str:
    """A time in microseconds since 1970 as the server's clock showed it."""
    return f"{dt.datetime.fromtimestamp(at / MICRO, dt.UTC).astimezone():%Y-%m-%d %H:%M:%S}"
