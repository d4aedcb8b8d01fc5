"""What the rest relies on and belongs to Windows: the clock, and the daemon's name in the event log."""

from __future__ import annotations

from pyinfra_winrm.kinds.event_source import EventSource
from pyinfra_winrm.kinds.time_sync import TimeSync
from tasks.facts import Facts
from tasks.settings import Settings


def resources(settings: Settings, _facts: Facts) -> list[TimeSync | EventSource]:
    """The time service and the event source."""
    return [TimeSync(servers=settings.time_servers), EventSource(name=settings.service)]
