"""A name under which a program writes to the Windows event log.

Read as the log service keeps it, a registry key below the log's. A source belongs to one log: one that another log has
is removed there and made in the wanted one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State

# ships with .NET and holds one message, "%1": any text shows as it was written
MESSAGES = "C:/Windows/Microsoft.NET/Framework64/v4.0.30319/EventLogMessages.dll"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSource:
    """A source of events.

    name: the source as the event viewer shows it.
    log: the log it writes to.
    message_file: the library that holds its message texts.
    state: ``absent`` removes the source; what it wrote stays.
    """

    kind: ClassVar[str] = "event_source"
    name: str
    log: str = "Application"
    message_file: str = MESSAGES
    state: Wanted = "present"

    @property
    def label(self) -> str:
        """Log and source."""
        return f"{self.log}/{self.name}"


def _key(source: EventSource) -> Mapping[str, Json]:
    return {"name": source.name}


def _desired(source: EventSource) -> Mapping[str, Json]:
    return {
        "state": source.state,
        "name": source.name,
        "log": source.log,
        "message_file": windows_path(source.message_file),
    }


def _differences(source: EventSource, state: State) -> tuple[Difference, ...]:
    wanted = {"log": source.log.casefold(), "message_file": windows_path(source.message_file).casefold()}
    return compare(
        source.state,
        state,
        wanted,
        lambda value: {"log": value["log"].casefold(), "message_file": value["message_file"].casefold()},
    )


KIND = Kind("event_source", EventSource, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
