"""What a reload can take up at once, and what has to wait for the next start.

Sessions, listeners, certificates, the queue, the resolver and the logs follow a reload. What the daemon stands on while
it runs does not: its database, the folder it is known by, its threads, the key that wraps secrets. Pure.
"""

from __future__ import annotations

import msgspec

from maild.settings.base import Table
from maild.settings.model import Settings

NEXT_START = frozenset({"database", "data_folder", "dkim.wrap_key_file", "limits.handshakes"})
"""Keys, and tables with all their keys, that take effect at the next start."""


def waiting(running: Settings, loaded: Settings) -> tuple[str, ...]:
    """The keys that differ from those the daemon was started with, and that only a start takes up."""
    return tuple(
        name
        for name in differences(running, loaded)
        if name in NEXT_START or any(name.startswith(f"{table}.") for table in NEXT_START)
    )


def differences(before: Table, after: Table, place: str = "") -> tuple[str, ...]:
    """The keys that differ, in the order of the settings; a table of tables (``listeners``) is one key."""
    found: list[str] = []
    for field in msgspec.structs.fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if isinstance(old, Table) and isinstance(new, Table):
            found += differences(old, new, f"{place}{field.name}.")
        elif old != new:
            found.append(f"{place}{field.name}")
    return tuple(found)
